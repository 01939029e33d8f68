"""R-T10 on real processes: large values by reference, streams that survive lost connections and dead nodes."""

import asyncio
import hashlib
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import psutil
import pytest
import pytest_asyncio

from clawactors.app.client import Client
from clawactors.app.clusterplan import ClusterPlan
from clawactors.app.discovery import discover
from clawactors.runtime.client import TaskFailed
from clawactors.runtime.client.submitting import TaskRequest
from clawactors.systems.tasks.payload import is_reference
from clawactors.systems.tasks.submission import spec_of
from tests.scenario.system import PATIENCE_S, System, running, until

SKILLS = str(Path(__file__).with_name("speaking.py"))
SECRET = "correct-horse-battery-staple"  # noqa: S105
FIVE_MB = "0123456789abcdef" * (5 << 16)

pytestmark = [pytest.mark.nats, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def system(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    folder = tmp_path_factory.mktemp("streams")
    secrets = folder / "secrets"
    secrets.write_text(f"mail-key={SECRET}\n")
    secrets.chmod(0o600)
    async with running(folder, ClusterPlan(nodes=2, slots=4, skills=(SKILLS,), secrets=str(secrets))) as system:
        yield system


async def collect(client: Client, id: str, after: int = 0, most: int = 1 << 30) -> list[Any]:
    """Chunks until the task has ended, or so many."""
    chunks: list[Any] = []
    async with asyncio.timeout(PATIENCE_S), aclosing(client.ref(id).stream(after=after)) as stream:
        async for chunk in stream:
            chunks.append(chunk)
            if len(chunks) == most:
                break
    return chunks


async def test_five_megabytes_there_and_back(system: System, tmp_path: Path) -> None:
    params = tmp_path / "params.json"
    params.write_text(json.dumps({"text": FIVE_MB}))
    before = (await system.log.head()).size_bytes
    for _ in range(2):  # the same again is quiet
        done = await system.run_claw("submit", "echo-large", f"@{params}", "--id", "large", "--wait", "60s")
        assert done.code == 0, done.err
    row = done.answer
    assert all(is_reference(value) for value in (row["params"], row["result"], row["steps"][0]["result"]))
    assert (await system.log.head()).size_bytes - before < 20_000
    assert (await system.run_claw("task", "large", "--result")).answer == {"text": FIVE_MB}
    full = (await system.run_claw("task", "large", "--full")).answer
    assert (full["params"], full["steps"][0]["result"]) == ({"text": FIVE_MB}, FIVE_MB)
    assert await system.client.ref("large").result(5) == {"text": FIVE_MB}

    assert (await system.run_claw("submit", "nobody-has-it", "--id", "waits")).code == 0
    refused = await system.run_claw("task", "waits", "--result")
    assert (refused.code, "is pending, so it has no result" in refused.err) == (4, True)
    assert (await asyncio.to_thread(system.claw, "logs", "nobody")).code == 3

    batch = await system.client.submit_many(
        [TaskRequest(f"b{n}", spec_of("echo-large", {"text": FIVE_MB})) for n in range(4)]
    )
    assert (batch.submitted, batch.refused) == (4, ())
    await system.ended([f"b{n}" for n in range(4)])
    assert await system.client.ref("b3").result(5) == {"text": FIVE_MB}
    listed = await system.ask("tasks", fresh=True)
    assert len(json.dumps(listed)) < 20_000
    await system.replay_is_equal()


async def test_a_stream_goes_on_with_another_connection(system: System) -> None:
    await system.client.submit("counts", {"count": 1500}, id="moves")
    first = await collect(system.client, "moves", most=300)
    async with Client.of(discover(system.cluster.nats_url)) as other:
        rest = await collect(other, "moves", after=first[-1].position)
    assert [chunk.value for chunk in first + rest] == list(range(1500))
    assert [chunk.value for chunk in await collect(system.client, "moves")] == list(range(1500))


async def test_a_stream_goes_on_when_its_connection_is_lost(system: System) -> None:
    await system.client.submit("counts-in-thread", {"count": 1500}, id="cut")
    values = []
    async with asyncio.timeout(PATIENCE_S), aclosing(system.client.ref("cut").stream()) as stream:
        async for chunk in stream:
            values.append(chunk.value)
            if len(values) in (100, 700):
                transport = system.client.connection._client._transport
                assert transport is not None
                transport._io_writer.transport.abort()  # type: ignore[union-attr]
    assert values == list(range(1500))


async def test_a_node_that_dies_while_it_streams_is_followed_by_another_attempt(system: System) -> None:
    await system.client.submit("counts", {"count": 600, "pause_s": 0.003}, id="node-dies")
    chunks = []
    async with asyncio.timeout(PATIENCE_S), aclosing(system.client.ref("node-dies").stream()) as stream:
        async for chunk in stream:
            chunks.append(chunk)
            if len(chunks) == 50:
                assert system.signal(chunk.node, signal.SIGKILL)
    first = [chunk.value for chunk in chunks if chunk.attempt == 1]
    second = [chunk.value for chunk in chunks if chunk.attempt == 2]
    assert len(first) >= 50
    assert first == list(range(len(first)))
    assert second == list(range(600))
    assert [chunk.attempt for chunk in chunks] == [1] * len(first) + [2] * 600
    shown = await asyncio.to_thread(system.claw, "logs", "node-dies", "--json")
    printed = [json.loads(line)["text"] for line in shown.out.splitlines()]
    assert printed == ["attempt 1 counts to 600\n", "attempt 2 counts to 600\n"]


async def test_a_server_that_dies_while_a_task_streams_costs_output_at_most(system: System) -> None:
    await system.client.submit("counts", {"count": 1000, "pause_s": 0.003}, id="server-dies")
    values = []
    async with asyncio.timeout(PATIENCE_S), aclosing(system.client.ref("server-dies").stream()) as stream:
        async for chunk in stream:
            values.append(chunk.value)
            if len(values) == 100:
                system.signal("server", signal.SIGKILL)
    assert values == sorted(set(values))
    assert values[-1] == 999
    assert await system.client.ref("server-dies").result(PATIENCE_S) == 1000


async def test_a_secret_is_nowhere(system: System) -> None:
    await system.client.submit("leaks", id="leaks")
    with pytest.raises(TaskFailed, match=r"\*\*\* was refused"):
        await system.client.ref("leaks").result(PATIENCE_S)
    assert [chunk.value for chunk in await collect(system.client, "leaks")] == ["***"]
    shown = await asyncio.to_thread(system.claw, "logs", "leaks")
    assert shown.out.startswith("printed ***\nERROR logged ***\n")
    assert shown.out.endswith("RuntimeError: *** was refused\n"), "the traceback hides it too"
    node = (await system.client.snapshot("leaks")).state.life.node
    log = system.cluster.path / "logs" / f"{node}.log"
    await until(lambda: "logged ***" in log.read_text(), "the node's log has it hidden")
    found = [path for path in system.cluster.path.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]
    assert not found


async def test_a_flood_hurts_nobody(system: System) -> None:
    await system.online("n1", "n2")
    shell = {"argv": ["sh", "-c", "head -c 300000000 /dev/zero | tr '\\0' x"]}
    await system.client.submit("floods", {"megabytes": 200}, id="flood")
    await system.client.submit("shell", shell, id="shell")
    for number in range(20):
        assert await system.client.run("echo", {"text": str(number)}, wait_s=PATIENCE_S) == str(number)
    await system.ended(["flood", "shell"])
    for node in ("n1", "n2"):
        assert psutil.Process(system.pid(node)).memory_info().rss < 400 << 20
    result = await system.client.ref("shell").result(5)
    assert (result["exit"], result["stdout_bytes"], result["cut"]) == (0, 300_000_000, True)
    whole = await system.client.blob(result["stored"]["stdout"]["blob"])
    assert len(whole) == result["stored"]["stdout"]["bytes"] == 64 << 20
    copy = system.folder / "copy"
    named = (await system.run_claw("blob", result["stored"]["stdout"]["blob"], "--out", str(copy))).answer
    assert (named["bytes"], copy.read_bytes() == whole) == (64 << 20, True)
    assert (await system.run_claw("blob", "0" * 64)).code == 3
    shown = await asyncio.to_thread(system.claw, "logs", "flood")
    assert len(shown.out) < 9 << 20
    assert "of output were cut here]" in shown.out[-100:]


async def test_a_file_goes_in_and_another_comes_out(system: System, tmp_path: Path) -> None:
    body = os.urandom(10_000_000)
    source, folder = tmp_path / "data.bin", tmp_path / "out"
    source.write_bytes(body)
    folder.mkdir()
    done = await system.run_claw("submit", "reversed-file", "--file", f"data={source}", "--id", "f", "--wait", "60s")
    assert done.code == 0, done.err
    rows = (await system.run_claw("files", "f")).answer
    assert [(row["name"], row["bytes"], row["from"]) for row in rows] == [
        ("data.bin", len(body), "params"),
        ("turned.bin", len(body), "step"),
    ]
    got = (await system.run_claw("files", "f", "turned.bin", "-o", str(folder))).answer
    turned = await asyncio.to_thread(Path(got["path"]).read_bytes)
    assert (got["path"], turned) == (str(folder / "turned.bin"), body[::-1])
    assert hashlib.sha256(body[::-1]).hexdigest() == got["sha256"]
    assert os.listdir(folder) == ["turned.bin"]
    plain = await asyncio.to_thread(system.claw, "files", "f", "turned.bin", "-o", str(folder / "none" / "x"))
    assert (plain.code, "can't write" in plain.err) == (2, True)
    assert (await system.run_claw("files", "f", "none")).code == 3
    assert (await system.run_claw("files", "nobody")).code == 3
    for wrong in (("--file", "data=/none"), ("--file", "data"), ("--file", "../x=/etc/hosts")):
        assert (await system.run_claw("submit", "reversed-file", *wrong)).code in (2, 4)
    twice = ("--file", f"data={source}", "--file", f"data={source}")
    assert (await system.run_claw("submit", "reversed-file", *twice)).code == 2


@pytest.mark.soak
async def test_a_gigabyte_travels_in_flat_memory(system: System, tmp_path: Path) -> None:
    source, size = tmp_path / "large.bin", 1 << 30
    piece = os.urandom(1 << 20)
    with source.open("wb") as out:
        for number in range(size >> 20):
            out.write(number.to_bytes(8, "big") + piece[8:])
    own = psutil.Process()
    before = own.memory_info().rss
    file = await system.client.files.put("large.bin", source)
    peak = 0

    def watch(_: int) -> None:
        nonlocal peak
        peak = max(peak, own.memory_info().rss)

    copy = await system.client.files.download(file, tmp_path / "copy.bin", progress=watch)
    assert copy.stat().st_size == size
    assert peak - before < 150 << 20
    assert psutil.Process(system.pid("control")).memory_info().rss < 700 << 20
