"""The supervisor of `claw up`: starts a cluster, prints the ready line, stops it on a signal."""

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from clawactors.app.cli.foreground import NOT_SEEN, StopSignals
from clawactors.app.cli.output import Facts, Part, emit, note
from clawactors.app.cluster import ClusterSupervisor
from clawactors.app.clusterplan import ClusterPlan
from clawactors.app.daemon.notifier import Notifier
from clawactors.app.daemon.temporary import ensure_temporary
from clawactors.app.listening import Listening
from clawactors.app.logpipe import LogPipe
from clawactors.app.problem import INTERRUPTED, Problem
from clawactors.app.secretfile import path_of
from clawactors.app.upkeep.mirror import checked_address
from clawactors.app.weblogin import WebLogin
from clawactors.app.webport import listen_at
from clawactors.eventlog.jetstream import Address
from clawactors.kernel.errors import Refused
from clawactors.runtime.node.descendants import Reaper, become_subreaper, end_all

__all__ = ["ready_facts", "supervise"]


_REAP_EVERY_S: Final = 1.0


def supervise(options: Any, path: Path, lock: int | None) -> int:
    """Runs the cluster until a signal stops it; `lock` is the lock of the data folder, if this process holds it."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="claw: %(message)s")
    ensure_temporary(path)
    return asyncio.run(_serve(options, path, lock))


async def _serve(options: Any, path: Path, lock: int | None) -> int:
    plan = ClusterPlan(
        nodes=options.nodes,
        slots=options.slots,
        skills=tuple(options.skills),
        allow=tuple(options.allow),
        workers=tuple(options.worker),
        secrets=path_of(options.secrets),
        port=options.port,
        address=_foreign(options),
        listening=_listening(options),
        restart=options.restart,
        lease_s=options.lease,
        memory_daily_s=options.memory_daily,
        memory_incremental=options.memory_incremental,
        memory_extracts=options.memory_extracts,
        memory_config=path_of(options.memory_config or os.environ.get("CLAW_MEMORY_CONFIG")),
        web=listen_at(options.http_port) if options.web else None,
        chat=path_of(options.chat),
        mirror=checked_address(options.mirror) if options.mirror else "",
        standby=options.standby or "",
        takes_over=options.take_over,
    )
    cluster = ClusterSupervisor(path, plan, lock)
    become_subreaper()
    reaper = Reaper(lambda: cluster.run.pids.here)
    reaping = asyncio.ensure_future(_reap(reaper))
    with Notifier() as service, StopSignals(lambda: _kill_nodes(cluster)) as signals:
        starting = asyncio.ensure_future(cluster.start())
        watching = asyncio.ensure_future(signals.cancel(starting))
        try:
            await starting
        except asyncio.CancelledError:
            return INTERRUPTED
        except Refused as refusal:
            raise Problem("refused", f"{refusal}; claw join --id ID adds a node to a running cluster") from refusal
        finally:
            watching.cancel()
        try:
            if plan.address:
                note(NOT_SEEN)
            _tell_ready(options, cluster)
            service.ready(f"the cluster on {path} is ready")
            await signals.stopping.wait()
        finally:
            service.stopping()
            await cluster.stop()
            if plan.web is not None:
                plan.web.close()
            reaping.cancel()
            end_all(reaper.strays)
    return 0


def _listening(options: Any) -> Listening | None:
    """Where other machines are to connect. Raises: `Misconfigured`."""
    if not options.listen:
        return None
    from clawactors.app.listening import ask_tailscale, choose_listening, resolve, this_machine

    return choose_listening(options.listen, this_machine(), resolve, ask_tailscale)


def _foreign(options: Any) -> Address | None:
    """The server that the options name, with its credentials; None for one of our own."""
    if options.context:
        return Address.from_context(options.context)
    return Address.of(options.nats, env={}) if options.nats else None


async def _reap(reaper: Reaper) -> None:
    while True:
        await asyncio.sleep(_REAP_EVERY_S)
        reaper.reap()


def _tell_ready(options: Any, cluster: ClusterSupervisor) -> None:
    run = cluster.run
    ready = {"ready": True, "nats_url": run.nats_url, "data": str(cluster.path), "pids": msgspec.to_builtins(run.pids)}
    if run.http:
        login = WebLogin(cluster.path)
        ready["http"], ready["login"] = run.http, login.link(run.http)
    if cluster.server is not None and cluster.server.standby_url:
        ready["mirror_url"] = cluster.server.standby_url
    with contextlib.suppress(BrokenPipeError):  # who started it may have gone
        emit(options, ready, lambda: ready_facts(ready))
    if options.detached:
        _leave_terminal(cluster.path / "logs" / "supervisor.log")


def ready_facts(ready: dict[str, Any]) -> Iterator[Part]:
    """The ready line for terminals, without the password."""
    nodes = ", ".join(ready["pids"]["nodes"])
    where = ready["nats_url"].rpartition("@")[2].removeprefix("nats://")
    if url := ready.get("mirror_url"):
        yield Facts([("ready", f"a mirror; server {where}; data folder {ready['data']}")])
        yield Facts([("mirror a cluster here", f"claw up --mirror {url}")])
        return
    yield Facts([("ready", f"nodes {nodes or 'none'}; server {where}; data folder {ready['data']}")])
    yield Facts([("dashboard", ready.get("login"))])


def _leave_terminal(log: Path) -> None:
    """Closes the streams of the parent process."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1):
        os.dup2(nothing, number)
    os.close(nothing)
    LogPipe(log).take_over(2)


def _kill_nodes(cluster: ClusterSupervisor) -> None:
    for pid in cluster.run.pids.nodes.values():
        if pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
