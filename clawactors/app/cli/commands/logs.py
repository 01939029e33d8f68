"""`claw logs`: prints what a task printed, logged or emitted in the last seven days."""

import sys
from collections.abc import Iterable
from contextlib import aclosing
from typing import Any

import msgspec

from clawactors.app.cli.session import by_id, with_client
from clawactors.app.client import Client
from clawactors.runtime.client.streaming import Chunk, output_row
from clawactors.runtime.output import LOG

__all__ = ["run"]


def run(options: Any) -> int:
    """Prints the output; with `--json` one line per chunk."""

    async def show(client: Client) -> int:
        id = await by_id(client, options.id, lambda full: _found(client, full))
        stream = client.ref(id).stream(options.stream, after=options.after, live=options.follow)
        printer = _Printer(options)
        async with aclosing(stream) as chunks:
            async for chunk in chunks:
                if options.attempt in (None, chunk.attempt):
                    printer.put(chunk)
        return 0

    return with_client(options, show)


async def _found(client: Client, id: str) -> str:
    await client.snapshot(id, brief=True)
    return id


class _Printer:
    """Writes chunks to standard output."""

    def __init__(self, options: Any) -> None:
        self._json, self._is_log = options.json, options.stream == LOG

    def put(self, chunk: Chunk) -> None:
        """Writes one chunk."""
        if self._json:
            line = msgspec.json.encode(output_row(chunk, is_log=self._is_log)) + b"\n"
        else:
            line = _text(chunk.value, self._is_log).encode()
        sys.stdout.buffer.write(line)
        sys.stdout.buffer.flush()


def _text(value: Any, is_log: bool) -> str:
    """Log text without terminal control characters; any other value as JSON."""
    if not is_log:
        return _harmless(value) if isinstance(value, str) else msgspec.json.encode(value).decode() + "\n"
    match value:
        case {"source": "log", "text": str(text)}:
            return f"{str(value.get('level', '')).upper()} {_harmless(text)}\n"
        case {"text": str(text)}:
            return _harmless(text)
        case _:
            return ""


def _harmless(text: str) -> str:
    return "".join(_each(text))


def _each(text: str) -> Iterable[str]:
    return (each if each.isprintable() or each in "\n\t" else " " for each in text)
