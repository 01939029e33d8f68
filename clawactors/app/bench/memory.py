"""Memory: how fast it takes things in and answers, on the log and in the index, and how good its answers are."""

import asyncio
import sys
import time
from pathlib import Path
from typing import Any, Final

from clawactors.app.bench.figures import Figure, percentile
from clawactors.app.bench.scene import Scene
from clawactors.eventlog import Unavailable
from clawactors.runtime.memory import Memories
from clawactors.systems.memories import Content

__all__ = ["memory"]

_ITEMS: Final = 100_000
_ADDED_MAX: Final = 20_000
_ASKED: Final = 200


async def memory(scene: Scene, n: int | None) -> Figure:
    """Durable adds a second into the cluster; `p50` and `p99` are of searches in an index of `n` items.

    The index is measured in this process, without a server; adds and whole questions through the real ones.
    """
    count = n or _ITEMS
    added, asked_s = await _through_the_log(scene.client.memories, min(count, _ADDED_MAX))
    from clawactors.memory.measure import measure  # brings numpy and the index with it

    speed = await asyncio.to_thread(measure, count)
    return Figure(
        name="memory",
        n=count,
        per_s=added["durable_adds_per_s"],
        p50_ms=speed.p50_ms,
        p99_ms=speed.p99_ms,
        conditions=scene.conditions(
            **added,
            question_p50_ms=round(percentile(asked_s, 0.5) * 1e3, 2),
            question_p99_ms=round(percentile(asked_s, 0.99) * 1e3, 2),
            items=speed.items,
            index_rows_per_s=round(speed.write_per_s),
            rebuild_per_s=round(speed.rebuild_per_s),
            filtered_p50_ms=round(speed.filtered_p50_ms, 2),
            search_cpu_ms=round(speed.search_cpu_ms, 2),
            recall_at_10=round(speed.recall_at_10, 4),
            bytes_beyond_vectors=round(speed.bytes_beyond_vectors) if speed.bytes_beyond_vectors else None,
            stored_bytes=round(speed.stored_bytes),
            open_s=round(speed.open_s, 2),
            cpu_share=round(speed.cpu_share, 2),
            quality=await asyncio.to_thread(_quality),
        ),
    )


async def _through_the_log(memories: Memories, count: int) -> tuple[dict[str, int], list[float]]:
    """Notes until they are durable, then until they are found; then whole questions, one at a time."""
    from clawactors.memory.measure import queries, turns

    made = [_content(turn) for turn in await asyncio.to_thread(lambda: list(turns(count, seed=5)))]
    await _found(memories)
    began = time.perf_counter()
    kept = await memories.record_many(made)
    durable_s = time.perf_counter() - began
    if refused := [one.refusal for one in kept if one.refusal]:
        raise RuntimeError(f"{len(refused)} notes were refused: {refused[0]}")
    await _found(memories)
    found_s = time.perf_counter() - began
    asked_s = []
    for text in queries(_ASKED):
        begin = time.perf_counter()
        await memories.recall(text)
        asked_s.append(time.perf_counter() - begin)
    return {
        "added": count,
        "durable_adds_per_s": round(count / durable_s),
        "found_adds_per_s": round(count / found_s),
    }, asked_s


async def _found(memories: Memories) -> None:
    """Returns when all that is in the log is found."""
    while True:
        try:
            await memories.ask("memory.search", text="anything", limit=1)
            return
        except Unavailable:
            pass  # it says so when it has tried for a while


def _content(turn: dict[str, Any]) -> Content:
    return Content(text=turn["text"], speaker=turn["speaker"], session=turn["session"], position=turn["index"])


def _quality() -> Any:
    """The held-out part of the labelled set, where this is a checkout: R@5, R@10, R@20, MRR by language and way."""
    root = str(Path(__file__).parents[3])
    if root not in sys.path:
        sys.path.append(root)
    try:
        from benchmarks.memory_quality import table
    except ModuleNotFoundError:
        return "not measured: the labelled set comes with the checkout only"
    return table("held-out")
