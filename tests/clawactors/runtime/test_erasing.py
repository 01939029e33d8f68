"""Erasing an owner's words, in a cluster in memory: what goes, what stays, and that a kill anywhere leaves no half."""

import asyncio
import random
from collections.abc import Sequence
from typing import Any

import pytest

from clawactors import skill
from clawactors.eventlog import Missing
from clawactors.eventlog.sealing import Sealer
from clawactors.kernel.errors import InvalidQuery, Refused
from clawactors.runtime.control import erasing
from clawactors.testing import Cluster
from tests.clawactors.runtime.cluster import until

HUSH = "hush-hush-4711"
SETTLED_S = 0.3
"""What stands for the 3 s after which no other process seals with an old key; there is none here."""


@pytest.fixture
def settles_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasing, "_SETTLED_S", SETTLED_S)


@skill("tell")
async def tell(task: Any, text: str, large: bool = False) -> Any:
    """Says it in every way that a task has."""
    await task.step("think", lambda: f"{text} thought")
    await task.emit("out", text)
    return {"said": text, "store": await task.store(f"{text} stored".encode() * 1000) if large else None}


@skill("fail")
async def fail(task: Any, text: str) -> None:
    """Never works."""
    raise RuntimeError(f"no {text}")


@skill("rest")
async def rest(task: Any, text: str) -> str:
    """Waits for ever."""
    return str(await task.signal("go", default=text))


def log_of(cluster: Cluster) -> bytes:
    """All that the log of the cluster has ever stored."""
    return b"".join(record.body + record.headers for record in cluster._host.log._records)


async def told(cluster: Cluster) -> None:
    """Ada and somebody else have had tasks."""
    ada = cluster.connect("ada")
    await ada.run("tell", {"text": HUSH, "large": True}, id="hers", name=f"her {HUSH}", tags=(HUSH,))
    await cluster.client.run("tell", {"text": "open", "large": True}, id="theirs", user="bob")
    await cluster.client.run("tell", {"text": "plain"}, id="nobodys")


async def test_what_an_owner_said_is_gone_and_what_happened_stays() -> None:
    async with Cluster([tell]) as cluster:
        await told(cluster)
        claw = cluster.client
        before = await claw.task("hers")
        others = [await claw.task(id) for id in ("theirs", "nobodys")]
        assert HUSH.encode() not in log_of(cluster), "it was sealed from the beginning"
        assert b'"plain"' in log_of(cluster), "nobody's words are not sealed"
        hers = before.result["store"]["blob"]
        assert HUSH.encode() in await claw.blob(hers)
        done = await claw.erase("ada", reason="asked")
        receipt = done["receipt"]
        assert done["erased"] == receipt["records"] > 0
        assert (receipt["aggregates"]["task"], receipt["blobs"], receipt["outputs"]) == (1, 1, 1)
        after = await claw.task("hers")
        assert (after.params, after.name, after.tags, after.result, after.erased) == ({}, "", (), None, True)
        assert (after.steps[0].name, after.steps[0].result) == ("think", None)
        for stays in ("status", "user", "skill", "node", "attempt", "submitted_at", "completed_at", "version"):
            assert getattr(after, stays) == getattr(before, stays)
        assert [await claw.task(id) for id in ("theirs", "nobodys")] == others
        assert (await claw.blob(others[0].result["store"]["blob"])).startswith(b"open")
        assert HUSH not in str(await claw.history("hers"))
        with pytest.raises(Missing):  # from no cache either
            await claw.blob(hers)
        with pytest.raises(Refused, match="erased with all data of its user"):
            await claw.ref("hers").result(5)
        again = (await claw.erase("ada"))["receipt"]
        told_before = [(run["request"], run["records"]) for run in again["earlier"]]
        assert (again["records"], told_before) == (0, [(receipt["request"], receipt["records"])])


@pytest.mark.usefixtures("settles_soon")
async def test_an_erased_task_keeps_its_id_and_is_never_run_again() -> None:
    async with Cluster([tell, fail]) as cluster:
        claw = cluster.client
        await claw.submit("fail", {"text": HUSH}, id="hers", user="ada", max_retries=0)
        await cluster.settle()
        assert HUSH in str((await claw.task("hers")).error)
        await claw.erase("ada")
        row = await claw.task("hers")
        assert (row.status, row.error and row.error.kind) == ("dead", "unknown")
        assert HUSH not in str(row)
        with pytest.raises(Refused, match="erased"):
            await claw.retry("hers")
        with pytest.raises(Refused, match="exists with"):
            await claw.submit("fail", {"text": HUSH}, id="hers", user="ada", max_retries=0)
        assert await claw.run("tell", {"text": "new"}, id="next", user="ada")
        assert (await claw.task("next")).params == {"text": "new"}, "the owner may come back, with another key"


