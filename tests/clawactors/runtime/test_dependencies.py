"""Tasks that come after others, in a whole cluster: refused where they can not, run in order, results at hand."""

import asyncio
import itertools
import random
import time
from collections.abc import Iterable, Sequence
from typing import Any

import pytest

from clawactors import SyncTask, skill
from clawactors import Task as Handle
from clawactors.eventlog import Draft
from clawactors.kernel.errors import Refused
from clawactors.kernel.fold import Snapshot
from clawactors.kinds import KINDS
from clawactors.runtime.call import Answer, Call, Reply
from clawactors.runtime.client.submitting import TaskRequest
from clawactors.runtime.control.predecessors import PredecessorCheck
from clawactors.systems.skills import Skill
from clawactors.systems.tasks import TASK, Status, Task
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks import events as e
from clawactors.systems.tasks.kind import TASKS
from clawactors.systems.tasks.submission import spec_of
from tests.clawactors.runtime.cluster import PATIENCE_S, Cluster, Views, all_turns
from tests.clawactors.runtime.test_examples import example


@skill("say")
async def say(task: Handle, text: str = "") -> str:
    return text


@skill("gather")
async def gather(task: Handle) -> dict[str, Any]:
    return await task.results()


@skill("gather-sync")
def gather_sync(task: SyncTask) -> dict[str, Any]:
    return task.results()


def failing() -> tuple[Skill, list[bool]]:
    """A skill that fails for good while its list holds True."""
    fails = [True]

    @skill("moody")
    async def moody(task: Handle) -> str:
        if fails[0]:
            raise ValueError("not in the mood")
        return "fine"

    return moody, fails


def request(id: str, *after: str, skill: str = "say", **options: Any) -> TaskRequest:
    return TaskRequest(id, spec_of(skill, {}, after=after, **options))


def in_order(cluster: Cluster, ids: Iterable[str]) -> None:
    """None of them was given away before all that it comes after had completed, and each went on once."""
    ended: set[str] = set()
    given: set[str] = set()
    for commit in cluster.commits():
        for event in commit.events:
            if isinstance(event, e.Completed):
                ended.add(commit.id)
            elif isinstance(event, e.Scheduled) and commit.id not in given:
                given.add(commit.id)
                spec = cluster.task(commit.id).spec
                assert spec is not None
                assert set(spec.after) <= ended, commit.id
    for id in ids:
        assert cluster.named(id).count("task.ready") == bool(cluster.task(id).spec.after), id  # type: ignore[union-attr]


ONE_ANOTHER = {"p": ["q"], "b": ["p", "a"], "a": ["b"]}


async def test_results_of_predecessors_are_at_hand() -> None:
    async with Cluster() as cluster:
        await cluster.control()
        await cluster.node("n1", [say, gather, gather_sync])
        client = cluster.client()
        for id in ("a", "b"):
            await client.submit("say", {"text": id.upper()}, id=id)
        for name in ("gather", "gather-sync"):
            ref = await client.submit(name, id=name, after=["b", "a"])
            assert await ref.result(5) == {"b": "B", "a": "A"}
            assert list(cluster.task(name).life.result) == ["b", "a"]
        in_order(cluster, ("a", "b", "gather"))
        assert await client.run("gather", after=["a"], wait_s=5) == {"a": "A"}
        assert await client.run("gather", wait_s=5) == {}


async def test_a_large_result_is_at_hand_as_a_whole() -> None:
    @skill("much")
    async def much(task: Handle) -> str:
        return "x" * 600_000

    async with Cluster() as cluster:
        await cluster.control()
        await cluster.node("n1", [much, gather])
        client = cluster.client()
        await client.submit("much", id="p")
        assert await client.run("gather", after=["p"], wait_s=5) == {"p": "x" * 600_000}


async def test_what_there_is_not_can_not_be_come_after() -> None:
    async with Cluster() as cluster:
        client = cluster.client()
        with pytest.raises(Refused, match="it comes after nobody, and there is no such task"):
            await client.submit("say", id="t", after=["nobody"])
        with pytest.raises(Refused, match="it would wait for itself: t after t"):
            await client.submit("say", id="t", after=["t"])
        await client.submit("say", id="p")
        await client.submit("say", id="t", after=["p"])
        await client.command("p", c.Delete("ada"))
        with pytest.raises(Refused, match="it comes after p, which was deleted or archived"):
            await client.submit("say", id="u", after=["p"])
        await client.submit("say", id="t", after=["p"])  # a repeat
        with pytest.raises(Refused, match="task t exists with different predecessors"):
            await client.submit("say", id="t", after=["t"])
        assert cluster.named("t") == ["task.submitted"]
        assert cluster.named("u") == []


