"""Payloads go when nothing names them any more, and never before. Rule numbers are those of the module."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import msgspec
import pytest

from clawactors import skill
from clawactors.eventlog import InProcessLog, Missing, Record
from clawactors.kernel.errors import Refused
from clawactors.runtime.client.client import ClusterClient
from clawactors.runtime.node.context import TaskContext
from clawactors.runtime.sweep import SweepReport, sweep
from clawactors.systems.tasks.payload import INLINE_MAX_BYTES
from tests.clawactors.runtime.cluster import Cluster, ManualClock

DAY_S = 86_400.0


def large(mark: str) -> dict[str, str]:
    return {"text": mark * (INLINE_MAX_BYTES // len(mark) + 1)}


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    async with Cluster(ManualClock()) as cluster:
        yield cluster


def days_pass(cluster: Cluster, days: float) -> None:
    cluster.clock.move(days * DAY_S)  # type: ignore[attr-defined]


async def swept(cluster: Cluster, older_s: float = 7 * DAY_S, **more: Any) -> SweepReport:
    return await sweep(cluster.log, cluster.blobs, cluster.outputs, older_s, **more)


async def kept(client: ClusterClient, id: str) -> bool:
    task = (await client.snapshot(id)).state
    assert task.spec is not None
    try:
        await client.payloads.load_payload(task.spec.params)
    except Missing:
        return False
    return True


async def test_rule_1_what_nobody_names_goes_when_it_is_old(cluster: Cluster) -> None:
    await cluster.blobs.put(b"x" * 1000)
    assert (await swept(cluster)).unnamed == 0
    days_pass(cluster, 6)
    await cluster.blobs.put(b"y" * 10)
    days_pass(cluster, 2)
    told = await swept(cluster, removes=False)
    assert (told.blobs, told.unnamed, told.unnamed_bytes, told.removed) == (2, 1, 1000, 0)
    assert (await swept(cluster)).removed == 1
    assert list(cluster.blobs.kept.values()) == [b"y" * 10]


async def test_rule_1_what_is_put_again_is_young(cluster: Cluster) -> None:
    await cluster.blobs.put(b"x")
    days_pass(cluster, 8)
    await cluster.blobs.put(b"x")
    assert (await swept(cluster)).removed == 0


async def test_rules_2_and_3_a_task_keeps_its_own_until_long_after_its_end(cluster: Cluster) -> None:
    client = cluster.client()
    for id in ("stays", "goes", "shares"):
        await client.submit("nobody-has-it", large("a" if id == "shares" else id), id=id)
    await client.submit("nobody-has-it", large("a"), id="shares-too")
    await client.signal("goes", "go", large("signal"))
    await client.cancel("stays")
    days_pass(cluster, 8)
    assert (await swept(cluster)).removed == 0
    for id in ("goes", "shares"):
        await client.delete(id)
    assert (await swept(cluster)).removed == 0
    days_pass(cluster, 8)
    assert (await swept(cluster)).removed == 2
    assert [await kept(client, id) for id in ("stays", "goes", "shares", "shares-too")] == [True, False, True, True]


async def test_rule_2_results_steps_signals_schedules_and_stored_bytes_are_kept(cluster: Cluster) -> None:
    @skill("all-of-it")
    async def all_of_it(task: TaskContext) -> Any:
        await task.step("s", large, "step")
        stored = await task.store(b"stored" * 100)
        await task.emit(await task.store(b"emitted" * 100))
        signal = await task.signal("go")
        return {**large("result"), "stored": stored, "signal": len(signal["text"])}

    async with Cluster() as cluster:
        await cluster.control()
        await cluster.node("n1", [all_of_it])
        client = cluster.client()
        ref = await client.submit("all-of-it", id="t")
        await ref.signal("go", large("signal"))
        result = await ref.result(10)
        await client.schedules.add("nightly", "0 3 * * *", "all-of-it", large("schedule"))
        before = dict(cluster.blobs.kept)
        assert len(before) == 6
        told = await swept(cluster, older_s=-1)
        assert (told.blobs, told.unnamed) == (6, 0)
        assert cluster.blobs.kept == before
        assert await client.blob(result["stored"]["blob"]) == b"stored" * 100  # named within a payload
        await client.delete("t")
        assert (await swept(cluster, older_s=-1)).removed == 4  # all but the schedule's, and what output names


async def test_rule_2_a_name_in_a_record_that_nobody_can_read_is_a_name(cluster: Cluster) -> None:
    names = [await cluster.blobs.put(b"%d" % number) for number in range(3)]
    cluster.log.publish("claw.task.t.log", f"garbage {names[0]}".encode())
    cluster.log.publish("claw.later.x.log", msgspec.json.encode({"v": 9, "x": f"ab{names[1]}cd"}))
    days_pass(cluster, 8)
    assert (await swept(cluster)).removed == 1
    assert set(cluster.blobs.kept) == set(names[:2])


async def test_rule_3_nothing_is_forked_off_a_task_whose_values_may_be_gone(cluster: Cluster) -> None:
    client = cluster.client()
    await client.submit("nobody-has-it", id="t")
    await client.delete("t")
    with pytest.raises(Refused, match="was deleted or archived"):
        await client.fork("t", "s", new_id="f")


class Interrupted(InProcessLog):
    """Somebody does something while it is read."""

    meanwhile: Any = None

    async def read(self, patterns: Sequence[str], **more: Any) -> AsyncIterator[list[Record]]:
        async for records in super().read(patterns, **more):
            yield records
            if self.meanwhile is not None and tuple(patterns) == ("claw.*.>",):
                meanwhile, self.meanwhile = self.meanwhile, None
                await meanwhile()


async def test_rule_4_what_is_put_and_named_while_all_is_read_stays() -> None:
    async with Cluster(ManualClock(), log=Interrupted) as cluster:
        client = cluster.client()
        await client.submit("nobody-has-it", large("other"), id="other")
        await client.payloads.store_blob(msgspec.json.encode(large("orphan")), "it")
        days_pass(cluster, 8)

        async def submit() -> None:
            await client.submit("nobody-has-it", large("orphan"), id="t")

        cluster.log.meanwhile = submit  # type: ignore[attr-defined]
        told = await swept(cluster)
        assert (told.unnamed, told.removed) == (1, 0)
        assert await kept(client, "t")
