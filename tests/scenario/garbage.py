"""What strangers publish by hand on subjects that the system reads: malformed, of the future, illegal, huge, forged."""

import asyncio
import itertools
import random
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal

import msgspec

from clawactors.eventlog.jetstream import Connection

type Fault = Literal["", "malformed", "future", "illegal"]

AT_ONCE = 50
BATCH = 200
LARGE = 900_000


class Message(msgspec.Struct, frozen=True):
    """One message, and what readers of the log must count it as where the server stores it."""

    subject: str
    body: bytes
    headers: bytes = b""
    kind: str = ""
    fault: Fault = ""


def commit(*events: dict[str, Any], v: Any = 1) -> bytes:
    return msgspec.json.encode({"v": v, "events": events})


def headers(*lines: bytes) -> bytes:
    return b"\r\n".join([b"NATS/1.0", *lines, b"", b""])


def nested(levels: int) -> bytes:
    return b'{"v":1,"events":[{"type":"task.completed","result":' + b"[" * levels + b"]" * levels + b"}]}"


MALFORMED = (
    b"",
    b"nonsense",
    b"null",
    b"[]",
    b"{}",
    b"\xff\xfe\x00\x80",
    b'{"v":1,"events":[',
    b'{"v":1}',
    b'{"v":"1","events":[{"type":"task.ready"}]}',
    b'{"v":0,"events":[{"type":"task.ready"}]}',
    b'{"v":1e400,"events":[{"type":"task.ready"}]}',
    b'{"v":1,"events":[{"type":"task.submitted","skill":"\\ud800"}]}',
    commit(),
    commit({}),
    commit({"type": 7}),
    commit({"type": "task.submitted"}),
    commit({"type": "task.submitted", "skill": 7}),
    commit({"type": "task.submitted", "skill": "echo", "priority": 9}),
    commit({"type": "task.scheduled", "node": "n1", "incarnation": "x", "attempt": -1, "skill": "echo"}),
    commit({"type": "task.waiting", "for": "godot"}),
    commit({"type": "step.completed", "step": ["a"]}),
    nested(600),
    nested(10_000),
    b"[" * 20_000,
    b"9" * 10_000,
)
FUTURE = (
    commit({"type": "task.teleported", "to": "mars"}),
    commit({"type": "task.submitted", "skill": "echo"}, {"type": "task.teleported"}),
    commit({"type": "task.submitted", "skill": "echo"}, v=2),
)
ILLEGAL = (  # for a task that exists and is not paused, blocked or archived
    commit({"type": "task.submitted", "skill": "echo", "params": {"text": "another"}}),
    commit({"type": "task.resumed"}),
    commit({"type": "task.unblocked"}),
    commit({"type": "task.scheduled", "node": "n1", "incarnation": "nobody", "attempt": 77, "skill": "echo"}),
)
ORPHANED = (  # for a task that does not exist
    commit({"type": "task.completed", "result": "forged"}),
    commit({"type": "step.completed", "step": "one"}),
    commit({"type": "task.cancelled"}),
)
STORED = (  # headers that the server takes
    b"",
    headers(b"Claw-Commit: forged", b"Claw-By: node/n1"),
    headers(b"Claw-Commit: a", b"Claw-Commit: b", b"Claw-By: \xff\xfe"),
    headers(b"nats-expected-last-subject-sequence: 1"),
    headers(b"NoColon"),
    headers(b"\xff: \x00"),
    headers(b"Nats-Marker-Reason: Purge", b"KV-Operation: PURGE"),
    b"NATS/1.0 503\r\n\r\n",
    headers(b"X: " + b"x" * 3000),
)
REFUSED = tuple(  # headers that the server refuses
    headers(line)
    for line in (
        b"Nats-Expected-Last-Subject-Sequence: 4294967296",
        b"Nats-Expected-Last-Subject-Sequence: soon",
        "Nats-Expected-Last-Subject-Sequence: ²".encode(),
        b"Nats-Expected-Stream: OTHER",
        b"Nats-Rollup: all",
        b"Nats-Rollup: sub",
        b"Nats-TTL: 1s",
        b"Nats-Incr: 5",
        b"Nats-Schedule: @every 1s",
        b"Nats-Batch-Id: forged",
        b"Nats-Batch-Id: forged\r\nNats-Batch-Sequence: 7",
    )
)
NOT_QUESTIONS = (
    b"nonsense",
    b"[]",
    b"7",
    b"\xff",
    b'{"id":"\xff"}',
    b'{"id":7,"limit":"many"}',
    b'{"limit":-1,"nope":1}',
    b'{"cursor":"forged","limit":0}',
    b"[" * 20_000,
    b'{"id":' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    b"x" * 50_000,
)


