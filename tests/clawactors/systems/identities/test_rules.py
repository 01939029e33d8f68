"""The rules of identities: pure, in milliseconds."""

from typing import Any

import pytest
from msgspec.structs import replace

from clawactors.kernel.errors import Exists, Refused
from clawactors.systems.identities import IDENTITY, Identity, is_open, refused_keys
from clawactors.systems.identities.commands import Invite, Join, Register, Renew, Revoke
from clawactors.systems.identities.events import (
    IdentityInvited,
    IdentityJoined,
    IdentityRenewed,
    IdentityRevoked,
    IdentityUsed,
    Invitation,
)
from tests.spec import SECOND, spec

given = spec(IDENTITY)

ONE, TWO, THREE = (f"U{letter * 55}" for letter in "ABC")
SECRET, OTHER = "1" * 64, "2" * 64
LATE = 1000 * SECOND


def invited(uses: int = 1, sha256: str = SECRET, role: str = "node") -> IdentityInvited:
    return IdentityInvited(role=role, sha256=sha256, expires_ns=LATE, uses=uses)


def invitation(**changes: Any) -> Invitation:
    return replace(Invitation(role="node", sha256=OTHER, expires_ns=LATE), **changes)


def joined(key: str = ONE, invitation: str = "") -> IdentityJoined:
    return IdentityJoined(role="node", public_key=key, host="box", invitation=invitation)


def join(key: str = ONE, sha256: str = SECRET, at_ns: int = 5 * SECOND, member: str = "") -> Join:
    return Join(sha256, key, at_ns, "box", member)


def test_whoever_knows_the_secret_joins_once() -> None:
    state = given(invited()).when(join(ONE)).then(joined(ONE))
    assert (state.status, state.used, state.host) == ("joined", 1, "box")
    given(invited(), joined(ONE)).when(join(ONE)).quietly()
    given(invited(), joined(ONE)).when(join(ONE, at_ns=LATE)).quietly()
    given(invited(), joined(ONE)).when(join(TWO)).refused("was used: ask for a new one")
    given(invited()).when(join(sha256=OTHER)).refused("has another invitation now")
    given(invited()).when(join(at_ns=LATE)).refused("has expired: ask for a new one")
    given().when(join()).refused("is not invited")
    given(invited(), IdentityRevoked()).when(join()).refused("was revoked")


@pytest.mark.parametrize(
    "key", ["", "U", ONE[:-1], f"{ONE}A", f"A{ONE[1:]}", f"U{'a' * 55}", f"U{'1' * 55}", f"{ONE}\n"]
)
def test_what_is_no_key_is_refused(key: str) -> None:
    given(invited()).when(join(key)).refused("a key is the public one of a NATS user")
    given(invited(), joined()).when(Renew(key)).refused("a key is the public one of a NATS user")
    given().when(Register("node", key, "gpu")).refused("a key is the public one of a NATS user")


def test_a_new_invitation_replaces_the_one_before() -> None:
    again = invitation()
    state = (
        given(invited())
        .when(Invite(again, SECOND, "ada"))
        .then(IdentityInvited(role="node", sha256=OTHER, expires_ns=LATE, by="ada"))
    )
    assert not is_open(state, SECRET, SECOND)
    assert is_open(state, OTHER, SECOND)
    assert not is_open(state, OTHER, LATE)
    given(invited(sha256=OTHER)).when(Invite(again, SECOND)).quietly()


def test_a_name_is_given_away_once_until_it_is_revoked() -> None:
    with pytest.raises(Exists, match="joined already: revoke it first"):
        IDENTITY.decide(Invite(invitation(), SECOND), given(invited(), joined()).state)
    for life in (
        [invited(), joined(), IdentityRevoked()],
        [invited(uses=3), IdentityUsed("gpu-1", ONE), IdentityRevoked()],
    ):
        state = (
            given(*life)
            .when(Invite(invitation(), SECOND))
            .then(IdentityInvited(role="node", sha256=OTHER, expires_ns=LATE))
        )
        assert (state.status, state.members, state.public_key) == ("invited", {}, "")


def test_an_invitation_in_use_is_not_replaced() -> None:
    given(invited(uses=3), IdentityUsed("gpu-1", ONE)).when(Invite(invitation(), SECOND)).refused("revoke it first")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"role": "admin"}, "'admin' is none of node, client, observer"),
        ({"role": "x" * 1000}, f"'{'x' * 40}' is none of"),
        ({"sha256": "secret"}, "64 hexadecimal digits"),
        ({"sha256": f"{OTHER}\n"}, "64 hexadecimal digits"),
        ({"expires_ns": SECOND}, "would expire before it was made"),
        ({"expires_ns": 0}, "would expire before it was made"),
        ({"uses": 0}, "for 1 to 500 machines, not 0"),
        ({"uses": 501}, "for 1 to 500 machines, not 501"),
        ({"skills": ("x",) * 101}, "at most 100"),
        ({"skills": ("x" * 257,)}, "at most 100"),
    ],
)
def test_what_is_no_invitation_is_refused(changes: dict[str, Any], words: str) -> None:
    given().when(Invite(invitation(**changes), SECOND)).refused(words)


