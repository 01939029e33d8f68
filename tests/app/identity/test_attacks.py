"""What the server refuses to those who sign in with the rights of their role, and what endpoints drop."""

import asyncio
import json
from collections.abc import Callable

import pytest

from clawactors.app.identity.roles import Role
from clawactors.eventlog import Draft, EventLogError, PermissionDenied, WrongVersion
from clawactors.eventlog.blobs import InProcessBlobs
from clawactors.eventlog.jetstream import Address, Connection, HeldLog, JetStreamRequests
from clawactors.eventlog.jetstream.wire.api import Refusal, call
from clawactors.eventlog.leases import InProcessLeases
from clawactors.kinds import KINDS
from clawactors.runtime.clock import SystemClock
from clawactors.runtime.control.ownerkeys import KeyEndpoint
from clawactors.runtime.control.records import RecordsEndpoint
from clawactors.runtime.logtime import LogTime
from clawactors.runtime.node.asked import AskedKeys, AskedRecords
from clawactors.runtime.questions import Questions
from tests.logs import open_log
from tests.scenario.held import INBOXES, accounts
from tests.servers import NatsServer

pytestmark = pytest.mark.nats

API = "$JS.API"
PURGE = f"{API}.STREAM.PURGE.CLAW_EVENTS"
CREATE = f"{API}.CONSUMER.CREATE.CLAW_EVENTS.x"

OF_NODES = [
    "claw.task.t.from.n2",
    "claw.task.t.log",
    "claw.task.t.to.n1",
    "claw.task.t.to.n2",
    "claw.task.t.from.n1.more",
    "claw.node.n2.from.n2",
    "claw.node.n2.from.n1",
    "claw.node.n1.log",
    "claw.memory.m.log",
    "claw.setting.cluster.log",
    "claw.setting.cluster.from.n1",
    "claw.output.t.out.from.n2",
    "claw.output.t.out",
    "claw.alive.n2.t",
    "claw.do.task",
    "claw.do.n1.task",
    "claw.do.ada.task",
    "claw.do.node-n2.task",
    "claw.do.node-n1.setting",
    "claw.do.node-n1.apikey",
    "claw.query.tasks",
    "claw.query.memory.search",
    "claw.query.ada.state",
    "claw.query.node-n2.key",
    "claw.cmd.task.t",
    "claw.cmd.node-n1.task.t",
    "claw.timer.task.t",
    "claw.fired.task.t",
    "claw.dead.task",
    "claw.ended.ada.x",
    "claw.settings.memory",
    "$KV.claw-live.leader",
    "$KV.claw-live.node.n2.x",
    "$KV.claw-keys.o.k",
    "_INBOX.control.x",
    "_INBOX.ada.x",
    "_INBOX.asked.n2.x.1",
    f"{API}.STREAM.MSG.GET.CLAW_EVENTS",
    f"{API}.STREAM.MSG.GET.KV_claw-live",
    f"{API}.STREAM.MSG.GET.KV_claw-keys",
    f"{API}.DIRECT.GET.CLAW_EVENTS",
    f"{API}.DIRECT.GET.CLAW_EVENTS.claw.task.t.log",
    f"{API}.DIRECT.GET.KV_claw-live.$KV.claw-live.node.n2.x",
    f"{API}.DIRECT.GET.KV_claw-keys.$KV.claw-keys.o.k",
    CREATE,
    f"{CREATE}.claw.task.>",
    f"{CREATE}.claw.task.*.to.n2",
    f"{CREATE}.claw.task.*.to.*",
    f"{CREATE}.claw.memory.>",
    f"{API}.CONSUMER.CREATE.KV_claw-keys.x.$KV.claw-keys.>",
    f"{API}.CONSUMER.CREATE.CLAW_COMMANDS.x",
    f"{API}.CONSUMER.DURABLE.CREATE.CLAW_EVENTS.x",
    f"{API}.CONSUMER.MSG.NEXT.CLAW_COMMANDS.control",
    f"{API}.CONSUMER.NAMES.CLAW_EVENTS",
    f"{API}.STREAM.LIST",
]
OF_PEOPLE = [
    "claw.do.bob.task",
    "claw.do.task",
    "claw.query.bob.state",
    "claw.query.memory.search",
    "claw.query.tasks",
    "claw.cmd.task.t",
    "claw.cmd.bob.task.t",
    "claw.task.t.log",
    "claw.task.t.from.n1",
    "claw.ended.bob.x",
    "claw.live.n1",
    "claw.ask.n1",
    "_INBOX.bob.x",
    "_INBOX.control.x",
    "$KV.claw-live.leader",
    "$O.claw-blobs.C.x",
    f"{API}.INFO",
    f"{API}.STREAM.INFO.CLAW_EVENTS",
    f"{API}.STREAM.MSG.GET.CLAW_EVENTS",
    f"{CREATE}.claw.task.t.>",
]
OF_OBSERVERS = [
    "claw.do.eve.task",
    "claw.do.eve.setting",
    "claw.do.eve.blob",
    "claw.cmd.eve.task.t",
    "claw.query.eve.ask",
    "claw.query.eve.memory.forget",
    "claw.query.eve.memory.update",
    "claw.query.ada.state",
]
CHANGES = [
    f"{API}.STREAM.{verb}.{stream}"
    for verb in ("PURGE", "DELETE", "UPDATE", "CREATE", "MSG.DELETE", "SNAPSHOT", "RESTORE")
    for stream in ("CLAW_EVENTS", "OBJ_claw-blobs", "KV_claw-live")
]
HEARD = [">", "claw.>", "claw.*.>", "claw.do.>", "claw.query.>", "claw.task.>", "_INBOX.>", "_INBOX.*.>", "$JS.>"]


