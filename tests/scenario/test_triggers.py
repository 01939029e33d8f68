"""Triggers on real processes: the leader is killed in the middle, receivers fail and hang, and the page is right."""

import asyncio
import re
import shlex
import signal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from clawactors.app.clusterplan import ClusterPlan
from tests.scenario.system import ROOT, SKILLS, System, running, until

pytestmark = pytest.mark.nats

EVENTS = 1000
PATIENCE_S = 60.0
PAGE = Path(ROOT, "docs", "triggers.md").read_text("utf-8")


class Receivers:
    """Two addresses: one answers 500 to the first messages and then 204, one never answers."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.hanging = 0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        if head.startswith("post /hangs "):
            self.hanging += 1
            await reader.read()  # until the sender gives up
        else:
            size = re.search(r"content-length: (\d+)", head)
            assert size is not None
            self.ids.append(msgspec.json.decode(await reader.readexactly(int(size[1])))["id"])
            writer.write(
                b"HTTP/1.1 500 x\r\nRetry-After: 0\r\n\r\n" if len(self.ids) < 3 else b"HTTP/1.1 204 x\r\n\r\n"
            )
            await writer.drain()
        writer.close()


async def fired(system: System, name: str) -> int:
    return (await system.client.triggers.get(name)).fired


async def test_each_of_many_events_makes_one_task_though_the_leader_is_killed_and_a_receiver_hangs(
    tmp_path: Path,
) -> None:
    receivers = Receivers()
    server = await asyncio.start_server(receivers.answer, "127.0.0.1", 0)
    address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, running(tmp_path, ClusterPlan(nodes=1, slots=8, skills=(SKILLS,))) as system:
        triggers = system.client.triggers
        where = 'task.skill == "no-op" && !has(task.metadata.triggers)'
        await triggers.add(
            "each",
            on="task.submitted",
            where=where,
            submit="no-op",
            params={"trace": "${task.params.trace}"},
            rate=2000,
        )
        await triggers.add("hangs", on="task.submitted", where=where, webhook=f"{address}/hangs")
        await triggers.add("hook", on="task.submitted", where='task.id == "t7"', webhook=f"{address}/hook")
        ids = await system.submit(EVENTS, "no-op")

        async def begun() -> bool:
            return len(await system.client.ids("each-", limit=EVENTS)) > 100

        await until(begun, "some are made")
        system.signal("control", signal.SIGKILL)

        async def all_fired() -> bool:
            return await fired(system, "each") >= EVENTS

        await until(all_fired, "all are worked off", PATIENCE_S)
        made = [row.id async for row in system.client.each_task(skill="no-op") if row.id.startswith("each-")]
        assert (len(made), await fired(system, "each")) == (EVENTS, EVENTS)
        await system.ended([*ids, *made], PATIENCE_S)

        async def hooked() -> bool:
            return await fired(system, "hook") == 1

        await until(hooked, "the webhook is taken", PATIENCE_S)
        assert len({*receivers.ids}) == 1
        assert await fired(system, "hangs") == 0
        assert receivers.hanging >= 1
        await system.replay_is_equal()


async def test_the_page_says_what_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(tmp_path, ClusterPlan(nodes=1, skills=(SKILLS,))) as system:
        block = PAGE.partition("```bash\n")[2].partition("```")[0].replace("\\\n", " ")
        commands = [shlex.split(line)[1:] for line in block.splitlines() if line.startswith("claw ")]
        assert len(commands) == 4
        for command in commands:
            ran = await system.run_claw(*command)
            assert ran.code == 0, ran
        await system.client.triggers.remove("index")
        monkeypatch.setenv("CLAW_DATA", str(system.cluster.path))
        source = PAGE.partition("```python\n")[2].partition("```")[0].replace("asyncio.run(main())", "")
        names: dict[str, Any] = {}
        exec(compile(source, "docs/triggers.md", "exec"), names)  # noqa: S102 - our own page
        await names["main"]()
        assert [row.name for row in await system.client.triggers.list()] == ["feed", "index", "page-me"]