@pytest.mark.usefixtures("settles_soon")
async def test_work_under_way_is_refused_or_ended_first() -> None:
    async with Cluster([rest]) as cluster:
        claw = cluster.client
        ref = await claw.submit("rest", {"text": HUSH}, id="hers", user="ada")
        await claw.schedules.add("daily", "0 9 * * *", "rest", {"text": HUSH}, user="ada")
        await cluster.settle()
        assert HUSH.encode() not in log_of(cluster)
        with pytest.raises(Refused, match="under way: task hers, schedule daily"):
            await claw.erase("ada")
        assert (await claw.task("hers")).params == {"text": HUSH}, "nothing was erased"
        await claw.erase("ada", cancel=True)
        assert (await ref.snapshot()).state.life.status == "cancelled"
        assert await claw.schedules.list() == []
        with pytest.raises(InvalidQuery):
            await claw.erase("")


@pytest.mark.usefixtures("settles_soon")
async def test_memories_and_conversations_go_too() -> None:
    async with Cluster() as cluster:
        ada = cluster.connect("ada")
        await ada.remember(f"ada keeps {HUSH} in the cellar")
        await ada.say("talk", f"do not tell {HUSH}")
        await cluster.client.remember("the cellar is dry")
        done = await cluster.client.erase("ada")
        assert done["receipt"]["memories"] >= 1
        assert done["receipt"]["aggregates"]["chat"] == 1
        assert HUSH not in str(await ada.recall("cellar"))
        assert HUSH not in str(await ada.memories.audit(owner="ada"))
        assert HUSH not in str([row async for row in ada.memories.export("ada")])
        assert "dry" in str(await ada.recall("cellar"))
        assert HUSH.encode() not in log_of(cluster)


@pytest.mark.usefixtures("settles_soon")
async def test_what_was_never_sealed_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    async def plain(_sealer: Sealer, draft: Any) -> Any:
        return draft

    async with Cluster([tell]) as cluster:
        with monkeypatch.context() as patched:
            patched.setattr(Sealer, "seal", plain)
            await cluster.client.run("tell", {"text": HUSH}, id="old", user="ada")
        assert (await cluster.client.erase("ada"))["receipt"]["unsealed"] == 1


@pytest.mark.usefixtures("settles_soon")
@pytest.mark.parametrize("kills", [(0.05,), (SETTLED_S + 0.01,) * 2, (SETTLED_S + 0.2,) * 3], ids=str)
async def test_a_leader_killed_anywhere_leaves_an_erasure_that_the_next_one_ends(kills: tuple[float, ...]) -> None:
    await erased_with_kills(0, kills)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(60))
async def test_many_leaders_killed_at_random_moments_end_an_erasure(seed: int) -> None:
    r = random.Random(seed)
    await erased_with_kills(
        seed, tuple(r.choice((r.uniform(0, 0.2), r.uniform(2.9, 3.4))) for _ in range(r.randint(1, 5)))
    )


async def erased_with_kills(seed: int, kills: Sequence[float]) -> None:
    """An erasure whose leader is killed after each of these times, in seconds."""
    async with Cluster([tell], seed=seed) as cluster:
        await told(cluster)
        erasing = asyncio.ensure_future(cluster.client.erase("ada"))
        for after_s in kills:
            await cluster.sleep(after_s)
            if not erasing.done():
                await cluster.restart_control()
        done = await erasing
        assert done["receipt"]["finished_at"]
        assert (await cluster.client.task("hers")).params == {}
        assert (await cluster.client.task("theirs")).params == {"text": "open", "large": True}
        sealer = cluster._host.log.sealer
        names = {record.header("Claw-Key") for record in cluster._host.log._records} - {""}
        gone = [name for name in names if await sealer.keys.find(*name.split(".")) is None]
        assert len(gone) == len(names) - 1, "all of hers, and nobody else's"


@pytest.mark.usefixtures("settles_soon")
async def test_a_key_that_comes_back_is_erased_again_by_the_next_leader() -> None:
    async with Cluster([tell]) as cluster:
        await told(cluster)
        keys: Any = cluster._host.log.sealer.keys
        before = dict(keys._keys)
        await cluster.client.erase("ada")
        gone = [name for name in before if name not in keys._keys]
        keys._keys |= {name: before[name] for name in gone}  # as with a mirror that takes over
        cluster._host.log.sealer.forget(gone[0][0])
        await cluster.restart_control()
        assert gone
        log: Any = cluster._host.log
        await until(log, lambda: not any(name in keys._keys for name in gone), "erased again")
        await cluster.settle()
        assert HUSH not in str(await cluster.client.task("hers"))
