"""Keys that expire, against a real server. Rule numbers are those of the module."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

import pytest

from clawactors.eventlog import Misconfigured, Unavailable
from clawactors.eventlog.jetstream import JetStreamLeases, JetStreamLog
from tests.logs import open_log
from tests.proxy import Proxy
from tests.servers import NatsServer

pytestmark = pytest.mark.nats


@pytest.fixture
def leases(jetstream_log: JetStreamLog) -> JetStreamLeases:
    return JetStreamLeases(jetstream_log.connection)


class Watch:
    """The changes that a watcher sees, in the background."""

    def __init__(self, leases: JetStreamLeases, prefix: str) -> None:
        self._changes: asyncio.Queue[tuple[str, bytes | None]] = asyncio.Queue()
        self._task = asyncio.ensure_future(self._listen(leases.watch(prefix)))

    async def _listen(self, changes: AsyncIterator[tuple[str, bytes | None]]) -> None:
        async for change in changes:
            self._changes.put_nowait(change)

    async def next(self, timeout_s: float = 5) -> tuple[str, bytes | None]:
        async with asyncio.timeout(timeout_s):
            return await self._changes.get()

    async def ended(self) -> BaseException | None:
        async with asyncio.timeout(10):
            await asyncio.wait([self._task])
        return self._task.exception()

    async def aclose(self) -> None:
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task


async def test_rule_1_a_key_has_one_holder(leases: JetStreamLeases) -> None:
    lease = await leases.acquire("node.a", b"1", 5)
    assert lease is not None
    assert await leases.acquire("node.a", b"2", 5) is None
    assert await leases.acquire("node.b", b"3", 5) is not None
    assert await leases.get("node.a") == b"1"
    assert await leases.get("node.c") is None


async def test_a_key_is_taken_from_a_holder_that_is_known_to_be_gone_and_from_no_other(leases: JetStreamLeases) -> None:
    held = await leases.acquire("leader", b"one", 5)
    assert held is not None
    assert await leases.acquire("leader", b"two", 5, over=b"three") is None
    assert await leases.acquire("leader", b"two", 5, over=b"one") is not None
    assert (await held.renew(b"one"), await leases.get("leader")) == (False, b"two")


@pytest.mark.parametrize("how", ["all", "sub"])
async def test_no_message_can_roll_the_leases_up(
    jetstream_log: JetStreamLog, leases: JetStreamLeases, how: str
) -> None:
    held = await leases.acquire("node.a", b"1", 2)
    assert held is not None
    headers = f"NATS/1.0\r\nNats-Rollup: {how}\r\nNats-TTL: 5s\r\n\r\n".encode()
    for key in ("node.a", "node.b"):
        _, answer = await jetstream_log.connection.ask(f"$KV.claw-live.{key}", b"attack", headers)
        assert b"rollup not permitted" in answer
    assert (await leases.get("node.a"), await leases.get("node.b")) == (b"1", None)
    assert await held.renew(b"2")


async def test_rule_1_of_many_who_try_at_once_one_gets_it(leases: JetStreamLeases) -> None:
    tries = await asyncio.gather(*(leases.acquire("leader", b"%d" % n, 5) for n in range(20)))
    assert sum(lease is not None for lease in tries) == 1


async def test_renewing_changes_the_value_and_keeps_the_key(leases: JetStreamLeases) -> None:
    lease = await leases.acquire("node.a", b"1", 1)
    assert lease is not None
    for n in range(5):
        assert await lease.renew(b"%d" % n)
        await asyncio.sleep(0.3)
    assert await leases.get("node.a") == b"4"


async def test_releasing_frees_the_key_at_once(leases: JetStreamLeases) -> None:
    lease = await leases.acquire("node.a", b"1", 5)
    assert lease is not None
    await lease.release()
    assert await leases.get("node.a") is None
    assert await lease.renew(b"2") is False
    second = await leases.acquire("node.a", b"3", 5)
    assert second is not None
    await lease.release()
    assert await leases.get("node.a") == b"3", "a holder of before has no say"


async def test_rule_2_a_key_that_is_not_renewed_expires_in_silence(leases: JetStreamLeases) -> None:
    watch = Watch(leases, "node.")
    lease = await leases.acquire("node.a", b"1", 1)
    assert lease is not None
    assert await watch.next() == ("node.a", b"1")
    async with asyncio.timeout(5):
        while await leases.acquire("node.a", b"3", 1) is None:
            pass
    assert await lease.renew(b"2") is False
    assert await watch.next() == ("node.a", b"3"), "and nothing between"
    await watch.aclose()


async def test_a_watcher_sees_what_is_there_and_what_comes_below_its_prefix(leases: JetStreamLeases) -> None:
    first = await leases.acquire("node.a", b"1", 5)
    assert first is not None
    assert await first.renew(b"2")
    await leases.acquire("leader", b"x", 5)
    watch = Watch(leases, "node.")
    assert await watch.next() == ("node.a", b"2")
    await leases.acquire("node.b", b"3", 5)
    assert await watch.next() == ("node.b", b"3")
    await first.release()
    assert await watch.next() == ("node.a", None)
    await watch.aclose()


async def test_an_answer_that_is_lost_does_not_lose_the_lease(nats_server: NatsServer, nats_url: str) -> None:
    async with (
        Proxy(nats_server.port) as proxy,
        await open_log(proxy.url(nats_url), "test") as log,
    ):
        lease = await JetStreamLeases(log.connection).acquire("node.a", b"1", 5)
        assert lease is not None
        proxy.deaf = True
        renewing = asyncio.ensure_future(lease.renew(b"2"))
        await proxy.lost.wait()
        proxy.cut()
        with pytest.raises(Unavailable):
            await renewing
        assert await lease.renew(b"3")


async def test_a_watcher_is_told_when_it_may_have_missed_something(nats_server: NatsServer, nats_url: str) -> None:
    async with (
        Proxy(nats_server.port) as proxy,
        await open_log(proxy.url(nats_url), "test") as log,
    ):
        leases = JetStreamLeases(log.connection)
        watch = Watch(leases, "")
        await leases.acquire("a", b"1", 5)
        await watch.next()
        proxy.cut()
        assert isinstance(await watch.ended(), Unavailable)


async def test_rule_3_a_restarted_server_has_no_keys_and_takes_new_ones(own_server: Callable[..., NatsServer]) -> None:
    server = own_server()
    async with await open_log(server.url(), "test") as log:
        leases = JetStreamLeases(log.connection)
        lease = await leases.acquire("node.a", b"1", 5)
        assert lease is not None
        server.kill()
        await server.restart()
        async with asyncio.timeout(10):
            assert await lease.renew(b"2") is False
            assert await leases.acquire("node.a", b"3", 5) is not None
            assert await leases.get("node.a") == b"3"


@pytest.mark.parametrize("key", ["", "a b", "a*", "a>", "a\r\n"])
async def test_a_key_that_is_no_subject_is_refused(leases: JetStreamLeases, key: str) -> None:
    with pytest.raises(ValueError, match="key"):
        await leases.acquire(key, b"", 1)


@pytest.mark.parametrize(
    "headers",
    [
        "",
        "Nats-TTL: never\r\n",
        "Nats-TTL: 3600s\r\nClaw-Lease: forged\r\n",
        "Claw-Lease: forged\r\n",
        "Nats-TTL: 2s\r\n",
    ],
)
async def test_rule_4_a_value_that_is_no_lease_holds_nobody_up(leases: JetStreamLeases, headers: str) -> None:
    lease = await leases.acquire("leader", b"1", 2)
    assert lease is not None
    await leases.put("$KV.claw-live.leader", headers, b"by hand")
    assert not await lease.renew(b"1")
    assert await leases.acquire("leader", b"2", 2) is not None
    assert await leases.get("leader") == b"2"


async def test_rule_4_a_lease_of_the_same_term_is_one(leases: JetStreamLeases, jetstream_log: JetStreamLog) -> None:
    assert await leases.acquire("leader", b"1", 2) is not None
    assert await JetStreamLeases(jetstream_log.connection).acquire("leader", b"2", 1.5) is None


async def test_what_is_far_too_large_for_a_lease_is_refused(leases: JetStreamLeases) -> None:
    with pytest.raises(Misconfigured, match="message size exceeds"):
        await leases.put("$KV.claw-live.some", "", b"x" * 900_000)