def test_an_invitation_for_several_admits_as_many_as_it_says() -> None:
    life = given(invited(uses=2)).when(join(ONE, member="gpu-1"), join(TWO, member="gpu-2"))
    state = life.then(IdentityUsed("gpu-1", ONE), IdentityUsed("gpu-2", TWO))
    assert (state.status, state.used, state.members) == ("invited", 2, {ONE: "gpu-1", TWO: "gpu-2"})
    used = given(invited(uses=2), IdentityUsed("gpu-1", ONE), IdentityUsed("gpu-2", TWO))
    used.when(join(THREE, member="gpu-3")).refused("was used")
    given(invited(uses=2), IdentityUsed("gpu-1", ONE)).when(join(ONE, member="gpu-9")).quietly()
    given(invited(uses=2), IdentityUsed("gpu-1", ONE)).when(join(TWO, member="gpu-1")).refused("under which name")
    given(invited(uses=2)).when(join(ONE)).refused("under which name")


def test_a_member_gets_a_name_that_nobody_has() -> None:
    register = Register("node", ONE, "gpu", "box")
    state = given().when(register).then(joined(ONE, "gpu"))
    assert (state.admitted_by, state.used) == ("gpu", 0)
    given(joined(ONE, "gpu")).when(register).quietly()
    for others in ([joined(TWO, "gpu")], [joined(ONE, "cpu")], [invited()], [invited(), joined()]):
        with pytest.raises(Exists, match="the name of somebody else"):
            IDENTITY.decide(register, given(*others).state)
    given().when(Register("admin", ONE, "gpu")).refused("none of node, client, observer")


def test_a_key_that_was_replaced_or_revoked_counts_never_again() -> None:
    renewed = given(invited(), joined(ONE)).when(Renew(TWO)).then(IdentityRenewed(TWO))
    assert refused_keys(renewed) == ((ONE, 3 * SECOND),)
    given(invited(), joined(ONE)).when(Renew(ONE)).quietly()
    revoked = (
        given(invited(), joined(ONE), IdentityRenewed(TWO))
        .when(Revoke("ada", "sold"))
        .then(IdentityRevoked("ada", "sold"))
    )
    assert refused_keys(revoked) == ((ONE, 3 * SECOND), (TWO, 4 * SECOND))
    assert (revoked.status, revoked.public_key, revoked.reason) == ("revoked", "", "sold")
    life = [invited(), joined(ONE), IdentityRenewed(TWO), IdentityRevoked(), invited(sha256=OTHER)]
    for key in (ONE, TWO):
        given(*life).when(join(key, OTHER)).refused("counts no longer: make a new one")
        given(*life[:4]).when(Register("node", key, "gpu")).refused("counts no longer")
    given(*life).when(join(THREE, OTHER)).then(joined(THREE))
    given(invited(), joined(ONE), IdentityRenewed(TWO)).when(Renew(ONE)).refused("counts no longer")


def test_only_who_has_joined_draws_a_new_key() -> None:
    for life in (
        [],
        [invited()],
        [invited(uses=2), IdentityUsed("gpu-1", ONE)],
        [invited(), joined(), IdentityRevoked()],
    ):
        given(*life).when(Renew(TWO)).refused("has not joined, or was revoked")


def test_a_revocation_is_told_once() -> None:
    given(invited()).when(Revoke()).then(IdentityRevoked())
    given(invited(), IdentityRevoked()).when(Revoke("bob")).quietly()
    given().when(Revoke()).refused("was never invited")
    given(invited()).when(Revoke("", "x" * 1000)).then(IdentityRevoked("", "x" * 256))


def test_nothing_counts_that_is_illegal_where_it_stands() -> None:
    def unchanged(event: Any, *life: Any) -> None:
        state: Identity = given(*life).state
        assert IDENTITY.evolve(state, event, LATE) is state

    unchanged(IdentityRevoked())
    unchanged(IdentityRenewed(TWO))
    unchanged(IdentityUsed("gpu-1", ONE))
    unchanged(IdentityRenewed(TWO), invited())
    unchanged(invited(), invited(), joined())
    unchanged(joined(TWO), invited(), joined())
    unchanged(invited(), invited(uses=2), IdentityUsed("gpu-1", ONE))
    unchanged(IdentityUsed("gpu-1", ONE), invited(), IdentityRevoked())
    unchanged(joined(ONE), invited(), joined(ONE), IdentityRevoked())


def test_members_of_several_lives_are_told_apart() -> None:
    state = given(joined(ONE, "gpu"), IdentityRevoked(), invited(), joined(TWO)).state
    assert (state.status, state.admitted_by, state.public_key) == ("joined", "", TWO)
    assert refused_keys(state) == ((ONE, 2 * SECOND),)


def test_a_refusal_is_one_line_that_says_the_way_out() -> None:
    with pytest.raises(Refused) as refused:
        IDENTITY.decide(join(TWO), given(invited(), joined()).state)
    assert str(refused.value) == "has an invitation that was used: ask for a new one"