@pytest.fixture
async def server(own_server: Callable[..., NatsServer]) -> NatsServer:
    """A server with the streams of a cluster, and no process."""
    server = own_server(accounts())
    await (await open_log(server.url("admin"), "admin")).aclose()
    return server


async def signed_in(server: NatsServer, user: str) -> Connection:
    return await Connection.open(Address.of(server.url(user)), user, inbox=INBOXES.get(user, f"_INBOX.{user}"))


@pytest.mark.parametrize(
    ("user", "subjects"),
    [
        ("n1", OF_NODES + CHANGES),
        ("ada", OF_PEOPLE + CHANGES),
        ("eve", OF_OBSERVERS + OF_PEOPLE + CHANGES),
        ("gateway", ["claw.do.task", "claw.cmd.task.t", "claw.task.t.log", "_INBOX.ada.x", CREATE, *CHANGES]),
        ("invited", ["claw.join.i8", "claw.do.i7.task", "claw.query.i7.state", *CHANGES]),
        ("memory", ["claw.task.t.log", "claw.task.t.from.n1", "claw.do.ada.task", "$KV.claw-live.leader", *CHANGES]),
        ("c1", ["claw.task.t.from.n1", "claw.do.ada.task", f"{API}.STREAM.DELETE.CLAW_EVENTS"]),
    ],
)
async def test_nobody_says_what_others_say(server: NatsServer, user: str, subjects: list[str]) -> None:
    async with await signed_in(server, user) as connection:

        async def is_refused(subject: str) -> bool:
            try:
                await connection.ask(subject, b"{}")
            except PermissionDenied:
                return True
            except EventLogError:
                return False
            return False

        refused = await asyncio.gather(*map(is_refused, subjects))
        assert [subject for subject, so in zip(subjects, refused, strict=True) if not so] == []


@pytest.mark.parametrize(
    ("user", "subjects"),
    [
        ("n1", [*HEARD, "claw.live.n2", "claw.ask.n2", "_INBOX.node-n2.>", "_INBOX.ada.>", "_INBOX.control.>"]),
        ("ada", [*HEARD, "_INBOX.bob.>", "claw.ended.bob.>", "claw.live.n1"]),
        ("eve", [*HEARD, "_INBOX.ada.>"]),
        ("gateway", [">", "claw.>", "_INBOX.>", "_INBOX.control.>", "_INBOX.memory.x", "_INBOX.asked.>"]),
        ("invited", [*HEARD, "claw.join.*"]),
    ],
)
async def test_nobody_hears_what_others_hear(server: NatsServer, user: str, subjects: list[str]) -> None:
    async with await signed_in(server, user) as connection:
        for subject in subjects:
            with pytest.raises(PermissionDenied):
                await connection.confirm(connection.listen(subject, lambda *_: None))


