"""The output of one attempt: pieces from any thread, gathered for a few ms, sent in order as messages of its streams.

1. Order within a stream is kept; each message is of one attempt and is kept once, however often it is sent.
2. Printing never waits: where it is faster than sending, text is dropped, and a line says how much. Emitting waits.
3. An outage of the server may cost what was printed meanwhile, never the task.
"""

import asyncio
import logging
import threading
from collections import deque
from contextvars import Context
from typing import TYPE_CHECKING, Any, Final

import msgspec

from clawactors.eventlog import EventLogError, Unavailable
from clawactors.kernel.errors import Refused
from clawactors.runtime.node.secrets import HIDDEN
from clawactors.runtime.output import LOG, OUT, OutputMessage
from clawactors.systems.tasks.jsonvalues import encode, why_unfit
from clawactors.systems.tasks.payload import INLINE_MAX_BYTES, shown_size
from clawactors.systems.tasks.submission import checked_id

if TYPE_CHECKING:
    from clawactors.runtime.node.supplies import Supplies
    from clawactors.systems.tasks.events import Fence

__all__ = ["EMIT_MAX_BYTES", "LOG_MAX_BYTES", "TaskOutput"]

LOG_MAX_BYTES: Final = 8 << 20
"""How much one attempt may print; the rest is dropped."""

EMIT_MAX_BYTES: Final = 64 << 20
"""How much one attempt may emit."""

_BATCH_S: Final = 0.005
_MESSAGE_BYTES: Final = 128 << 10
_MESSAGE_CHUNKS: Final = 1000
_WAITING_BYTES: Final = 1 << 20
_LINE_BYTES: Final = 64 << 10
_LAST_S: Final = 2.0
_AGAIN_S: Final = 0.2

_log = logging.getLogger(__name__)


class _Stream:
    """The chunks of one stream that are not sent yet."""

    def __init__(self) -> None:
        self.chunks: deque[bytes] = deque()
        self.messages = 0


