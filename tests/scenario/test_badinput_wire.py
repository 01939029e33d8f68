"""What is published by hand on every subject that anything reads: counted and kept, and no harm to the work."""

import asyncio
import re
import statistics
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from itertools import chain

import msgspec
import pytest
import pytest_asyncio

from clawactors.app.clusterplan import ClusterPlan
from clawactors.app.projections import CLUSTER
from clawactors.eventlog.jetstream import Connection, JetStreamLeases, JetStreamLog
from clawactors.kernel.errors import Refused
from tests.logs import open_log
from tests.scenario import garbage
from tests.scenario.garbage import NOT_QUESTIONS, Garbage, Message, commit, headers
from tests.scenario.system import PATIENCE_S, SKILLS, System, running, until

pytestmark = [pytest.mark.nats, pytest.mark.asyncio(loop_scope="module")]

PER_TASK = 20
"""Bad messages that come beside each task."""
GOOD, ROUNDS, A_ROUND = 100, 5, 2000
"""Tasks beside each round, rounds of each sort, messages of a round: 10,000 of each sort."""
MARGIN = 0.25
"""What the machine makes of equal work from one round to the next; medians of rounds differ by less."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def system(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    async with running(tmp_path_factory.mktemp("wire"), ClusterPlan(nodes=2, slots=50, skills=(SKILLS,))) as system:
        await system.online("n1", "n2")
        yield system


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stranger(system: System) -> AsyncIterator[JetStreamLog]:
    """A connection of somebody else's."""
    async with await open_log(system.cluster.nats_url, "stranger") as log:
        yield log


async def incarnations(system: System) -> dict[str, str]:
    """Of the nodes that are there."""
    rows = (await system.ask("nodes", fresh=True))["rows"]
    return {row["id"]: row["incarnation"] for row in rows if row["status"] in ("online", "busy")}


async def faults(system: System) -> dict[tuple[str, str], int]:
    """How many of each sort the views have counted."""
    told = (await system.ask("faults", fresh=True))["faults"]
    return {(each["kind"], each["fault"]): each["count"] for each in told}


async def put(stranger: JetStreamLog, subject: str, body: bytes, lines: bytes = b"", refused: bytes = b"") -> None:
    """Publishes by hand; the server must take it, or refuse it with these words."""
    _, answer = await stranger.connection.ask(subject, body, lines)
    assert refused in answer if refused else b'"error"' not in answer, answer


async def echo(system: System) -> None:
    """The cluster works."""
    assert await system.client.run("echo", {"text": "hi"}, wait_s=PATIENCE_S) == "hi"


