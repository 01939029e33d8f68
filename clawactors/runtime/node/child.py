"""The process in which an isolated skill runs: `python -P -m clawactors.runtime.node.child FD`, started by its node.

In: one job over the socket with that number, then answers. Out: what the code asks of its task, then its outcome.
It ends when its node ends, whatever the code does.
"""

import base64
import contextlib
import ctypes
import importlib
import importlib.util
import logging
import os
import queue
import signal
import socket
import sys
import threading
from collections.abc import Buffer, Callable, Iterable, Mapping
from typing import Any, override

import msgspec

from clawactors.kernel.errors import Refused
from clawactors.runtime.node.context import SyncTaskContext
from clawactors.runtime.node.failure import classify
from clawactors.runtime.node.frames import LENGTH, Job, framed
from clawactors.runtime.node.results import as_json
from clawactors.systems.skills import Skill
from clawactors.systems.tasks.events import TaskError

__all__ = ["main"]

_PR_SET_PDEATHSIG = 1
_OUT_OF_MEMORY = framed({"op": "raise", "error": TaskError("memory", "MemoryError"), "strategy": "elsewhere"})


class _Unwound(BaseException):
    """Unwinds code that must not go on."""


class _Wire:
    """The node at the other end: one question at a time, each with its answer."""

    def __init__(self, link: socket.socket) -> None:
        self._link, self._stream = link, link.makefile("rb")
        self._answers: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._asking, self._telling = threading.Lock(), threading.Lock()
        self.cancelled = False

    def read(self) -> bytes:
        """The next message; ends the process when the node is gone."""
        head = self._stream.read(LENGTH)
        body = self._stream.read(int.from_bytes(head)) if len(head) == LENGTH else b""
        if not body:
            os._exit(1)
        return body

    def listen(self) -> None:
        """Takes what comes, for ever."""
        while True:
            answer = msgspec.json.decode(self.read())
            if "cancel" in answer:
                self.cancelled = True
            else:
                self._answers.put(answer)

    def tell(self, message: Mapping[str, Any]) -> None:
        """Sends it; no answer comes."""
        with self._telling:
            self._link.sendall(framed(message))

    def ask(self, message: Mapping[str, Any]) -> Any:
        """Sends it and waits for the answer. Raises: `Refused`, `TimeoutError`."""
        with self._asking:
            self.tell(message)
            answer = self._answers.get()
        if "refused" in answer:
            raise Refused(answer["refused"])
        if "late" in answer:
            raise TimeoutError(answer["late"])
        if "stop" in answer:
            raise _Unwound
        return answer["ok"]


class _Clock:
    @staticmethod
    def monotonic_s() -> float:
        import time

        return time.monotonic()


class _Log(logging.Handler):
    """The log lines of the code, for the node to keep."""

    def __init__(self, wire: _Wire) -> None:
        super().__init__(logging.INFO)
        self._wire = wire

    @override
    def emit(self, record: logging.LogRecord) -> None:
        text = self.format(record)
        self._wire.tell({"op": "log", "text": text, "level": record.levelname, "logger": record.name})


