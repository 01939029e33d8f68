"""What clients and control say to each other is a promise: clients of other releases and languages speak it too."""

from typing import Any

import msgspec
import pytest

from clawactors.kernel.errors import Refused
from clawactors.kinds import KINDS
from clawactors.runtime import asking as a
from clawactors.systems.schedules import commands as s
from clawactors.systems.tasks import commands as c

RECORDED: tuple[tuple[type[msgspec.Struct], bytes], ...] = (
    (
        a.AskRequest,
        (
            b'{"deadline_ns":1900000000000000000,"commands":[{"id":"t-1","command":{"type":"task.submit","id":"","by":"",'
            b'"spec":{"skill":"echo","params":{"text":"hi"}},"delayed":false}},{"id":"t-1","command":{"type":"task.signal",'
            b'"name":"go","payload":{"n":1},"id":"c-1","by":""},"state":true}],"client":"k1","awaits":true}'
        ),
    ),
    (a.AskRequest, b'{"deadline_ns":1,"commands":[{"id":"t-1","command":{"type":"task.cancel","id":"c-2","by":""}}]}'),
    (
        a.AskReply,
        (
            b'{"now_ns":5,"outcomes":[{"version":7,"changed":true,"state":{"spec":null}},{"version":7},'
            b'{"error":{"code":"refused","message":"the task is completed"}}]}'
        ),
    ),
    (a.AskReply, b'{"now_ns":5,"error":{"code":"expired","message":"its deadline has passed"}}'),
    (a.StateQuestion, b'{"kind":"task","id":"t-1"}'),
    (a.StateQuestion, b'{"kind":"task","id":"t-1","at_least":9,"after":400000}'),
    (a.Outcome, b'{"version":9,"part":"YWJj","size":900000}'),
    (a.Outcome, b'{"version":9,"frozen":"task.moved"}'),
    (a.ForkRequest, b'{"id":"t-1","step":"copy","new_id":"t-2"}'),
    (a.RegisterRequest, b'{"client":"k1","ids":["t-1","t-2"],"forget":["t-0"]}'),
    (
        a.RegisterReply,
        (
            b'{"epoch":"e1","number":3,"ended":[{"id":"t-1","version":9,"status":"completed","result":{"rows":7}},'
            b'{"id":"t-2","version":9,"status":"dead","error":{"class":"network","message":"no route"}},'
            b'{"id":"t-3","version":9,"status":"completed","large":true},'
            b'{"id":"t-4","version":9,"status":"","frozen":"task.moved"}],"missing":["t-5"]}'
        ),
    ),
    (a.EndNotice, b'{"epoch":"e1","number":4,"ended":[{"id":"t-1","version":9,"status":"completed","result":3}]}'),
    (a.EndNotice, b'{"epoch":"e1","number":4}'),
)

COMMANDS: tuple[tuple[str, bytes, type], ...] = (
    ("task", b'{"type":"task.submit","spec":{"skill":"echo","params":{"text":"hi"}}}', c.Submit),
    ("task", b'{"type":"task.cancel"}', c.Cancel),
    ("task", b'{"type":"task.cancel","id":"once"}', c.Cancel),
    ("task", b'{"type":"task.pause"}', c.Pause),
    ("task", b'{"type":"task.resume"}', c.Resume),
    ("task", b'{"type":"task.retry","deadline":"2030-01-01T00:00:00Z"}', c.RetryTask),
    ("task", b'{"type":"task.retry","deadline":""}', c.RetryTask),
    ("task", b'{"type":"task.delete"}', c.Delete),
    ("task", b'{"type":"task.signal","name":"go","payload":[1,null]}', c.Signal),
    ("task", b'{"type":"task.edit","spec":{"skill":"echo"},"was":{"skill":"echo","priority":3}}', c.Edit),
    ("schedule", b'{"type":"schedule.pause"}', s.PauseSchedule),
    ("schedule", b'{"type":"schedule.resume"}', s.ResumeSchedule),
    ("schedule", b'{"type":"schedule.remove"}', s.RemoveSchedule),
)


@pytest.mark.parametrize(("kind", "body"), RECORDED)
def test_what_was_recorded_reads_and_writes_as_it_did(kind: type[msgspec.Struct], body: bytes) -> None:
    said = msgspec.json.decode(body, type=kind)
    assert msgspec.json.encode(said) == body


@pytest.mark.parametrize(("kind", "body"), RECORDED)
def test_what_a_later_release_adds_is_passed_over(kind: type[msgspec.Struct], body: bytes) -> None:
    assert msgspec.json.decode(body[:-1] + b',"later":1}', type=kind) == msgspec.json.decode(body, type=kind)


@pytest.mark.parametrize(("kind", "body", "command"), COMMANDS)
def test_a_command_as_other_programs_write_it_is_read(kind: str, body: bytes, command: type) -> None:
    read: Any = KINDS[kind].read_command(body, "client/ada", 1, trusted=False)
    assert type(read.command) is command


def test_who_asks_is_never_what_the_command_says() -> None:
    with pytest.raises(Refused, match="who asks is known from the connection"):
        KINDS["task"].read_command(b'{"type":"task.cancel","by":"client/eve"}', "client/ada", 1, trusted=False)
