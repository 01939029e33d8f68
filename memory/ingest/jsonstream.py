"""Reads a JSON array element by element, so that a file of any size needs the memory of one element."""

import json
from collections.abc import Callable, Iterator
from typing import Any, Final

from clawactors.kernel.errors import Refused

__all__ = ["elements"]

_READ: Final = 1 << 20
_ELEMENT_MAX: Final = 256 << 20
_NEAR_END: Final = 16
"""JSON that ends too early is faulty within so many characters of its end, or in a string that does not end."""

_decoder = json.JSONDecoder(strict=False)

type Read = Callable[[int], str]
"""The next characters of a text, at most so many; '' at its end."""


def elements(read: Read) -> Iterator[Any]:
    """The elements of the array, or the one object that the text is. Raises: `Refused`."""
    text = _Buffer(read)
    if text.character() != "[":
        yield text.value()
        if text.character():
            raise Refused("there is more behind the first object")
        return
    text.skip()
    follows = False
    while text.character() != "]":
        if follows:
            text.take(",")
        yield text.value()
        follows = True
        if not text.character():
            raise Refused("the JSON ends in the middle of a list")


class _Buffer:
    """What was read of the text from `at` on."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._text, self._at = "", 0

    def character(self) -> str:
        """The next visible character, '' at the end."""
        while True:
            rest = self._text
            while self._at < len(rest) and rest[self._at] in " \t\r\n\ufeff":
                self._at += 1
            if self._at < len(rest):
                return rest[self._at]
            self._text, self._at = self._read(_READ), 0
            if not self._text:
                return ""

    def skip(self) -> None:
        """Goes on behind the next character."""
        self._at += 1

    def take(self, sign: str) -> None:
        """Goes on behind this sign. Raises: `Refused` where it does not follow."""
        if self.character() != sign:
            raise Refused(f"invalid JSON: {sign!r} was expected before {self._text[self._at : self._at + 20]!r}")
        self._at += 1

    def value(self) -> Any:
        """The value that follows; reads twice as much each time until it is whole. Raises: `Refused`."""
        self.character()
        while True:
            try:
                value, self._at = _decoder.raw_decode(self._text, self._at)
                return value
            except RecursionError:
                raise Refused("the JSON is nested too deeply") from None
            except ValueError as error:
                size = len(self._text) - self._at
                is_cut = getattr(error, "pos", 0) >= len(self._text) - _NEAR_END or "Unterminated" in str(error)
                more = self._read(max(_READ, size)) if is_cut and size < _ELEMENT_MAX else ""
                if not more:
                    raise Refused(f"invalid JSON: {error}") from None
                self._text, self._at = self._text[self._at :] + more, 0
