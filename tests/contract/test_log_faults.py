"""The log on a real server when things go wrong: lost answers, killed servers, forbidden subjects, slow takers."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Callable

import pytest

from clawactors.eventlog import (
    Corrupt,
    Draft,
    Misconfigured,
    NoSpace,
    NoSuchLog,
    PermissionDenied,
    Record,
    Unavailable,
    WrongVersion,
)
from clawactors.eventlog.jetstream import Connection, JetStreamLog
from clawactors.eventlog.jetstream.log import atomic, publisher, settlement
from clawactors.eventlog.jetstream.log.streams import BLOBS, EVENTS, LIVE, events, stores_beside
from clawactors.eventlog.jetstream.wire.api import call
from tests.logs import open_log
from tests.proxy import Proxy
from tests.servers import PASSWORD, NatsServer

pytestmark = pytest.mark.nats
ALL = ("claw.>",)
BODY = b'{"v":1,"events":[{"type":"task.submitted"}]}'


def draft(id: str = "a", commit: str = "c1", body: bytes = BODY) -> Draft:
    return Draft("task", id, body, commit)


@pytest.fixture
async def proxy(nats_server: NatsServer) -> AsyncIterator[Proxy]:
    async with Proxy(nats_server.port) as proxy:
        yield proxy


async def read_all(log: JetStreamLog) -> list[Record]:
    return [record async for batch in log.read(ALL) for record in batch]


# Lost answers


async def test_rule_3_an_append_whose_answer_is_lost_gets_the_version_it_has(proxy: Proxy, nats_url: str) -> None:
    async with await open_log(proxy.url(nats_url), "test") as log:
        proxy.deaf = True
        waiting = asyncio.ensure_future(log.append(draft(), 0))
        await proxy.lost.wait()
        proxy.cut()
        assert await waiting == 1
        assert len(await read_all(log)) == 1


async def test_rule_3_holds_when_another_writer_went_on_meanwhile(proxy: Proxy, nats_url: str) -> None:
    async with (
        await open_log(nats_url, "other") as other,
        await open_log(proxy.url(nats_url), "test") as log,
    ):
        proxy.deaf = True
        waiting = asyncio.ensure_future(log.append(draft(commit="mine"), 0))
        await proxy.lost.wait()
        assert await other.append(draft(commit="theirs"), 1) == 2
        proxy.cut()
        assert await waiting == 1


async def test_rule_3_an_append_that_did_not_arrive_and_lost_the_race_learns_it(proxy: Proxy, nats_url: str) -> None:
    async with (
        await open_log(nats_url, "other") as other,
        await open_log(proxy.url(nats_url), "test") as log,
    ):
        proxy.mute = True
        waiting = asyncio.ensure_future(log.append(draft(commit="mine"), 0))
        await proxy.lost.wait()
        assert await other.append(draft(commit="theirs"), 0) == 1
        proxy.cut()
        with pytest.raises(WrongVersion) as caught:
            await waiting
        assert caught.value.actual == 1


async def test_a_batch_whose_answer_is_lost_is_stored_once(proxy: Proxy, nats_url: str) -> None:
    async with await open_log(proxy.url(nats_url), "test") as log:
        proxy.deaf = True
        waiting = asyncio.gather(*(log.append(draft(f"t{n}", f"c{n}"), 0) for n in range(300)))
        await proxy.lost.wait()
        proxy.cut()
        versions = await waiting
        assert {record.commit: record.seq for record in await read_all(log)} == {
            f"c{n}": version for n, version in enumerate(versions)
        }


async def test_an_append_in_doubt_is_unavailable_when_its_time_is_over(proxy: Proxy, nats_url: str) -> None:
    async with await open_log(proxy.url(nats_url), "test", timeout_s=0.5) as log:
        proxy.deaf = True
        with pytest.raises(Unavailable, match="may or may not be stored"):
            await log.append(draft(), 0)
        proxy.cut()
        assert await log.append(draft(), 0) == 1, "the same call later tells"


# Followers


async def test_a_follower_sees_each_record_once_over_broken_connections(proxy: Proxy, nats_url: str) -> None:
    async with (
        await open_log(nats_url, "writer") as writer,
        await open_log(proxy.url(nats_url), "reader") as reader,
    ):
        follower = await reader.follow(ALL, after=0)
        seen: list[int] = []
        for round_ in range(6):
            appends = (writer.append(draft(f"t{round_}-{n}"), 0) for n in range(100))
            if round_ % 3 == 1:
                proxy.cut()
            if round_ % 3 == 2:
                proxy.deaf = True  # what is sent meanwhile is lost on the way
            await asyncio.gather(*appends)
            if round_ % 3 == 2:
                proxy.cut()
            async with asyncio.timeout(20):
                while len(seen) < 100 * (round_ + 1):
                    seen += [record.seq for record in await anext(follower)]
        assert seen == list(range(1, 601))
        await follower.aclose()


async def test_a_gap_without_a_broken_connection_is_noticed_and_filled(proxy: Proxy, nats_url: str) -> None:
    async with (
        await open_log(nats_url, "writer") as writer,
        await open_log(proxy.url(nats_url), "reader") as reader,
    ):
        follower = await reader.follow(ALL)
        proxy.deaf = True
        await writer.append(draft("lost"), 0)
        await proxy.lost.wait()
        proxy.deaf = False
        async with asyncio.timeout(10):  # the next heartbeat tells that one is missing
            records = await anext(follower)
        assert [record.subject for record in records] == ["claw.task.lost.log"]
        await follower.aclose()


async def test_a_consumer_that_vanishes_is_made_again(jetstream_log: JetStreamLog) -> None:
    follower = await jetstream_log.follow(ALL)
    for name in (await call(jetstream_log.connection, "CONSUMER.NAMES.CLAW_EVENTS"))["consumers"]:
        await call(jetstream_log.connection, f"CONSUMER.DELETE.CLAW_EVENTS.{name}")
    await jetstream_log.append(draft(), 0)
    async with asyncio.timeout(15):
        assert [record.seq for record in await anext(follower)] == [1]
    await follower.aclose()


async def test_a_slow_taker_holds_a_bounded_amount_while_others_go_on(jetstream_log: JetStreamLog) -> None:
    body = b"x" * 500_000
    slow = await jetstream_log.follow(ALL, after=0)
    quick = await jetstream_log.follow(ALL, after=0)
    total, got, held = 160, 0, 0

    async def write() -> None:
        for start in range(0, total, 8):
            await asyncio.gather(*(jetstream_log.append(draft(f"t{n}", body=body), 0) for n in range(start, start + 8)))

    writing = asyncio.ensure_future(write())
    async with asyncio.timeout(30):
        while got < total:
            got += len(await anext(quick))
            held = max(held, slow._follower.waiting_bytes)  # type: ignore[attr-defined]
        await writing
        assert held <= 40 << 20, "the server sends no more than its window before it is answered"
        seen = 0
        while seen < total:
            seen += len(await anext(slow))
    assert seen == total
    await slow.aclose()
    await quick.aclose()


async def test_a_log_that_was_created_anew_ends_its_followers(proxy: Proxy, nats_url: str) -> None:
    async with (
        await open_log(nats_url, "admin") as admin,
        await open_log(proxy.url(nats_url), "reader") as reader,
    ):
        identity = (await admin.head()).identity
        await admin.append(draft(), 0)
        follower = await reader.follow(ALL, after=0)
        await anext(follower)
        await call(admin.connection, "STREAM.DELETE.CLAW_EVENTS")
        async with await open_log(nats_url, "again") as again:
            assert (await again.head()).identity != identity
        proxy.cut()
        async with asyncio.timeout(10):
            with pytest.raises(Corrupt, match="created anew"):
                await anext(follower)
        await follower.aclose()


# A server that dies


@pytest.mark.parametrize(
    ("kills", "writers"),
    [(2, 60), pytest.param(25, 900, marks=pytest.mark.soak), pytest.param(25, 8, marks=pytest.mark.soak)],
)
async def test_a_killed_server_loses_and_doubles_nothing(
    own_server: Callable[..., NatsServer], kills: int, writers: int
) -> None:
    server, readers = own_server(), 2
    async with (
        await open_log(server.url(), "writer") as writer,
        await open_log(server.url(), "reader") as reader,
    ):
        followers = [await reader.follow(ALL, after=0) for _ in range(readers)]
        seen: list[list[Record]] = [[] for _ in followers]

        async def listen(number: int) -> None:
            async for batch in followers[number]:
                seen[number] += batch

        listening = [asyncio.ensure_future(listen(number)) for number in range(readers)]
        acknowledged: dict[str, int] = {}
        stop, more = asyncio.Event(), asyncio.Condition()

        async def write(name: int) -> None:
            number = 0
            while not stop.is_set():
                commit = f"{name}-{number}"
                acknowledged[commit] = await writer.append(draft(commit, commit), 0)
                number += 1
                async with more:
                    more.notify_all()

        async def goes_on() -> None:
            """Returns when some more of each writer are acknowledged."""
            goal = len(acknowledged) + 5 * writers
            async with asyncio.timeout(20), more:
                await more.wait_for(lambda: len(acknowledged) >= goal)

        writing = [asyncio.ensure_future(write(name)) for name in range(writers)]
        for _ in range(kills):
            await goes_on()
            server.kill()
            await server.restart()
        await goes_on()
        async with asyncio.timeout(20):
            stop.set()
            await asyncio.gather(*writing)
            stored = await read_all(writer)
            for follower in followers:
                await follower.caught_up()
                await follower.aclose()
            await asyncio.gather(*listening)
        assert {record.commit: record.seq for record in stored} == acknowledged
        assert len(stored) == len(acknowledged)
        for each in seen:
            assert each == stored


async def test_a_server_that_is_away_is_waited_for(own_server: Callable[..., NatsServer]) -> None:
    server = own_server()
    async with await open_log(server.url(), "test") as log:
        server.kill()
        waiting = asyncio.ensure_future(log.append(draft(), 0))
        await asyncio.sleep(0.3)
        assert not waiting.done()
        await server.restart()
        async with asyncio.timeout(10):
            assert await waiting == 1


async def test_a_paused_server_delays_but_loses_nothing(own_server: Callable[..., NatsServer]) -> None:
    server = own_server()
    async with await open_log(server.url(), "test") as log:
        follower = await log.follow(ALL)
        server.signal(signal.SIGSTOP)
        waiting = asyncio.gather(*(log.append(draft(f"t{n}"), 0) for n in range(50)))
        await asyncio.sleep(0.5)
        server.signal(signal.SIGCONT)
        async with asyncio.timeout(10):
            assert sorted(await waiting) == list(range(1, 51))
            seen = 0
            while seen < 50:
                seen += len(await anext(follower))
        await follower.aclose()


async def test_a_log_that_is_closed_is_unavailable(nats_url: str) -> None:
    log = await open_log(nats_url, "test")
    follower = await log.follow(ALL)
    waiting = asyncio.ensure_future(anext(follower))
    await asyncio.sleep(0)
    await log.aclose()
    with pytest.raises(Unavailable):
        await log.append(draft(), 0)
    with pytest.raises(Unavailable):
        await log.head()
    with pytest.raises(Unavailable):
        async with asyncio.timeout(5):
            await waiting
    await follower.aclose()


async def test_closing_while_the_server_is_away_ends_all_that_wait(own_server: Callable[..., NatsServer]) -> None:
    server = own_server()
    log = await open_log(server.url(), "test")
    follower = await log.follow(ALL)
    lost = asyncio.Event()
    log.connection.on_lost.append(lost.set)
    server.kill()
    await lost.wait()
    waiting = [asyncio.ensure_future(each) for each in (log.append(draft(), 0), anext(follower), log.head())]
    await asyncio.sleep(0)
    await log.aclose()
    async with asyncio.timeout(5):
        results = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(result) for result in results] == [Unavailable] * 3
    await follower.aclose()


# Permissions and settings

FORBIDDEN = '["claw.task.Secret.>", "claw.node.>"]'
RIGHTS = f"""
accounts {{
  A {{
    jetstream: enabled
    users: [
      {{ user: all, password: {PASSWORD} }}
      {{ user: some, password: {PASSWORD}, permissions: {{ publish: {{ deny: {FORBIDDEN} }} }} }}
      {{ user: mute, password: {PASSWORD}, permissions: {{ publish: {{ deny: ["$JS.API.CONSUMER.>"] }} }} }}
      {{ user: deaf, password: {PASSWORD}, permissions: {{ subscribe: {{ deny: ["_INBOX.>"] }} }} }}
    ]
  }}
}}
"""


async def test_a_forbidden_append_names_the_subject_at_once(own_server: Callable[..., NatsServer]) -> None:
    server = own_server(RIGHTS)
    async with (
        await open_log(server.url("all"), "all"),
        await open_log(server.url("some"), "some") as log,
    ):
        async with asyncio.timeout(2):
            with pytest.raises(PermissionDenied, match=r"claw\.task\.Secret\.log") as caught:
                await log.append(draft("Secret"), 0)
        assert caught.value.subject == "claw.task.Secret.log"
        assert await log.append(draft("open"), 0) == 1


async def test_a_forbidden_append_in_a_crowd_fails_alone(own_server: Callable[..., NatsServer]) -> None:
    server = own_server(RIGHTS)
    async with (
        await open_log(server.url("all"), "all"),
        await open_log(server.url("some"), "some") as log,
    ):
        drafts = [draft("Secret" if n == 77 else f"t{n}") for n in range(150)]
        drafts += [Draft("node", f"n{n}", BODY, "c") for n in range(50)]
        async with asyncio.timeout(10):
            results = await asyncio.gather(*(log.append(each, 0) for each in drafts), return_exceptions=True)
        denied = [n for n, result in enumerate(results) if isinstance(result, PermissionDenied)]
        assert denied == [77, *range(150, 200)]
        assert sum(isinstance(result, int) for result in results) == 149


async def test_a_forbidden_follow_names_the_subject_at_once(own_server: Callable[..., NatsServer]) -> None:
    server = own_server(RIGHTS)
    async with (
        await open_log(server.url("all"), "all"),
        await open_log(server.url("mute"), "mute") as log,
        asyncio.timeout(2),
    ):
        with pytest.raises(PermissionDenied, match=r"\$JS\.API\.CONSUMER\.CREATE"):
            await log.follow(ALL)


async def test_a_user_who_may_not_hear_answers_is_told_when_connecting(own_server: Callable[..., NatsServer]) -> None:
    server = own_server(RIGHTS)
    with pytest.raises(PermissionDenied, match="subscribe to '_INBOX"):
        await open_log(server.url("deaf"), "deaf")


async def test_a_wrong_password_is_a_misconfiguration(nats_server: NatsServer) -> None:
    with pytest.raises(Misconfigured, match="Authorization Violation") as caught:
        await open_log(nats_server.url("t0", "wrong"), "test")
    assert "wrong" not in str(caught.value)


async def test_no_server_is_unavailable() -> None:
    with pytest.raises(Unavailable, match=r"no nats-server answers at nats://127\.0\.0\.1:1"):
        await open_log("nats://127.0.0.1:1", "test")


async def test_one_server_of_several_is_enough(nats_url: str) -> None:
    async with await open_log(f"nats://127.0.0.1:1,{nats_url}", "test") as log:
        assert await log.append(draft(), 0) == 1


async def test_a_server_without_jetstream_is_named(own_server: Callable[..., NatsServer]) -> None:
    with pytest.raises(Misconfigured, match="JetStream"):
        await open_log(own_server(jetstream=False).url(), "test")


async def test_an_account_without_jetstream_is_named(nats_server: NatsServer) -> None:
    with pytest.raises(Misconfigured, match="JetStream"):
        await open_log(nats_server.url("sys"), "test")


async def test_an_old_server_is_named(nats_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Connection, "version", (2, 11, 4))
    with pytest.raises(Misconfigured, match=r"nats-server 2\.11\.4 is too old: 2\.12 or newer is needed"):
        await open_log(nats_url, "test")


async def test_a_stream_without_batches_is_named(nats_url: str) -> None:
    connection = await Connection.open(nats_url)
    with contextlib.suppress(KeyError):
        await call(connection, "STREAM.CREATE.CLAW_EVENTS", {"name": "CLAW_EVENTS", "subjects": ["claw.task.>"]})
    await connection.aclose()
    with pytest.raises(Misconfigured, match="CLAW_EVENTS has allow_atomic"):
        await open_log(nats_url, "test")


async def test_a_stream_of_a_newer_release_is_refused(nats_url: str) -> None:
    async with await open_log(nats_url, "test") as log:
        config = (await call(log.connection, "STREAM.INFO.CLAW_EVENTS"))["config"]
        config["metadata"]["claw.schema"] = "3"
        await call(log.connection, "STREAM.UPDATE.CLAW_EVENTS", config)
    with pytest.raises(Misconfigured, match="schema 3, this release knows 2: upgrade first"):
        await open_log(nats_url, "test")


async def test_the_streams_of_the_first_edition_are_upgraded_by_who_may_create_them(nats_url: str) -> None:
    async with await Connection.open(nats_url, "test") as connection:
        for store in (events(("task",)), *stores_beside()):
            old = store | {"metadata": {"claw.schema": "1", "claw.version": "0.1"}}
            if store["name"] in (LIVE, BLOBS):
                old["allow_rollup_hdrs"] = True
            if store["name"] == EVENTS:
                old["republish"] = {"src": ">", "dest": "live.>"}
            if store["name"] == LIVE:
                old["subject_delete_marker_ttl"] = 10**9
            await call(connection, f"STREAM.CREATE.{store['name']}", old)
        with pytest.raises(Misconfigured, match="has schema 1, this release needs 2: `claw up` upgrades it"):
            await open_log(nats_url, create=False)
        async with await open_log(nats_url) as log:
            assert await log.append(Draft("chat", "c", BODY, "c"), 0) == 1
        async with await open_log(nats_url, create=False):
            pass
        configs = [
            (await call(connection, f"STREAM.INFO.{store['name']}"))["config"]
            for store in (events(("task",)), *stores_beside())
        ]
        assert {config["metadata"]["claw.schema"] for config in configs} == {"2"}
        assert [config["name"] for config in configs if config["allow_rollup_hdrs"]] == ["CLAW_TIMERS"]
        assert not [
            config["name"] for config in configs if "republish" in config or "subject_delete_marker_ttl" in config
        ]


async def test_a_new_kind_is_added_to_an_existing_stream(nats_url: str) -> None:
    async with await open_log(nats_url, "old") as old:
        await old.append(draft(), 0)
    async with await open_log(nats_url, "new", kinds=("task", "flow")) as new:
        assert await new.append(Draft("flow", "f", BODY, "c"), 0) == 2


async def test_who_may_only_look_makes_no_streams(nats_url: str) -> None:
    with pytest.raises(NoSuchLog, match="no stream CLAW_EVENTS"):
        await open_log(nats_url, create=False)
    async with await Connection.open(nats_url, "test") as connection:
        assert (await call(connection, "STREAM.NAMES"))["total"] == 0
    async with (
        await open_log(nats_url) as log,
        await open_log(nats_url, create=False) as again,
    ):
        assert again.identity == log.identity


async def test_connecting_twice_creates_nothing_twice(nats_url: str) -> None:
    async with await open_log(nats_url, "one") as one, await open_log(nats_url, "two") as two:
        assert (await one.head()).identity == (await two.head()).identity
        names = (await call(one.connection, "STREAM.NAMES"))["streams"]
        assert sorted(names) == [
            "CLAW_COMMANDS", "CLAW_DEAD", "CLAW_EVENTS", "CLAW_OUTPUT", "CLAW_TIMERS", "KV_claw-keys", "KV_claw-live",
            "OBJ_claw-blobs",
        ]  # fmt: skip


async def test_no_traceback_is_printed_when_a_server_goes_and_comes(
    own_server: Callable[..., NatsServer], caplog: pytest.LogCaptureFixture
) -> None:
    server = own_server()
    async with await open_log(server.url(), "test") as log:
        server.kill()
        await server.restart()
        async with asyncio.timeout(10):
            await log.append(draft(), 0)
    assert not [record for record in caplog.records if record.exc_info]


# Room


async def test_an_append_to_a_full_account_is_refused_soon_with_the_reason(
    own_server: Callable[..., NatsServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settlement, "FULL_S", 0.1)
    monkeypatch.setattr(atomic, "FULL_S", 0.1)
    limits = "jetstream: { max_file: 24MB, max_mem: 64MB }"
    server = own_server(f"accounts {{ SMALL {{ {limits}, users: [{{ user: a, password: {PASSWORD} }}] }} }}")
    async with await open_log(server.url("a"), "test") as log:
        large = b'{"v":1,"events":[],"x":"%s"}' % (b"x" * 900_000)
        outcomes = await log.append_many([(draft(f"a{n}", f"c{n}", large), 0) for n in range(30)])
        refused = [outcome for outcome in outcomes if not isinstance(outcome, int)]
        assert refused
        assert {type(outcome) for outcome in refused} == {NoSpace}
        async with asyncio.timeout(3):
            with pytest.raises(NoSpace, match=r"the server has no room: .*(exceeded|insufficient)"):
                await log.append(draft("b", "b1", large), 0)
            with pytest.raises(NoSpace, match="the server has no room"):
                await log.append_all([(draft("c", "c1", large), 0), (draft("d", "d1", large), 0)])
        assert "exceeded" in log.trouble or "insufficient" in log.trouble


async def test_a_server_that_does_not_answer_is_asked_whether_its_disk_is_full(
    proxy: Proxy, nats_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert publisher.LOOK_S + 2 * publisher.SWEEP_S < 2, "it is told within 3 s"
    monkeypatch.setattr(publisher, "LOOK_S", 0.1)
    monkeypatch.setattr(publisher, "SWEEP_S", 0.05)
    async with await open_log(proxy.url(nats_url), "test") as log:
        asked: list[str] = []

        async def health() -> str:
            asked.append("write error: write 1.blk: no space left on device" if len(asked) else "not current")
            return asked[-1]

        log.watch_room(health)
        proxy.deaf = True
        async with asyncio.timeout(3):
            with pytest.raises(NoSpace, match="no space left on device; the append may or may not be stored"):
                await log.append(draft(), 0)
        assert len(asked) == 2, "other faults are waited out"
        assert "no space left on device" in log.trouble
        proxy.deaf = False
        proxy.cut()
        assert await log.append(draft("later"), 0) > 0
        assert log.trouble == ""


@pytest.mark.parametrize(
    ("more", "limits", "said"),
    [
        ("max_payload: 65536", "max_file: 400MB, max_mem: 64MB", "at most 64 KB: set max_payload: 1MB"),
        ("", "max_file: 512KB, max_mem: 64MB", "insufficient storage resources available: raise max_streams"),
    ],
)
async def test_a_limit_that_leaves_no_room_for_the_streams_is_named_at_the_start(
    own_server: Callable[..., NatsServer], more: str, limits: str, said: str
) -> None:
    users = f"users: [{{ user: a, password: {PASSWORD} }}]"
    server = own_server(f"{more}\naccounts {{ SMALL {{ jetstream: {{ {limits} }}, {users} }} }}")
    with pytest.raises(Misconfigured, match=said):
        await open_log(server.url("a"), "test")
