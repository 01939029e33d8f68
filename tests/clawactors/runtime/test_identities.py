"""Invitations through a cluster in one loop: those who join at once, names that are taken, revocations."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import msgspec
import pytest

from clawactors.kernel.errors import NotFound, Refused
from clawactors.runtime.client import ClusterClient
from clawactors.runtime.client.identities import IN_EFFECT
from clawactors.systems.identities import IDENTITY
from clawactors.systems.identities.events import IdentityInvited, IdentityJoined
from clawactors.systems.identities.external import RevokeRequest
from clawactors.systems.identities.row import row
from tests.clawactors.runtime.cluster import Cluster

LATER = datetime(2040, 1, 1, tzinfo=UTC)
SECRET, OTHER = "a long one", "another one"


def key(number: int) -> str:
    """A key as a NATS user has it."""
    return f"U{hashlib.sha256(str(number).encode()).hexdigest()[:55].upper().translate(str.maketrans('0189', 'WXYZ'))}"


async def in_effect(body: bytes) -> bytes:
    """As the authority answers whose server takes all at once."""
    return body


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    async with Cluster() as cluster:
        await cluster.control()
        yield cluster


@pytest.fixture
async def claw(cluster: Cluster) -> AsyncIterator[ClusterClient]:
    cluster.context("authority")
    serving = await cluster.links["authority"].serve(IN_EFFECT, in_effect)
    yield cluster.client()
    await serving.aclose()


async def test_a_machine_joins_by_its_invitation(claw: ClusterClient) -> None:
    invited = await claw.identities.invite("node", "gpu", secret=SECRET, expires=LATER, skills=["skills.py"])
    assert (invited.status, invited.role, invited.skills, invited.uses) == ("invited", "node", ("skills.py",), 1)
    with pytest.raises(Refused, match="another invitation"):
        await claw.identities.join("gpu", secret=OTHER, public_key=key(1))
    joined = await claw.identities.join("gpu", secret=SECRET, public_key=key(1), host="box")
    assert (joined.name, joined.status, joined.host, joined.skills) == ("gpu", "joined", "box", ("skills.py",))
    again = await claw.identities.join("gpu", secret=SECRET, public_key=key(1), host="box")
    assert again.version == joined.version, "the answer may have been lost"
    with pytest.raises(Refused, match="used"):
        await claw.identities.join("gpu", secret=SECRET, public_key=key(2))
    renewed = await claw.identities.renew("gpu", key(2))
    assert (renewed.public_key, renewed.version > joined.version) == (key(2), True)
    with pytest.raises(NotFound, match="machine or person 'cpu'"):
        await claw.identities.renew("cpu", key(3))


async def test_those_who_join_at_once_get_names_of_their_own(cluster: Cluster, claw: ClusterClient) -> None:
    await claw.identities.invite("node", "gpu", secret=SECRET, expires=LATER, uses=8, skills=["skills.py"])
    others = [cluster.client() for _ in range(10)]
    told = await asyncio.gather(
        *(each.identities.join("gpu", secret=SECRET, public_key=key(n)) for n, each in enumerate(others)),
        return_exceptions=True,
    )
    rows = [each for each in told if not isinstance(each, BaseException)]
    assert {each.name for each in rows} == {f"gpu-{number}" for number in range(1, 9)}
    assert {each.public_key for each in rows} == {key(n) for n, each in enumerate(told) if each in rows}
    assert {(each.role, each.status, each.invitation) for each in rows} == {("node", "joined", "gpu")}
    assert [str(each) for each in told if isinstance(each, BaseException)] == [
        "has an invitation that was used: ask for a new one"
    ] * 2


async def test_a_name_that_somebody_has_is_passed_over(claw: ClusterClient) -> None:
    await claw.identities.invite("client", "gpu-1", secret=OTHER, expires=LATER)
    await claw.identities.invite("node", "gpu", secret=SECRET, expires=LATER, uses=3)
    first = await claw.identities.join("gpu", secret=SECRET, public_key=key(1))
    assert first.name == "gpu-2"
    again = await claw.identities.join("gpu", secret=SECRET, public_key=key(1))
    assert (again.name, again.version) == ("gpu-2", first.version)
    assert (await claw.identities.join("gpu", secret=SECRET, public_key=key(2))).name == "gpu-3"


async def test_a_revoked_invitation_takes_all_with_it_whom_it_has_admitted(
    cluster: Cluster, claw: ClusterClient
) -> None:
    await claw.identities.invite("node", "gpu", secret=SECRET, expires=LATER, uses=4)
    for number in range(3):
        await claw.identities.join("gpu", secret=SECRET, public_key=key(number))
    await claw.identities.revoke("gpu-2", "sold")
    await claw.identities.invite("node", "gpu-2", secret=OTHER, expires=LATER)
    await claw.identities.join("gpu-2", secret=OTHER, public_key=key(7))
    await claw.identities.renew("gpu-3", key(8))
    revoked = await claw.identities.revoke("gpu", "moved")
    assert (revoked.status, revoked.reason) == ("revoked", "moved")
    commits = {id: [each.record for each in cluster.commits(id, "identity")][-1] for id in ("gpu-1", "gpu-3", "gpu")}
    assert sorted(each.seq for each in commits.values()) == [revoked.version - 2, revoked.version - 1, revoked.version]
    assert {cluster.named(id, "identity")[-1] for id in commits} == {"identity.revoked"}
    assert cluster.named("gpu-2", "identity")[-1] == "identity.joined", "it has joined by another one since"
    with pytest.raises(Refused, match="was revoked"):
        await claw.identities.join("gpu", secret=SECRET, public_key=key(9))
    with pytest.raises(Refused, match="was revoked"):
        await claw.identities.join("gpu", secret=SECRET, public_key=key(0))


async def test_a_member_that_was_revoked_or_has_another_key_is_not_let_in_again(claw: ClusterClient) -> None:
    await claw.identities.invite("node", "gpu", secret=SECRET, expires=LATER, uses=9)
    for number in range(2):
        await claw.identities.join("gpu", secret=SECRET, public_key=key(number))
    await claw.identities.revoke("gpu-1")
    with pytest.raises(Refused, match="counts no longer"):
        await claw.identities.join("gpu", secret=SECRET, public_key=key(0))
    await claw.identities.renew("gpu-2", key(5))
    with pytest.raises(Refused, match="somebody else"):
        await claw.identities.join("gpu", secret=SECRET, public_key=key(1))


async def test_joining_and_revoking_at_once_leaves_nobody_behind(cluster: Cluster, claw: ClusterClient) -> None:
    for turn in range(5):
        name = f"gpu{turn}"
        await claw.identities.invite("node", name, secret=SECRET, expires=LATER, uses=9)
        others = [cluster.client() for _ in range(4)]
        joins = [each.identities.join(name, secret=SECRET, public_key=key(n)) for n, each in enumerate(others)]
        joins.insert(turn % 4, claw.identities.revoke(name))
        await asyncio.gather(*joins, return_exceptions=True)
        left = [commit.id for commit in cluster.commits(kind="identity") if commit.id.startswith(name)]
        ends = {id: cluster.named(id, "identity")[-1] for id in left}
        assert set(ends.values()) == {"identity.revoked"}, "nobody is left who may connect"


async def test_a_revocation_that_no_authority_carries_out_is_told(cluster: Cluster) -> None:
    claw = cluster.client()
    await claw.identities.invite("node", "gpu", secret=SECRET, expires=LATER)
    with pytest.raises(Refused, match="is on record, and takes effect once"):
        await claw.identities.revoke("gpu")
    assert cluster.named("gpu", "identity")[-1] == "identity.revoked"


def test_an_invitation_that_is_over_says_so() -> None:
    life = IDENTITY.evolve(IDENTITY.initial, IdentityInvited(role="node", sha256="0" * 64, expires_ns=9), 1)
    assert [row("gpu", 1, life, now_ns)["status"] for now_ns in (0, 8, 9)] == ["invited", "invited", "expired"]
    joined = IDENTITY.evolve(life, IdentityJoined(role="node", public_key=key(1)), 2)
    assert row("gpu", 2, joined, 10)["status"] == "joined"


async def test_a_name_that_leaves_no_room_for_numbers_is_refused(claw: ClusterClient) -> None:
    with pytest.raises(Refused, match="name of who joins"):
        await claw.identities.invite("node", "g" * 126, secret=SECRET, expires=LATER, uses=500)


async def test_a_guarded_revocation_is_for_that_version_only(claw: ClusterClient) -> None:
    row = await claw.identities.invite("node", "gpu", secret=SECRET, expires=LATER, uses=3)
    await claw.identities.join("gpu", secret=SECRET, public_key=key(1))
    with pytest.raises(Refused, match="has changed since"):
        await claw.sender.ask("identity", "gpu", RevokeRequest(id="r1"), version=row.version)
    again = [await claw.sender.ask("identity", "gpu", RevokeRequest(id="r2")) for _ in range(2)]
    assert msgspec.to_builtins(again[0])["version"] == again[1].version
