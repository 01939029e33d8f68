"""Speed and size of the index on this machine, with natural texts: the figures of `claw bench memory`."""

import gc
import random
import re
import shutil
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from clawactors.memory.scratch import Scratch, open_scratch
from clawactors.memory.text import sentences

__all__ = ["Speed", "measure", "queries", "turns"]

_DOCUMENTATION = re.compile(r'"""(.*?)"""', re.DOTALL)
_SESSION: Final = 20
_SPEAKERS: Final = 17
_ASKED: Final = 300


class Speed(msgspec.Struct, frozen=True):
    """The figures of one run. `recall_at_10` compares the index's nearest items with the exact ones.

    `bytes_beyond_vectors`: private memory per item without a `float32` vector; None if the system does not report it.
    """

    items: int
    write_per_s: float
    rebuild_per_s: float
    p50_ms: float
    p99_ms: float
    filtered_p50_ms: float
    search_cpu_ms: float
    """Mean processor time of a search, independent of other load on the machine."""
    recall_at_10: float
    bytes_beyond_vectors: float | None
    stored_bytes: float
    open_s: float
    cpu_share: float
    """Processor time by wall time while writing: well below 1 means that other processes used the machine."""


def measure(count: int) -> Speed:
    """Fills a memory with `count` items, searches it, and opens it again."""
    asked = queries(_ASKED)
    folder = Path(tempfile.mkdtemp(prefix="claw-memory-"))
    try:
        scratch = open_scratch(folder)
        scratch.add_turns(turns(100, seed=99))  # excludes what a process needs once
        before = _private_bytes()
        # `turns` is a generator, so the texts take no memory when the items are measured.
        started, busy = time.perf_counter(), time.process_time()
        scratch.write_turns(turns(count))
        written = time.perf_counter()
        while scratch.index.grow():
            pass
        grown = time.perf_counter()
        busy = time.process_time() - busy
        after = _private_bytes()
        for text in asked:
            scratch.hits(text)
        cpu_s = time.thread_time()
        open_ms = [_asked_ms(scratch, text) for text in asked]
        cpu_s = time.thread_time() - cpu_s
        filtered_ms = [_asked_ms(scratch, text, speaker="speaker3") for text in asked]
        recall = _recall(scratch, asked)
        stored = scratch.stored_bytes / count
        dim = scratch.index.embedder.dim
        scratch.close()
        opening = time.perf_counter()
        again = open_scratch(folder)
        opened = time.perf_counter()
        again.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return Speed(
        items=count,
        write_per_s=count / (written - started),
        rebuild_per_s=count / (grown - started),
        p50_ms=float(np.percentile(open_ms, 50)),
        p99_ms=float(np.percentile(open_ms, 99)),
        filtered_p50_ms=float(np.percentile(filtered_ms, 50)),
        search_cpu_ms=1000 * cpu_s / len(asked),
        recall_at_10=recall,
        bytes_beyond_vectors=(after - before) / count - 4 * dim if before and after else None,
        stored_bytes=stored,
        open_s=opened - opening,
        cpu_share=busy / (grown - started),
    )


def _asked_ms(scratch: Scratch, text: str, **filter: Any) -> float:
    started = time.perf_counter()
    scratch.hits(text, **filter)
    return 1000 * (time.perf_counter() - started)


def _recall(scratch: Scratch, asked: list[str]) -> float:
    index = scratch.index
    everything = index.columns.living_numbers()
    shares = []
    for text in asked:
        query = index.embedder.query(text, lambda term: 1.0)
        exact = np.sort(index.vectors.similarities(query, everything))[::-1][:10]
        found = index.vectors.similarities(query, index.nearest(query, 128))
        shares.append(np.mean(np.sort(found)[::-1][:10] >= exact - 1e-6))
    return float(np.mean(shares))


def _private_bytes() -> int:
    """Anonymous memory of this process, 0 if the system does not report it."""
    gc.collect()
    try:
        rollup = Path("/proc/self/smaps_rollup").read_text()
    except OSError:
        return 0
    found = re.search(r"Anonymous: +(\d+) kB", rollup)
    return 1024 * int(found[1]) if found else 0


def _sentences() -> list[str]:
    """Many different sentences without a download: the docstrings of the standard library."""
    found: dict[str, None] = {}
    for path in sorted(Path(sysconfig.get_paths()["stdlib"]).rglob("*.py")):
        if "site-packages" in path.parts:
            continue
        for block in _DOCUMENTATION.findall(path.read_text(encoding="utf-8", errors="ignore")):
            for part in re.split(r"\n\s*\n", block):
                found.update(dict.fromkeys(one for one in sentences(" ".join(part.split())) if 30 < len(one) < 300))
    return list(found)


def turns(count: int, seed: int = 1) -> Iterator[dict[str, Any]]:
    """Messages for `Scratch.add_turns`: one or two sentences each, twenty per conversation."""
    draw = random.Random(seed)  # noqa: S311 - texts, not secrets
    known = _sentences()
    for nth in range(count):
        text = " ".join(draw.sample(known, draw.choice((1, 1, 2))))
        day = f"{2010 + nth // _SESSION % 14}-{1 + nth // 7 % 12:02}-{1 + nth // 3 % 28:02}"
        said = {"speaker": f"speaker{nth % _SPEAKERS}", "text": text}
        id = f"{seed}-{nth}"
        yield {"id": id, "session": f"{seed}-{nth // _SESSION}", "index": nth % _SESSION, "date": day, **said}


def queries(count: int, seed: int = 2) -> list[str]:
    """Questions made of a few consecutive words of the texts; every fifth names a speaker."""
    draw = random.Random(seed)  # noqa: S311 - texts, not secrets
    known = _sentences()
    asked = []
    for nth in range(count):
        words = draw.choice(known).split()
        at = draw.randrange(max(len(words) - 6, 1))
        asked.append(" ".join(["what does", *words[at : at + 6], *(["speaker3"] if nth % 5 == 0 else [])]) + "?")
    return asked
