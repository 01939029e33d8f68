"""A nats-server of one stream as a model: the guard, atomic batches, and faults at will, without a socket."""

import asyncio
import base64
import json
from collections.abc import Callable, Iterator
from typing import Any, Literal

from clawactors.eventlog import NoResponders, PermissionDenied, Unavailable
from clawactors.eventlog.jetstream.wire.contexts import Address
from clawactors.eventlog.jetstream.wire.parser import OnMessage

type Event = Literal[
    "ok", "lose ack", "lose message", "busy", "no stream", "cut before", "cut after", "late", "not taken"
]
"""What happens to one message or batch on its way."""


class Message:
    """One HPUB as the server reads it."""

    def __init__(self, subject: str, reply: str, headers: bytes, body: bytes) -> None:
        self.subject, self.reply, self.headers, self.body = subject, reply, headers, body
        lines = headers.decode().split("\r\n")[1:]
        self.fields = dict(line.split(": ", 1) for line in lines if line)


class ModelConnection:
    """Stands in for `Connection`: what is written to it is stored under the guard, or meets the next event."""

    def __init__(self, events: Iterator[Event] | None = None) -> None:
        self.events = events or iter(())
        self.stored: list[Message] = []
        self.rounds: list[list[Message]] = []
        self.denied: set[str] = set()
        self.refuse: Callable[[list[Message]], tuple[int, int, str] | None] = lambda _: None
        self.on_lost: list[Callable[[], None]] = []
        self.on_back: list[Callable[[], None]] = []
        self.on_denied: list[Callable[[PermissionDenied], None]] = []
        self.address = Address()
        self.max_payload = 1 << 20
        self.online, self.is_closed = True, False
        self.asked = 0
        self._loop = asyncio.get_running_loop()
        self._replies: dict[str, OnMessage] = {}

    def new_inbox(self) -> str:
        return "_INBOX.model"

    def expect(self, on_answer: OnMessage) -> str:
        reply = f"_INBOX.model.{len(self._replies)}"
        self._replies[reply] = on_answer
        return reply

    def heard(self) -> None:
        pass

    def missed(self) -> None:
        pass

    def forget(self, reply: str) -> None:
        self._replies[reply] = lambda *_: None

    # The server

    def write(self, frames: bytes) -> bool:
        if not self.online:
            return False
        messages = list(_messages(frames))
        batches: dict[str, list[Message]] = {}
        for message in messages:
            batches.setdefault(message.fields.get("Nats-Batch-Id", f"single {id(message)}"), []).append(message)
        for batch in batches.values():
            event = next(self.events, "ok")
            if event == "not taken":
                self.online = False
                self._cut()
                return False
            self.rounds.append(batch)
            self._receive(batch, event)
        return True

    def _receive(self, batch: list[Message], event: Event) -> None:
        forbidden = [message for message in batch if message.subject in self.denied]
        for message in forbidden:
            error = PermissionDenied(message.subject)
            for on_denied in self.on_denied:
                self._loop.call_soon(on_denied, error)
        last = batch[-1]
        if event == "cut before":
            self._cut()
        elif event == "no stream":
            self._answer(last, b"NATS/1.0 503\r\n\r\n", b"")
        elif event == "busy":
            self._refuse(last, 400, 10210 if len(batch) > 1 else 10164, "busy")
        elif forbidden:
            if len(batch) > 1 and last not in forbidden:
                self._refuse(last, 400, 10176, "atomic publish batch is incomplete")
        elif event != "lose message":
            refusal = self.refuse(batch) or self._guard(batch)
            if refusal is not None:
                if event != "lose ack":
                    self._refuse(last, *refusal)
            else:
                self.stored += batch
                if event != "lose ack" and event != "cut after":
                    ack = {"stream": "E", "seq": len(self.stored)}
                    if len(batch) > 1:
                        ack |= {"count": len(batch)}
                    self._answer(last, b"", json.dumps(ack).encode(), 0.02 if event == "late" else 0)
            if event == "cut after":
                self._cut()

    def _guard(self, batch: list[Message]) -> tuple[int, int, str] | None:
        for message in batch:
            expected = int(message.fields["Nats-Expected-Last-Subject-Sequence"])
            last = self.last(message.fields["Nats-Expected-Last-Subject-Sequence-Subject"])
            if last != expected:
                return 400, 10071, f"wrong last sequence: {last}"
        return None

    def last(self, pattern: str, after: int = 0, first: bool = False) -> int:
        prefix = pattern.removesuffix(">")
        found = [n for n, each in enumerate(self.stored, 1) if each.subject.startswith(prefix) and n > after]
        return (found[0] if first else found[-1]) if found else 0

    def _refuse(self, message: Message, code: int, err_code: int, text: str) -> None:
        error = {"error": {"code": code, "err_code": err_code, "description": text}, "stream": "E", "seq": 0}
        self._answer(message, b"", json.dumps(error).encode())

    def _answer(self, message: Message, headers: bytes, body: bytes, delay_s: float = 0) -> None:
        self._loop.call_later(delay_s, lambda: self.online and self._replies[message.reply](b"", b"", headers, body))

    def _cut(self) -> None:
        def lose() -> None:
            self.online = False
            for on_lost in self.on_lost:
                on_lost()
            self._loop.call_later(0.001, back)

        def back() -> None:
            self.online = True
            for on_back in self.on_back:
                on_back()

        self._loop.call_soon(lose)

    async def ask(
        self, subject: str, body: bytes = b"", headers: bytes = b"", timeout_s: float = 5
    ) -> tuple[bytes, bytes]:
        """Answers `STREAM.MSG.GET` as the leader would."""
        self.asked += 1
        await asyncio.sleep(0)
        event = next(self.events, "ok")
        if not self.online or event in ("lose ack", "lose message", "cut before", "cut after", "not taken"):
            raise Unavailable("lost")
        if event == "no stream":
            raise NoResponders("nobody")
        question: dict[str, Any] = json.loads(body)
        if "last_by_subj" in question:
            seq = self.last(question["last_by_subj"])
        elif "next_by_subj" in question:
            seq = self.last(question["next_by_subj"], question["seq"] - 1, first=True)
        else:
            seq = question["seq"] if question["seq"] <= len(self.stored) else 0
        if not seq:
            return b"", b'{"error":{"code":404,"err_code":10037,"description":"no message found"}}'
        found = self.stored[seq - 1]
        message = {"subject": found.subject, "seq": seq, "hdrs": base64.b64encode(found.headers).decode()}
        return b"", json.dumps({"message": message}).encode()


def _messages(frames: bytes) -> Iterator[Message]:
    position = 0
    while position < len(frames):
        end = frames.index(b"\r\n", position)
        parts = frames[position:end].decode().split()
        assert parts[0] == "HPUB"
        split, stop = end + 2 + int(parts[-2]), end + 2 + int(parts[-1])
        assert frames[stop : stop + 2] == b"\r\n"
        yield Message(parts[1], parts[2] if len(parts) == 5 else "", frames[end + 2 : split], frames[split:stop])
        position = stop + 2
