"""What the server lets a user read of the log whose rights name one filter: that, and nothing else."""

from collections.abc import Callable

import pytest

from clawactors.eventlog import PermissionDenied
from clawactors.eventlog.jetstream import Address, Connection, JetStreamLog
from clawactors.eventlog.jetstream.wire.api import Refusal, call
from tests.logs import open_log
from tests.servers import NatsServer

pytestmark = pytest.mark.nats

_API = "$JS.API"
_MAY = [
    f"{_API}.INFO",
    f"{_API}.STREAM.INFO.*",
    f"{_API}.CONSUMER.CREATE.CLAW_EVENTS.*.claw.task.*.to.n1",
    f"{_API}.CONSUMER.DELETE.CLAW_EVENTS.*",
]


def _accounts() -> str:
    allowed = ", ".join(f'"{subject}"' for subject in _MAY)
    return f"""
accounts {{
  CLAW {{
    jetstream: enabled
    users: [
      {{ user: admin, password: secret }}
      {{ user: n1, password: secret, permissions: {{ publish: [{allowed}], subscribe: ["_INBOX.n1.>"] }} }}
    ]
  }}
}}
"""


async def test_a_node_reads_what_is_addressed_to_it_and_no_more(own_server: Callable[..., NatsServer]) -> None:
    server = own_server(_accounts())
    async with await open_log(server.url("admin"), "admin"):
        connection = await Connection.open(Address.of(server.url("n1")), "claw-work/n1", inbox="_INBOX.n1")
        async with connection:
            mine = await JetStreamLog.over(connection)
            follower = await mine.follow(["claw.task.*.to.n1"], after=0)
            await follower.aclose()
            for pattern in ("claw.task.*.to.n2", "claw.task.>", "claw.>"):
                with pytest.raises(PermissionDenied):
                    await mine.follow([pattern], after=0)
            # What the subject allows and the request asks for must be the same: the server compares them.
            wanted = {
                "stream_name": "CLAW_EVENTS",
                "config": {"name": "x", "deliver_subject": "_INBOX.n1.x", "filter_subject": "claw.task.>"},
            }
            with pytest.raises(Refusal):
                await call(connection, "CONSUMER.CREATE.CLAW_EVENTS.x.claw.task.*.to.n1", wanted)
