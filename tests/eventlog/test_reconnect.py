"""Coming back to a server that accepts connections and then says nothing, as one does that hangs."""

import asyncio
from collections.abc import Callable

import pytest

from clawactors.eventlog.jetstream import Connection
from tests.servers import HOST, NatsServer

pytestmark = pytest.mark.nats


async def test_a_try_that_got_no_further_than_the_connect_is_closed_before_the_next(
    own_server: Callable[..., NatsServer],
) -> None:
    server = own_server()
    connection = await Connection.open(server.url(), "test", connect_timeout_s=0.3)
    server.kill()
    ends: asyncio.Queue[bytes] = asyncio.Queue()

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ends.put_nowait(await reader.read())
        writer.close()

    silent = await asyncio.start_server(say_nothing, HOST, server.port)
    try:
        async with asyncio.timeout(30):
            for _ in range(3):
                assert await ends.get() == b""
    finally:
        silent.close()
        await connection.aclose()
