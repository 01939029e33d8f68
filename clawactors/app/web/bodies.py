"""Bodies that are read as they come: JSON lines, or one JSON list."""

from collections.abc import AsyncIterator
from typing import Any, Final

import msgspec
from litestar import Request

from clawactors.app.batches import NumberedLine
from clawactors.app.web.problems import HttpProblem

__all__ = ["read_lines"]

_GROUP: Final = 2000
_GROUP_BYTES: Final = 32 << 20
_LINE_MAX_BYTES: Final = 64 << 20
_items: Final = msgspec.json.Decoder(list[msgspec.Raw])


async def read_lines(request: Request[Any, Any, Any], list_max_bytes: int) -> AsyncIterator[list[NumberedLine]]:
    """The lines of the body in groups, numbered from 1; the items of one list count as lines.

    Raises: `HttpProblem` (413: a line or a list that is too large; 400: no list).
    """
    held, number, is_list, begun, group, size_bytes = bytearray(), 0, False, False, list[NumberedLine](), 0
    async for chunk in request.stream():
        seen = len(held)  # what has no line break need not be sought again
        held += chunk
        if not begun and chunk.strip():
            begun = True
            is_list = number == 0 and held.lstrip()[:1] == b"["
        if not is_list and (end := held.rfind(b"\n", seen)) >= 0:
            lines = bytes(held[:end]).split(b"\n")
            del held[: end + 1]
            for line in lines:
                number += 1
                group.append((number, line))
                size_bytes += len(line)
                if len(group) >= _GROUP or size_bytes >= _GROUP_BYTES:
                    yield group
                    group, size_bytes = [], 0
        if len(held) > (list_max_bytes if is_list else _LINE_MAX_BYTES):
            raise HttpProblem(
                413,
                "refused",
                f"a list has at most {list_max_bytes >> 20} MB",
                "send JSON lines: they are read as they come",
            )
    if is_list:
        try:
            group = [(place, bytes(item)) for place, item in enumerate(_items.decode(held), 1)]
        except (msgspec.DecodeError, msgspec.ValidationError, RecursionError) as error:
            raise HttpProblem(
                400, "usage", f"the body is no JSON list: {error}", "send a list of tasks, or JSON lines"
            ) from None
        for begin in range(0, len(group), _GROUP):
            yield group[begin : begin + _GROUP]
        return
    if held.strip():
        group.append((number + 1, bytes(held)))
    if group:
        yield group
