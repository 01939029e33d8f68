"""Servers that won't do: too old, without JetStream, no server at all; and users who may not. Each is told at once."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio

from clawactors.app.clusterplan import ClusterPlan
from clawactors.eventlog import Draft, Misconfigured, PermissionDenied
from clawactors.eventlog.jetstream import Address, Connection, JetStreamLog
from clawactors.eventlog.jetstream.wire.api import call
from tests.logs import open_log
from tests.scenario.claw import Claw
from tests.scenario.system import PATIENCE_S, System, until
from tests.scenario.system import running as cluster_running
from tests.servers import HOST, NatsServer, free_port, running

pytestmark = [pytest.mark.nats, pytest.mark.asyncio(loop_scope="module")]

SOON_S = 30.0
"""Far less than what a wait for an answer that never comes would take."""


class FakeServer:
    """Speaks as much of the protocol as a client needs to be let in, and answers no request."""

    def __init__(self, greeting: bytes) -> None:
        self._greeting = greeting

    @classmethod
    def of_version(cls, version: str) -> "FakeServer":
        info = {"server_id": "FAKE", "version": version, "proto": 1, "headers": True, "max_payload": 1 << 20}
        return cls(b"INFO " + json.dumps(info).encode() + b"\r\n")

    async def __aenter__(self) -> str:
        self._server = await asyncio.start_server(self._serve, HOST, 0)
        return f"nats://{HOST}:{self._server.sockets[0].getsockname()[1]}"

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(self._greeting)
        with contextlib.suppress(OSError, ValueError):
            while line := await reader.readline():
                if line.startswith(b"PING"):
                    writer.write(b"PONG\r\n")
        writer.close()


async def told(claw: Claw, *words: str, lines: int = 1) -> tuple[int, str]:
    """The exit code and the message of a command that ends soon; `lines` is how many it may say, the last one why."""
    process = await asyncio.create_subprocess_exec(
        *claw.command(*words, "--json"),
        env=claw.env,
        cwd=claw.data.parent,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(SOON_S):
            out, err = await process.communicate()
    except TimeoutError:
        process.kill()
        out, err = await process.communicate()
        raise AssertionError(f"{words} goes on after {SOON_S:g} s: {err.decode()}") from None
    assert 1 <= err.count(b"\n") <= lines, err
    message: str = msgspec.json.decode(out.splitlines()[-1])["error"]["message"]
    assert message in err.decode().splitlines()[-1]
    return process.returncode or 0, message


EVERY_WAY_IN = (["submit", "echo", '{"text": ""}'], ["up"], ["join", "--id", "extra"], ["status"])
LOOKS = (["tasks"], ["task", "t1"], ["submit", "echo", "{}"], ["status"], ["nodes"], ["drain", "n1"], ["cancel", "t1"])


@pytest.mark.parametrize("version", ["1.4.1", "2.10.29", "2.11.9"])
async def test_an_older_server_is_refused_by_its_version(tmp_path: Path, version: str) -> None:
    async with FakeServer.of_version(version) as url:
        ways = EVERY_WAY_IN if version == "2.11.9" else EVERY_WAY_IN[:1]
        for words in ways:
            code, message = await told(Claw(tmp_path / "data"), "--nats", url, *words)
            assert (code, f"nats-server {version} is too old: 2.12 or newer" in message) == (4, True), message


async def test_a_server_without_jetstream_is_refused_and_told_how_to_get_it(tmp_path: Path) -> None:
    with running(tmp_path / "plain", jetstream=False) as server:
        for words in EVERY_WAY_IN:
            code, message = await told(Claw(tmp_path / "data"), "--nats", server.url(), *words)
            assert code == 4, (words, message)
            assert "JetStream" in message


async def test_an_account_without_jetstream_is_refused(tmp_path: Path) -> None:
    accounts = "accounts { A { users: [{ user: a, password: secret }] } }"
    with running(tmp_path / "server", accounts) as server, pytest.raises(Misconfigured, match="for this account too"):
        await open_log(server.url("a"))


@pytest.mark.parametrize("greeting", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"", b"INFO {\r\n", b"\x16\x03\x01\r\n"])
async def test_what_is_no_nats_server_at_all_is_told_soon(tmp_path: Path, greeting: bytes) -> None:
    async with FakeServer(greeting) as url:
        code, message = await told(Claw(tmp_path / "data"), "--nats", url, "status")
        assert (code, "no nats-server answers at" in message) == (5, True), message


async def test_where_nobody_listens_is_told_soon(tmp_path: Path) -> None:
    code, message = await told(Claw(tmp_path / "data"), "--nats", f"nats://{HOST}:{free_port()}", "status")
    assert (code, "no nats-server answers at" in message) == (5, True), message


async def test_commands_make_no_streams_on_a_server_without_a_cluster(tmp_path: Path) -> None:
    with running(tmp_path / "server") as server:
        claw = Claw(tmp_path / "data")
        for words in LOOKS:
            code, message = await told(claw, "--nats", server.url(), *words)
            assert (code, "no cluster's streams are at" in message, "claw up --nats" in message) == (5, True, True), (
                message
            )
        assert claw("--nats", server.url(), "doctor").code == 1
        async with await Connection.open(server.url(), "test") as connection:
            assert (await call(connection, "STREAM.NAMES"))["total"] == 0


# Users

DENIED = {
    "do": ("publish", "claw.do.>"),
    "task": ("publish", "claw.task.>"),
    "node": ("publish", "claw.node.>"),
    "query": ("publish", "claw.query.>"),
    "lease": ("publish", "$KV.claw-live.>"),
    "probe": ("publish", "claw.live.>"),
    "probed": ("subscribe", "claw.live.>"),
    "asked": ("subscribe", "claw.query.>"),
    "inbox": ("subscribe", "_INBOX.>"),
    "api": ("publish", "$JS.API.>"),
    "consumer": ("publish", "$JS.API.CONSUMER.CREATE.>"),
    "credit": ("publish", "$JS.FC.>"),
    "dead": ("publish", "claw.dead.>"),
}


def accounts() -> str:
    users = "\n".join(
        f'{{ user: no-{name}, password: secret, permissions: {{ {action}: {{ deny: ["{subject}"] }} }} }}'
        for name, (action, subject) in DENIED.items()
    )
    return f"""
