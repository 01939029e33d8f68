"""A webhook for every task that ends without a result, received and checked by this very program.

    CLAW_SECRET_OPS=please-change claw up --skills examples/flaky.py --detach
    CLAW_SECRET_OPS=please-change python examples/webhook_trigger.py

Then submit something that fails; the trigger stays until `claw trigger remove failures`.
"""

import asyncio
import hashlib
import hmac
import json
import os
import time
from collections.abc import Callable, Mapping
from typing import Any

from clawactors import Client

OLDEST_S = 300


def genuine(secret: str, headers: Mapping[str, str], body: bytes) -> bool:
    """Whether the message was signed with the secret, not long ago."""
    timestamp = headers.get("x-claw-timestamp", "")
    wanted = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
    fresh = timestamp.isdigit() and abs(time.time() - int(timestamp)) < OLDEST_S
    return fresh and hmac.compare_digest(headers.get("x-claw-signature", ""), f"sha256={wanted}")


async def receive(secret: str, take: Callable[[dict[str, Any]], None]) -> asyncio.Server:
    """Answers 204 to what is genuine, and 401 to the rest; a message that comes twice is taken once."""
    seen: set[str] = set()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
        body = await reader.readexactly(int(headers["content-length"]))
        good = genuine(secret, headers, body)
        if good and headers["idempotency-key"] not in seen:
            seen.add(headers["idempotency-key"])
            take(json.loads(body))
        writer.write(f"HTTP/1.1 {'204 No Content' if good else '401 Unauthorized'}\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    return await asyncio.start_server(answer, "127.0.0.1", 8765)


async def main() -> None:
    async with await receive(os.environ["CLAW_SECRET_OPS"], print) as server, Client.connect() as claw:
        await claw.triggers.add(
            "failures",
            on=["task.failed", "task.dead"],
            webhook="http://127.0.0.1:8765/",
            secret="ops",  # noqa: S106 - a name
        )
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