class Garbage:
    """Makes it, by a seed, for the tasks and nodes of a running cluster."""

    def __init__(self, seed: int, tasks: Sequence[str], nodes: Sequence[str]) -> None:
        self._seed, self._chance, self._tasks, self._nodes = seed, random.Random(seed), tasks, nodes
        self._fresh = 0

    def shuffled(self, messages: Iterable[Message]) -> list[Message]:
        """All of them in another order."""
        together = list(messages)
        self._chance.shuffle(together)
        return together

    def on_the_log(self, count: int, large: int = 4) -> Iterator[Message]:
        """On logs of running tasks and of none, addressed to nodes and not, on subjects of the wrong shape."""
        for number in range(count):
            if number % (count // large) == 7:
                yield self._message("task", self._task(), b"x" * LARGE, "malformed")
            elif (roll := self._chance.random()) < 0.45:
                yield self._message("task", self._task(), self._chance.choice(MALFORMED), "malformed")
            elif roll < 0.6:
                yield self._message("task", self._task(), self._chance.choice(ILLEGAL), "illegal")
            elif roll < 0.7:
                yield self._message("task", self._nobody(), self._chance.choice(ORPHANED), "illegal")
            elif roll < 0.8:
                yield self._message("task", self._nobody(), self._chance.choice(FUTURE), "future")
            elif roll < 0.85:
                yield self._message("node", self._nobody(), commit({"type": "node.flies"}), "future")
            elif roll < 0.92:
                body = self._chance.choice(
                    (
                        commit({"type": "node.left", "incarnation": "forged"}),
                        commit({"type": "node.joined", "incarnation": ""}),
                    )
                )
                yield self._message("node", self._chance.choice(self._nodes), body, "illegal")
            else:
                yield self._of_wrong_shape()

    def _message(self, kind: str, id: str, body: bytes, fault: Fault) -> Message:
        to = f"to.{self._chance.choice(self._nodes)}" if kind == "task" and self._chance.random() < 0.3 else "log"
        roll = self._chance.random()
        lines = b"" if roll < 0.7 else self._chance.choice(STORED) if roll < 0.9 else self._chance.choice(REFUSED)
        return Message(f"claw.{kind}.{id}.{to}", body, lines, kind, fault)

    def _of_wrong_shape(self) -> Message:
        tail = self._chance.choice((".log", ".to.n1", ".to.n1.more", ""))
        id = self._chance.choice(("\u00e9", "x" * 129, "x" * 2000, "a%20b", "*", ">", "$"))
        body = self._chance.choice(
            (MALFORMED[1], commit({"type": "task.submitted", "skill": "echo", "params": {"text": "x"}}))
        )
        return Message(f"claw.task.{id}{tail}", body, b"", "task", "malformed")

    def beside_the_log(self, count: int, incarnations: dict[str, str]) -> Iterator[Message]:
        """On questions, probes, commands, live records and leases."""
        for number in range(count):
            body = self._chance.choice(MALFORMED)
            match number % 5:
                case 0:
                    name = self._chance.choice(("tasks", "task", "why", "nodes", "node", "status", "pending", "faults"))
                    yield Message(f"claw.query.{name}", self._chance.choice(NOT_QUESTIONS))
                case 1:
                    yield Message(f"claw.live.{self._chance.choice(self._nodes)}", body)
                case 2:
                    yield Message(f"claw.cmd.{self._chance.choice(('task', 'node', 'x'))}.{self._task()}", body)
                case 3:
                    lines = self._chance.choice((b"Nats-Sequence: soon", b"Nats-Time-Stamp: noon", b"Nats-Subject: x"))
                    forged = self._chance.choice((body, ORPHANED[0]))
                    yield Message(f"live.claw.task.{self._task()}.log", forged, headers(lines))
                case _:
                    id, incarnation = self._chance.choice(list(incarnations.items()))
                    key = self._chance.choice(("leader", f"node.{id}.{incarnation}", f"node.{id}.forged", f"k{number}"))
                    lines = self._chance.choice(
                        (b"KV-Operation: DEL", b"Nats-TTL: never", b"Nats-Rollup: sub", b"X: y")
                    )
                    yield Message(f"$KV.claw-live.{key}", body, headers(lines))

    def commands(self, count: int) -> Iterator[Message]:
        """To tasks that run, as another program may publish them."""
        for _ in range(count):
            yield Message(f"claw.cmd.task.{self._task()}", self._chance.choice(MALFORMED))

    def _task(self) -> str:
        return self._chance.choice(self._tasks)

    def _nobody(self) -> str:
        self._fresh += 1
        return f"nobody-{self._seed}-{self._fresh}"


def valid(messages: Sequence[Message], fresh: str) -> Iterator[Message]:
    """A valid message for each, on the same subject where that can be, and no smaller: a signal, else a whole task.

    Tasks that nobody has submitted get ids that begin with `fresh`.
    """
    for number, message in enumerate(messages):
        size = len(message.body)
        if message.subject.startswith("claw.cmd."):
            yield Message(message.subject, _padded({"type": "task.signal"} | _SIGNAL, "payload", size))
        elif _is_to_a_task(message):
            event = _padded({"type": "task.signalled"} | _SIGNAL, "payload", size - _AROUND)
            yield Message(message.subject, _commit_of(event))
        else:
            submitted = _padded({"type": "task.submitted", "skill": "nobody-offers"}, "params", size - _AROUND_TASK)
            yield Message(f"claw.task.{fresh}-{number}.log", _commit_of(submitted, *_CANCELLED))


_SIGNAL = {"name": "unasked"}
_CANCELLED = (b'{"type":"task.cancel_requested"}', b'{"type":"task.cancelled"}')
_AROUND = len(commit())
_AROUND_TASK = _AROUND + sum(map(len, _CANCELLED)) + len(_CANCELLED)


def _is_to_a_task(message: Message) -> bool:
    """True where a task has that subject: the huge ones go elsewhere, no task keeps such a signal."""
    known = re.fullmatch(r"claw\.task\.(?!nobody)[\w-]{1,64}\.(log|to\.\w+)", message.subject, re.ASCII)
    return known is not None and len(message.body) < LARGE


def _commit_of(*events: bytes) -> bytes:
    return b'{"v":1,"events":[%b]}' % b",".join(events)


def _padded(fields: dict[str, Any], name: str, size: int) -> bytes:
    """The fields as JSON of that size, if they are not larger."""
    empty = msgspec.json.encode(fields | {name: {"x": ""}})
    return msgspec.json.encode(fields | {name: {"x": "x" * (size - len(empty))}}) if size > len(empty) else empty


async def publish(connection: Connection, messages: Sequence[Message]) -> Counter[tuple[str, str]]:
    """Publishes them one by one, some at once; how many of each sort were stored, by kind and fault."""
    stored: Counter[tuple[str, str]] = Counter()

    async def one(message: Message) -> None:
        if message.subject.startswith(("live.", "claw.live.")):  # nodes answer control alone
            connection.publish_now(message.subject.encode(), message.body, message.headers)
            return
        _, answer = await connection.ask(message.subject, message.body, message.headers, timeout_s=30)
        if _is_stored(answer):
            stored[message.kind, message.fault] += 1

    for some in itertools.batched(messages, AT_ONCE):
        await asyncio.gather(*map(one, some))
    return stored


async def publish_batches(connection: Connection, messages: Sequence[Message]) -> Counter[tuple[str, str]]:
    """Publishes them in batches, as fast as the server takes them; their headers are left out."""
    stored: Counter[tuple[str, str]] = Counter()
    for number, some in enumerate(itertools.batched(messages, BATCH)):
        for place, message in enumerate(some, 1):
            lines = headers(b"Nats-Batch-Id: flood-%d" % number, b"Nats-Batch-Sequence: %d" % place)
            if place < len(some):
                connection.publish_now(message.subject.encode(), message.body, lines)
                continue
            _, answer = await connection.ask(
                message.subject, message.body, lines[:-2] + b"Nats-Batch-Commit: 1\r\n\r\n", 30
            )
            assert _is_stored(answer), answer
        stored.update((message.kind, message.fault) for message in some)
    return stored


def _is_stored(answer: bytes) -> bool:
    return b'"seq":' in answer and b'"error"' not in answer