accounts {{
  EMPTY {{ jetstream: enabled, users: [
    {{ user: a-stranger, password: secret }}
    {users.replace("user: no-", "user: a-stranger-no-")}
  ] }}
  CLAW {{ jetstream: enabled, users: [
    {{ user: admin, password: secret }}
    {users}
  ] }}
  SYS {{ users: [{{ user: sys, password: secret }}] }}
}}
system_account: SYS
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    with running(tmp_path_factory.mktemp("server"), accounts()) as server:
        yield server


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def system(server: NatsServer, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    """A cluster on that server; its control may not keep dead letters."""
    plan = ClusterPlan(nodes=1, address=Address.of(server.url("no-dead")))
    async with cluster_running(tmp_path_factory.mktemp("refusals"), plan) as system:
        yield system


@pytest.mark.parametrize(
    ("name", "words", "subject"),
    [
        ("do", ["submit", "echo", '{"text": ""}'], "publish to 'claw.do."),
        ("query", ["nodes"], "publish to 'claw.query."),
        ("query", ["submit", "echo", '{"text": ""}'], "publish to 'claw.query."),
        ("lease", ["join", "--id", "no-lease"], "publish to '$KV.claw-live.node.no-lease."),
        ("node", ["join", "--id", "no-node"], "publish to 'claw.node.no-node.from.no-node'"),
        ("probe", ["join", "--id", "no-probe"], "publish to 'claw.live.no-probe'"),
        ("probed", ["join", "--id", "no-probed"], "subscribe to 'claw.live.no-probed'"),
        ("inbox", ["status"], "subscribe to '_INBOX."),
        ("api", ["sweep"], "publish to '$JS.API."),
        ("consumer", ["join", "--id", "no-consumer"], "publish to '$JS.API.CONSUMER.CREATE.CLAW_EVENTS."),
    ],
)
async def test_a_missing_permission_is_named_with_its_subject(
    system: System, server: NatsServer, name: str, words: list[str], subject: str
) -> None:
    lines = 2 if name == "consumer" else 1  # first that the settings of the cluster can't be read
    code, message = await told(system.claw, "--nats", server.url(f"no-{name}"), *words, lines=lines)
    assert (code, f"this user may not {subject}" in message) == (4, True), message


@pytest.mark.parametrize(
    ("name", "subject"),
    [
        ("lease", "publish to '$KV.claw-live."),
        ("node", "publish to 'claw.node.n1.from.n1'"),
        ("probed", "subscribe to 'claw.live.n1'"),
        ("asked", "subscribe to 'claw.query."),
        ("api", "publish to '$JS.API."),
    ],
)
async def test_up_names_the_permission_that_is_missing(
    server: NatsServer, tmp_path: Path, name: str, subject: str
) -> None:
    url = server.url(f"a-stranger-no-{name}")
    code, message = await told(Claw(tmp_path / "data"), "--nats", url, "up", "--nodes", "1")
    assert (code, f"this user may not {subject}" in message) == (4, True), message


async def test_a_second_cluster_with_the_same_nodes_is_refused_and_told_of_join(
    system: System, server: NatsServer, tmp_path: Path
) -> None:
    code, message = await told(Claw(tmp_path / "data"), "--nats", server.url("admin"), "up", "--nodes", "1")
    assert (code, "'n1' is alive" in message, "claw join" in message) == (4, True, True), message


async def test_a_node_that_may_not_record_ends_with_the_subject_and_its_task_goes_elsewhere(
    system: System, server: NatsServer
) -> None:
    joining = asyncio.ensure_future(
        told(system.claw, "--nats", server.url("no-task"), "join", "--id", "mute", "--slots", "5", lines=2)
    )
    await system.online("mute", "n1")
    ids = [(await system.client.submit("echo", {"text": ""})).id for _ in range(20)]
    code, message = await joining
    assert (code, "may not publish to 'claw.task." in message) == (4, True), message
    await system.ended(ids)


async def read_all(log: JetStreamLog) -> None:
    async for _ in log.read(["claw.chat.>"]):
        pass


async def test_a_reader_that_may_not_grant_credit_is_told_so(system: System, server: NatsServer) -> None:
    drafts = [(Draft(kind="chat", id=f"c{n}", body=b"x" * 10_000, commit=f"c-{n}"), 0) for n in range(500)]
    await system.log.append_many(drafts)
    async with await open_log(server.url("no-credit")) as log:
        with pytest.raises(PermissionDenied, match=r"publish to '\$JS\.FC\.CLAW_EVENTS\."):
            await asyncio.wait_for(read_all(log), SOON_S)


async def test_a_control_process_that_may_keep_no_dead_letters_goes_on(system: System) -> None:
    pid = system.pid("control")
    await system.log.connection.ask("claw.task.bad.log", b"nonsense")  # type: ignore[attr-defined]
    await system.ask("faults", fresh=True)
    log = system.cluster.path / "logs" / "control.log"
    await until(lambda: "dead letters can't be kept: permission denied" in log.read_text(), "it is said")
    assert await system.client.run("echo", {"text": "still here"}, wait_s=PATIENCE_S) == "still here"
    assert system.pid("control") == pid


@pytest.mark.parametrize("words", EVERY_WAY_IN, ids=lambda words: words[0])
async def test_a_wrong_password_is_refused_by_every_way_in(
    server: NatsServer, tmp_path: Path, words: list[str]
) -> None:
    wrong = server.url("admin", "guessed")
    code, message = await told(Claw(tmp_path / "data"), "--nats", wrong, *words)
    assert code == 4
    assert "refused" in message
    assert "uthorization" in message
    assert "guessed" not in message
