"""What `claw doctor` says of streams that somebody deleted or changed, and what its repair does, on a real server."""

import contextlib
from typing import Any

import pytest

from clawactors.app.cli import serverchecks
from clawactors.app.cli.checks import check_dead_letters
from clawactors.app.cli.deadletters import DeadLetterList
from clawactors.app.cli.serverchecks import check_account, check_queue, check_streams, of_account, of_queue
from clawactors.eventlog import Misconfigured, Record
from clawactors.eventlog.jetstream import Connection, JetStreamCommands, JetStreamDeadLetters
from clawactors.eventlog.jetstream.log import provision
from clawactors.eventlog.jetstream.wire.api import call
from clawactors.kinds import KINDS

pytestmark = pytest.mark.nats

DAY_NS = 86_400 * 10**9
BESIDE = ("CLAW_COMMANDS", "CLAW_TIMERS", "CLAW_OUTPUT", "CLAW_DEAD", "KV_claw-live", "OBJ_claw-blobs")


@pytest.fixture
async def connection(nats_url: str) -> Any:
    async with await Connection.open(nats_url, "test") as connection:
        await provision.ensure(connection, KINDS.names)
        yield connection


async def change(connection: Connection, name: str, **settings: Any) -> None:
    config = (await call(connection, f"STREAM.INFO.{name}"))["config"]
    await call(connection, f"STREAM.UPDATE.{name}", config | settings)


async def test_streams_that_are_as_they_were_made_are_well(connection: Connection) -> None:
    assert await provision.survey(connection, KINDS.names) == []
    assert await provision.repair(connection, KINDS.names) == []
    assert (await check_streams(connection, mend=False)).verdict == "ok"


@pytest.mark.parametrize("name", BESIDE)
async def test_a_stream_that_was_deleted_is_named_and_made_again(connection: Connection, name: str) -> None:
    await call(connection, f"STREAM.DELETE.{name}")
    check = await check_streams(connection, mend=False)
    assert check.verdict == "failed"
    assert f"{name} is missing: claw doctor --repair" in check.detail
    mended = await check_streams(connection, mend=True)
    assert (mended.verdict, mended.detail) == ("ok", f"{name} was created")


async def test_a_log_that_was_deleted_is_not_made_again(connection: Connection) -> None:
    await call(connection, "STREAM.DELETE.CLAW_EVENTS")
    for mend in (False, True):
        check = await check_streams(connection, mend=mend)
        assert check.verdict == "failed"
        assert "CLAW_EVENTS is missing, and the history" in check.detail
        assert "claw restore" in check.detail


@pytest.mark.parametrize(
    ("name", "settings", "verdict", "said"),
    [
        ("CLAW_EVENTS", {"max_age": 365 * DAY_NS}, "failed", "max_age = 3.1536e+07 s where 0 is needed"),
        ("CLAW_EVENTS", {"max_msgs": 10**6}, "failed", "max_msgs = 1000000 where -1 is needed"),
        ("CLAW_EVENTS", {"allow_direct": False}, "failed", "allow_direct = False where True is needed"),
        ("CLAW_EVENTS", {"allow_rollup_hdrs": True}, "failed", "allow_rollup_hdrs = True where False is needed"),
        ("CLAW_EVENTS", {"subjects": ["claw.task.>"]}, "failed", "lacks the subjects claw.node.>"),
        ("CLAW_TIMERS", {"max_age": DAY_NS}, "failed", "max_age = 86400 s where 0 is needed"),
        ("KV_claw-live", {"max_msg_size": -1}, "failed", "max_msg_size = -1 where 16384 is needed"),
        ("CLAW_OUTPUT", {"max_age": DAY_NS}, "warning", "max_age = 86400 s where 604800 s is needed"),
    ],
    ids=lambda value: value if isinstance(value, str) and " " not in value else "",
)
async def test_a_setting_that_was_changed_is_named_and_set_back(
    connection: Connection, name: str, settings: dict[str, Any], verdict: str, said: str
) -> None:
    await change(connection, name, **settings)
    check = await check_streams(connection, mend=False)
    assert (check.verdict, f"{name} " in check.detail, said in check.detail) == (verdict, True, True), check
    mended = await check_streams(connection, mend=True)
    assert (mended.verdict, mended.detail) == ("ok", f"{name} was changed")


