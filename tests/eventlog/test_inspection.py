"""What can be said of a server from outside."""

from collections.abc import Callable

import pytest

from clawactors.eventlog.jetstream import Connection, lacking, syncs_always
from tests.servers import NatsServer, accounts

pytestmark = pytest.mark.nats


async def test_a_server_that_will_do_lacks_nothing(nats_url: str) -> None:
    connection = await Connection.open(nats_url, "test")
    assert await lacking(connection) == []
    await connection.aclose()


async def test_a_server_without_jetstream_is_told_how_to_get_it(own_server: Callable[..., NatsServer]) -> None:
    connection = await Connection.open(own_server(jetstream=False).url(), "test")
    (bare,) = await lacking(connection)
    assert "JetStream" in bare
    await connection.aclose()


async def test_a_server_that_is_too_old_is_asked_for_nothing_more(
    own_server: Callable[..., NatsServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = await Connection.open(own_server(jetstream=False).url(), "test")
    monkeypatch.setattr(Connection, "version", (2, 10))
    (old,) = await lacking(connection)
    assert "2.10 is too old" in old
    await connection.aclose()


@pytest.mark.parametrize(("interval", "expected"), [("always", True), ("2m", False)])
async def test_a_user_of_the_system_account_sees_whether_it_syncs(
    own_server: Callable[..., NatsServer], interval: str, expected: bool
) -> None:
    server = own_server(accounts(1), sync=interval)
    system = await Connection.open(server.url("sys"), "test")
    assert await syncs_always(system) is expected
    await system.aclose()


async def test_others_do_not_see_it(nats_url: str) -> None:
    connection = await Connection.open(nats_url, "test")
    assert await syncs_always(connection) is None
    assert await syncs_always(None) is None
    await connection.aclose()
