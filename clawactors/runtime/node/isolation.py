"""Code of a skill in a process of its own: a crash of that process is the task's error, never the node's.

1. The child is killed when the attempt is over, `GRACE_S` after it was asked to end, and when the node has ended. All
   that it has started ends with it.
2. Its calls to the task are carried out here: journal, signals and sleeps are the same as in a thread.
"""

import asyncio
import base64
import codecs
import contextlib
import os
import signal
import socket
import sys
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import msgspec

from clawactors.kernel.errors import Refused
from clawactors.runtime.node.attempt.files import FILE_CALLS
from clawactors.runtime.node.bridged import call_in_node
from clawactors.runtime.node.descendants import ATTEMPT, NODE, end_all, family_of, marked
from clawactors.runtime.node.failure import FailureReport
from clawactors.runtime.node.frames import BRIDGED_ERRORS, CANCELLED, LENGTH, IsolatedJob, framed
from clawactors.runtime.node.recovery import end_recovery
from clawactors.runtime.node.syncchildren import CHILD_CALLS
from clawactors.systems.skills import Skill
from clawactors.systems.tasks.events import TaskError
from clawactors.systems.tasks.retry import Retry

if TYPE_CHECKING:
    from clawactors.runtime.node.attempt.attempt import Attempt
    from clawactors.runtime.node.context import TaskContext

__all__ = ["GRACE_S", "run_isolated"]

GRACE_S: Final = 2.0
_READ_REST_S: Final = 1.0
_CHUNK_BYTES: Final = 1 << 16

_OURS: Final = ("CLAW_", "NATS_")  # the code must not get the cluster's own credentials

_CALLS: Final = frozenset(
    (
        "sleep",
        "signal",
        "approve",
        "emit",
        "secret",
        "remember",
        "recall",
        "context",
        "ask_memory",
        "results",
        "plan",
        "compensate",
        "continue_as",
        "patched",
        *FILE_CALLS,
        *CHILD_CALLS,
    )
)
"""Methods whose arguments and results travel as JSON."""


class Crashed(Exception):
    """The process ended without an outcome."""

    def __init__(self, returncode: int) -> None:
        how = f"by {signal.Signals(-returncode).name}" if returncode < 0 else f"with exit code {returncode}"
        super().__init__(f"the process of the code ended {how}, without an outcome")
        self.returncode = returncode


async def run_isolated(
    attempt: "Attempt", context: "TaskContext", skill: Skill, params: dict[str, Any], undo: str = ""
) -> Any:
    """What the code returns, of the skill or of an undo. Raises: what it raised, as `FailureReport`; `Crashed`."""
    ours, theirs = socket.socketpair()
    mark = f"{os.getpid()}/{attempt.id}/{attempt.fence.incarnation}/{attempt.fence.attempt}"
    has_reported = False
    try:
        environment = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
        environment |= {ATTEMPT: mark} | ({NODE: os.environ[NODE]} if NODE in os.environ else {})
        environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "clawactors.runtime.node.child", str(theirs.fileno()), str(os.getpid())),
            pass_fds=(theirs.fileno(),),
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
    except BaseException:
        ours.close()
        raise
    finally:
        theirs.close()
    reader, writer = await asyncio.open_connection(sock=ours)
    readers = [
        asyncio.ensure_future(_read_output(attempt, process.stdout, "stdout")),
        asyncio.ensure_future(_read_output(attempt, process.stderr, "stderr")),
    ]
    attempt.on_cancel = partial(writer.write, framed({"cancel": True}))
    try:
        writer.write(framed(_job(attempt, skill, params, undo)))
        result = await _serve(attempt, context, reader, writer, process)
        has_reported = True
        return result
    except FailureReport:
        has_reported = True
        raise
    except asyncio.CancelledError:
        writer.write(framed({"cancel": True}))
        await _end(process)
        raise
    finally:
        try:
            if not has_reported:  # else it has ended by itself what it had started
                ending = partial(_end_family, process.pid, mark)
                await asyncio.shield(asyncio.get_running_loop().run_in_executor(attempt.threads, ending))
        finally:
            _kill(process)
        writer.close()
        await process.wait()
        await asyncio.wait(readers, timeout=_READ_REST_S)  # a process that left the session may hold the streams open
        for each in readers:
            each.cancel()


