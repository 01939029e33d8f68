"""Which server to talk to, and why: the first that is named, in an order that `docs/interface` promises.

`--nats`, `--context`, an explicit `--data` with a running cluster or one that was joined, `CLAW_NATS_URL`, the run file
of the data folder, the cluster that it has joined, `NATS_URL`, `NATS_CONTEXT`. Nothing else is guessed: talking to a
stranger's server is worse than talking to none.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from clawactors.app.folderlock import JOINED, holder
from clawactors.app.runfile import Run, read_run
from clawactors.app.settings import data_folder
from clawactors.eventlog import Unavailable
from clawactors.eventlog.jetstream import Address

if TYPE_CHECKING:
    from clawactors.app.identity.membership import JoinedCluster

__all__ = ["Found", "discover", "own_cluster"]


class Found(msgspec.Struct, frozen=True):
    """A server. `run` is the cluster of the data folder, None where none runs there; `ignored` was overruled.

    `membership` is who this machine is there, where it has joined a cluster of others.
    """

    address: Address
    why: str
    data: Path
    run: Run | None = None
    ignored: str = ""
    membership: "JoinedCluster | None" = None

    @property
    def shown(self) -> str:
        """The addresses, without passwords."""
        return ", ".join(_without_password(self.address))

    @property
    def is_own(self) -> bool:
        """True for the server that the data folder's own cluster started."""
        return (
            self.run is not None
            and self.run.pids.server > 0
            and _without_password(self.address) == _without_password(self.run.address)
        )


def _without_password(address: Address) -> list[str]:
    parts = (url.partition("://") for url in address.urls)
    return [f"{scheme}://{rest.rpartition('@')[2]}" for scheme, _, rest in parts]


def _read_membership(folder: Path) -> "JoinedCluster | None":
    if not (folder / JOINED).is_dir():
        return None  # as on most machines, where nothing more is imported
    from clawactors.app.identity.membership import read_membership

    return read_membership(folder)


def _of_membership(membership: "JoinedCluster", folder: Path, ignored: str) -> Found:
    why = f"this machine has joined as {membership.name!r}"
    return Found(membership.address(folder), why, folder, ignored=ignored, membership=membership)


def own_cluster(address: Address, data: str) -> Found:
    """The cluster that has started this process."""
    return Found(address, "that of its cluster", Path(data))


def discover(
    nats: str | None = None,
    data: str | None = None,
    context: str | None = None,
    env: Mapping[str, str] = os.environ,
) -> Found:
    """Finds the server that these arguments and this environment select.

    Raises: `Unavailable` where nothing is named and nothing runs, `Misconfigured` for a context that can't be read.
    """
    folder = data_folder(data)
    run = read_run(folder)
    ignored = f"the context {context!r} is not used" if context and nats else ""

    def at(url: str, why: str) -> Found:
        # Credentials of the nats CLI's environment belong to its own address only.
        return Found(Address.of(url, env={}), why, folder, run, ignored)

    if nats:
        return at(nats, "named by --nats")
    if context:
        return Found(Address.from_context(context, env), f"context {context!r}, named by --context", folder, run)
    if data and run:
        return Found(run.address, f"a cluster runs on {folder}, named by --data", folder, run, ignored)
    joined = None if run else _read_membership(folder)
    if data and joined:
        return _of_membership(joined, folder, ignored)
    if env.get("CLAW_NATS_URL"):
        return at(env["CLAW_NATS_URL"], "named by CLAW_NATS_URL")
    if run:
        return Found(run.address, f"a cluster runs on {folder}", folder, run, ignored)
    if joined:
        return _of_membership(joined, folder, ignored)
    if env.get("NATS_URL"):
        return Found(Address.of(env=env), "named by NATS_URL", folder, run)
    if name := env.get("NATS_CONTEXT"):
        return Found(Address.from_context(name, env), f"context {name!r}, named by NATS_CONTEXT", folder, run)
    if pid := holder(folder):
        raise Unavailable(
            f"the cluster on {folder} is starting (pid {pid}): try again in a moment, or stop it with claw down"
        )
    raise Unavailable(f"no cluster runs on {folder}: start one with `claw up`, or name a server with --nats")
