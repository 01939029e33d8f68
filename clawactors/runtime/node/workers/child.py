"""One life of a worker: its process, its lines."""

import asyncio
import contextlib
import itertools
import logging
import os
import shlex
import signal
from typing import Final, Protocol, Self

import msgspec

from clawactors.eventlog import Misconfigured
from clawactors.runtime.node.descendants import NODE
from clawactors.runtime.node.keeperprocess import KeeperProcess
from clawactors.runtime.node.workers.lines import TooLong, read_lines
from clawactors.runtime.node.workers.orders import (
    DrainWorker,
    NodeHello,
    PingWorker,
    RefusedLine,
    ToWorker,
    encode_message,
)
from clawactors.runtime.node.workers.protocol import LINE_MAX_BYTES, PROTOCOLS, FromWorker, WorkerHello, decode_message
from clawactors.version import VERSION

__all__ = ["WorkerChild"]

_HELLO_S: Final = 30.0
_PING_S: Final = 10.0
_GRACE_S: Final = 5.0
_LOGGED: Final = 20
_TEXT_MAX: Final = 200
_BEGINS: Final = b'{"op"'
_TRIES: Final = 10
_OURS: Final = ("CLAW_", "NATS_")

_log = logging.getLogger(__name__)


class _ChildOwner(Protocol):
    command: str
    malformed: int

    def receive(self, child: "WorkerChild", message: FromWorker) -> None: ...

    def say(self, text: str) -> None: ...


class WorkerChild:
    """One life of a worker."""

    def __init__(self, owner: _ChildOwner, keeper: KeeperProcess) -> None:
        self._owner, self._keeper, self._process = owner, keeper, keeper.process
        self._line = self._refused = 0
        self._heard_s = asyncio.get_running_loop().time()
        self._silence_s = 0.0
        self.hello = WorkerHello(0, ())
        self._lines = read_lines(self._process.stdout, LINE_MAX_BYTES)
        self._errors = asyncio.create_task(self._read_errors())

    @classmethod
    async def begin(cls, owner: _ChildOwner, node: str) -> Self:
        """A child that has said hello. Raises: `Misconfigured`."""
        try:
            words = shlex.split(owner.command)
        except ValueError as error:
            raise Misconfigured(f"--worker {owner.command}: {error}") from None
        if not words:
            raise Misconfigured("--worker takes a command, as in --worker 'node worker.js'")
        env = {name: value for name, value in os.environ.items() if name == NODE or not name.startswith(_OURS)}
        child = cls(owner, await KeeperProcess.begin(words, env=env))
        try:
            async with asyncio.timeout(_HELLO_S):
                await child.send(NodeHello(PROTOCOLS, VERSION, node))
                await child._hear_hello()
        except TimeoutError:
            await child.kill()
            raise Misconfigured(f"--worker {owner.command}: no hello within {_HELLO_S:g} s") from None
        except BaseException:
            await child.kill()
            raise
        return child

    async def _hear_hello(self) -> None:
        async for line in self._lines:
            self._line += 1
            message = self._message_of(line)
            if message is None:
                continue
            if not isinstance(message, WorkerHello):
                self.refuse("the first message is hello")
                continue
            if message.protocol not in PROTOCOLS:
                spoken = ", ".join(map(str, PROTOCOLS))
                self.refuse(f"protocol {message.protocol} is not spoken here, but {spoken}")
                raise Misconfigured(
                    f"--worker {self._owner.command}: it speaks protocol {message.protocol}, this release {spoken}"
                )
            self.hello, self._silence_s = message, message.silence_s
            return
        raise Misconfigured(f"--worker {self._owner.command}: it {await self._how_ended()} before it said hello")

    async def serve(self) -> str:
        """Takes its messages until it ends; says how."""
        watching = asyncio.create_task(self._watch())
        try:
            async for line in self._lines:
                self._line += 1
                self._heard_s = asyncio.get_running_loop().time()
                if (message := self._message_of(line)) is not None:
                    self._owner.receive(self, message)
            return await self._how_ended()
        finally:
            watching.cancel()
            await self.kill()

    def _message_of(self, line: bytes | TooLong) -> FromWorker | None:
        if isinstance(line, TooLong):
            self.refuse(f"it has {line} bytes, and {LINE_MAX_BYTES} is the most")
        elif line.strip():
            try:
                return decode_message(line)
            except (msgspec.MsgspecError, ValueError, RecursionError) as error:
                shown = repr(line[:_TEXT_MAX].decode(errors="replace"))
                is_noise = line.lstrip()[:1] != b"{"
                hint = "; print to standard error: standard output has messages" if is_noise else ""
                self.refuse(f"{error}: {shown}{hint}")
                return _behind_noise(line)
        return None

    def refuse(self, why: str) -> None:
        """Counts the present line, notes it, and answers it."""
        self._owner.malformed += 1
        self._refused += 1
        if self._refused <= _LOGGED or self._refused % 1000 == 0:
            _log.warning("worker %s, line %d refused: %s", self._owner.command, self._line, why)
        self.send_soon(RefusedLine(self._line, why[:500]))

    async def send(self, message: ToWorker) -> None:
        """See `WorkerLink`."""
        self.send_soon(message)
        if (stdin := self._process.stdin) is not None:
            with contextlib.suppress(ConnectionError, RuntimeError):
                await stdin.drain()

    def send_soon(self, message: ToWorker) -> None:
        """See `WorkerLink`."""
        if (stdin := self._process.stdin) is not None and not stdin.is_closing():
            with contextlib.suppress(ConnectionError, RuntimeError):
                stdin.write(encode_message(message))

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        for id in itertools.count(1):
            self.send_soon(PingWorker(id))
            await asyncio.sleep(_PING_S)
            if self._silence_s and loop.time() - self._heard_s > self._silence_s:
                _log.error("worker %s answers no ping for %g s: killed", self._owner.command, self._silence_s)
                self._keeper.end_now()

    async def _read_errors(self) -> None:
        async for line in read_lines(self._process.stderr, 1 << 20):
            text = f"({line} bytes)" if isinstance(line, TooLong) else line.decode(errors="replace")
            self._owner.say(text)

    async def _how_ended(self) -> str:
        await self._await_end()
        try:
            outcome = self._keeper.outcome()
        except BlockingIOError:
            return "closed its standard output"
        match outcome:
            case None:
                return "was killed"
            case OSError():
                return f"can't be run: {outcome.strerror}"
            case code if code < 0:
                return f"was killed by {signal.Signals(-code).name}"
            case code:
                return f"ended with exit code {code}"

    async def end(self) -> None:
        """Tells it to end, and waits for that."""
        await self.send(DrainWorker())
        if (stdin := self._process.stdin) is not None:
            stdin.close()
        await self._await_end()
        await self.kill()

    async def _await_end(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GRACE_S):
                await self._process.wait()

    async def kill(self) -> None:
        """Ends it at once, with all that it has started. Order: idempotent."""
        self._keeper.end_now()
        await self._process.wait()
        if (stdin := self._process.stdin) is not None:
            stdin.close()
            with contextlib.suppress(ConnectionError):
                await stdin.wait_closed()
        self._keeper.close()
        self._errors.cancel()


def _behind_noise(line: bytes) -> FromWorker | None:
    """The message at the end of a line that something else was printed into, without a newline of its own."""
    end = len(line)
    for _ in range(_TRIES):
        if (end := line.rfind(_BEGINS, 0, end)) <= 0:
            break
        with contextlib.suppress(msgspec.MsgspecError, ValueError, RecursionError):
            return decode_message(line[end:])
    return None
