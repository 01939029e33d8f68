"""Typed, paged queries of the views; errors become exceptions."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec

from clawactors.eventlog import Unavailable
from clawactors.kernel.errors import InvalidQuery, NotFound, Refused
from clawactors.runtime.client.rows import Page

__all__ = ["TypedQuestions", "ViewsReader", "building_of"]

_PAGE: Final = 1000


class _Fault(msgspec.Struct):
    code: str
    message: str
    hint: str = ""


class _BuildingFault(msgspec.Struct):
    code: str
    done: int = 0
    of: int = 0


class _CheckedBuilding(msgspec.Struct):
    error: _BuildingFault | None = None


class _Checked(msgspec.Struct):
    error: _Fault | None = None


class _One[Row](msgspec.Struct):
    row: Row


_decoders: dict[Any, msgspec.json.Decoder[Any]] = {}
_checked = msgspec.json.Decoder(_Checked).decode
_checked_building = msgspec.json.Decoder(_CheckedBuilding).decode


def building_of(answer: bytes) -> tuple[int, int] | None:
    """How many of how many commits are in views that are being built; None for any other answer."""
    fault = _checked_building(answer).error
    return (fault.done, fault.of) if fault is not None and fault.code == "building" else None


class ViewsReader:
    """Has `views` to ask."""

    views: "TypedQuestions"


class TypedQuestions:
    """Asks the views. All raise `InvalidQuery`, `Refused`, `NotFound`, `Unavailable` (`NoResponders`: no control)."""

    def __init__(self, ask: Callable[[str, Any], Awaitable[bytes]]) -> None:
        self._ask = ask

    async def answer[T](self, type: type[T], name: str, **question: Any) -> T:
        """The decoded answer."""
        answer = await self._ask(name, question)
        if (fault := _checked(answer).error) is not None:
            raise _error(fault)
        return _decoder(type).decode(answer)

    async def row[Row](self, type: type[Row], name: str, **question: Any) -> Row:
        """The row of an answer that has one."""
        return (await self.answer(_One[type], name, **question)).row  # type: ignore[valid-type]

    async def page[Row](
        self, type: type[Row], name: str, most: int | None = None, cursor: str = "", **question: Any
    ) -> Page[Row]:
        """The rows of a list: `most` of them, or all."""
        if not _is_limit(most):
            raise InvalidQuery(f"the limit is {most!r}; it must be a whole number of at least 1, or None for all")
        rows: list[Row] = []
        while True:
            limit = _PAGE if most is None else min(_PAGE, most - len(rows))
            page = await self.answer(Page[type], name, limit=limit, cursor=cursor, **question)  # type: ignore[valid-type]
            rows += page.rows
            if page.cursor is None or len(rows) == most:
                return Page(tuple(rows), page.cursor)
            cursor = page.cursor


def _is_limit(most: object) -> bool:
    return most is None or (type(most) is int and most > 0)


def _decoder[T](type: type[T]) -> msgspec.json.Decoder[T]:
    if (known := _decoders.get(type)) is None:
        known = _decoders[type] = msgspec.json.Decoder(type)
    return known


def _error(fault: _Fault) -> Exception:
    text = f"{fault.message}: {fault.hint}" if fault.hint else fault.message
    match fault.code:
        case "usage":
            return InvalidQuery(text)
        case "not_found":
            return NotFound(text)
        case "refused":
            return Refused(text)
        case _:
            return Unavailable(text)