class _RemoteRun:
    """As `TaskRun` looks to a handle; each call is a message instead of a coroutine."""

    def __init__(self, wire: _Wire, job: Job, skill: Skill) -> None:
        self.id, self.attempt, self.clock = job.id, job.attempt, _Clock()
        self.steps, self.signals, self.predecessors, self.pulse, self.memories = self, self, self, self, self
        self._wire, self._skill, self._secrets = wire, skill, job.secrets

    @property
    def fence(self) -> "_RemoteRun":
        return self

    @property
    def stopping(self) -> bool:
        return self._wire.cancelled

    def begin(self, name: object, call: str) -> Mapping[str, Any]:
        return {"op": "begin", "name": name if isinstance(name, str) else "", "call": call}

    def end(self, name: str, result: Any, took_s: float) -> Mapping[str, Any]:
        return {"op": "end", "name": name, "result": as_json(result, f"step {name!r}"), "took_s": took_s}

    def tries_again(self, name: str, error: Exception, took_s: float, retry: Any, failures: int) -> Mapping[str, Any]:
        told, strategy = classify(error, self._skill.errors)
        failed = {"op": "fail", "name": name, "error": told, "strategy": strategy, "took_s": took_s}
        return failed | {"retry": retry, "failures": failures}

    def sleep(self, how_long: str | float) -> Mapping[str, Any]:
        return {"op": "sleep", "how_long": how_long}

    def take(self, name: str, timeout: str | float | None) -> Mapping[str, Any]:
        return {"op": "signal", "name": name, "timeout": timeout}

    def speak(self) -> "_RemoteRun":
        return self

    def emit(self, chunk: Any, stream: str) -> Mapping[str, Any]:
        return {"op": "emit", "chunk": as_json(chunk, "the code"), "stream": stream}

    def store(self, body: Buffer) -> Mapping[str, Any]:
        return {"op": "store", "body": base64.b64encode(body).decode()}

    def secret(self, name: str) -> str:
        if name not in self._skill.secrets:
            raise Refused(f"skill {self._skill.name!r} asks for no secret {name!r}: name it in @skill(…, secrets=[…])")
        if name not in self._secrets:
            raise Refused(f"the node holds no secret {name!r}")
        return self._secrets[name]

    def remember(self, text: str, tags: Iterable[str] = (), **more: Any) -> Mapping[str, Any]:
        return {"op": "remember", "text": text, "tags": list(tags), "more": more}

    def recall(self, text: str, limit: int = 5, **wanted: Any) -> Mapping[str, Any]:
        return {"op": "recall", "text": text, "limit": limit, "wanted": wanted}

    def results(self) -> Mapping[str, Any]:
        return {"op": "results"}

    def report(self, share: float) -> None:
        self._wire.tell({"op": "progress", "share": share})

    def beat(self) -> None:
        self._wire.tell({"op": "beat"})


class _ChildHandle(SyncTaskContext):
    """The task, for code in this process."""

    def __init__(self, run: _RemoteRun, wire: _Wire) -> None:
        self._run, self._wire = run, wire  # type: ignore[assignment]

    @override
    def _call(self, coroutine: Any) -> Any:
        return self._wire.ask(coroutine)


def _found(job: Job) -> Skill:
    """The skill, where its node has it from."""
    module = None
    if job.module != "__main__":
        with contextlib.suppress(ImportError):
            module = importlib.import_module(job.module)
    if module is None:
        spec = importlib.util.spec_from_file_location(job.module, job.file)
        if spec is None or spec.loader is None:
            raise Refused(f"the child process finds no module {job.module!r}")
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


def _die_with(parent: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _outcome(wire: _Wire, job: Job) -> bytes:
    skill: Skill | None = None
    try:
        skill = _found(job)
        _limit(job.memory_mb)
        function: Callable[..., Any] = skill.function
        result = function(_ChildHandle(_RemoteRun(wire, job, skill), wire), **skill.arguments(job.params))
        return framed({"op": "return", "result": as_json(result, "the skill")})
    except _Unwound:
        return framed({"op": "stopped"})
    except MemoryError:
        return _OUT_OF_MEMORY
    except BaseException as error:
        told, strategy = classify(error, skill.errors if skill else ())
        return framed({"op": "raise", "error": told, "strategy": strategy})


def main() -> None:
    """Does the one job; `FD PARENT` are the arguments."""
    fd, parent = int(sys.argv[1]), int(sys.argv[2])
    _die_with(parent)
    link = socket.socket(fileno=fd)
    wire = _Wire(link)
    job = msgspec.json.decode(wire.read(), type=Job)
    threading.Thread(target=wire.listen, daemon=True).start()
    logging.basicConfig(level=logging.INFO, handlers=[_Log(wire)], format="%(message)s")
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True, errors="backslashreplace")  # type: ignore[union-attr]
    outcome = _outcome(wire, job)
    sys.stdout.flush()
    sys.stderr.flush()
    link.sendall(outcome)
    os._exit(0)  # threads that the code has left behind hold up nothing


if __name__ == "__main__":
    main()
