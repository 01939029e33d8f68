"""`claw mcp` as editors start it: a process of its own, whose standard output is the protocol and nothing else."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from mcp import Client, StdioServerParameters

from clawactors.app.clusterplan import ClusterPlan
from tests.app.mcp.connecting import data, said
from tests.scenario.claw import PATIENCE_S, Claw
from tests.scenario.system import running, until

NOISY = """
import os, sys
class Noisy:
    def find_spec(self, name, path=None, target=None):
        if name.startswith(("mcp", "clawactors.app.mcp", "clawactors.runtime", "pydantic")):
            print("noise of", name)
            os.write(1, b"more noise\\n")
sys.meta_path.insert(0, Noisy())
from clawactors.app.cli.main import main
sys.exit(main(["mcp"]))
"""
HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "old", "version": "1"}},
}


def call(id: int, name: str, /, **arguments: Any) -> dict[str, Any]:
    return {
        "jsonrpc": "2.0",
        "id": id,
        "method": "tools/call",
        "params": {"name": name, "arguments": arguments},
    }


def test_standard_output_is_the_protocol_whatever_is_printed_or_sent(tmp_path: Path) -> None:
    claw = Claw(tmp_path / "data")
    lines: list[Any] = [
        HELLO,
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        "rubbish",
        "[]",
        '{"jsonrpc": "2.0", "id": 7}',
        '{"jsonrpc": "2.0", "id": null, "method": "tools/list"}',
        "\ud83d\ude00 \x00 \x1b[2J",
        call(2, "get_task", id="x" * 100_000),
        call(3, "get_task", id={"a": [1]}),
        {"jsonrpc": "2.0", "id": 4, "method": "tools/call", "params": {"name": 5}},
        {"jsonrpc": "2.0", "id": 5, "method": "nope"},
        {"jsonrpc": "2.0", "id": 8, "method": "tools/list", "params": None},
        {"jsonrpc": "2.0", "id": 9, "method": "tools/call", "params": {"name": "status", "arguments": None}},
        {"jsonrpc": "2.0", "id": 10, "method": "tools/call", "params": {"name": "status", "arguments": []}},
        call(6, "status"),
    ]
    encoded = [line if isinstance(line, str) else msgspec.json.encode(line).decode() for line in lines]
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", NOISY],
        env=claw.env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("".join(f"{line}\n" for line in encoded).encode("utf-8", "surrogatepass"))
    process.stdin.flush()
    answers: dict[Any, Any] = {}
    while 6 not in answers:
        answer = msgspec.json.decode(process.stdout.readline())
        assert answer["jsonrpc"] == "2.0"
        answers[answer.get("id")] = answer
    rest, noise = process.communicate(timeout=PATIENCE_S)
    assert (rest, process.returncode) == (b"", 0)
    assert b"noise of" in noise
    assert b"Traceback" not in noise
    assert answers[1]["result"]["serverInfo"]["name"] == "clawactors"
    assert answers[2]["result"]["isError"]
    assert answers[3]["result"]["isError"]
    assert "error" in answers[4]
    assert answers[5]["error"]["code"] == -32601
    assert len(answers[8]["result"]["tools"]) > 20
    assert "error" in answers[10]
    assert "no cluster runs on" in answers[6]["result"]["content"][0]["text"]
    assert "claw up" in answers[6]["result"]["content"][0]["text"]


def test_options_that_make_no_sense_are_refused_before_anything_is_served(tmp_path: Path) -> None:
    claw = Claw(tmp_path / "data")
    for words, told in (
        (("--tools", "taks"), "--tools has no group 'taks'"),
        (("--user", " "), "--user is empty"),
        (("--port", "0"), "not a valid port"),
        (("--wait", "soon"), "not a valid duration"),
    ):
        ended = claw.quick("mcp", *words)
        assert (ended.code, ended.out) == (2, ""), words
        assert told in ended.err


def test_without_the_sdk_one_line_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    ended = Claw(tmp_path / "data").quick("mcp")
    assert ended.code == 4
    assert "pip install 'clawactors[mcp]'" in ended.err
    assert ended.err.count("\n") == 1


def server_of(claw: Claw, *options: str) -> StdioServerParameters:
    words = claw.command("mcp", *options)
    return StdioServerParameters(command=words[0], args=words[1:], env=claw.env)


@pytest.mark.soak
@pytest.mark.nats
async def test_a_session_survives_the_server_and_the_whole_cluster(tmp_path: Path) -> None:
    async with running(tmp_path, ClusterPlan(nodes=1)) as system:
        async with Client(server_of(system.claw, "--tools", "all", "--export", "ec*"), cache=None) as agent:
            made = data(await agent.call_tool("submit_task", {"skill": "sleep", "params": {"seconds": 4, "steps": 8}}))
            system.signal("server", signal.SIGKILL)
            ended = data(await agent.call_tool("wait_task", {"id": made["id"], "wait": "60s"}))
            assert ended["status"] == "completed"
            assert data(await agent.call_tool("skill_echo", {"text": "hi"}))["result"] == "hi"
            checks = data(await agent.call_tool("doctor", {}))
            assert {check["name"] for check in checks["checks"]}
            then = data(await agent.call_tool("past_tasks", {"at": "-1s"}))
            assert then["tasks"]
            assert data(await agent.call_tool("past_status", {"at": "-1s"}))["tasks"]
        assert (await system.client.history(made["id"]))[0].by == "client/mcp"


@pytest.mark.soak
@pytest.mark.nats
async def test_a_session_goes_on_over_a_cluster_that_stops_and_starts(tmp_path: Path) -> None:
    claw = Claw(tmp_path / "data")
    async with Client(server_of(claw, "--user", "ada"), cache=None) as agent:
        assert "claw up" in said(await agent.call_tool("status", {}))
        try:
            assert claw("up", "--nodes", "1", "--detach").code == 0
            id = data(await agent.call_tool("submit_task", {"skill": "echo", "params": {"text": "hi"}}))["id"]
            assert claw("down").code == 0
            assert "unavailable" in said(await agent.call_tool("status", {}))
            assert claw("up", "--nodes", "1", "--detach").code == 0

            async def is_back() -> bool:
                return not (await agent.call_tool("wait_task", {"id": id})).is_error

            await until(is_back, "the session finds the cluster again")
            row = data(await agent.call_tool("get_task", {"id": id}))
            assert (row["status"], row["user"]) == ("completed", "ada")
        finally:
            claw("down")


@pytest.mark.soak
@pytest.mark.parametrize("closed", [("stdin",), ("stdout",), ("stdin", "stdout", "stderr")])
def test_it_does_not_outlive_its_client(tmp_path: Path, closed: tuple[str, ...]) -> None:
    """Whatever is left open of a client that has crashed, or of the wrapper that it was started by."""
    with begun(Claw(tmp_path / "data")) as process:
        for name in closed:
            getattr(process, name).close()
        if "stdin" not in closed:
            assert process.stdin is not None
            process.stdin.write(msgspec.json.encode(call(2, "status")) + b"\n")
            process.stdin.flush()
        process.wait(20)


def begun(claw: Claw) -> subprocess.Popen[bytes]:
    """A server that has answered the handshake."""
    process = subprocess.Popen(
        claw.command("mcp"), env=claw.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(msgspec.json.encode(HELLO) + b"\n")
    process.stdin.flush()
    assert process.stdout.readline()
    return process


@pytest.mark.soak
def test_a_signal_ends_it_at_once(tmp_path: Path) -> None:
    claw = Claw(tmp_path / "data")
    for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        process = begun(claw)
        os.kill(process.pid, number)
        process.communicate(timeout=10)
        assert process.returncode == code