async def test_a_start_sets_back_what_would_lose_history_and_leaves_what_is_a_choice(connection: Connection) -> None:
    await change(connection, "CLAW_EVENTS", max_age=DAY_NS)
    await change(connection, "CLAW_OUTPUT", max_age=DAY_NS)
    await provision.ensure(connection, KINDS.names)
    assert [str(fault) for fault in await provision.survey(connection, KINDS.names)] == [
        "CLAW_OUTPUT has max_age = 86400 s where 604800 s is needed"
    ]


async def test_what_the_server_does_not_take_back_is_told_and_keeps_no_cluster_from_starting(
    connection: Connection,
) -> None:
    await change(connection, "OBJ_claw-blobs", deny_delete=True)
    await provision.ensure(connection, KINDS.names)
    check = await check_streams(connection, mend=True)
    assert check.verdict == "failed"
    assert "OBJ_claw-blobs has deny_delete = True" in check.detail


async def test_a_stream_of_somebody_else_is_never_changed(nats_url: str) -> None:
    async with await Connection.open(nats_url, "test") as connection:
        foreign = {"name": "CLAW_OUTPUT", "subjects": ["claw.output.>"], "max_age": DAY_NS, "storage": "memory"}
        with contextlib.suppress(KeyError):
            await call(connection, "STREAM.CREATE.CLAW_OUTPUT", foreign)
        with pytest.raises(Misconfigured, match="CLAW_OUTPUT has storage = 'memory'"):
            await provision.ensure(connection, KINDS.names)
        info = await call(connection, "STREAM.INFO.CLAW_OUTPUT")
        assert (info["config"]["max_age"], info["config"]["storage"]) == (DAY_NS, "memory")


async def test_commands_that_nobody_takes_are_an_error(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serverchecks, "_CONSUMER_S", 0.0)
    assert "nobody takes the commands" in (await check_queue(connection)).detail
    await JetStreamCommands(connection).take(0.01)
    assert (await check_queue(connection)).verdict == "ok"
    left = of_queue({"num_pending": 1, "num_ack_pending": 0, "num_waiting": 0})
    assert (left.verdict, "1 wait in CLAW_COMMANDS" in left.detail) == ("failed", True)
    assert of_queue({"num_pending": 1, "num_ack_pending": 3, "num_waiting": 0}).verdict == "ok"


async def test_dead_letters_of_lost_history_are_an_error_until_a_person_knows(connection: Connection) -> None:
    letters, dead = DeadLetterList(connection), JetStreamDeadLetters(connection, "log-1")
    assert (await check_dead_letters(letters, await letters.accepted())).verdict == "ok"
    await dead.copy(Record(7, 0, "claw.task.t.log", b"garbage"), "malformed: no JSON")
    assert (await check_dead_letters(letters, await letters.accepted())).verdict == "warning"
    await dead.copy(Record(8, 0, "claw.task.t.log", b"{}"), "illegal: Completed of a task that never began")
    check = await check_dead_letters(letters, await letters.accepted())
    assert (check.verdict, "never began" in check.detail) == ("failed", True)
    accepted = await letters.accept(8)
    assert await letters.accepted() == accepted
    assert (await check_dead_letters(letters, accepted)).verdict == "warning"
    assert await provision.survey(connection, KINDS.names) == []


async def test_an_account_without_limits_is_well(connection: Connection) -> None:
    check = await check_account(connection)
    assert (check.verdict, "has no limits of its own" in check.detail) == ("ok", True)


@pytest.mark.parametrize(
    ("storage", "streams", "verdict", "said"),
    [
        (10e6, 8, "ok", "account A: streams 8 of 20 (max_streams)"),
        (85e6, 8, "warning", "account A: storage 85 of 100 MB (max_storage)"),
        (99e6, 8, "failed", "account A is full, storage 99 of 100 MB (max_storage): raise the limit"),
        (85e6, 20, "failed", "account A is full, streams 20 of 20 (max_streams)"),
    ],
)
def test_an_account_that_is_nearly_full_is_named_with_its_limit(
    storage: float, streams: int, verdict: str, said: str
) -> None:
    limits = {"max_storage": 100_000_000, "max_memory": -1, "max_streams": 20, "max_consumers": -1}
    info = {"storage": storage, "reserved_storage": 99e6, "memory": 0, "streams": streams, "limits": limits}
    check = of_account(info, "A")
    assert (check.verdict, said in check.detail) == (verdict, True), check
    tiered = of_account({"limits": {}, "tiers": {"R3": info}}, "A")
    assert (tiered.verdict, "of R3)" in tiered.detail) == (verdict, True), tiered