class TaskOutput:
    """`write`, `flush` and `note` may be called in any thread, everything else in the event loop."""

    def __init__(
        self, supplies: "Supplies", id: str, fence: "Fence", loop: asyncio.AbstractEventLoop, owner: str = ""
    ) -> None:
        self._supplies, self._id, self._fence, self._loop = supplies, id, fence, loop
        self._owner = owner
        self._guard = threading.Lock()
        self._streams: dict[str, _Stream] = {}
        self._lines: dict[str, str] = {}
        self._waiting_bytes = self._emitted_bytes = self._logged_bytes = self._cut_bytes = 0
        self._awake = self._closed = False
        self._sending: asyncio.Task[None] | None = None
        self._room = asyncio.Event()

    # What is printed

    def write(self, source: str, text: str) -> None:
        """Takes printed text; it is sent once its line has ended."""
        with self._guard:
            if self._logged_bytes > LOG_MAX_BYTES:
                self._cut_bytes += len(text)
                return
            text = self._lines.pop(source, "") + text
            whole, newline, rest = text.rpartition("\n")
            if len(rest) > _LINE_BYTES:
                whole, newline, rest = text, "", ""
            if rest:
                self._lines[source] = rest
            if whole or newline:
                self._put_text(source, whole + newline)

    def flush(self, source: str) -> None:
        """Sends printed text although its line has not ended."""
        with self._guard:
            if rest := self._lines.pop(source, ""):
                self._put_text(source, rest)

    def note(self, text: str, level: str, logger: str) -> None:
        """Takes a log line."""
        with self._guard:
            self._put_text("log", text, level=level.lower(), logger=logger)

    def _put_text(self, source: str, text: str, **more: str) -> None:
        room = LOG_MAX_BYTES - self._logged_bytes
        if self._waiting_bytes > _WAITING_BYTES or room <= 0:
            self._cut_bytes += len(text)
            return
        self._note_cut()
        text = self._supplies.secrets.hide(text.encode(errors="backslashreplace").decode())
        for start in range(0, len(text), _LINE_BYTES):
            part = encode({"source": source, "text": text[start : start + _LINE_BYTES], **more})
            self._logged_bytes += len(part)
            if self._logged_bytes > LOG_MAX_BYTES:
                self._cut_bytes += len(text) - start
                return
            self._put(LOG, part)

    def _note_cut(self) -> None:
        if self._cut_bytes:
            note = f"[{shown_size(self._cut_bytes)} of output were cut here]\n"
            self._put(LOG, encode({"source": "claw", "text": note}))
            self._cut_bytes = 0

    # What is emitted

    async def emit(self, value: Any, stream: str = OUT) -> None:
        """Takes a chunk; returns when there is room for the next. Raises: `Refused`."""
        if checked_id(stream, "stream") == LOG:
            raise Refused("the stream 'log' is for what code prints; emit to another one")
        try:
            chunk = encode(value)
        except (TypeError, ValueError, OverflowError, RecursionError, msgspec.MsgspecError) as error:
            raise Refused(f"the code emitted what JSON can't hold: {why_unfit(value, error)}") from None
        if len(chunk) > INLINE_MAX_BYTES:
            raise Refused(
                f"a chunk of {shown_size(len(chunk))} is too large to emit, {shown_size(INLINE_MAX_BYTES)} are the most"
            )
        chunk = self._hidden(chunk)
        self._emitted_bytes += len(chunk)
        if self._emitted_bytes > EMIT_MAX_BYTES:
            raise Refused(f"the code emitted more than {shown_size(EMIT_MAX_BYTES)} in this attempt")
        while self._waiting_bytes > _WAITING_BYTES and not self._closed:
            self._room.clear()
            await self._room.wait()
        with self._guard:
            self._put(stream, chunk)

    def _hidden(self, chunk: bytes) -> bytes:
        """The chunk without secrets."""
        if not self._supplies.secrets:
            return chunk
        hidden = self._supplies.secrets.hide(chunk.decode()).encode()
        try:
            msgspec.json.decode(hidden)
        except msgspec.MsgspecError:  # the secret itself contains JSON syntax
            return encode(HIDDEN)
        return hidden

    # Sending

    def _put(self, stream: str, chunk: bytes) -> None:
        if self._closed:
            return
        self._streams.setdefault(stream, _Stream()).chunks.append(chunk)
        self._waiting_bytes += len(chunk)
        if not self._awake:
            self._awake = True
            self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        if self._sending is None or self._sending.done():
            # In an empty context: what is logged here is no output of the task.
            self._sending = self._loop.create_task(self._send_all(), context=Context())

    async def _send_all(self) -> None:
        await asyncio.sleep(_BATCH_S)
        while True:
            sent = False
            for name, stream in list(self._streams.items()):
                if (body := self._message(stream)) is not None:
                    sent = True
                    fence = self._fence
                    label = f"{self._id}/{fence.incarnation}/{fence.attempt}/{name}/{stream.messages}"
                    await self._send(name, body, label)
            with self._guard:
                if not sent and self._waiting_bytes <= 0:
                    self._awake = False
                    return

    def _message(self, stream: _Stream) -> bytes | None:
        taken: list[bytes] = []
        size = 0
        with self._guard:
            while stream.chunks and len(taken) < _MESSAGE_CHUNKS and (not taken or size < _MESSAGE_BYTES):
                taken.append(stream.chunks.popleft())
                size += len(taken[-1])
            self._waiting_bytes -= size
        self._room.set()
        if not taken:
            return None
        stream.messages += 1
        message = OutputMessage(self._fence.attempt, self._fence.node, [msgspec.Raw(chunk) for chunk in taken])
        return encode(message)

    async def _send(self, stream: str, body: bytes, label: str) -> None:
        while True:
            try:
                return await self._supplies.outputs.publish(
                    self._id, stream, self._fence.node, body, label, self._owner
                )
            except Unavailable:
                await asyncio.sleep(_AGAIN_S)
            except EventLogError as error:
                _log.warning("task %s: its output is lost: %s", self._id, error)
                self._closed = True
                return None

    def reopen(self) -> None:
        """Takes output again after `aclose`."""
        with self._guard:
            self._closed = self._awake = False
            self._sending = None

    async def aclose(self) -> None:
        """Returns when everything is stored, or after 2 s; later output is lost."""
        for source in list(self._lines):
            self.flush(source)
        with self._guard:
            self._note_cut()
            self._closed = True
        self._room.set()
        if not self._awake:
            return
        self._wake()
        if self._sending is not None:
            await asyncio.wait((self._sending,), timeout=_LAST_S)
            self._sending.cancel()
