"""Records as lines of JSON and back, byte by byte the same.

A line has `seq`, `time`, `subject`, `headers` and `body`. A body that is no JSON object on one line stands as
`body_base64`, headers that are no plain list of names and values as `headers_base64`.
"""

import base64
from typing import Any, Final

import msgspec

from clawactors.eventlog.errors import Corrupt
from clawactors.eventlog.headers import STATUS_LINE
from clawactors.eventlog.record import Record
from clawactors.eventlog.rfc3339 import nanoseconds, rfc3339

__all__ = ["line_of", "record_of"]

_STATUS: Final = STATUS_LINE.encode()
_END: Final = b"\r\n\r\n"


_ABSENT: Final = msgspec.Raw()


class _Line(msgspec.Struct, omit_defaults=True, gc=False):
    seq: int
    time: str
    subject: str
    headers: dict[str, str] | None = None
    body: msgspec.Raw = _ABSENT
    headers_base64: str = ""
    body_base64: str = ""


_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(_Line).decode
_any: Final = msgspec.json.Decoder(dict[str, Any]).decode


def line_of(record: Record) -> bytes:
    """The record as a line, with its end."""
    headers, body = _headers_of(record.headers), record.body
    line = _Line(record.seq, rfc3339(record.at_ns), record.subject, headers)
    if headers is None:
        line.headers_base64 = base64.b64encode(record.headers).decode()
    if _is_line(body):
        line.body = msgspec.Raw(body)
    else:
        line.body_base64 = base64.b64encode(body).decode()
    return _encode(line) + b"\n"


def record_of(line: bytes) -> Record:
    """The record of a line. Raises: `Corrupt`."""
    try:
        read = _decode(line)
        headers = base64.b64decode(read.headers_base64) if read.headers is None else _rendered(read.headers)
        body = bytes(read.body) or base64.b64decode(read.body_base64)
        return Record(read.seq, nanoseconds(read.time), read.subject, body, headers)
    except (msgspec.MsgspecError, ValueError) as error:
        raise Corrupt(f"a line of the archive is damaged: {error}") from error


def _is_line(body: bytes) -> bool:
    """True for a JSON object that stands on one line as it is."""
    if body[:1] != b"{" or body[-1:] != b"}" or b"\n" in body or b"\r" in body:
        return False
    try:
        _any(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    return True


def _headers_of(headers: bytes) -> dict[str, str] | None:
    """Names and values, {} for none; None where they would not come back as the same bytes."""
    if not headers:
        return {}
    if not headers.startswith(_STATUS) or not headers.endswith(_END):
        return None
    try:
        lines = headers[len(_STATUS) : -len(_END)].decode().split("\r\n")
        read = dict(line.split(": ", 1) for line in lines)
    except ValueError:
        return None
    return read if _rendered(read) == headers else None


def _rendered(headers: dict[str, str]) -> bytes:
    if not headers:
        return b""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"{STATUS_LINE}{lines}\r\n".encode()
