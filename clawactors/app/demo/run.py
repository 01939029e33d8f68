"""The demo from end to end, on a cluster that runs already."""

import asyncio
import shutil
import sqlite3
import time
import unicodedata
from collections.abc import Mapping
from contextlib import aclosing
from pathlib import Path
from typing import Any, Final, Protocol

from clawactors.app.demo.characters import TABLE, build_characters
from clawactors.app.demo.checksum import doubled_rows, row_count, table_checksum
from clawactors.app.demo.history import follow
from clawactors.app.demo.install import PACKAGE
from clawactors.app.demo.migrate import runs_in
from clawactors.app.demo.migration import BATCH
from clawactors.app.demo.progress import Progress
from clawactors.app.demo.report import DemoFacts, Install, Kill, TableFigures, report
from clawactors.eventlog import EventLog
from clawactors.eventlog.decoding import Commit
from clawactors.kernel.errors import Refused
from clawactors.runtime.client import ClusterClient
from clawactors.runtime.naming import new_id
from clawactors.systems.tasks import Task

__all__ = ["Stage", "run_demo"]

_KILL_AT: Final = 0.4
_MIGRATION_S: Final = 90.0
_INSTALL_S: Final = 30.0
_SPOILT: Final = "unicode_blocks/lookup.py"


class Stage(Protocol):
    """What the demo needs around it: a cluster of two nodes that have the built-in skills, on this machine."""

    @property
    def client(self) -> ClusterClient:
        """Connected to the cluster."""
        ...

    @property
    def log(self) -> EventLog:
        """The cluster's log: the demo counts what is on record."""
        ...

    async def kill_node(self, id: str) -> None:
        """Sends SIGKILL to the node's process."""
        ...

    async def replay(self) -> Mapping[str, Any]:
        """What `claw-replay --verify --json` says of the cluster; `error` where it can't say."""
        ...


async def run_demo(stage: Stage, folder: Path, progress: Progress) -> dict[str, Any]:
    """Works in the folder, which is new or empty, and returns the report (see `report`).

    Raises: `Refused` for a folder that holds something; what the client raises.
    """
    began = time.monotonic()
    await asyncio.to_thread(_begin, folder)
    progress.say(f"Building a table of every assigned character of Unicode {unicodedata.unidata_version} …")
    source, target, trace = folder / "characters.db", folder / "migrated.db", folder / "trace"
    rows = await asyncio.to_thread(build_characters, source)
    progress.say(f"Migrating its {rows:,} rows in batches of {BATCH}; one node will be killed on the way …")
    migration = _Migration(stage, progress, rows)
    await migration.run({"source": str(source), "target": str(target), "table": TABLE, "trace": str(trace)})
    progress.say("Installing a package, and one with a corrupt file …")
    installs = await asyncio.gather(_install(stage, folder, ""), _install(stage, folder, _SPOILT))
    progress.say("Comparing the tables, and a replay of the log with the live views …")
    replay = await stage.replay()
    facts = DemoFacts(
        unicode=unicodedata.unidata_version,
        source=await asyncio.to_thread(_figures, source),
        target=await _figures_or_none(target),
        commits=migration.commits,
        runs=runs_in(trace) if trace.exists() else {},
        kill=migration.kill,
        installs=installs,
        replay=replay,
        seconds=time.monotonic() - began,
    )
    return report(facts)


class _Migration:
    """Follows one migration and kills the node that runs it, midway."""

    def __init__(self, stage: Stage, progress: Progress, rows: int) -> None:
        self._stage, self._progress, self._rows = stage, progress, rows
        self.id = f"demo-migrate-{new_id()}"
        self.commits: list[Commit] = []
        self.kill: Kill | None = None

    async def run(self, params: Mapping[str, Any]) -> None:
        """Returns when the task has ended, or when that takes too long."""
        client, batches = self._stage.client, -(-self._rows // BATCH)
        await client.submit("migrate-table", params, id=self.id)
        try:
            async with asyncio.timeout(_MIGRATION_S), aclosing(follow(self._stage.log, self.id)) as commits:
                async for commit, task in commits:
                    self.commits.append(commit)
                    done = max(0, task.life.steps_completed - 1)  # without `prepare`
                    self._show(task)
                    if self.kill is None and done >= _KILL_AT * batches and task.life.status == "running":
                        self.kill = Kill(task.life.node, time.time_ns(), done, batches)
                        await self._stage.kill_node(task.life.node)
                        self._progress.say(f"  killed {self.kill.node} after {done:,} of {batches:,} batches")
        except TimeoutError:
            self._progress.say(f"  it has not ended within {_MIGRATION_S:g} s")

    def _show(self, task: Task) -> None:
        life = task.life
        where = f"on {life.node}" if life.status == "running" else life.status
        self._progress.update(life.progress, f"{life.progress * self._rows:,.0f} of {self._rows:,} rows, {where}")


async def _install(stage: Stage, folder: Path, spoilt: str) -> Install:
    """Installs the package, with one bit flipped in the file `spoilt` where one is named."""
    name = "corrupt" if spoilt else "sound"
    package, into = folder / f"{name}-package", folder / f"{name}-installed"
    await asyncio.to_thread(_copy_package, package, into, spoilt)
    id = f"demo-install-{name}-{new_id()}"
    await stage.client.submit("install-package", {"package": str(package), "into": str(into)}, id=id)
    commits: list[Commit] = []
    try:
        async with asyncio.timeout(_INSTALL_S), aclosing(follow(stage.log, id)) as following:
            async for commit, _ in following:
                commits.append(commit)
    except TimeoutError:
        pass  # the report shows how far it came
    return Install(commits, spoilt)


def _copy_package(package: Path, into: Path, spoilt: str) -> None:
    shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
    if spoilt:
        content = bytearray((package / spoilt).read_bytes())
        content[len(content) // 2] ^= 1
        (package / spoilt).write_bytes(content)
    (into / "cache").mkdir(parents=True)
    (into / "cache" / "outdated").touch()


def _begin(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise Refused(f"{folder} is not empty: the demo works in a new folder")


async def _figures_or_none(path: Path) -> TableFigures | None:
    try:
        return await asyncio.to_thread(_figures, path)
    except sqlite3.Error:
        return None


def _figures(path: Path) -> TableFigures:
    return TableFigures(row_count(path, TABLE), table_checksum(path, TABLE), doubled_rows(path, TABLE))
