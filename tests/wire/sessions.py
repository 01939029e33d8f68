"""Recorded sessions: what a client of a release asked, byte by byte, and what it was answered.

`python -m tests.wire.sessions` records those of `SESSIONS` that are not there yet. What is recorded is never rewritten:
it stands for clients of that release, in any language, during an upgrade.
"""

import asyncio
import base64
import contextlib
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import msgspec

from clawactors import Refused, Retry, Task, TaskRequest, skill, spec_of
from clawactors.eventlog.requests import Asking
from clawactors.runtime.client import ClusterClient
from clawactors.testing import Cluster

__all__ = ["SESSIONS", "SESSIONS_DIR", "SKILLS", "Exchange", "cluster", "read_session"]

SESSIONS_DIR: Final = Path(__file__).parent / "sessions"
_ROOT: Final = Path(__file__).parents[2]
_START: Final = "2026-05-01T09:00:00Z"


class Exchange(msgspec.Struct):
    """One request and its answer; bodies are text, or base64 where they are not."""

    subject: str
    request: str
    answer: str

    @staticmethod
    def text(body: bytes) -> str:
        """A body as it stands in a recording."""
        try:
            return body.decode()
        except UnicodeDecodeError:
            return "base64:" + base64.b64encode(body).decode()

    @staticmethod
    def body(text: str) -> bytes:
        """The body again."""
        return base64.b64decode(text[7:]) if text.startswith("base64:") else text.encode()


class _Tap(Asking):
    def __init__(self, requests: Asking, settle: Callable[[], Awaitable[None]]) -> None:
        self._requests, self._settle, self.exchanges = requests, settle, list[Exchange]()

    async def request(self, subject: str, body: bytes, timeout_s: float) -> bytes:
        """See `Asking`."""
        await self._settle()
        answer = await self._requests.request(subject, body, timeout_s)
        self.exchanges.append(Exchange(subject, Exchange.text(body), Exchange.text(answer)))
        return answer

    async def subscribe(self, pattern: str, on_message: Callable[[str, bytes], None]) -> Callable[[], None]:
        """See `Asking`."""
        return await self._requests.subscribe(pattern, on_message)


@skill("count")
async def count(task: Task, up_to: int) -> int:
    for n in range(up_to):
        await task.step(f"s{n}", str, n)
    return up_to


@skill("boom", retry=Retry(max_retries=0))
async def boom(task: Task) -> None:
    raise ValueError("it broke")


@skill("gate")
async def gate(task: Task) -> Any:
    return await task.signal("go")


@skill("asks")
async def asks(task: Task) -> bool:
    return bool(await task.approve("may it?", name="go"))


SKILLS: Final = (count, boom, gate, asks)


def cluster() -> Cluster:
    """The cluster in which sessions take place."""
    return Cluster(SKILLS, nodes=1, seed=1, start=_START)


async def _tasks(claw: ClusterClient, settle: Callable[[], Awaitable[None]]) -> None:
    await claw.submit("count", {"up_to": 3}, id="a", user="ada", tags=["x"], priority="high")
    await claw.submit("boom", id="b")
    await claw.submit("gate", id="c")
    await claw.submit_many(
        [
            TaskRequest("d", spec_of("count", {"up_to": 1})),
            TaskRequest("e", spec_of("count", {"up_to": 1}, after=["c"])),
        ]
    )
    await settle()
    await claw.signal("c", "go", {"n": 1})
    await settle()
    await claw.retry("b")
    await settle()
    await claw.submit("asks", id="f")
    await settle()
    await claw.approvals()
    await claw.approve("f", "go")
    await settle()
    await claw.submit("gate", id="g")
    await settle()
    await claw.pause("g")
    await claw.resume("g")
    await settle()
    await claw.cancel("g")
    await settle()
    await claw.submit("count", {"up_to": 1}, id="h", delay_s=3600)
    await claw.edit("h", priority="low")
    await claw.delete("h")
    with contextlib.suppress(Refused):
        await claw.submit("count", {"up_to": 4}, id="a")
    await settle()


async def _looking(claw: ClusterClient, settle: Callable[[], Awaitable[None]]) -> None:
    await _tasks(claw, settle)
    await claw.tasks(fresh=True)
    await claw.tasks(status=["completed"], skill="count", user="ada", tag="x", limit=1)
    await claw.pending()
    await claw.task("a")
    await claw.history("a")
    await claw.why("b")
    await claw.task_tree("a")
    await claw.nodes()
    await claw.node("n1")
    await claw.skills_known()
    await claw.status()
    await claw.statistics()
    await claw.ids("a")


async def _schedules(claw: ClusterClient, settle: Callable[[], Awaitable[None]]) -> None:
    await claw.schedules.add("daily", "0 9 * * *", "count", {"up_to": 1})
    await claw.schedules.list()
    await claw.schedules.pause("daily")
    await claw.schedules.resume("daily")
    await claw.schedules.remove("daily")
    await claw.triggers.add("after", ["task.completed"], submit="count", params={"up_to": 1})
    await claw.triggers.list()
    await claw.triggers.remove("after")
    await claw.cordon("n1")
    await claw.uncordon("n1")
    await claw.set_node("n1", slots=7)
    await settle()


SESSIONS: Final = {"tasks": _tasks, "looking": _looking, "schedules": _schedules}


def read_session(name: str) -> list[Exchange]:
    """What was recorded."""
    return msgspec.json.decode((SESSIONS_DIR / f"{name}.json").read_bytes(), type=list[Exchange])


async def _record(session: Callable[..., Awaitable[None]]) -> list[Exchange]:
    async with cluster() as running:
        tap = _Tap(running.client.requests, running.settle)
        client = ClusterClient(running.client.process, tap, user="")
        running._clients.append(client)
        await session(client, running.settle)
        return tap.exchanges


if __name__ == "__main__":
    SESSIONS_DIR.mkdir(exist_ok=True)
    for name, session in SESSIONS.items():
        path = SESSIONS_DIR / f"{name}.json"
        if not path.exists():
            told = msgspec.json.format(msgspec.json.encode(asyncio.run(_record(session))), indent=1).decode()
            told = told.replace(str(_ROOT), "/app").replace(f'\\"{socket.gethostname()}\\"', '\\"host\\"')
            path.write_text(told + "\n")
            print(path)