async def test_a_filter_in_the_request_is_the_one_in_its_subject(server: NatsServer) -> None:
    async with await signed_in(server, "n1") as connection:
        asked = {
            "stream_name": "CLAW_EVENTS",
            "config": {"name": "x", "deliver_subject": "_INBOX.node-n1.x", "filter_subject": "claw.task.>"},
        }
        with pytest.raises(Refusal):
            await call(connection, "CONSUMER.CREATE.CLAW_EVENTS.x.claw.task.*.to.n1", asked)


@pytest.mark.parametrize(
    ("user", "subject", "replies"),
    [
        (
            "ada",
            "claw.query.ada.x",
            [PURGE, "claw.task.t.log", "_INBOX.bob.x", "claw.do.bob.task"],
        ),
        (
            "n1",
            "claw.query.node-n1.x",
            [PURGE, "_INBOX.node-n2.x", "_INBOX.n1.x", "_INBOX.ada.x"],
        ),
    ],
)
async def test_no_answer_goes_where_its_asker_does_not_hear(
    server: NatsServer, user: str, subject: str, replies: list[str]
) -> None:
    async with (
        await open_log(server.url("admin"), "admin") as log,
        await signed_in(server, "c1") as control,
        await signed_in(server, user) as connection,
    ):
        await log.append(Draft("task", "kept", b"{}", "c-1"), 0)

        async def answer(_principal: str, _body: bytes) -> bytes:
            return b'{"filter":"claw.>"}'

        serving = await JetStreamRequests(control).answer("claw.query.*.x", answer)
        for reply in replies:
            connection.publish_request(subject, reply)
        assert await JetStreamRequests(connection).request(subject, b"", 5) == b'{"filter":"claw.>"}'
        assert serving.dropped == len(replies)
        assert (await log.head()).messages == 1


async def test_a_held_log_tells_a_lost_answer_from_a_lost_race(server: NatsServer) -> None:
    async with (
        await open_log(server.url("admin"), "admin") as log,
        await signed_in(server, "c1") as control,
        await signed_in(server, "n1") as connection,
    ):
        records = RecordsEndpoint(
            log, LogTime(SystemClock()), InProcessLeases(asyncio.get_running_loop().time), InProcessBlobs(), KINDS
        )
        keys = KeyEndpoint(log.sealer)
        for endpoint in (records, keys):
            await endpoint.open(JetStreamRequests(control), "control")
        questions = Questions(JetStreamRequests(connection, listed=False), "node-n1")
        held = await HeldLog.open(connection, AskedRecords(questions), AskedKeys(questions))
        first = Draft("task", "t", b"{}", "c-1", writer="n1")
        version = await held.append(first, 0)
        await log.append(Draft("task", "t", b"{}", "c-2"), version)
        assert await held.append(first, 0) == version  # its answer was lost, and others have gone on
        with pytest.raises(WrongVersion):
            await held.append(Draft("task", "t", b"{}", "c-3", writer="n1"), 0)
        outcomes = await held.append_many(
            [(Draft("task", f"t{each}", b"{}", f"d-{each}", writer="n1"), 0) for each in range(20)]
            + [(Draft("task", "t", b"{}", "c-4", writer="n1"), version)]
        )
        assert all(isinstance(each, int) for each in outcomes[:20])
        assert isinstance(outcomes[20], WrongVersion)
        read = [record.commit async for batch in held.read(["claw.task.t.>"], after=version) for record in batch]
        assert read == ["c-2"]
        sealed = Draft("task", "s", b"", "s-1", writer="n1", owner="o-1", parts=(b'{"v":1,', b'"x":1', b"}"))
        await held.append(sealed, 0)
        [[opened]] = [batch async for batch in log.read(["claw.task.s.>"])]
        assert json.loads(opened.body) == {"v": 1, "x": 1}
        [[stored]] = [batch async for batch in log.sealed(["claw.task.s.>"])]
        assert await held.sealer.open([stored]) == [opened]


def test_every_role_is_tried() -> None:
    from tests.scenario.held import USERS

    assert {role for _, role, _ in USERS} == set(Role)
