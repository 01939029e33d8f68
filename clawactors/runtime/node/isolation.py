"""Code of a skill in a process of its own: what becomes of that process is the task's error, never the node's.

1. The child is killed when the attempt is over, `GRACE_S` after it was told to end, and when the node is gone.
2. What it asks of its task is done here, by the run: journal, signals and sleeps are the same as in a thread.
"""

import asyncio
import base64
import codecs
import contextlib
import os
import signal
import socket
import sys
from typing import TYPE_CHECKING, Any, Final

import msgspec

from clawactors.kernel.errors import Refused
from clawactors.runtime.node.failure import FailureReport
from clawactors.runtime.node.frames import LENGTH, Job, framed
from clawactors.systems.skills import Skill
from clawactors.systems.tasks.events import TaskError
from clawactors.systems.tasks.retry import Retry

if TYPE_CHECKING:
    from clawactors.runtime.node.run import TaskRun

__all__ = ["GRACE_S", "run_isolated"]

GRACE_S: Final = 2.0
_LAST_WORDS_S: Final = 1.0
_CHUNK_BYTES: Final = 1 << 16

_OURS: Final = ("CLAW_", "NATS_")  # the cluster's own credentials are no business of the code


class Crashed(Exception):
    """The process ended without an outcome."""

    def __init__(self, returncode: int) -> None:
        how = f"by {signal.Signals(-returncode).name}" if returncode < 0 else f"with exit code {returncode}"
        super().__init__(f"the process of the code ended {how}, without an outcome")
        self.returncode = returncode


async def run_isolated(run: "TaskRun", skill: Skill, params: dict[str, Any]) -> Any:
    """What the code returns. Raises: what it raised, as `FailureReport`; `Crashed`."""
    ours, theirs = socket.socketpair()
    try:
        environment = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
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
    hearing = [
        asyncio.ensure_future(_hear(run, process.stdout, "stdout")),
        asyncio.ensure_future(_hear(run, process.stderr, "stderr")),
    ]
    try:
        writer.write(framed(_job(run, skill, params)))
        return await _serve(run, reader, writer, process)
    except asyncio.CancelledError:
        writer.write(framed({"cancel": True}))
        await _end(process)
        raise
    finally:
        _kill(process)
        writer.close()
        await process.wait()
        await asyncio.wait(hearing, timeout=_LAST_WORDS_S)  # what left its session may hold the streams open
        for each in hearing:
            each.cancel()


async def _hear(run: "TaskRun", stream: asyncio.StreamReader | None, source: str) -> None:
    """Takes what the process prints, so that it never waits for us."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    while stream is not None and (text := await stream.read(_CHUNK_BYTES)):
        run.speak().write(source, decoder.decode(text))


def _job(run: "TaskRun", skill: Skill, params: dict[str, Any]) -> Job:
    module = skill.function.__module__
    file = getattr(sys.modules.get(module), "__file__", None) or ""
    held = run.supplies.secrets
    secrets = {name: value for name in skill.secrets if (value := held.value(name)) is not None}
    return Job(module, file, skill.name, run.id, run.fence.attempt, params, skill.memory_mb, secrets)


async def _serve(
    run: "TaskRun",
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
                raise _told(message)
            case "stopped":
                run.check()
                raise asyncio.CancelledError
            case "progress":
                run.report(message["share"])
            case "beat":
                run.pulse.beat()
            case "log":
                run.speak().note(message["text"], message["level"], message["logger"])
            case _:
                try:
                    answer = {"ok": await _answer(run, message)}
                except Refused as refusal:
                    answer = {"refused": str(refusal)}
                except TimeoutError as error:
                    answer = {"late": str(error)}
                except asyncio.CancelledError:
                    raise
                except BaseException:  # the run is over here: the code unwinds there
                    writer.write(framed({"stop": True}))
                    await _end(process)
                    raise
                writer.write(framed(answer))


async def _answer(run: "TaskRun", message: dict[str, Any]) -> Any:
    match message["op"]:
        case "begin":
            return await run.steps.begin(message["name"], message["call"])
        case "end":
            return await run.steps.end(message["name"], message["result"], message["took_s"])
        case "fail":
            retry = msgspec.convert(message["retry"], Retry | None)
            return await run.steps.tries_again(
                message["name"], _told(message), message["took_s"], retry, message["failures"]
            )
        case "sleep":
            return await run.steps.sleep(message["how_long"])
        case "emit":
            return await run.speak().emit(message["chunk"], message["stream"])
        case "store":
            return await run.store(base64.b64decode(message["body"]))
        case "signal":
            return await run.signals.take(message["name"], message["timeout"])
        case "remember":
            return await run.memories.remember(message["text"], message["tags"], **message["more"])
        case "recall":
            return await run.memories.recall(message["text"], message["limit"], **message["wanted"])
        case "results":
            return await run.predecessors.results()
        case unknown:
            raise Refused(f"nobody knows what {unknown!r} is")


def _told(message: dict[str, Any]) -> FailureReport:
    return FailureReport(msgspec.convert(message["error"], TaskError), message["strategy"])


async def _end(process: asyncio.subprocess.Process) -> None:
    """Gives it the grace time to end by itself."""
    try:
        async with asyncio.timeout(GRACE_S):
            await process.wait()
    except TimeoutError:
        _kill(process)


def _kill(process: asyncio.subprocess.Process) -> None:
    """It and what it has started, unless it left its session."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