async def test_a_batch_names_its_tasks_in_any_order() -> None:
    layers = [[f"l{layer}-{n}" for n in range(4)] for layer in range(4)]
    requests = [request(id) for id in layers[0]]
    for above, below in itertools.pairwise(layers):
        requests += [request(id, *above) for id in below]
    random.Random(7).shuffle(requests)
    async with Cluster() as cluster:
        await cluster.control()
        await cluster.node("n1", [say])
        client = cluster.client()
        batch = await client.submit_many(requests)
        assert (batch.submitted, batch.refused) == (16, ())
        for id in layers[-1]:
            await cluster.until_status(id, "completed")
        in_order(cluster, [id for layer in layers for id in layer])
        again = await client.submit_many(requests)
        assert (again.submitted, again.existing, again.refused) == (0, 16, ())


async def test_cycles_are_refused_and_what_comes_after_them_and_nothing_else() -> None:
    async with Cluster() as cluster:
        client = cluster.client()
        requests = [
            *(request("behind", "a"), request("a", "c"), request("b", "a"), request("free"), request("c", "b", "free")),
            *(
                request("well", "free"),
                request("lost", "nobody"),
                request("lost-too", "lost"),
                request("bad id"),
                request("self", "self"),
            ),
        ]
        batch = await client.submit_many(requests)
        assert {rejected.id: rejected.message for rejected in batch.refused} == {
            **dict.fromkeys(("a", "b", "c"), "it would wait for itself: a after c after b after a"),
            "behind": "it comes after a, which is refused",
            "lost": "it comes after nobody, and there is no such task",
            "lost-too": "it comes after lost, which is refused",
            "bad id": "'bad id' is no id: 1 to 128 letters, digits, '-' or '_'",
            "self": "it would wait for itself: self after self",
        }
        assert [rejected.index for rejected in batch.refused] == [0, 1, 2, 4, 6, 7, 8, 9]
        assert batch.submitted == 2
        assert all(cluster.named(id) == [] for id in ("a", "b", "c", "behind", "lost", "lost-too", "self"))


async def test_who_comes_after_a_task_whose_id_is_taken_by_another_is_refused() -> None:
    async with Cluster() as cluster:
        client = cluster.client()
        await client.submit("say", {"text": "other"}, id="p")
        batch = await client.submit_many([request("t", "p"), request("p")])
        assert [(rejected.id, rejected.message) for rejected in batch.refused] == [
            ("t", "it comes after p, which is refused"),
            ("p", "task p exists with different parameters; choose another id"),
        ]
        assert (await client.submit_many([request("t", "p")])).submitted == 1


async def test_ten_thousand_that_come_one_after_another_are_submitted_in_a_moment() -> None:
    requests = [request("t0"), *(request(f"t{n}", f"t{n - 1}") for n in range(1, 10_000))]
    requests.reverse()
    async with Cluster() as cluster:
        started_s = time.process_time()
        batch = await cluster.client().submit_many(requests)
        assert (batch.submitted, batch.refused) == (10_000, ())
        assert time.process_time() - started_s < 20  # a second or two where nothing else runs


@pytest.mark.parametrize(("on_dead", "ends"), [("block", "blocked"), ("fail", "failed"), ("run", "completed")])
async def test_a_dead_predecessor_and_its_redrive(on_dead: Any, ends: Status) -> None:
    moody, fails = failing()
    async with Cluster() as cluster:
        await cluster.control()
        await cluster.node("n1", [say, moody, gather])
        client = cluster.client()
        await client.submit("moody", id="p")
        await client.submit("gather", id="t", after=["p"], on_dead=on_dead)
        await client.submit("say", id="last", after=["t"], on_dead=on_dead)
        task = await cluster.until_status("t", ends)
        if on_dead == "block":
            assert task.life.blocked_reason == "its predecessor p is failed"
            assert cluster.task("last").life.status == "waiting"
        elif on_dead == "fail":
            assert task.life.error == e.TaskError("dependency", "its predecessor p is failed")
            assert (await cluster.until_status("last", "failed")).life.error == e.TaskError(
                "dependency", "its predecessor t is failed"
            )
        else:
            assert task.life.result == {}
            await cluster.until_status("last", "completed")
        fails[0] = False
        await client.command("p", c.RetryTask("ada"))
        if on_dead == "fail":
            await client.command("t", c.RetryTask("ada"))  # it waits again
            await client.command("last", c.RetryTask("ada"))
        if on_dead != "run":
            assert (await cluster.until_status("t", "completed")).life.result == {"p": "fine"}
        await cluster.until_status("last", "completed")


async def test_one_that_is_retried_waits_again_and_not_for_what_has_completed_meanwhile() -> None:
    async with Cluster() as cluster:
        await cluster.control()
        client = cluster.client()
        await client.submit("say", id="p")
        await client.submit("say", id="t", after=["p"])
        await client.cancel("t")
        await cluster.node("n1", [say])
        await cluster.until_status("p", "completed")
        await client.command("t", c.RetryTask("ada"))
        await cluster.until_status("t", "completed")
        in_order(cluster, ["p", "t"])


async def test_the_control_process_dies_between_any_two_layers() -> None:
    async with Cluster() as cluster:
        await cluster.node("n1", [say])
        client = cluster.client()
        layers = [["top"], ["left", "right"], ["end"]]
        await client.submit_many(
            [request("end", "left", "right"), request("left", "top"), request("right", "top"), request("top")]
        )
        for number, layer in enumerate(layers):
            control = f"control/{number}"
            views = await caught_up(cluster) if number % 2 else None
            await cluster.control(control, views)
            for id in layer:
                await cluster.until_status(id, "completed")
            await cluster.kill(control)
        in_order(cluster, [id for layer in layers for id in layer])


