"""`claw up`: a whole cluster on this machine, in the foreground or, with `--detach`, in a session of its own."""

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from clawactors.app.cli.foreground import NOT_SEEN, Signals
from clawactors.app.cli.output import Facts, Part, emit, note
from clawactors.app.cli.parsing import Parser, count, lease, port
from clawactors.app.cli.problem import INTERRUPTED, Problem
from clawactors.app.cluster import Cluster, Plan
from clawactors.app.secretfile import path_of
from clawactors.app.settings import data_folder
from clawactors.kernel.errors import Refused
from clawactors.runtime.node.machine import LEASE_S

__all__ = ["arguments", "run"]


def arguments(parser: Parser) -> None:
    """What it takes."""
    parser.add_argument("--nodes", type=count, default=2, metavar="N", help="node processes (default 2)")
    parser.add_argument("--slots", type=count, default=5, metavar="N", help="tasks a node runs at a time (default 5)")
    parser.add_argument(
        "--skills", nargs="+", action="extend", default=[], metavar="MODULE|FILE", help="your own skills"
    )
    parser.add_argument(
        "--allow",
        nargs="+",
        action="extend",
        default=[],
        metavar="MODULE:FUNCTION",
        help="what the skill `python` may call",
    )
    parser.add_argument("--secrets", metavar="FILE", help="NAME=VALUE lines, for skills that ask for them")
    parser.add_argument(
        "--lease", type=lease, default=LEASE_S, metavar="D", help="how long a node may be silent (default 1.5s)"
    )
    parser.add_argument("--port", type=port, metavar="P", help="port of the server")
    parser.add_argument("--no-restart", dest="restart", action="store_false", help="leave killed processes dead")
    parser.add_argument("--detach", action="store_true", help="return when it is ready; `claw down` stops it")
    parser.add_argument("--detached", action="store_true", help=argparse.SUPPRESS)


def run(options: Any) -> int:
    """Runs it until it is told to stop, or starts it and returns."""
    if options.context:
        raise Problem("usage", "up takes no context", "name a server of your own with --nats URL")
    path = data_folder(options.data)
    if options.detach:
        from clawactors.app.cli.detach import detach

        return detach(options, path)
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="claw: %(message)s")
    return asyncio.run(_serve(options, path))


async def _serve(options: Any, path: Path) -> int:
    plan = Plan(
        nodes=options.nodes,
        slots=options.slots,
        skills=tuple(options.skills),
        allow=tuple(options.allow),
        secrets=path_of(options.secrets),
        port=options.port,
        nats_url=options.nats or "",
        restart=options.restart,
        lease_s=options.lease,
    )
    cluster = Cluster(path, plan)
    with Signals(lambda: _kill_nodes(cluster)) as signals:
        starting = asyncio.ensure_future(cluster.start())
        watching = asyncio.ensure_future(signals.cancel(starting))
        try:
            await starting
        except asyncio.CancelledError:
            return INTERRUPTED
        except Refused as refusal:
            raise Problem("refused", f"{refusal}; claw join --id ID adds a node to a cluster that runs") from refusal
        finally:
            watching.cancel()
        try:
            if plan.nats_url:
                note(NOT_SEEN)
            _tell_ready(options, cluster)
            await signals.stopping.wait()
        finally:
            await cluster.stop()
    return 0


def _tell_ready(options: Any, cluster: Cluster) -> None:
    run = cluster.run
    ready = {"ready": True, "nats_url": run.nats_url, "data": str(cluster.path), "pids": msgspec.to_builtins(run.pids)}
    with contextlib.suppress(BrokenPipeError):  # who started it may have gone
        emit(options, ready, lambda: shown(ready))
    if options.detached:
        _leave_terminal(cluster.path / "logs" / "supervisor.log")


def shown(ready: dict[str, Any]) -> Iterator[Part]:
    """The ready line for people; the address has its password left out."""
    nodes = ", ".join(ready["pids"]["nodes"])
    where = ready["nats_url"].rpartition("@")[2].removeprefix("nats://")
    yield Facts([("ready", f"nodes {nodes or 'none'}; server {where}; data folder {ready['data']}")])


def _leave_terminal(log: Path) -> None:
    """Lets go of the streams of whoever started it."""
    nothing = os.open(os.devnull, os.O_RDWR)
    errors = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for number, target in enumerate((nothing, nothing, errors)):
        os.dup2(target, number)
    os.close(nothing)
    os.close(errors)


def _kill_nodes(cluster: Cluster) -> None:
    for pid in cluster.run.pids.nodes.values():
        if pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
