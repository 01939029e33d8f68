"""A server that speaks Telegram's Bot API as far as a bot by long polling meets it, with its refusals and faults.

`getUpdates` with an offset forgets all below it; without one it gives the earliest that are left. A second poller ends
the first with 409. `faults` are answered before anything else, one a call of the method.
"""

import asyncio
import contextlib
import json
from collections import defaultdict
from collections.abc import AsyncIterator
from typing import Any

TOKEN = "12:AB-cd_ef"  # noqa: S105 - of this server
BOT = {"id": 12, "is_bot": True, "first_name": "Claw", "username": "claw_bot"}


class FakeTelegram:
    """`sent` is what the bot said, `offsets` what it asked with."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.offsets: list[int | None] = []
        self.faults: dict[str, list[str]] = defaultdict(list)
        self.next_id = 100
        self.url = ""
        self._updates: list[dict[str, Any]] = []
        self._changed = asyncio.Condition()
        self._polls = 0

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator["FakeTelegram"]:
        """Listens on a port of its own."""
        server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            server.close()
            server.close_clients()

    async def say(self, text: str, *, member: int = 7, chat: int | None = None, **more: Any) -> int:
        """Somebody says something; the id of the update."""
        self.next_id += 1
        kind = "private" if chat is None else "group"
        sender = {"id": member, "is_bot": False, "first_name": "Ada", "username": "ada"}
        where = {"id": member if chat is None else chat, "type": kind}
        message = {"message_id": self.next_id, "date": 1, "chat": where, "from": sender, "text": text} | more
        await self.put({"update_id": self.next_id, "message": message})
        return self.next_id

    async def put(self, update: dict[str, Any]) -> None:
        """An update arrives."""
        async with self._changed:
            self._updates.append(update)
            self._changed.notify_all()

    @property
    def texts(self) -> list[str]:
        """What the bot said."""
        return [each["text"] for each in self.sent]

    @property
    def left(self) -> list[int]:
        """Updates that are not forgotten."""
        return [each["update_id"] for each in self._updates]

    async def until_sent(self, count: int) -> None:
        """Returns when the bot has said so much."""
        async with asyncio.timeout(10), self._changed:
            await self._changed.wait_for(lambda: len(self.sent) >= count)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                path = head[0].split(" ")[1]
                headers = {line.partition(":")[0].lower(): line.partition(":")[2].strip() for line in head[1:]}
                body = json.loads(await reader.readexactly(int(headers.get("content-length", "0"))) or b"{}")
                status, reply = await self._call(path, body)
                if status == 0:
                    break
                data = json.dumps(reply).encode()
                writer.write(f"HTTP/1.1 {status} x\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data)
                await writer.drain()
        writer.close()

    async def _call(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        _, token, method = path.split("/")
        if token != f"bot{TOKEN}":
            return 401, {"ok": False, "error_code": 401, "description": "Unauthorized"}
        fault = self.faults[method].pop(0) if self.faults[method] else ""
        match fault:
            case "cut":
                return 0, {}
            case "taken and cut":
                await self._send(body)
                return 0, {}
            case "502":
                return 502, {"ok": False, "error_code": 502, "description": "Bad Gateway"}
            case "429":
                told = {"ok": False, "error_code": 429, "description": "Too Many Requests: retry after 0"}
                return 429, told | {"parameters": {"retry_after": 0.01}}
            case "moved":
                told = {"ok": False, "error_code": 400, "description": "Bad Request: group chat was upgraded"}
                return 400, told | {"parameters": {"migrate_to_chat_id": -1007}}
            case "403":
                return 403, {"ok": False, "error_code": 403, "description": "Forbidden: bot was blocked by the user"}
        match method:
            case "getMe":
                return 200, {"ok": True, "result": BOT}
            case "getUpdates":
                return await self._poll(body)
            case "sendMessage":
                return 200, {"ok": True, "result": await self._send(body)}
        return 404, {"ok": False, "error_code": 404, "description": "Not Found"}

    async def _send(self, body: dict[str, Any]) -> dict[str, Any]:
        async with self._changed:
            self.sent.append(body)
            self._changed.notify_all()
        return {"message_id": len(self.sent)}

    async def _poll(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        offset = body.get("offset")
        self.offsets.append(offset)
        async with self._changed:
            self._polls += 1
            mine = self._polls
            self._changed.notify_all()
            if offset is not None:
                self._updates = [each for each in self._updates if each["update_id"] >= offset]
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(body.get("timeout", 0)):
                    await self._changed.wait_for(lambda: self._updates or self._polls != mine)
            if self._polls != mine:
                told = "Conflict: terminated by other getUpdates request"
                return 409, {"ok": False, "error_code": 409, "description": told}
            return 200, {"ok": True, "result": self._updates[: body.get("limit", 100)]}