@pytest.mark.parametrize("tasks", [125, pytest.param(500, marks=pytest.mark.soak)])
async def test_many_bad_messages_beside_tasks_do_no_harm_and_are_all_counted(
    system: System, stranger: JetStreamLog, tasks: int
) -> None:
    flood, prefix = tasks * PER_TASK, f"flood-of-{tasks}-"
    made = Garbage(tasks, [f"{prefix}{number}" for number in range(tasks)], ["n1", "n2"])
    many = list(made.on_the_log(flood * 8 // 10))
    others = chain(made.on_the_log(flood // 10), made.beside_the_log(flood // 10, await incarnations(system)))
    odd = made.shuffled(others)
    connection, before, dead = stranger.connection, await faults(system), await dead_letters(system)
    ids = await system.submit(tasks, prefix=prefix, seconds=0.05)
    stored, more = await asyncio.gather(garbage.publish_batches(connection, many), garbage.publish(connection, odd))
    await system.ended(ids, 2 * PATIENCE_S)
    stored += more
    counted = {sort: count for sort, count in stored.items() if sort[1]}
    assert sum(counted.values()) > flood * 0.8
    assert await faults(system) == Counter(before) + Counter(counted)
    commands = sum(message.subject.startswith("claw.cmd.") for message in odd)
    await shown_by_the_doctor(system, dead + sum(counted.values()) + commands)
    for log in (system.cluster.path / "logs").iterdir():
        assert "Traceback" not in log.read_text(), log
    audit = await system.audit()
    for number in range(tasks):
        assert audit.tasks[f"{prefix}{number}"].life.status == "completed"


async def per_s(system: System, connection: Connection, flood: Sequence[Message], commands: Sequence[Message]) -> float:
    """Tasks a second that end while these messages come and are folded; the tasks' ids are those of the messages."""
    began = time.monotonic()
    await asyncio.gather(garbage.publish_batches(connection, flood), garbage.publish(connection, commands))
    await asyncio.gather(system.ended(system.submitted[-GOOD:], 2 * PATIENCE_S), system.ask("status", fresh=True))
    return GOOD / (time.monotonic() - began)


@pytest.mark.soak
async def test_a_bad_message_costs_good_work_no_more_than_a_valid_one(system: System, stranger: JetStreamLog) -> None:
    """10,000 of each, of the same sizes and to the same tasks, in rounds that take turns."""
    beside: dict[str, list[float]] = {"bad": [], "valid": []}
    before = await faults(system)
    for number, sort in enumerate(("bad", "valid", "valid", "bad") * ROUNDS):
        if len(beside[sort]) == ROUNDS:
            continue
        prefix = f"{sort}-{number}-"
        made = Garbage(number // 2, [f"{prefix}{each}" for each in range(GOOD)], ["n1", "n2"])
        flood, commands = list(made.on_the_log(A_ROUND * 9 // 10, large=1)), list(made.commands(A_ROUND // 10))
        if sort == "valid":
            flood, commands = [list(garbage.valid(each, f"{prefix}-fresh")) for each in (flood, commands)]
        await system.submit(GOOD, prefix=prefix)
        beside[sort].append(await per_s(system, stranger.connection, flood, commands))
    bad, valid = (statistics.median(beside[sort]) for sort in ("bad", "valid"))
    told = f"{bad:.0f} tasks/s beside bad messages, {valid:.0f} beside valid ones: {bad / valid:.2f}"
    print(told, {sort: [round(each) for each in rounds] for sort, rounds in beside.items()})
    counted = Counter(await faults(system)) - Counter(before)
    bad_ones = ROUNDS * (A_ROUND * 9 // 10)  # the others are commands, which the log never has
    assert bad_ones <= counted.total() < bad_ones * 1.05  # a few signals come when their task has ended
    assert bad >= valid * (1 - MARGIN), told


async def doctor(system: System) -> dict[str, str]:
    """What each check of the doctor says."""
    return {check["name"]: check["detail"] for check in (await system.run_claw("doctor")).answer["checks"]}


async def dead_letters(system: System) -> int:
    """How many are kept."""
    found = re.match(r"(\d+) in the stream", (await doctor(system))["dead letters"])
    return int(found[1]) if found else 0


async def shown_by_the_doctor(system: System, total: int) -> None:
    """Every sort with its count, and a copy of each message for people."""
    shown: dict[str, str] = {}

    async def all_are_copied() -> bool:
        shown.update(await doctor(system))
        return shown["dead letters"].startswith(f"{total} in the stream")

    await until(all_are_copied, f"{total} dead letters", patience_s=120)
    for (kind, fault), count in (await faults(system)).items():
        assert f"{count} {fault} ({kind})" in shown["faults"]
    assert "need a newer release" in shown["upgrade"]


async def test_a_replay_of_all_that_is_equal_and_says_that_it_is_incomplete(system: System) -> None:
    replayed = (await system.run_claw("--verify", module="replay")).answer
    assert replayed["digest"] == replayed["live_digest"]
    incomplete = replayed["projections"]["cluster"]["incomplete"]
    assert incomplete == (await system.ask("status"))["needs_upgrade"] > 125 * PER_TASK // 10


async def test_an_illegal_event_by_hand_changes_nothing_and_is_counted(system: System, stranger: JetStreamLog) -> None:
    before = (await faults(system)).get(("task", "illegal"), 0)
    ref = await system.client.submit("no-such-skill", {}, id="illegal-1")
    version = (await ref.snapshot()).version
    for event in ("task.completed", "task.started", "task.archived", "task.unblocked"):
        await put(stranger, f"claw.task.{ref.id}.log", commit({"type": event}))
    known = await ref.snapshot()
    assert (known.state.life.status, known.version > version) == ("pending", True)
    assert (await faults(system))["task", "illegal"] == before + 4
    assert (await ref.cancel()).state.life.status == "cancelled"


async def test_a_second_submission_by_hand_runs_no_ended_task_again(system: System, stranger: JetStreamLog) -> None:
    (id,) = await system.submit(1, prefix="ended-", steps=2)
    await system.ended([id])
    ran = system.trace.read_text().count(f"{id} ")
    spec = {"type": "task.submitted", "skill": "work", "params": {"trace": str(system.trace), "steps": 2}}
    await put(stranger, f"claw.task.{id}.log", commit(spec))
    await echo(system)
    known = await system.client.snapshot(id)
    assert (known.state.life.status, known.state.life.attempt) == ("completed", 1)
    assert system.trace.read_text().count(f"{id} ") == ran == 2


async def test_a_task_of_a_later_release_is_left_alone_and_the_others_go_on(
    system: System, stranger: JetStreamLog
) -> None:
    (id,) = await system.submit(1, prefix="later-", steps=1, seconds=0.0)
    await system.ended([id])
    await put(stranger, f"claw.task.{id}.log", commit({"type": "task.teleported"}))
    with pytest.raises(Refused, match=r"needs a newer release.*task\.teleported"):
        await system.client.cancel(id)
    assert (await system.run_claw("cancel", id)).code == 4
    await echo(system)


async def test_a_node_that_exists_on_paper_only_is_lost_and_its_tasks_go_elsewhere(
    system: System, stranger: JetStreamLog
) -> None:
    ghost = {"type": "node.joined", "incarnation": "forged", "slots": 1000, "offers": [{"name": "work", "open": True}]}
    # More than the real nodes take at once: what waits is given to the ghost as soon as it seems to have come.
    ids = await system.submit(400, prefix="haunted-", steps=1, seconds=0.2)
    await put(stranger, "claw.node.ghost.log", commit(ghost))
    await system.ended(ids)
    await system.online("n1", "n2")
    audit = await system.audit()
    assert any(audit.tasks[id].life.attempt == 2 for id in ids)
    assert all(audit.tasks[id].life.status == "completed" for id in ids)


async def test_what_is_addressed_to_a_node_by_hand_runs_nothing(system: System, stranger: JetStreamLog) -> None:
    before = system.trace.read_text().count("\n")
    (busy,) = await system.submit(1, prefix="addressed-", steps=20)
    for id, incarnation in (await incarnations(system)).items():
        given = {"node": id, "incarnation": incarnation, "skill": "work", "params": {"trace": str(system.trace)}}
        for task, attempt in ((busy, 1), (busy, 2), ("nobody-1", 1), ("nobody-2", 7), ("\u00e9", 1), ("x" * 200, 1)):
            event = {"type": "task.scheduled", "attempt": attempt, **given}
            await put(stranger, f"claw.task.{task}.to.{id}", commit(event))
    await system.ended([busy])
    await echo(system)
    await system.audit()
    assert system.trace.read_text().count("\n") == before + 20


@pytest.mark.parametrize(
    "lines",
    [
        (),
        (b"KV-Operation: DEL",),
        (b"KV-Operation: PURGE", b"Nats-Rollup: sub"),
        (b"Nats-Rollup: all",),
        (b"Nats-TTL: never",),
        (b"Nats-TTL: 3600s", b"Claw-Lease: forged"),
    ],
    ids=repr,
)
async def test_a_forged_lease_holds_nobody_up(system: System, stranger: JetStreamLog, lines: tuple[bytes, ...]) -> None:
    forged = headers(*lines) if lines else b""
    leases = JetStreamLeases(stranger.connection)
    refused = b"rollup not permitted" if b"Rollup" in forged else b""  # with it one lease could erase every other
    for id, incarnation in (await incarnations(system)).items():
        await put(stranger, f"$KV.claw-live.node.{id}.{incarnation}", b"forged", forged, refused)
    await put(stranger, "$KV.claw-live.leader", b"forged", forged, refused)

    async def one_leads() -> bool:
        return await leases.get("leader") == b"control/control"

    await until(one_leads, "control leads again", 5)
    await echo(system)
    await system.online("n1", "n2")


async def test_forged_live_records_end_no_wait(system: System, stranger: JetStreamLog) -> None:
    ref = await system.client.submit("work", {"trace": str(system.trace), "steps": 10})
    waiting = asyncio.create_task(ref.result(PATIENCE_S))
    while not waiting.done():
        for lines in ((), (b"Nats-Sequence: soon",), (b"Nats-Sequence: 7", b"Nats-Subject: claw.task.x.log")):
            body = commit({"type": "task.completed", "result": "forged"})
            stranger.connection.publish_now(b"live.claw.task.%b.log" % ref.id.encode(), body, headers(*lines))
        await stranger.head()
    assert (await waiting)["attempt"] == 1


async def test_every_bad_question_is_answered(system: System, stranger: JetStreamLog) -> None:
    for name in (*CLUSTER.questions, "why"):
        for body in (b"", *NOT_QUESTIONS):
            _, answer = await stranger.connection.ask(f"claw.query.{name}", body, timeout_s=5)
            told = msgspec.json.decode(answer)
            assert body == b"" or told["error"]["message"], (name, body[:40], told)
    for id, incarnation in (await incarnations(system)).items():
        # A node answers where control asks from, and nobody else.
        async with await Connection.open(stranger.connection.address, "test", inbox=f"_INBOX.asked.{id}") as asking:
            assert (await asking.ask(f"claw.live.{id}", b"x" * 900_000))[1] == incarnation.encode()


async def test_batches_that_strangers_leave_open_do_not_hold_up_ours(system: System, stranger: JetStreamLog) -> None:
    for number in range(60):  # more than the server keeps open at a time, each for 10 s
        lines = headers(b"Nats-Batch-Id: open-%d" % number, b"Nats-Batch-Sequence: 1")
        stranger.connection.publish_now(b"claw.chat.open.log", b"{}", lines)
    await stranger.head()
    began = time.monotonic()
    await system.ended(await system.submit(200, prefix="open-", steps=1))
    assert time.monotonic() - began < 9


async def test_after_all_of_this_the_record_is_whole(system: System) -> None:
    await system.audit()
    for log in (system.cluster.path / "logs").iterdir():
        assert "Traceback" not in log.read_text(), log
