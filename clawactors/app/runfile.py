"""What runs on a data folder now: addresses and process ids, for other commands.

The file counts only while the supervisor that wrote it holds the folder: after a kill or a power cut it is stale at
once, without looking at clocks or process tables.
"""

from pathlib import Path
from typing import Final

import msgspec

from clawactors.app.datafolder import DataFolder, write_private
from clawactors.app.folderlock import holder
from clawactors.eventlog.jetstream import Address

__all__ = ["NAME", "Pids", "Run", "read_run", "remove_run", "write_run"]

NAME: Final = "run.json"


class Pids(msgspec.Struct, frozen=True):
    """The processes of a running cluster; 0 for what runs elsewhere."""

    server: int = 0
    control: int = 0
    memory: int = 0
    web: int = 0
    chat: int = 0
    nodes: dict[str, int] = {}

    @property
    def here(self) -> set[int]:
        """Those that run on this machine."""
        return {self.server, self.control, self.memory, self.web, self.chat, *self.nodes.values()} - {0}


class Run(msgspec.Struct, frozen=True):
    """A running cluster.

    `server` is where this machine's own commands connect, with signed credentials or with the files that sign in to a
    server of others; `system` is the same for the system account of our own server. `nats_url` and `sys_url` are for
    any NATS client of this machine, with passwords. `mirror` is where it is mirrored, without credentials; `http` is
    the address of its dashboard and HTTP API. At `join_urls` those connect who are invited.
    """

    pid: int
    nats_url: str
    started_at: str
    version: str
    sys_url: str = ""
    system: Address | None = None
    mirror: str = ""
    http: str = ""
    server: Address | None = None
    join_urls: tuple[str, ...] = ()
    pids: Pids = Pids()

    @property
    def address(self) -> Address:
        """Where clients of the cluster connect, and how they sign in."""
        return self.server or Address.of(self.nats_url, env={})


def write_run(folder: DataFolder, run: Run) -> None:
    """Says what runs now; readers see the old file or the new one, never a part."""
    write_private(folder.path / NAME, msgspec.json.encode(run))


def read_run(path: Path) -> Run | None:
    """What runs on this data folder, None where nothing does."""
    pid = holder(path)
    if not pid:
        return None
    try:
        run = msgspec.json.decode((path / NAME).read_bytes(), type=Run)
    except (OSError, msgspec.MsgspecError):
        return None
    return run if run.pid == pid else None


def remove_run(folder: DataFolder) -> None:
    """Says that nothing runs any more."""
    (folder.path / NAME).unlink(missing_ok=True)
