"""The server on standard input and output, as editors start it.

1. Standard output carries the protocol and nothing else: what is printed meanwhile goes to standard error.
2. It ends when its input ends, or nobody reads its output any more.
"""

import asyncio
import os
import signal
import sys
from typing import Final

from mcp.server.stdio import stdio_server

from clawactors.app.mcp.server import McpService

__all__ = ["serve_stdio"]

_BROKEN_PIPE: Final = 141


async def serve_stdio(service: McpService) -> None:
    """Serves the one client that has started this process, until it closes the input."""
    # The thread that reads standard input can't be interrupted: it would hold up the end of the process.
    signal.signal(signal.SIGINT, lambda *_: os._exit(130))
    signal.signal(signal.SIGTERM, lambda *_: os._exit(143))
    async with stdio_server() as (read, write):
        try:
            await service.server.run(read, write, service.initialization)
        except asyncio.CancelledError:  # by the SDK, when its output is broken
            os._exit(_BROKEN_PIPE)
        sys.stdout.flush()  # what was printed: while it goes to standard error
