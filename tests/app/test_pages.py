"""What README and docs tell people to type works: blocks of shell and Python, requests, and every command they name."""

import asyncio
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import aclosing
from pathlib import Path

import msgspec
import pytest

from clawactors.app.cli.catalogue import COMMANDS
from clawactors.app.clusterplan import ClusterPlan
from clawactors.kinds import KINDS
from clawactors.runtime.asking import AskReply, AskRequest
from tests.scenario.claw import PATIENCE_S, ROOT, Claw
from tests.scenario.system import running
from tests.servers import NatsServer

pytestmark = pytest.mark.nats

PAGES = {
    path.name: path.read_text(encoding="utf-8") for path in (*Path(ROOT).glob("*.md"), *Path(ROOT, "docs").glob("*.md"))
}
LONG = ("demo",)
"""What has tests of its own."""


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGES[page], re.DOTALL)


def lines(page: str) -> Iterator[list[str]]:
    """The arguments of every claw command in the shell blocks of a page, in order."""
    for block in blocks(page, "sh"):
        for line in block.splitlines():
            words = shlex.split(line, comments=True)
            if words and words[0].rpartition("/")[2] == "claw" and words[1] not in LONG:
                yield words[1:]


def test_the_skill_of_the_readme_runs_as_it_says(tmp_path: Path) -> None:
    skill, script = blocks("README.md", "python")

    def here(text: str) -> str:
        return text.replace("/tmp/", f"{tmp_path}/")  # noqa: S108

    (tmp_path / "greet.py").write_text(skill)
    (tmp_path / "script.py").write_text(here(script))
    claw = Claw(tmp_path / "data")
    try:
        for words in lines("README.md"):
            if words == ["down"]:
                said = subprocess.run(
                    [sys.executable, "script.py"],
                    cwd=tmp_path,
                    env=claw.env,
                    capture_output=True,
                    text=True,
                    timeout=PATIENCE_S,
                    check=False,
                )
                assert (said.returncode, said.stdout, said.stderr) == (0, "Ada Lovelace\n", "")
            ended = claw(*map(here, words))
            assert (ended.code, ended.err) == (0, ""), words
    finally:
        claw("down")
    assert (tmp_path / "greetings").read_text() == "Hello, Ada Lovelace!\n" * 2


def test_a_server_of_ones_own_is_used_as_operations_say(own_server: Callable[..., NatsServer], tmp_path: Path) -> None:
    server = own_server("authorization { user: user, password: password }")
    (tmp_path / "train.py").write_text(blocks("README.md", "python")[0])
    claw, started = Claw(tmp_path / "data"), []
    try:
        for words in (each for each in lines("operations.md") if "server:4222" in " ".join(each)):
            process = claw.start(*(word.replace("server:4222", f"127.0.0.1:{server.port}") for word in words), "--json")
            started.append(process)
            assert process.stdout is not None
            assert msgspec.json.decode(process.stdout.readline())["ready"] is True, words
        nodes = claw("--nats", server.url("user", "password"), "nodes", "--json").answer
        box = next(node for node in nodes if node["id"] == "gpu-box")
        assert (box["slots"], box["affinity"], "greet" in box["skills"]) == (2, {"gpu": "a100"}, True)
    finally:
        for process in reversed(started):
            process.terminate()
            process.communicate(timeout=PATIENCE_S)
    assert len(started) == 2


async def test_appends_commands_and_questions_of_the_page_on_events_are_heeded(tmp_path: Path) -> None:
    append, commands, output, question = blocks("events.md", "")
    subject, headers, body = re.match(r"subject  (\S+)\nheaders(.*)\nbody +(.*)", append, re.DOTALL).groups()
    named = re.findall(r"(\S+: \S+)", headers)
    assert len(named) == 4
    _, _, asked, what = shlex.split(question)
    async with running(tmp_path, ClusterPlan(nodes=1)) as system:
        connection = system.client.connection
        raw = "\r\n".join(["NATS/1.0", *named, "", ""]).encode()
        _, answer = await connection.ask(subject, body.encode(), raw)
        assert "seq" in msgspec.json.decode(answer), answer
        async with asyncio.timeout(PATIENCE_S):
            assert await system.client.ref("hello-1").result() == "hi"
        task = await system.client.submit("nobody-has-it", id="T1")
        for line in commands.splitlines():
            _, _, to, command = shlex.split(line)
            await connection.ask(to, command.encode())
        await system.ended([task.id])
        state = (await task.snapshot()).state
        assert (state.life.status, [entry.name for entry in state.journal]) == ("cancelled", ["signal:approve"])
        _, answer = await connection.ask(asked, what.encode())
        assert set(msgspec.json.decode(answer)) == {"rows", "cursor", "position"}

        subject, headers, body = re.match(r"subject  (\S+)\nheaders  (.*)\nbody +(.*)", output).groups()
        await connection.ask(subject, body.encode(), f"NATS/1.0\r\n{headers}\r\n\r\n".encode())
        await system.client.submit("nobody-has-it", id="t-1")
        async with aclosing(system.client.ref("t-1").stream(live=False)) as chunks:
            assert [chunk.value async for chunk in chunks] == ["The ", "log "]


def test_the_request_of_the_page_on_events_is_read_as_it_says() -> None:
    asked, answered = (
        line.strip() for line in PAGES["events.md"].splitlines() if line.startswith(('    {"deadline', '    {"now_ns'))
    )
    request = msgspec.json.decode(asked, type=AskRequest)
    (command,) = request.commands
    assert KINDS["task"].read_command(bytes(command.command), "client/ada", 0, trusted=False).id == "form-17"
    (outcome,) = msgspec.json.decode(answered, type=AskReply).outcomes
    assert (outcome.version, outcome.changed) == (4711, True)


NAMED = sorted(
    {
        tuple(shlex.split(found))
        for text in PAGES.values()
        for found in re.findall(r"`(?:bin/)?claw (?!=)([^`]+)`", text)
    }
)


def test_every_command_that_a_page_names_exists_with_its_options(tmp_path: Path) -> None:
    claw = Claw(tmp_path / "data")
    assert len(NAMED) > 10
    for command, rest in [(each, rest) for named, *rest in NAMED for each in named.split("|")]:
        if command.startswith("-") or command.isupper():  # a global option, or any command
            continue
        assert command in COMMANDS, command
        options = {word.partition("=")[0] for word in rest if word.startswith("--")}
        told = claw.quick(command, "--help").out
        assert all(option in told for option in options), (command, options)