async def _read_output(attempt: "Attempt", stream: asyncio.StreamReader | None, source: str) -> None:
    """Reads what the process prints, so that it never blocks on a full pipe."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    while stream is not None and (text := await stream.read(_CHUNK_BYTES)):
        attempt.values.output().write(source, decoder.decode(text))


def _job(attempt: "Attempt", skill: Skill, params: dict[str, Any], undo: str) -> IsolatedJob:
    module = skill.function.__module__
    file = getattr(sys.modules.get(module), "__file__", None) or ""
    given = (skill.name, attempt.id, attempt.fence.attempt, params, skill.memory_mb, undo)
    return IsolatedJob(module, file, *given, None if undo else attempt.recovers)


async def _serve(
    attempt: "Attempt",
    context: "TaskContext",
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    process: asyncio.subprocess.Process,
) -> Any:
    while True:
        try:
            size = int.from_bytes(await reader.readexactly(LENGTH))
            message = msgspec.json.decode(await reader.readexactly(size))
        except (asyncio.IncompleteReadError, ConnectionError):
            raise Crashed(await process.wait()) from None
        match message["op"]:
            case "return":
                return message["result"]
            case "raise":
                raise _failure_of(message)
            case "stopped":
                attempt.check()
                raise asyncio.CancelledError
            case "progress" | "heartbeat" as method:
                getattr(context, method)(*message["args"])
            case "log":
                attempt.values.output().note(message["text"], message["level"], message["logger"])
            case _:
                try:
                    answer = {"ok": await _answer(attempt, context, message)}
                except tuple(BRIDGED_ERRORS.values()) as error:
                    name = next(name for name, kind in BRIDGED_ERRORS.items() if isinstance(error, kind))
                    answer = {"error": name, "message": str(error)}
                except asyncio.CancelledError:
                    if not attempt.may_record or not attempt.is_stopping:
                        raise
                    answer = {"error": CANCELLED, "message": ""}  # the code cleans up
                except BaseException:  # the attempt is over here: the code unwinds there
                    writer.write(framed({"stop": True}))
                    await _end(process)
                    raise
                writer.write(framed(answer))


async def _answer(attempt: "Attempt", context: "TaskContext", message: dict[str, Any]) -> Any:
    match message["op"]:
        case "begin_step":
            return await attempt.steps.begin(message["name"], message["call"])
        case "end_step":
            return await attempt.steps.end(message["name"], message["result"], message["took_s"], message["undo"])
        case "fail_step":
            retry = msgspec.convert(message["retry"], Retry | None)
            return await attempt.steps.tries_again(
                message["name"], _failure_of(message), message["took_s"], retry, message["failures"]
            )
        case "recovered":
            return await end_recovery(attempt)
        case "store":
            return await context.store(base64.b64decode(message["args"][0]))
        case method if method in _CALLS:
            return await call_in_node(attempt, context, method, message["args"], message["kwargs"])
        case unknown:
            raise Refused(f"a task has no call {unknown!r}")


def _failure_of(message: dict[str, Any]) -> FailureReport:
    return FailureReport(msgspec.convert(message["error"], TaskError), message["strategy"])


async def _end(process: asyncio.subprocess.Process) -> None:
    """Lets it end by itself within the grace time."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(GRACE_S):
            await process.wait()


def _end_family(pid: int, mark: str) -> None:
    """Ends all that the process has started; that holds still meanwhile."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGSTOP)
    end_all(lambda: (family_of([pid]) | marked(ATTEMPT, mark)) - {pid})


def _kill(process: asyncio.subprocess.Process) -> None:
    """Kills it and what it has started, unless that left the session."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
