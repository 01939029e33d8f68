"""The process in which an isolated skill runs: `python -P -m clawactors.runtime.node.child FD`, started by its node.

In: one job over the socket with that number, then answers. Out: the calls of the code to its task, then its outcome.
It ends when its node ends, whatever the code does.
"""

import asyncio
import base64
import contextlib
import importlib
import importlib.util
import logging
import os
import queue
import socket
import sys
import threading
import time
from collections.abc import Mapping
from typing import Any, override

import msgspec

from clawactors.kernel.errors import Refused
from clawactors.runtime.node.descendants import become_subreaper, die_with, end_own
from clawactors.runtime.node.failure import classify
from clawactors.runtime.node.frames import BRIDGED_ERRORS, CANCELLED, LENGTH, IsolatedJob, framed
from clawactors.runtime.node.recovery import recover_sync
from clawactors.runtime.node.results import as_json
from clawactors.runtime.node.spawned import flush_streams
from clawactors.runtime.node.step import find_undo, home_of, undo_arguments
from clawactors.runtime.node.synccontext import SyncTaskContext
from clawactors.runtime.node.taskfile import on_disk
from clawactors.systems.skills import Skill
from clawactors.systems.skills.callables import call_sync
from clawactors.systems.skills.returns import Returns
from clawactors.systems.tasks.events import TaskError
from clawactors.systems.tasks.retry import Retry

__all__ = ["main"]

_OUT_OF_MEMORY = framed({"op": "raise", "error": TaskError("memory", "MemoryError"), "strategy": "elsewhere"})


class _Unwound(BaseException):
    """Unwinds code that must stop."""


class _NodeLink:
    """The socket to the node: one call at a time, each with its answer."""

    def __init__(self, socket: socket.socket) -> None:
        self._socket, self._stream = socket, socket.makefile("rb")
        self._answers: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._asking, self._sending = threading.Lock(), threading.Lock()
        self.cancelled = False

    def read(self) -> bytes:
        """The next message; ends the process when the node has ended."""
        head = self._stream.read(LENGTH)
        body = self._stream.read(int.from_bytes(head)) if len(head) == LENGTH else b""
        if not body:
            os._exit(1)
        return body

    def listen(self) -> None:
        """Takes what comes, without end."""
        while True:
            answer = msgspec.json.decode(self.read())
            if "cancel" in answer:
                self.cancelled = True
            else:
                self._answers.put(answer)

    def send(self, message: Mapping[str, Any]) -> None:
        """Sends it; no answer comes."""
        self.send_frame(framed(message))

    def send_frame(self, frame: bytes) -> None:
        """Sends a message that is encoded already."""
        with self._sending:
            self._socket.sendall(frame)

    def ask(self, message: Mapping[str, Any]) -> Any:
        """Sends it and waits for the answer. Raises: one of `BRIDGED_ERRORS`."""
        with self._asking:
            self.send(message)
            answer = self._answers.get()
        if answer.get("error") == CANCELLED:
            raise asyncio.CancelledError
        if (error := BRIDGED_ERRORS.get(answer.get("error", ""))) is not None:
            raise error(answer["message"])
        if "stop" in answer:
            raise _Unwound
        return answer["ok"]


class _ChildLog(logging.Handler):
    """Sends the log lines of the code to the node."""

    def __init__(self, link: _NodeLink) -> None:
        super().__init__(logging.INFO)
        self._link = link

    @override
    def emit(self, record: logging.LogRecord) -> None:
        text = self.format(record)
        self._link.send({"op": "log", "text": text, "level": record.levelname, "logger": record.name})


