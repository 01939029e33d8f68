"""A model endpoint for trying agents without one: it answers by a script, and counts what it would be paid for.

    python examples/stub_model.py --port 8766 --ledger paid.txt

It speaks chat completions, whole or streamed, and heeds `Idempotency-Key`: a call that it has answered before is
answered again and costs nothing. Each paid call is a line of the ledger.
"""

import argparse
import asyncio
import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

Script = Callable[[dict[str, Any]], dict[str, Any]]


def call(name: str, /, **arguments: Any) -> dict[str, Any]:
    """A call of a tool, for the messages of a script."""
    return {"id": f"call-{name}", "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}


def demo(body: dict[str, Any]) -> dict[str, Any]:
    """Looks things up with the first tool, twice, then answers."""
    told = [each for each in body["messages"] if each["role"] == "tool"]
    tools = [each["function"]["name"] for each in body.get("tools", ())]
    if tools and len(told) < 2:
        return {"tool_calls": [call(tools[0], question=f"question {len(told) + 1}")]}
    return {"content": f"The answer follows from {len(told)} sources."}


class StubModel:
    """The endpoint. A script returns a message, or `{"status": …, "body": …}` for an answer that is none."""

    def __init__(self, script: Script = demo, *, delay_s: float = 0.0, ledger: Path | None = None) -> None:
        self._script, self._delay_s, self._ledger = script, delay_s, ledger
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.paid: list[str] = []
        """The idempotency keys that were paid for."""
        self._answered: dict[str, dict[str, Any]] = {}
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def start(self, port: int = 0) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port)

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    @property
    def url(self) -> str:
        assert self._server is not None, "it is not started"  # noqa: S101
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/v1"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
            body = json.loads(await reader.readexactly(int(headers["content-length"])))
            await self._answer(writer, headers, body)
            await writer.drain()
        writer.close()

    async def _answer(self, writer: asyncio.StreamWriter, headers: dict[str, str], body: dict[str, Any]) -> None:
        self.requests.append(body)
        self.headers.append(headers)
        key = headers.get("idempotency-key", "")
        if key not in self._answered:
            message = self._script(body)
            if "status" in message:
                extra = "".join(f"{name}: {value}\r\n" for name, value in message.get("headers", {}).items())
                raw = message["body"].encode()
                kind = message.get("type", "application/json")
                writer.write(f"HTTP/1.1 {message['status']} No\r\nContent-Type: {kind}\r\n{extra}".encode())
                writer.write(f"Content-Length: {len(raw)}\r\nConnection: close\r\n\r\n".encode() + raw)
                return
            self._answered[key] = message
            self.paid.append(key)
            if self._ledger is not None:
                with self._ledger.open("a") as file:
                    file.write(key + "\n")
        await asyncio.sleep(self._delay_s)
        usage = {"prompt_tokens": 100, "completion_tokens": 10}
        message = {"role": "assistant", "content": None} | self._answered[key]
        finish = "tool_calls" if message.get("tool_calls") else "stop"
        if not body.get("stream"):
            whole = {"model": "stub", "choices": [{"message": message, "finish_reason": finish}], "usage": usage}
            raw = json.dumps(whole).encode()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n")
            writer.write(f"Content-Length: {len(raw)}\r\n\r\n".encode() + raw)
            return
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
        for delta in _deltas(message):
            await _event(writer, {"model": "stub", "choices": [{"delta": delta, "finish_reason": None}]})
        await _event(writer, {"choices": [{"delta": {}, "finish_reason": finish}]})
        await _event(writer, {"choices": [], "usage": usage})
        writer.write(b"data: [DONE]\n\n")


async def _event(writer: asyncio.StreamWriter, chunk: dict[str, Any]) -> None:
    writer.write(b"data: " + json.dumps(chunk, ensure_ascii=False).encode() + b"\n\n")
    await writer.drain()


def _deltas(message: dict[str, Any]) -> list[dict[str, Any]]:
    """The message in pieces, as a model writes it."""
    deltas: list[dict[str, Any]] = [{"content": word} for word in (message["content"] or "").split(" ") if word]
    for number, delta in enumerate(deltas[1:], 1):
        deltas[number] = {"content": f" {delta['content']}"}
    for index, each in enumerate(message.get("tool_calls") or ()):
        half = len(each["function"]["arguments"]) // 2
        first, rest = each["function"]["arguments"][:half], each["function"]["arguments"][half:]
        name = each["function"]["name"]
        deltas.append(
            {"tool_calls": [{"index": index, "id": each["id"], "function": {"name": name, "arguments": first}}]}
        )
        deltas.append({"tool_calls": [{"index": index, "function": {"arguments": rest}}]})
    return deltas


async def main() -> None:
    parser = argparse.ArgumentParser(description="A model endpoint that answers by a script.")
    parser.add_argument("--port", type=int, default=8766)
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before each answer")
    parser.add_argument("--ledger", type=Path, help="a file that gets a line for each paid call")
    given = parser.parse_args()
    stub = StubModel(delay_s=given.delay, ledger=given.ledger)
    await stub.start(given.port)
    print(stub.url, flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
