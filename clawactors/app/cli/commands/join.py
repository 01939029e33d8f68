"""`claw join`: takes up an invitation, and runs one node of an existing cluster in the foreground."""

import asyncio
import contextlib
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from clawactors.app.cli.foreground import NOT_SEEN, StopSignals
from clawactors.app.cli.output import Facts, emit, note
from clawactors.app.cli.session import find
from clawactors.app.daemon.notifier import Notifier
from clawactors.app.daemon.temporary import ensure_temporary
from clawactors.app.discovery import Found
from clawactors.app.identity.joining import join
from clawactors.app.identity.joinline import JoinLine
from clawactors.app.identity.membership import read_membership
from clawactors.app.layers import layers_of, options_given
from clawactors.app.machinename import machine_name
from clawactors.app.problem import INTERRUPTED, Problem
from clawactors.app.processes.node import serve
from clawactors.app.processes.start import NodeStart, exit_soon
from clawactors.app.runfile import read_run
from clawactors.app.secretfile import path_of
from clawactors.app.settings import data_folder
from clawactors.kernel.digests import digest_of
from clawactors.runtime.node.descendants import end_own
from clawactors.systems.tasks.submission import checked_id

__all__ = ["run"]


def run(options: Any) -> int:
    """Runs the node until a signal stops it."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="claw: %(message)s")
    if options.line:
        _take_up(options)
    found = find(options)
    joined = found.membership
    if joined is not None and joined.role != "node":
        emit(options, {"joined": True, "name": joined.name, "role": joined.role}, lambda: [f"joined as {joined.name}"])
        return 0
    if joined is not None and options.id not in (None, joined.name):
        raise Problem("refused", f"this machine has joined as {joined.name!r}", "leave out --id")
    id = joined.name if joined else checked_id(options.id or machine_name(), "node id")
    data = found.data if found.data.is_dir() else Path("/")
    ensure_temporary(found.data)
    start = NodeStart(
        name=id,
        address=found.address,
        data=str(data),
        given=layers_of(data, options_given(slots=options.slots, lease=options.lease)),
        skills=tuple(options.skills) or (joined.skills if joined else ()),
        allow=tuple(options.allow),
        workers=tuple(options.worker),
        secrets=path_of(options.secrets),
        affinity=dict(options.affinity),
        shared=not found.is_own,
    )
    return asyncio.run(_serve(options, found, start))


def _take_up(options: Any) -> None:
    """Joins by the pasted line, and keeps the membership in the data folder."""
    line = JoinLine.read(" ".join(options.line))
    data = data_folder(options.data)
    before = read_membership(data)
    if before is not None and before.line == digest_of(line.secret):
        note(f"this machine has joined as {before.name!r} already; claw join alone does the same")
        return
    is_again = before is not None and before.invitation == line.name  # as after a revocation, or with new keys
    if read_run(data) is not None or (before is not None and not is_again):
        who = f"has joined a cluster as {before.name!r}" if before else "runs a cluster of its own"
        raise Problem(
            "refused", f"the data folder {data} {who}", "choose another one with --data, or remove its joined/"
        )
    asyncio.run(join(line, machine_name(), data))


async def _serve(options: Any, found: Found, start: NodeStart) -> int:
    ready = {
        "ready": True,
        "id": start.name,
        "nats_url": found.address.text,
        "pids": {"nodes": {start.name: os.getpid()}},
    }
    said = False

    def tell_ready() -> None:
        nonlocal said
        said = True
        if not found.is_own and found.membership is None:
            note(NOT_SEEN)
        with contextlib.redirect_stdout(answers):
            emit(options, ready, lambda: [Facts([("ready", f"node {start.name} at {found.shown}")])])
            answers.flush()
        service.ready(f"node {start.name} at {found.shown}")

    with (
        Notifier() as service,
        _kept_stdout() as answers,
        StopSignals(lambda: os._exit(INTERRUPTED), service.stopping) as signals,
    ):
        work = asyncio.ensure_future(serve(start, tell_ready))
        watching = asyncio.ensure_future(signals.cancel(work))
        try:
            await work
        except asyncio.CancelledError:
            return 0 if said else INTERRUPTED
        finally:
            watching.cancel()
            end_own()
            exit_soon()
    if signals.stopping.is_set():
        return 0
    raise Problem(
        "refused", f"another node has joined as {start.name!r}, so this one has stopped", "choose another --id"
    )


@contextlib.contextmanager
def _kept_stdout() -> Iterator[IO[str]]:
    """Standard output for answers alone; what skills and their programs print goes to standard error, as logs do."""
    sys.stdout.flush()
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    try:
        yield answers
    finally:
        sys.stdout.flush()
        os.dup2(answers.fileno(), 1)
        answers.close()
