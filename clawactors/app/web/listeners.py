"""Who listens, and to what: those who want the same are a group, so that it is worked out once for all of them."""

import asyncio
from collections import deque
from collections.abc import Hashable
from typing import Any, Final, Protocol

import msgspec

__all__ = ["Listener", "ListenerGroup", "Told", "Wanted", "data_of", "joined"]

_QUEUE: Final = 2_000
_QUEUE_BYTES: Final = 4 << 20
_SENT_BYTES: Final = 32 << 10
_BREAKS: Final = {text.encode(): b"\\u%04x" % ord(text) for text in "\x85\u2028\u2029"}
"""Line breaks of Unicode, and how JSON spells them: some clients end a line there, though the format does not."""

_encode: Final = msgspec.json.Encoder().encode


class Told[I](Protocol):
    """One frame. Ids only grow; `topic` is what it is about, for those who want one topic alone."""

    @property
    def id(self) -> I:
        """What a `Last-Event-ID` names."""
        ...

    @property
    def topic(self) -> str:
        """'' for none."""
        ...

    @property
    def frame(self) -> bytes:
        """It as it is sent."""
        ...


class Wanted[T](Protocol):
    """What somebody listens to."""

    @property
    def key(self) -> Hashable:
        """The same for who wants the same."""
        ...

    @property
    def topic(self) -> str:
        """The only one that is wanted, '' where there may be many."""
        ...

    def fits(self, told: T) -> bool:
        """True for a frame that is wanted."""
        ...


def data_of(row: Any) -> bytes:
    """The row as one line of JSON, however lines are told apart."""
    data = _encode(row)
    for text, spelled in _BREAKS.items():
        if text in data:
            data = data.replace(text, spelled)
    return data


def joined(frames: deque[bytes]) -> bytes:
    """Takes some from the left and joins them: no more than a slow reader may hold up, unless one is larger."""
    taken, size_bytes = list[bytes](), 0
    while frames and size_bytes < _SENT_BYTES:
        taken.append(frames.popleft())
        size_bytes += len(taken[-1])
    return b"".join(taken)


class Listener:
    """One stream: what it has not been sent yet, once it has caught up."""

    def __init__(self, now_s: float) -> None:
        self.pieces: deque[bytes] = deque()
        self.size_bytes = 0
        self.came = asyncio.Event()
        self.is_lagged, self.sent_s = False, now_s
        self.group: ListenerGroup[Any] | None = None
        self.joined_at: Any = None

    def put(self, pieces: list[bytes]) -> None:
        """Keeps them to be sent; a full queue ends the listening."""
        for piece in pieces:
            if self.is_lagged or len(self.pieces) >= _QUEUE or self.size_bytes > _QUEUE_BYTES:
                self.pieces.clear()
                self.is_lagged = True
                break
            self.pieces.append(piece)
            self.size_bytes += len(piece)
        self.came.set()

    def take(self) -> bytes:
        """The next of it, b'' for none."""
        taken = joined(self.pieces)
        self.size_bytes -= len(taken)
        return taken


class ListenerGroup[T: Told[Any]]:
    """All who want the same; `ahead` is an id up to which they had all, though this process was not told as much."""

    def __init__(self, wanted: Wanted[T], ahead: Any) -> None:
        self.wanted, self.ahead, self.key = wanted, ahead, (wanted.key, ahead)
        self.listeners = set[Listener]()

    def pieces(self, page: list[T]) -> list[bytes]:
        """What they are sent of it."""
        frames, pieces = deque[bytes](), list[bytes]()
        for told in page:
            if (self.ahead is None or told.id > self.ahead) and self.wanted.fits(told):
                frames.append(told.frame)
        while frames:
            pieces.append(joined(frames))
        return pieces
