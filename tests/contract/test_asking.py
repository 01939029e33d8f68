"""Asking, rule by rule of wire.md: whatever is lost, killed or repeated, each command takes effect once.

Numbers in the names of sections are those of "Asking" there.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Callable
from typing import Any, Self

import msgspec
import pytest

from clawactors.eventlog import Draft, Unavailable
from clawactors.eventlog.blobs import InProcessBlobs
from clawactors.eventlog.jetstream import JetStreamLog, JetStreamRequests
from clawactors.eventlog.requests import Requests
from clawactors.kernel.errors import Refused
from clawactors.kernel.external import ExternalCommand
from clawactors.kernel.fold import Snapshot
from clawactors.runtime.actor import ActorContext
from clawactors.runtime.asking import HORIZON_NS, AskReply, AskRequest, Command
from clawactors.runtime.call import Call
from clawactors.runtime.client import ClusterClient
from clawactors.runtime.client.sender import CommandSender
from clawactors.runtime.client.submitting import TaskRequest
from clawactors.runtime.clock import SystemClock
from clawactors.runtime.naming import new_id
from clawactors.runtime.repeats import repeat_of
from clawactors.runtime.snapshots import Known
from clawactors.systems.tasks import Task
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks.external import request_of
from clawactors.systems.tasks.kind import TASKS
from clawactors.systems.tasks.submission import spec_of
from tests.clawactors.runtime.cluster import ANSWERING, PATIENCE_S, Answering, Cluster, Stage, WallClock, all_turns
from tests.logs import open_log

SUBMIT = c.Submit(spec_of("nobody-has-it"))
COMMANDS: dict[str, tuple[c.TaskCommand, str]] = {
    "submit": (SUBMIT, "task.submitted"),
    "signal": (c.Signal("go", 1), "task.signalled"),
    "retry": (c.RetryTask(), "task.retried"),
    "cancel": (c.Cancel(), "task.cancelled"),
    "pause": (c.Pause(), "task.paused"),
}


@pytest.fixture
async def cluster() -> AsyncIterator[Stage]:
    async with Stage() as cluster:
        yield cluster


async def prepared(cluster: Cluster, name: str) -> ClusterClient:
    """A client, and a task on which that command has an effect once."""
    client = cluster.client("client/ada")
    if name != "submit":
        await client.submit("nobody-has-it", id="t1")
    if name == "retry":
        await client.cancel("t1")
    return client


async def carry_out(client: ClusterClient, name: str) -> None:
    command = COMMANDS[name][0]
    if isinstance(command, c.Submit):
        await client.submit("nobody-has-it", id="t1")
    else:
        await client.command("t1", command)


def body_of(*commands: tuple[str, ExternalCommand], deadline_ns: int) -> bytes:
    asked = [Command(id, msgspec.Raw(msgspec.json.encode(command))) for id, command in commands]
    return msgspec.json.encode(AskRequest(deadline_ns, asked))


async def ask(requests: Requests, body: bytes, principal: str = "ada", timeout_s: float = PATIENCE_S) -> AskReply:
    answer = await requests.request(f"claw.do.{principal}.task", body, timeout_s)
    return msgspec.json.decode(answer, type=AskReply)


class Held:
    """Holds up the appends of a process whose bodies have these bytes."""

    def __init__(self, cluster: Cluster, part: bytes, process: str = ANSWERING) -> None:
        self.writing, self.written = asyncio.Event(), asyncio.Event()
        cluster.links[process].hold = (part, self.writing, self.written)

    async def come(self) -> None:
        async with asyncio.timeout(PATIENCE_S):
            await self.writing.wait()
        await all_turns()

    def let_go(self) -> None:
        self.written.set()


# 2, 3: asked again, by whoever leads then, it comes out once


@pytest.mark.parametrize("name", sorted(COMMANDS))
async def test_an_answer_that_is_lost_is_asked_for_again_and_the_command_is_carried_out_once(
    cluster: Stage, name: str
) -> None:
    client = await prepared(cluster, name)
    link = cluster.links["client/ada"]
    request, lost = link.request, 0

    async def losing(subject: str, body: bytes, timeout_s: float) -> bytes:
        nonlocal lost
        answer = await request(subject, body, timeout_s)
        if subject.startswith("claw.do.") and lost < 2:
            lost += 1
            raise Unavailable("the answer was lost")
        return answer

    link.request = losing  # type: ignore[method-assign]
    await carry_out(client, name)
    assert lost == 2
    assert cluster.named("t1").count(COMMANDS[name][1]) == 1


async def test_who_asks_again_after_a_lost_answer_is_told_the_same_as_the_first_time(cluster: Stage) -> None:
    client = cluster.client("client/ada")
    link = cluster.links["client/ada"]
    request, lost = link.request, 0

    async def losing(subject: str, body: bytes, timeout_s: float) -> bytes:
        nonlocal lost
        answer = await request(subject, body, timeout_s)
        if subject == "claw.do.ada.task" and not lost:
            lost += 1
            raise Unavailable("the answer was lost")
        return answer

    link.request = losing  # type: ignore[method-assign]
    batch = [TaskRequest(f"t{number}", spec_of("nobody-has-it")) for number in range(3)]
    made = await client.submit_many(batch)
    assert (lost, made.submitted, made.existing) == (1, 3, 0)
    again = await client.submit_many(batch)
    assert (again.submitted, again.existing) == (0, 3), "another request finds them there"


async def test_two_questions_with_one_command_id_in_one_request_are_told_the_same(cluster: Stage) -> None:
    await prepared(cluster, "signal")
    signal = request_of(c.Signal("go", 1), "one-id")
    body = body_of(("t1", signal), ("t1", signal), deadline_ns=cluster.clock.now_ns() + 10**10)
    outcomes = (await ask(cluster.requests.of("ada"), body)).outcomes
    assert [(each.changed, each.repeats) for each in outcomes] == [(True, False), (True, True)]
    assert cluster.named("t1").count("task.signalled") == 1


@pytest.mark.parametrize("point", ["before", "after"])
@pytest.mark.parametrize("name", sorted(COMMANDS))
async def test_a_leader_that_is_killed_at_its_append_leaves_the_command_to_the_next(
    cluster: Stage, name: str, point: str
) -> None:
    client = await prepared(cluster, name)
    leader, killed = cluster.links[ANSWERING], asyncio.Event()

    def die(at: str, draft: Draft) -> None:
        if at == point:
            killed.set()
            leader.unplug()
            raise Unavailable("killed")

    leader.fault = die
    asked = asyncio.create_task(carry_out(client, name))
    await killed.wait()
    assert cluster.named("t1").count(COMMANDS[name][1]) == (point == "after")
    await cluster.kill(ANSWERING)
    cluster.answer()  # whoever leads next
    async with asyncio.timeout(PATIENCE_S):
        await asked
    assert cluster.named("t1").count(COMMANDS[name][1]) == 1


async def test_a_command_that_its_client_repeats_by_hand_is_known_by_its_id(cluster: Stage) -> None:
    client = await prepared(cluster, "signal")
    signals = [request_of(c.Signal("go", number), f"id-{number}") for number in range(3)]
    for each in (*signals, *reversed(signals), signals[0]):
        await client.sender.ask("task", "t1", each)
    assert [event.payload for event in cluster.events("t1")[1:]] == [0, 1, 2]


@pytest.mark.parametrize("together", [True, False])
async def test_another_command_under_an_id_that_its_sender_chose_is_refused(cluster: Stage, together: bool) -> None:
    await prepared(cluster, "signal")
    signals = [request_of(c.Signal("go", payload), "one-id") for payload in (1, 2, 1)]
    pairs: list[tuple[str, ExternalCommand]] = [("t1", each) for each in signals]
    outcomes = []
    for asked in [pairs] if together else [[each] for each in pairs]:
        body = body_of(*asked, deadline_ns=cluster.clock.now_ns() + 10**10)
        outcomes += (await ask(cluster.requests.of("ada"), body)).outcomes
    assert [(each.changed, each.repeats) for each in outcomes] == [(True, False), (False, False), (True, True)]
    assert outcomes[1].error is not None
    assert "a command with other content had this id" in outcomes[1].error.message
    assert [event.payload for event in cluster.events("t1")[1:]] == [1]


async def test_what_an_earlier_release_has_answered_is_known_by_its_id_alone(cluster: Stage) -> None:
    client = await prepared(cluster, "signal")
    drawn = f"{new_id()}-7"
    for id in (drawn, "chosen"):
        await client.sender.ask("task", "t1", request_of(c.Signal("go", id), id))
    names = [name for commit in cluster.commits("t1") for name in commit.record.answers]
    assert names[-3:-1] == [drawn, "chosen"]
    assert names[-1].startswith("chosen="), "ids that processes draw cost nothing more"
    known = Known(Snapshot(Task(), 7), {"chosen": 7})
    call = Call(TASKS, "t1", (c.Pause(),), "chosen", content="0123")
    assert repeat_of(call, known) is not None


async def test_a_request_that_is_repeated_while_it_is_decided_is_decided_once(cluster: Stage) -> None:
    await prepared(cluster, "signal")
    requests = cluster.requests.of("ada")
    held = Held(cluster, b"task.signalled")
    body = body_of(("t1", request_of(c.Signal("go"))), deadline_ns=cluster.clock.now_ns() + 10**10)
    asked = [asyncio.create_task(ask(requests, body)) for _ in range(3)]
    await held.come()
    held.let_go()
    replies = await asyncio.gather(*asked)
    assert [reply.outcomes[0].changed for reply in replies] == [True] * 3
    assert cluster.named("t1").count("task.signalled") == 1


async def test_a_repeat_in_the_same_commit_is_told_of_success_only_once_that_is_written(cluster: Stage) -> None:
    client = await prepared(cluster, "signal")
    held = Held(cluster, b'"first"')
    first = asyncio.create_task(client.signal("t1", "first"))
    await held.come()  # what comes now waits, and leaves in one commit
    link, fails = cluster.links[ANSWERING], iter(range(1))

    def fault(at: str, draft: Draft) -> None:
        if at == "before" and b'"twice"' in draft.body and next(fails, None) is not None:
            assert not any(each.done() for each in twice), "nobody is told before it is written"
            raise Unavailable("away")

    link.fault = fault
    requests = cluster.requests.of("ada")
    twice = [
        asyncio.create_task(
            ask(
                requests,
                body_of(
                    ("t1", request_of(c.Signal("twice"), "one-id")),
                    deadline_ns=cluster.clock.now_ns() + 10**10 + number,
                ),
            )
        )
        for number in range(2)
    ]
    await all_turns()
    held.let_go()
    await first
    codes = [reply.outcomes[0].error.code for reply in await asyncio.gather(*twice) if reply.outcomes[0].error]
    assert codes == ["unavailable"] * 2
    assert cluster.named("t1").count("task.signalled") == 1


# 2: deadlines


async def test_a_request_after_its_deadline_is_not_carried_out(cluster: Stage) -> None:
    await prepared(cluster, "cancel")
    requests, now_ns = cluster.requests.of("ada"), cluster.clock.now_ns()
    before = cluster.log.last_seq
    for deadline_ns in (now_ns - 1, now_ns - 10**12, 0, now_ns + HORIZON_NS + 10**9):
        reply = await ask(requests, body_of(("t1", request_of(c.Cancel(), "x")), deadline_ns=deadline_ns))
        assert reply.error is not None
        assert reply.error.code == "expired"
    assert cluster.log.last_seq == before
    reply = await ask(requests, body_of(("t1", request_of(c.Cancel(), "x")), deadline_ns=now_ns + HORIZON_NS - 10**10))
    assert reply.outcomes[0].changed


async def test_a_leader_that_was_paused_leaves_what_its_client_has_given_up() -> None:
    clock = WallClock()
    async with Stage(clock) as cluster:
        client = await prepared(cluster, "cancel")
        held = Held(cluster, b'"slow"')
        slow = asyncio.create_task(client.signal("t1", "slow"))
        await held.come()
        body = body_of(("t1", request_of(c.Cancel(), "late")), deadline_ns=clock.now_ns() + 2 * 10**9)
        late = asyncio.create_task(ask(cluster.requests.of("ada"), body))
        await all_turns()
        clock.move(3)  # the process stood still for so long
        held.let_go()
        await slow
        reply = await late
        assert reply.outcomes[0].error is not None
        assert "deadline passed" in reply.outcomes[0].error.message
        assert cluster.task("t1").life.status == "pending"


@pytest.mark.parametrize("wrong_s", [-7200, 7200])
async def test_a_client_whose_clock_is_wrong_is_answered(cluster: Stage, wrong_s: float) -> None:
    await prepared(cluster, "submit")
    clock = WallClock(cluster.clock.now_ns() / 1e9 + wrong_s)
    context = ActorContext(cluster.links["client/ada"], clock, "client/ada")
    sender = CommandSender(context, cluster.requests.of("ada"), "ada", "c1")
    outcome = await asyncio.wait_for(sender.ask("task", "t9", request_of(SUBMIT)), PATIENCE_S)
    assert outcome.changed


# 2: load


async def test_above_the_bound_a_principal_is_told_busy_and_others_are_answered(cluster: Stage) -> None:
    client = await prepared(cluster, "signal")
    requests = cluster.requests.of("ada")
    held = Held(cluster, b"task.signalled")
    deadline_ns = cluster.clock.now_ns() + 2 * 10**10
    signals = [body_of(("t1", request_of(c.Signal("go", n), f"s{n}")), deadline_ns=deadline_ns) for n in range(70)]
    asked = [asyncio.create_task(requests.request("claw.do.ada.task", body, PATIENCE_S)) for body in signals]
    await held.come()
    mine = asyncio.create_task(client.submit("nobody-has-it", id="t2"))  # of the same principal: it asks again
    assert await cluster.client("client/bob").submit("nobody-has-it", id="t3")
    held.let_go()
    answers = await asyncio.gather(*asked)
    assert Counter(b'"busy"' in answer for answer in answers) == {False: 64, True: 6}
    await asyncio.wait_for(mine, PATIENCE_S)
    assert cluster.named("t1").count("task.signalled") == 64


# 4: one queue, one commit, in order


async def test_all_that_waits_for_one_aggregate_is_one_commit_in_order(cluster: Stage) -> None:
    client = await prepared(cluster, "signal")
    others = [cluster.client(f"client/{n}") for n in range(5)]
    held = Held(cluster, b'"first"')
    first = asyncio.create_task(client.signal("t1", "first"))
    await held.come()
    sent = [asyncio.create_task(other.signal("t1", "go", n)) for n, other in enumerate(others)]
    await all_turns()
    held.let_go()
    versions = {(await each).version for each in sent}
    await first
    assert len(versions) == 1
    last = list(cluster.commits("t1"))[-1]
    assert [event.payload for event in last.events] == list(range(5))
    assert len(last.record.answers) == 5


async def test_a_client_keeps_one_unanswered_request_for_an_aggregate_and_its_order(cluster: Stage) -> None:
    client = await prepared(cluster, "signal")
    link = cluster.links["client/ada"]
    request, open_now, most = link.request, 0, 0
    loses = iter([True, False, True, True])

    async def counting(subject: str, body: bytes, timeout_s: float) -> bytes:
        nonlocal open_now, most
        if not subject.startswith("claw.do."):
            return await request(subject, body, timeout_s)
        open_now += 1
        most = max(most, open_now)
        try:
            await asyncio.sleep(0)
            answer = await request(subject, body, timeout_s)
            if next(loses, False):
                raise Unavailable("the answer was lost")
            return answer
        finally:
            open_now -= 1

    link.request = counting  # type: ignore[method-assign]
    signals: list[asyncio.Task[Any]] = []
    for number in range(5000):
        signals.append(asyncio.create_task(client.signal("t1", "go", number)))
        if number % 500 == 0:
            await asyncio.sleep(0)
    await asyncio.gather(*signals)
    assert most == 1
    assert [event.payload for event in cluster.events("t1")[1:]] == list(range(5000))


async def test_what_is_said_after_a_change_is_true_only_once_that_is_written(cluster: Stage) -> None:
    """A refusal behind a cancel that was never stored would be a lie."""
    client = await prepared(cluster, "cancel")
    other, third = cluster.client("client/bob"), cluster.client("client/carl")
    held = Held(cluster, b'"first"')
    first = asyncio.create_task(client.signal("t1", "first"))
    await held.come()
    cancel = asyncio.create_task(other.cancel("t1"))
    await all_turns()
    late = asyncio.create_task(third.signal("t1", "late"))
    await all_turns()
    raced = iter(range(1))

    def fault(at: str, draft: Draft) -> None:
        if at == "before" and b"task.cancelled" in draft.body and next(raced, None) is not None:
            assert not late.done()
            cluster.log.publish("claw.task.t1.log", b"somebody else was first")

    cluster.links[ANSWERING].fault = fault
    held.let_go()
    await first
    await cancel
    with pytest.raises(Refused, match="cancelled"):
        await late


# 5: a refusal is a read


async def test_a_refusal_is_believed_only_on_a_state_that_holds_all_that_is_in_the_log(cluster: Stage) -> None:
    client = await prepared(cluster, "retry")
    await cluster.tell("t1", c.RetryTask())
    await client.snapshot("t1")
    follower_is_late = cluster.links[ANSWERING]._up
    follower_is_late.clear()
    await cluster.tell("t1", c.Cancel())
    asked = asyncio.create_task(client.retry("t1"))  # as far as is folded, the task is pending
    await all_turns()
    assert not asked.done()
    follower_is_late.set()
    assert (await asyncio.wait_for(asked, PATIENCE_S)).state.life.status == "pending"
    assert cluster.named("t1").count("task.retried") == 2


async def test_an_answer_carries_a_version_that_questions_reach(cluster: Stage) -> None:
    client = await prepared(cluster, "signal")
    follower_is_late = cluster.links[ANSWERING]._up
    follower_is_late.clear()
    version = (await client.signal("t1", "go")).version
    asked = asyncio.create_task(client.snapshot("t1"))
    await all_turns()
    assert not asked.done()
    follower_is_late.set()
    assert (await asyncio.wait_for(asked, PATIENCE_S)).version == version


# Sizes


async def test_a_state_of_many_megabytes_is_answered_in_parts(cluster: Stage) -> None:
    client = await prepared(cluster, "signal")
    payloads = [str(number) * 100_000 for number in range(10)] * 3
    for payload in payloads:
        known = await client.signal("t1", "go", payload)
        assert len(known.state.journal) == 0, "a command is answered in brief"
    entries = list((await client.snapshot("t1")).state.journal)
    assert [entry.result for entry in entries] == payloads


async def test_many_commands_with_large_states_are_all_answered(cluster: Stage) -> None:
    client = cluster.client("client/ada")
    refs = [await client.submit("nobody-has-it", {"text": "x" * 200_000}, id=f"t{n}") for n in range(20)]
    states = await asyncio.gather(*(ref.pause() for ref in refs))
    assert all(len(known.state.spec.params["text"]) == 200_000 for known in states if known.state.spec)
    assert {known.state.life.status for known in states} == {"paused"}


# On a server: two that lead at once both hear every request


class Leaders:
    """Processes that answer, clients and what the log holds, on one server."""

    def __init__(self, url: str) -> None:
        self._url, self._stack = url, contextlib.AsyncExitStack()
        self.leaders: list[asyncio.Task[None]] = []
        self._blobs = InProcessBlobs(SystemClock().now_ns)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for leader in self.leaders:
            leader.cancel()
        await asyncio.gather(*self.leaders, return_exceptions=True)
        await self._stack.aclose()

    async def log(self, name: str, inbox: str = "") -> JetStreamLog:
        return await self._stack.enter_async_context(
            await open_log(self._url, name, **{"inbox": inbox} if inbox else {})
        )

    async def lead(self, wrap: Callable[[Any], Any] = lambda log: log) -> asyncio.Task[None]:
        log = await self.log(f"leader-{len(self.leaders)}")
        context = ActorContext(wrap(log), SystemClock(), f"control/{len(self.leaders)}")
        answering = Answering(context, JetStreamRequests(log.connection), self._blobs)
        leader = asyncio.create_task(answering.serve())
        self.leaders.append(leader)
        return leader

    async def client(self, principal: str) -> ClusterClient:
        log = await self.log(f"client/{principal}", f"_INBOX.{principal}")
        context = ActorContext(log, SystemClock(), f"client/{principal}")
        return ClusterClient(context, JetStreamRequests(log.connection))

    async def events(self) -> Counter[tuple[str, str]]:
        """How often each event of each task is in the log, signals by payload."""
        from clawactors.kinds import KINDS

        found: Counter[tuple[str, str]] = Counter()
        async for batch in (await self.log("reader")).read(["claw.task.>"]):
            for commit in map(KINDS.decoder.decode, batch):
                for event in commit.events:
                    found[commit.id, f"{type(event).__name__}{getattr(event, 'payload', '')}"] += 1
        return found


@pytest.mark.nats
async def test_two_leaders_at_once_carry_out_each_command_once(nats_url: str) -> None:
    async with Leaders(nats_url) as place:
        await place.lead()
        await place.lead()
        ada, bob = await place.client("ada"), await place.client("bob")
        ids = [f"t{n}" for n in range(30)]
        async with asyncio.timeout(30):
            await asyncio.gather(*(client.submit("nobody-has-it", id=id) for id in ids for client in (ada, bob)))
            signals = [ada.signal(id, "go", f"a{n}") for id in ids for n in range(5)]
            signals += [bob.signal(id, "go", f"b{n}") for id in ids for n in range(5)]
            await asyncio.gather(*signals)
            await asyncio.gather(*(ada.cancel(id) for id in ids))
            await asyncio.gather(*(ada.retry(id) for id in ids))
        found = await place.events()
    assert set(found.values()) == {1}
    assert len(found) == 30 * (1 + 10 + 3)  # submitted; signals; cancel asked for, cancelled, retried


@pytest.mark.nats
@pytest.mark.parametrize("name", sorted(COMMANDS))
async def test_on_a_server_a_leader_that_dies_after_its_append_leaves_an_answer_to_the_next(
    nats_url: str, name: str
) -> None:
    class Dying:
        """The log of a leader that is gone once its append is stored."""

        def __init__(self, log: JetStreamLog) -> None:
            self._log = log

        def __getattr__(self, name: str) -> Any:
            return getattr(self._log, name)

        async def append(self, draft: Draft, expected: int) -> int:
            version = await self._log.append(draft, expected)
            if dies.is_set():
                dead.set()
                await asyncio.Event().wait()
            return version

    dies, dead = asyncio.Event(), asyncio.Event()
    async with Leaders(nats_url) as place:
        first = await place.lead(Dying)
        client = await place.client("ada")
        async with asyncio.timeout(20):
            if name != "submit":
                await client.submit("nobody-has-it", id="t1")
            if name == "retry":
                await client.cancel("t1")
            dies.set()
            asked = asyncio.create_task(carry_out(client, name))
            await dead.wait()
            first.cancel()
            await place.lead()
            await asked
        found = await place.events()
    assert set(found.values()) == {1}
