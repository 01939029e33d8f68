"""`claw submit`: submits one task, or many with `--batch`."""

import math
import sys
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from clawactors.app.cli.arguments import tasks
from clawactors.app.cli.missing import note_missing
from clawactors.app.cli.output import emit, note
from clawactors.app.cli.parsing import GLOBALS, Parser
from clawactors.app.cli.request import request_of_options
from clawactors.app.cli.rows import task_card
from clawactors.app.cli.session import with_client
from clawactors.app.client import Client
from clawactors.app.problem import EXITS, Problem
from clawactors.eventlog import Unavailable
from clawactors.kernel.errors import Refused
from clawactors.runtime.client.rows import TaskRow
from clawactors.runtime.client.submitting import TaskRequest
from clawactors.runtime.client.waiting import TaskBlocked, TaskFailed

__all__ = ["run", "shown"]


def run(options: Any) -> int:
    """Submits and, with `--wait`, waits."""
    if options.batch is not None:
        return _submit_batch(options)
    if not options.skill:
        raise Problem("usage", "which skill?", "claw submit SKILL [JSON], or claw submit --batch FILE")
    request = request_of_options(options)

    async def submit(client: Client) -> int:
        asked = await _with_files(client, request, options) if options.file else request
        for rejected in (await client.submit_many([asked])).refused:
            raise Refused(rejected.message)
        await note_missing(client, request.spec.skill, request.spec.params, "the task")
        return await shown(client, options, request.id)

    return with_client(options, submit)


async def shown(client: Client, options: Any, id: str, command: str = "claw submit …") -> int:
    """Waits for the task as `--wait` says and prints its row; returns the exit code. Raises: `Problem`."""
    ended = options.wait is None or await _ended(client, id, options.wait, command)
    row = await client.task(id)
    if not ended:
        raise Problem(
            "timeout",
            f"timed out after {options.wait:g} s: the task is {row.status}: {await _reason(client, id)}",
            f"claw task {id} shows it, {command} --id {id} --wait waits again",
            extra={"task": msgspec.to_builtins(row)},
        )
    emit(options, row, lambda: task_card(row))
    if options.wait is None or row.status == "completed":
        return 0
    note(_failure(row))
    return EXITS["failed"]


async def _with_files(client: Client, request: TaskRequest, options: Any) -> TaskRequest:
    """The request with its files, stored. Raises: `Problem`, `Refused`."""
    from clawactors.app.cli.progress import ProgressBar
    from clawactors.runtime.client.files import with_files

    if len(names := [name for name, _ in options.file]) > len(set(names)):
        raise Problem("usage", f"--file {max(names, key=names.count)} is given twice", "give each file its own NAME")
    stored: dict[str, Any] = {}
    for name, path in options.file:
        source = sys.stdin.buffer if path == "-" else path
        with ProgressBar("uploading, in KB", shown=not options.json) as bar:
            called = name if path == "-" else Path(path).name
            stored[name] = await client.files.put(called, source, progress=bar.at_bytes)
    params = await with_files(client.payloads.blobs, request.spec.params, stored)
    return replace(request, spec=replace(request.spec, params=params))


def _submit_batch(options: Any) -> int:
    from clawactors.app.cli.commands import batch

    parser = Parser("claw submit", "")
    tasks.submit(parser)
    defaults = vars(parser.parse_args([]))
    own = {*GLOBALS, "batch"}
    given = [name for name, value in defaults.items() if name not in own and getattr(options, name) != value]
    if given:
        raise Problem("usage", f"--batch reads the skill and all options from the file: remove {given[0]!r}")
    return batch.run(options)


async def _ended(client: Client, id: str, wait_s: float, command: str) -> bool:
    """True when the task has ended, False on timeout. Raises: `Problem` when it needs a person."""
    try:
        await client.ref(id).result(None if math.isinf(wait_s) else wait_s)
    except TaskFailed:
        pass
    except TaskBlocked as blocked:
        raise Problem(
            "blocked",
            f"task {id} is blocked: {blocked.reason}",
            f"claw retry {id} retries it, {command} --id {id} --wait waits again",
            extra={"task": msgspec.to_builtins(await client.task(id))},
        ) from None
    except TimeoutError:
        return False
    return True


async def _reason(client: Client, id: str) -> str:
    try:
        return (await client.why(id)).reasons[0]
    except Unavailable:
        return f"claw why {id} says more"


def _failure(row: TaskRow) -> str:
    return f"task {row.id} is {row.status}" + (f": {row.error.kind}: {row.error.message}" if row.error else "")
