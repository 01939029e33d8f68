"""The lines of a file as text, whatever encoding and line ends it has; what could not be decoded is reported.

UTF-8 with or without a byte order mark, UTF-16 and UTF-32 with one, UTF-16 without one where its zero bytes show it.
"""

import codecs
import io
import re
from collections.abc import Iterator
from typing import BinaryIO, Final, NamedTuple, Self

from clawactors.kernel.errors import Refused

__all__ = ["DAMAGED_SHOWN", "LINE_LIMIT", "Line", "TextLines", "encoding_of"]

LINE_LIMIT: Final = 8 << 20
"""Characters of a line that are read together; memory use stays the same for files of any size."""

DAMAGED_SHOWN: Final = 20

_HEAD_BYTES: Final = 4096
_BINARY: Final = 0.1
"""A greater share of control bytes is no text."""
_ZEROS: Final = 0.3

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""UTF-32 first: its mark begins with that of UTF-16."""
_CONTROL_BYTE = re.compile(rb"[\x00-\x06\x0e-\x1a\x1c-\x1f]")
_UNDECODED = re.compile("[\udc80-\udcff]+")


class Line(NamedTuple):
    """A line without its end; `more`: it is longer than `LINE_LIMIT`, its next part follows with the same number."""

    number: int
    text: str
    more: bool = False


class TextLines:
    """Iterates over the lines of a file, once, or reads it as one text, in a `with` block.

    `damaged` lists the first lines with bytes that could not be decoded; 0 stands for some place in a text.
    """

    def __init__(self, file: BinaryIO, encoding: str = "") -> None:
        """Raises: `Refused` for a binary file and an unknown encoding."""
        buffered = file if hasattr(file, "peek") else io.BufferedReader(file)  # type: ignore[type-var]
        self.encoding = encoding or encoding_of(buffered.peek(_HEAD_BYTES)[:_HEAD_BYTES])
        self.damaged: list[int] = []
        try:
            self._text = io.TextIOWrapper(buffered, self.encoding, "surrogateescape", newline=None)
        except LookupError:
            raise Refused(f"there is no encoding {encoding[:40]!r}: use utf-8, utf-16, gb18030, latin-1 …") from None

    def __iter__(self) -> Iterator[Line]:
        number, more = 1, False
        while text := self._readline(number):
            more = not text.endswith("\n") and len(text) >= LINE_LIMIT
            yield Line(number, self._checked(number, text.removesuffix("\n")), more)
            number += not more

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Leaves the file open: it belongs to the caller."""
        self._text.detach()

    def read(self, size: int) -> str:
        """The next `size` characters, fewer at the end. Not to be mixed with lines."""
        try:
            return self._checked(0, self._text.read(size))
        except UnicodeError as error:
            raise Refused(f"it is no {self.encoding}: {error}") from None

    def _readline(self, number: int) -> str:
        try:
            return self._text.readline(LINE_LIMIT)
        except UnicodeError as error:  # UTF-16 and UTF-32 that end in the middle of a character, or are not that at all
            raise Refused(f"line {number} is no {self.encoding}: {error}") from None

    def _checked(self, number: int, text: str) -> str:
        if text.isascii() or not _UNDECODED.search(text):
            return text
        if self.damaged[-1:] != [number] and len(self.damaged) <= DAMAGED_SHOWN:
            self.damaged.append(number)
        return _UNDECODED.sub("\ufffd", text)


def encoding_of(head: bytes) -> str:
    """The encoding of a file that begins with these bytes. Raises: `Refused` for a binary file."""
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name
    if head:
        for name, zeros in (("utf-16-le", head[1::2]), ("utf-16-be", head[::2])):
            if zeros.count(0) > _ZEROS * len(head) / 2 and head.count(0) - zeros.count(0) < len(head) / 100 + 1:
                return name
        if len(_CONTROL_BYTE.findall(head)) > _BINARY * len(head):
            raise Refused("it is a binary file, not a text")
    return "utf-8"
