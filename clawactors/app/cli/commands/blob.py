"""`claw blob`: fetches a stored value as bytes."""

import sys
from base64 import b64encode
from pathlib import Path
from typing import Any

from clawactors.app.cli.output import emit
from clawactors.app.cli.session import with_client
from clawactors.app.client import Client
from clawactors.app.problem import Problem
from clawactors.eventlog import Missing

__all__ = ["run"]


def run(options: Any) -> int:
    """Writes the bytes to a file or to standard output."""

    async def fetch(client: Client) -> int:
        try:
            body = await client.blob(options.name)
        except Missing as error:
            raise Problem("not_found", str(error), "claw task ID shows the names of its stored values") from None
        _write(options, body)
        return 0

    return with_client(options, fetch)


def _write(options: Any, body: bytes) -> None:
    about = {"blob": options.name, "bytes": len(body)}
    if options.out:
        Path(options.out).expanduser().write_bytes(body)
        emit(options, about | {"file": options.out}, tuple)
    elif options.json:
        emit(options, about | {"base64": b64encode(body).decode()}, tuple)
    else:
        sys.stdout.buffer.write(body)
        sys.stdout.buffer.flush()
