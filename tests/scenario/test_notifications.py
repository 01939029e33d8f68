"""Notifications and the chat bridge on real processes: the page is right, mail arrives, a killed bridge goes on."""

import asyncio
import contextlib
import os
import shlex
import signal
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP

from clawactors.app.cli.main import main
from clawactors.app.clusterplan import ClusterPlan
from clawactors.app.datafolder import DataFolder
from tests.app.chat.faketelegram import TOKEN, FakeTelegram
from tests.scenario.system import ROOT, SKILLS, System, running, until

pytestmark = pytest.mark.nats

PAGE = Path(ROOT, "docs", "notifications.md").read_text("utf-8")


class Mails:
    """Keeps what it gets."""

    def __init__(self) -> None:
        self.got: list[EmailMessage] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - its name
        self.got.append(message_from_bytes(envelope.content, policy=policy.default))  # type: ignore[arg-type]
        return "250 OK"


@contextlib.asynccontextmanager
async def mailed(system: System) -> AsyncIterator[Mails]:
    mails = Mails()
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(mails), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    settings = f'[smtp]\nhost = "127.0.0.1"\nport = {port}\nsender = "claw@example.org"\n'
    (system.cluster.path / "notify.toml").write_text(settings)
    async with server:
        yield mails


async def test_the_page_says_what_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(tmp_path, ClusterPlan(nodes=1, skills=(SKILLS,))) as system, mailed(system) as mails:
        blocks = [part.partition("```")[0].replace("\\\n", " ") for part in PAGE.split("```bash\n")[1:]]
        commands = [shlex.split(line)[1:] for block in blocks for line in block.splitlines() if line]
        assert len(commands) == 7
        for command in commands:
            assert await asyncio.to_thread(main, ["--data", str(system.cluster.path), *command]) == 0
        [test] = mails.got
        assert (test["Subject"], test["To"]) == ("[claw] test of ops", "ops@example.org")
        monkeypatch.setenv("CLAW_DATA", str(system.cluster.path))
        source = PAGE.partition("```python\n")[2].partition("```")[0].replace("asyncio.run(main())", "")
        names: dict[str, Any] = {}
        exec(compile(source, "docs/notifications.md", "exec"), names)  # noqa: S102 - our own page
        await names["main"]()
        assert [row.name for row in await system.client.notifications.list()] == ["deaths", "me", "ops"]


@pytest.mark.soak
async def test_a_cluster_runs_its_bridge_and_starts_it_again(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text(TOKEN)
    token.chmod(0o600)
    async with FakeTelegram().serving() as at:
        data = tmp_path / "c" / "data"
        DataFolder.claim(data).release()
        (data / "notify.toml").write_text(f'[telegram]\nurl = "{at.url}"\n')
        plan = ClusterPlan(nodes=1, skills=(SKILLS,), chat=str(token))
        async with running(tmp_path / "c", plan) as system:
            await system.client.bridges.allow("telegram", "7", user="ada")
            os.kill(system.cluster.run.pids.chat, signal.SIGKILL)
            await at.say("status")
            await until(lambda: _said(at, 1), "it answers", 30)
            assert "Nodes: 1" in at.texts[0]


async def _said(at: FakeTelegram, count: int) -> bool:
    return len(at.texts) >= count


@pytest.mark.soak
async def test_a_bridge_that_is_killed_again_and_again_answers_all_and_nothing_twice(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text(TOKEN)
    token.chmod(0o600)
    async with (
        running(tmp_path / "c", ClusterPlan(nodes=1, skills=(SKILLS,))) as system,
        FakeTelegram().serving() as at,
    ):
        await system.client.bridges.allow("telegram", "7", user="ada", skills="*")

        async def begin() -> Process:
            command = system.claw.command("chat", "run", "telegram", "--token-file", str(token), "--api", at.url)
            return await asyncio.create_subprocess_exec(*command, env=system.claw.env)

        process = await begin()
        for round in range(20):
            await at.say(f'submit no-op {{"trace": "{tmp_path}/{round}"}}')
            await asyncio.sleep(0.3 + 0.05 * round)
            process.send_signal(signal.SIGKILL)
            await process.wait()
            process = await begin()
        await at.say("help")

        async def helped() -> bool:
            return any(text.startswith("status:") for text in at.texts)

        await until(helped, "the last is answered")
        process.terminate()
        await process.wait()
        made = await system.client.ids("chat-", fresh=True)
        assert len(made) == 20
        assert len(at.texts) == len(set(at.texts))
        assert len(at.texts) >= 20, "an answer may be lost in the very moment in which it went out"
