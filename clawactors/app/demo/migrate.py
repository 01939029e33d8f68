"""`migrate-table`: a worked example of a long task in many durable steps."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from clawactors.app.demo.migration import BATCH, FIRST, Migration
from clawactors.runtime.node.synccontext import SyncTaskContext
from clawactors.systems.skills import skill

__all__ = ["migrate_table", "runs_in"]

_BATCH_MAX: Final = 100_000


@skill("migrate-table")
def migrate_table(
    task: SyncTaskContext, source: str, target: str, table: str = "", batch: int = BATCH, trace: str = ""
) -> dict[str, Any]:
    """Copies a table from one SQLite file into another in batches, each a step, then compares the two.

    Without `table` the source's only one. `trace` names a file that gets a line for every run of a step's function.
    """
    if not 1 <= batch <= _BATCH_MAX:
        raise ValueError(f"a batch has 1 to {_BATCH_MAX} rows, not {batch}")

    def step[T](name: str, function: Callable[..., T], *args: Any) -> T:
        return task.step(name, _traced(trace, name, function) if trace else function, *args)

    with Migration(task.id, Path(source), Path(target), table) as migration:
        total, copied, first = step("prepare", migration.prepare)["rows"], 0, FIRST

        def copy(start: int, first: int) -> dict[str, int]:
            done = migration.copy(start, first, batch)
            task.progress(start + done["rows"], total)
            return done

        while copied < total:
            done = step(f"copy-{copied}", copy, copied, first)
            copied, first = copied + done["rows"], done["last"] + 1
        step("index", migration.index)
        return step("verify", migration.verify)


def _traced[T](trace: str, name: str, function: Callable[..., T]) -> Callable[..., T]:
    def run(*args: Any) -> T:
        # Before the function and straight to the system, so that a run which is killed is counted too.
        file = os.open(trace, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(file, f"{name}\n".encode())
        finally:
            os.close(file)
        return function(*args)

    return run


def runs_in(trace: Path) -> dict[str, int]:
    """How often the function of each step ran, from what `trace` was written."""
    counts: dict[str, int] = {}
    for name in trace.read_text().splitlines():
        counts[name] = counts.get(name, 0) + 1
    return counts
