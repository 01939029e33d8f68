"""Machines and people over HTTP: who is there, who was, and who may ask."""

from datetime import UTC, datetime

import httpx
import pytest

from clawactors.kernel.errors import InvalidQuery, NotFound
from clawactors.testing import Cluster

LATER = datetime(2040, 1, 1, tzinfo=UTC)
SECRET, KEY = "a long one", f"U{'A' * 55}"


async def test_who_is_there_and_who_was(http: httpx.AsyncClient, cluster: Cluster) -> None:
    claw = cluster.client
    await claw.identities.invite("node", "gpu", secret=SECRET, expires=LATER)
    await claw.identities.invite("client", "ada", secret=SECRET, expires=LATER)
    await claw.identities.join("ada", secret=SECRET, public_key=KEY)
    await claw.identities.invite("observer", "bob", secret=SECRET, expires=LATER)
    recorded = await http.delete("/identities/bob", params={"reason": "left"})
    assert (recorded.status_code, "takes effect once" in recorded.json()["detail"]) == (409, True), "nobody signs here"

    async def names(**asked: str) -> list[str]:
        return [row.name for row in await claw.identities.list(**asked)]

    assert await names() == ["ada", "gpu"]
    assert await names(role="node") == await names(status="invited") == ["gpu"]
    assert await names(status="joined") == await names(role="client", status="joined") == ["ada"]
    assert await names(status="revoked") == ["bob"]
    assert await names(role="node", status="joined") == await names(status="expired") == []
    bob = await claw.identities.get("bob")
    assert (bob.status, bob.reason, bob.invited_at is not None) == ("revoked", "left", True)
    for wrong in ({"role": "admin"}, {"status": "gone"}):
        with pytest.raises(InvalidQuery, match="use one of"):
            await names(**wrong)
    with pytest.raises(NotFound, match="no machine or person 'cpu'"):
        await claw.identities.get("cpu")
    listed = await http.get("/identities", params={"status": "revoked"})
    assert [(row["name"], row["reason"]) for row in listed.json()["rows"]] == [("bob", "left")]
    assert "sha256" not in listed.text
    one = await http.get("/identities/ada")
    assert (one.json()["public_key"], one.headers["etag"]) == (KEY, f'"{one.json()["version"]}"')
    assert (await http.get("/identities", params={"role": "admin"})).status_code == 400
    assert (await http.get("/identities/cpu")).status_code == (await http.delete("/identities/cpu")).status_code == 404


async def test_only_administrators_see_and_revoke(http: httpx.AsyncClient) -> None:
    for scope, status in (("read", 403), ("tasks", 403), ("memory", 403), ("admin", 404)):
        secret = (await http.put(f"/keys/{scope}", json={"scopes": [scope]})).json()["secret"]
        header = {"Authorization": f"Bearer {secret}"}
        assert (await http.get("/identities/ada", headers=header)).status_code == status
        assert (await http.delete("/identities/ada", headers=header)).status_code == status