class ChildBridge:
    """Sends each call to the node and waits for its answer; see `Bridge`."""

    def __init__(self, link: _NodeLink, job: IsolatedJob, skill: Skill) -> None:
        self.id, self.attempt = job.id, job.attempt
        self._link, self._skill, self.skill = link, skill, skill.name

    @property
    def cancelled(self) -> bool:
        """True once the code should end."""
        return self._link.cancelled

    @property
    def home(self) -> Mapping[str, Any]:
        """The names of the skill's module."""
        return home_of(self._skill)

    def answer(self, name: str, function: object) -> None:
        """Nobody can ask: raises `Refused`."""
        raise Refused(
            f"an isolated skill has no answers, so {name!r} can't be one: report by task.progress or task.emit"
        )

    def recovered(self) -> None:
        """As `end_recovery`."""
        self._link.ask({"op": "recovered"})

    def monotonic_s(self) -> float:
        """Seconds that only grow, for durations."""
        return time.monotonic()

    def call(self, method: str, /, *args: Any, **kwargs: Any) -> Any:
        """What that method of the `TaskContext` returns. Raises: what that raises, where it can be sent."""
        if method == "store":  # JSON holds no bytes
            return self._link.ask({"op": method, "args": [base64.b64encode(args[0]).decode()], "kwargs": {}})
        if method == "save" and not isinstance(args[1], str):
            with on_disk(args[1]) as path:
                return self.call(method, args[0], path, args[2])
        if "tags" in kwargs and not isinstance(kwargs["tags"], str):
            kwargs["tags"] = list(kwargs["tags"])
        args, kwargs = as_json([args, kwargs], "the code")
        return self._link.ask({"op": method, "args": args, "kwargs": kwargs})

    def send(self, method: str, /, *args: Any) -> None:
        """Calls a method that returns nothing, and does not wait for it."""
        self._link.send({"op": method, "args": args})

    def begin_step(self, name: str, call: str) -> tuple[bool, Any]:
        """As `Steps.begin`."""
        (name,) = as_json([name], "the code")  # any object may come as a name; the node refuses it
        done, result = self._link.ask({"op": "begin_step", "name": name, "call": call})
        return done, result

    def end_step(self, name: str, result: Any, took_s: float, undo: dict[str, Any] | None, returns: Returns) -> Any:
        """As `Steps.end`."""
        result = as_json(result, f"step {name!r}", returns)
        returns.restored(result, f"step {name!r}")  # what can't come back is not recorded
        ended = {"op": "end_step", "name": name, "result": result, "took_s": took_s, "undo": undo}
        return self._link.ask(ended)

    def fail_step(self, name: str, error: Exception, took_s: float, retry: Retry | None, failures: int) -> bool:
        """As `Steps.tries_again`; the error is classed here, where it is whole."""
        failure, strategy = classify(error, self._skill.errors)
        failed = {"op": "fail_step", "name": name, "error": failure, "strategy": strategy, "took_s": took_s}
        return bool(self._link.ask(failed | {"retry": retry, "failures": failures}))


def _found(job: IsolatedJob) -> Skill:
    """The skill, from the module that its node has it from."""
    module = None
    if job.module != "__main__":
        with contextlib.suppress(ImportError):
            module = importlib.import_module(job.module)
    if module is None:
        spec = importlib.util.spec_from_file_location(job.module, job.file)
        if spec is None or spec.loader is None:
            raise Refused(f"the child process can't find the module {job.module!r}")
        module = sys.modules[job.module] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    found = [each for each in vars(module).values() if isinstance(each, Skill) and each.name == job.name]
    if not found:
        raise Refused(f"module {job.module!r} has no skill {job.name!r} at its top, where a child process looks for it")
    return found[0]


def _limit(memory_mb: int | None) -> None:
    if memory_mb is not None:
        import resource

        limit = memory_mb * 1024 * 1024
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _outcome(link: _NodeLink, job: IsolatedJob) -> bytes:
    skill: Skill | None = None
    try:
        skill = _found(job)
        _limit(job.memory_mb)
        if job.undo:
            home = home_of(skill)
            undo = find_undo(job.undo, home)
            args, kwargs = undo_arguments(undo, home, **job.params)
            undo.function(*args, **kwargs)
            return framed({"op": "return", "result": None})
        handle = SyncTaskContext(bridge := ChildBridge(link, job, skill))
        if job.lost is not None and skill.recover is not None:
            recover_sync(handle, bridge, skill.recover, job.lost)
        result = call_sync(skill.function, handle, skill.arguments(job.params))
        return framed({"op": "return", "result": as_json(result, "the skill", skill.returns)})
    except _Unwound:
        return framed({"op": "stopped"})
    except MemoryError:
        return _OUT_OF_MEMORY
    except BaseException as error:
        failure, strategy = classify(error, skill.errors if skill else ())
        return framed({"op": "raise", "error": failure, "strategy": strategy})


def main() -> None:
    """Runs the one job; the arguments are `FD PARENT`."""
    fd, parent = int(sys.argv[1]), int(sys.argv[2])
    die_with(parent)
    become_subreaper()
    os.set_inheritable(fd, False)
    os.register_at_fork(after_in_child=lambda: os.close(fd))  # its end has to tell of the end of this process alone
    link = _NodeLink(socket.socket(fileno=fd))
    job = msgspec.json.decode(link.read(), type=IsolatedJob)
    threading.Thread(target=link.listen, daemon=True).start()
    logging.basicConfig(level=logging.INFO, handlers=[_ChildLog(link)], format="%(message)s")
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True, errors="backslashreplace")  # type: ignore[union-attr]
    outcome = _outcome(link, job)
    end_own()  # nothing that the code started outlives it
    flush_streams()
    link.send_frame(outcome)
    os._exit(0)  # threads that the code has left behind do not delay the end


if __name__ == "__main__":
    main()