async def caught_up(cluster: Cluster) -> Views:
    """Views that hold all that is in the log now."""
    views = Views(_Start(cluster))
    await views.apply([KINDS.decoder.decode(record) for record in cluster.log._records], cluster.log.last_seq)
    return views


class _Start:
    """What placement starts from: all that is in the log now."""

    def __init__(self, cluster: Cluster) -> None:
        self.position = cluster.log.last_seq
        self._tasks = {id: cluster.folded(id) for id in {commit.id for commit in cluster.commits()}}
        self._node = cluster.node_state("n1")

    def open_tasks(self) -> list[Any]:
        known = self._tasks.items()
        return [(id, folded.version, folded.state) for id, folded in known if not TASK.is_final(folded.state)]

    def ended(self) -> list[Any]:
        known = self._tasks.items()
        return [(id, folded.state.life.status) for id, folded in known if TASK.is_final(folded.state)]

    def nodes(self) -> list[Any]:
        return [("n1", self.position, self._node)]

    def schedules(self) -> list[Any]:
        return []

    def triggers(self) -> list[Any]:
        return []

    def frozen(self) -> list[Any]:
        return []

    def erasures(self) -> list[Any]:
        return []


async def test_a_completed_predecessor_holds_up_nobody() -> None:
    async with Cluster() as cluster:
        await cluster.control()
        await cluster.node("n1", [say])
        client = cluster.client()
        await client.run("say", id="p", wait_s=5)
        refs = [await client.submit("say", id=f"t{n}", after=["p"]) for n in range(20)]
        await asyncio.gather(*(ref.result(5) for ref in refs))
        in_order(cluster, [ref.id for ref in refs])


async def test_the_example_of_a_fan_in() -> None:
    module = example("fan_in")
    async with Cluster() as cluster:
        await cluster.control()
        await cluster.node("n1", [module.count, module.total])
        client = cluster.client()
        await client.submit("count", {"text": "to be or not to be"}, id="a")
        await client.submit("count", {"text": "that is the question"}, id="b")
        assert await client.run("total", after=["a", "b"], wait_s=5) == {"a": 6, "b": 4, "sum": 10}


async def test_a_ring_with_a_task_that_waits_in_the_log_is_put_before_a_person(cluster: Cluster) -> None:
    """A batch of the first edition was cut: `a` is there and waits for what never came."""
    await cluster.control()
    made = e.Submitted(skill="say", after=("b",))
    await cluster.log.append(Draft(kind="task", id="a", body=e.CODEC.encode((made,)), commit="cut"), 0)
    await cluster.client().submit("say", id="b", after=["a"])
    task = await cluster.until_status("b", "blocked")
    assert task.life.blocked_reason == "it would wait for itself: b after a after b"


async def test_two_that_are_made_at_the_same_moment_and_wait_for_each_other_are_refused(cluster: Cluster) -> None:
    """`p` is being checked, for `q` is not folded yet; `b` waits for `p`, and `a` for `b`."""
    gate = asyncio.Event()

    class States:
        def get(self, kind: str, id: str, *, brief: bool = False) -> tuple[Snapshot[Task], dict[str, int]]:
            return Snapshot(Task(spec_of("say")) if id == "q" and gate.is_set() else Task()), {}

    class Snapshots:
        states = States()

        async def fresh(self) -> None:
            await gate.wait()

    async def make(calls: Sequence[Call]) -> Sequence[Reply]:
        return [Answer(1, None) for _ in calls]

    submit = PredecessorCheck(Snapshots())(make)  # type: ignore[arg-type]
    calls = [Call(TASKS, id, (c.Submit(spec_of("say", after=after)),)) for id, after in ONE_ANOTHER.items()]
    all_three = asyncio.ensure_future(submit(calls))
    await all_turns()
    gate.set()
    async with asyncio.timeout(PATIENCE_S):
        p, b, a = await all_three
    assert isinstance(p, Answer)
    assert str(b) == "it would wait for itself: b after a after b"
    assert str(a) == "it comes after b, which is refused"


async def test_a_cycle_that_two_clients_close_at_once_does_not_wait_forever(cluster: Cluster) -> None:
    await cluster.control()
    await cluster.node("n1", [say])
    for id, after in (("a", "b"), ("b", "c"), ("c", "a")):
        made = e.Submitted(skill="say", after=(after,))
        await cluster.log.append(Draft(kind="task", id=id, body=e.CODEC.encode((made,)), commit=f"cut-{id}"), 0)
    task = await cluster.until_status("c", "blocked")
    assert task.life.blocked_reason == "it would wait for itself: c after a after b after c"
    await cluster.client().retry("c")
    await cluster.until(lambda: all(cluster.task(id).life.status == "completed" for id in "abc"), "all go on")
