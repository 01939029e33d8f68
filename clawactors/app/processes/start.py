"""The start parameters of a child process, and its main."""

import asyncio
import faulthandler
import gc
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec

from clawactors.app.lifeline import die_with_parent
from clawactors.app.processes.readyline import ReadyLine, ReadyMessage
from clawactors.eventlog import EventLogError, Misconfigured
from clawactors.eventlog.jetstream import Address
from clawactors.kernel.errors import Refused
from clawactors.runtime.node.descendants import end_own
from clawactors.runtime.node.spawned import flush_streams
from clawactors.runtime.settings import Layer
from clawactors.systems.settings import Settings

__all__ = [
    "ChatStart",
    "ControlStart",
    "MemoryStart",
    "NodeStart",
    "Start",
    "WebStart",
    "exit_soon",
    "log_as_set",
    "main",
]

_SWITCH_S: Final = 0.0005
_EXIT_S: Final = 2.0


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """Start parameters of every child; `parent` is 0 for a process without a supervisor.

    `died_of` is the signal that ended the process before it, where that is one for a fault, such as SIGBUS. `given` are
    the settings that files, the environment and the command line give it.
    """

    parent: int = 0
    died_of: str = ""
    address: Address
    system: Address | None = None
    data: str
    name: str
    given: tuple[Layer, ...] = ()


class ControlStart(Start, frozen=True, kw_only=True):
    """Start parameters of a control process."""


class MemoryStart(Start, frozen=True, kw_only=True):
    """Start parameters of a memory process.

    `config` is the file with its parts; '' for `memory.toml` in the data folder, which may be missing.
    """

    config: str = ""


class NodeStart(Start, frozen=True, kw_only=True):
    """Start parameters of a node process; `name` is the node's id, `secrets` the file that it reads them from.

    `workers` are commands, each of which runs the skills of another program. `shared`: not only those of this machine
    reach the server.
    """

    skills: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()
    workers: tuple[str, ...] = ()
    affinity: dict[str, str] = {}
    secrets: str = ""
    shared: bool = False


class ChatStart(Start, frozen=True, kw_only=True):
    """Start parameters of a chat process: the file with the token of its bot."""

    token_file: str


class WebStart(Start, frozen=True, kw_only=True):
    """Start parameters of a web process: the descriptor of the socket that listens for it."""

    listening: int


def main[T: Start](kind: type[T], serve: Callable[[T, Callable[[], None]], Awaitable[None]]) -> None:
    """The main of a child: reads its start, serves until SIGTERM or SIGINT, exits 0 when that ended well."""
    line = ReadyLine()
    start = msgspec.json.decode(sys.stdin.buffer.readline(), type=kind)
    if start.parent:
        die_with_parent(start.parent)
    logging.basicConfig(
        level=logging.WARNING, stream=sys.stderr, format=f"%(asctime)s {start.name} %(levelname)s %(message)s"
    )
    faulthandler.enable()  # where it dies of a fault, its log says in which code
    # A start-up's worth of modules and tables is not worth scanning again and again.
    gc.collect()
    gc.freeze()
    gc.set_threshold(200_000, 20, 50)
    # A thread that computes (views, skills) may keep the event loop from its work for so long at a time.
    sys.setswitchinterval(_SWITCH_S)
    try:
        run(serve(start, lambda: line.say(ReadyMessage(True))))
    except (Refused, Misconfigured) as error:
        logging.error("%s", error)  # for when it was ready once, and nobody reads the line any more
        line.say(ReadyMessage(False, "refused" if isinstance(error, Refused) else "misconfigured", str(error)))
        sys.exit(4)
    except EventLogError as error:
        logging.error("%s", error)
        line.say(ReadyMessage(False, "unavailable", str(error)))
        sys.exit(5)


def log_as_set(settings: Settings) -> None:
    """Writes to the log of this process what the settings want."""
    logging.getLogger().setLevel(settings.log_level.upper())


def exit_soon() -> None:
    """Ends the process within 2 s where code of skills holds up its end: a thread that hangs, a pool that is busy."""
    code = 0 if sys.exception() is None else 1

    def end() -> None:
        time.sleep(_EXIT_S)
        flush_streams()
        os._exit(code)

    threading.Thread(target=end, name="exit", daemon=True).start()


def _only(error: BaseException) -> BaseException:
    """What went wrong, where that is one thing: the parts of a process run in groups."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


def run(work: Awaitable[Any]) -> None:
    """Runs until done or until SIGTERM or SIGINT cancels the work once."""

    async def guarded() -> None:
        task = asyncio.ensure_future(work)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, task.cancel)
        try:
            await task
        except asyncio.CancelledError:
            if not task.cancelled():
                raise
        except BaseExceptionGroup as group:
            raise _only(group) from group
        finally:
            end_own()
            exit_soon()

    import uvloop

    uvloop.run(guarded())
