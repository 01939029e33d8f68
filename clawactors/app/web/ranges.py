"""Parts of what is downloaded (RFC 9110): one range, or all."""

import re
from typing import Annotated, Final, NamedTuple
from urllib.parse import quote

from litestar.params import HeaderParameter

from clawactors.app.web.problems import HttpProblem

__all__ = ["Range", "RangeHeader", "attachment", "range_of"]

RangeHeader = Annotated[
    str, HeaderParameter(name="Range", description="one range of bytes, as in `bytes=0-1023`; 416 where there is none")
]
_RANGE: Final = re.compile(r"bytes=(\d{0,19})-(\d{0,19})", re.ASCII)


class Range(NamedTuple):
    """From `start` up to `end`, of `size_bytes`."""

    start: int
    end: int
    size_bytes: int
    is_part: bool


def range_of(header: str, size_bytes: int) -> Range:
    """What is wanted: all of it without a header, and for what is no single range. Raises: `HttpProblem` (416)."""
    found = _RANGE.fullmatch(header.strip())
    if found is None or not any(found.groups()):
        return Range(0, size_bytes, size_bytes, is_part=False)
    first, last = found.groups()
    start = int(first) if first else max(0, size_bytes - int(last))
    end = min(int(last) + 1, size_bytes) if first and last else size_bytes
    if start >= end:
        raise HttpProblem(
            416,
            "usage",
            f"{header[:60]} is outside of it: it has {size_bytes} bytes",
            headers={"Content-Range": f"bytes */{size_bytes}"},
        )
    return Range(start, end, size_bytes, is_part=True)


def attachment(name: str, part: Range) -> dict[str, str]:
    """The headers of a download: a browser stores it, and never shows it as a page."""
    plain = re.sub(r"[^A-Za-z0-9._ -]", "_", name)
    headers = {
        "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}",
        "Content-Length": str(part.end - part.start),
        "X-Content-Type-Options": "nosniff",
        "Accept-Ranges": "bytes",
    }
    if part.is_part:
        headers["Content-Range"] = f"bytes {part.start}-{part.end - 1}/{part.size_bytes}"
    return headers
