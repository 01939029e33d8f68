"""The memories of histories: each once, plain tasks within an allowance, memory's own tasks never."""

from typing import Any

from clawactors.eventlog import Record
from clawactors.eventlog.decoding import Commit
from clawactors.kinds import DECODER
from clawactors.memory.ingest.event_filter import EventFilter
from clawactors.memory.ingest.message_extractor import jobs_in
from clawactors.systems.chats import ExtractionRequested, MessageAdded
from clawactors.systems.memories import commands as c
from clawactors.systems.tasks import events as e

SECOND_NS = 1_000_000_000


def commit(seq: int, id: str, *events: Any, at_ns: int = SECOND_NS) -> Record:
    return Record(seq, at_ns, f"claw.task.{id}.log", e.CODEC.encode(events))


def scheduled(attempt: int = 1) -> e.Scheduled:
    return e.Scheduled(node="n1", incarnation="i", attempt=attempt, skill="echo")


def remembered(events: EventFilter, count: int, at_ns: int, **spec: object) -> int:
    """The number of tasks that are remembered."""
    count_remembered = 0
    for number in range(count):
        id = f"t-{at_ns}-{number}"
        submitted = e.Submitted(skill="echo", **spec)  # type: ignore[arg-type]
        events.apply(commit(1, id, submitted, at_ns=at_ns))
        ended = (scheduled(), e.Started(), e.StepCompleted("count"), e.Completed())
        count_remembered += len(events.apply(commit(2, id, *ended, at_ns=at_ns)) or ())
    return count_remembered


def test_of_plain_tasks_so_many_are_remembered_of_others_all() -> None:
    events = EventFilter(DECODER)
    assert remembered(events, 1000, SECOND_NS) == 100
    assert remembered(events, 1000, SECOND_NS, user="ada") == 1000
    assert remembered(events, 1000, 2 * SECOND_NS) == 10
    assert remembered(events, 10, SECOND_NS) == 0  # no clock that goes back gives more


def test_a_lost_node_with_very_many_plain_tasks_leaves_no_flood() -> None:
    events = EventFilter(DECODER)
    interruptions = 0
    for number in range(1000):
        events.apply(commit(1, f"t-{number}", e.Submitted(skill="echo"), scheduled()))
        interruptions += len(events.apply(commit(2, f"t-{number}", e.Interrupted("node n1 was lost"))) or ())
    assert interruptions == 100
    ends = [events.apply(commit(3, f"t-{number}", scheduled(2), e.Completed())) for number in range(1000)]
    assert not any(ends)
    events.apply(commit(1, "named", e.Submitted(skill="echo", user="ada"), scheduled()))
    assert len(events.apply(commit(2, "named", e.Interrupted("node n1 was lost"))) or ()) == 1


def test_a_failure_is_told_however_many_there_are() -> None:
    events = EventFilter(DECODER)
    error = e.TaskError("timeout", "too slow")
    for number in range(1000):
        events.apply(commit(1, f"t-{number}", e.Submitted(skill="echo"), scheduled()))
        (command,) = events.apply(commit(2, f"t-{number}", e.AttemptFailed(error=error, then="dead"))) or ()
        assert isinstance(command.command, c.RecordMemory)
        assert "failed on node n1: timeout: too slow" in command.command.content.text


def test_a_task_that_expires_unplaced_or_is_edited_is_told_as_it_was() -> None:
    events = EventFilter(DECODER)
    events.apply(commit(1, "t", e.Submitted(skill="echo", name="first")))
    events.apply(commit(2, "t", e.Edited(skill="echo", name="second")))
    (command,) = events.apply(commit(3, "t", e.Expired(e.TaskError("timeout", "its deadline has passed")))) or ()
    assert isinstance(command.command, c.RecordMemory)
    text = command.command.content.text
    assert "echo t (second) failed: timeout: its deadline has passed" in text
    assert command.command.content.sources == (3,)


def test_large_values_are_told_by_their_size() -> None:
    events = EventFilter(DECODER)
    large = {"$blob": "0" * 64, "bytes": 3 << 20}
    events.apply(commit(1, "t", e.Submitted(skill="render", user="ada", params={"frames": large}), scheduled()))
    (command,) = events.apply(commit(2, "t", e.Completed(large))) or ()
    assert isinstance(command.command, c.RecordMemory)
    assert "render t frames=(3.0 MB of data) completed" in command.command.content.text
    assert command.command.content.text.endswith("result: (3.0 MB of data)")


def test_the_making_of_memories_is_no_memory() -> None:
    events = EventFilter(DECODER)
    events.apply(commit(1, "j", e.Submitted(skill="memory.extract", user="ada"), scheduled()))
    assert events.apply(commit(2, "j", e.Completed(["m-1"]))) == []


def test_what_began_unseen_is_read_once_there_is_something_to_tell() -> None:
    events = EventFilter(DECODER)
    before = [commit(1, "t", e.Submitted(skill="backup", user="ada")), commit(2, "t", scheduled())]
    step, end = commit(3, "t", e.StepCompleted("copy")), commit(4, "t", e.Completed())
    assert events.apply(step) == []
    assert events.apply(end) is None
    (command,) = events.apply(end, [*before, step]) or ()
    assert isinstance(command.command, c.RecordMemory)
    assert "steps: copy" in command.command.content.text
    assert events.apply(commit(9, "unknown", e.Completed()), []) == []


def test_a_task_with_thousands_of_steps_is_told_by_the_first_and_the_last() -> None:
    events = EventFilter(DECODER)
    events.apply(commit(1, "t", e.Submitted(skill="migrate"), scheduled()))
    for number in range(5000):
        events.apply(commit(2 + number, "t", e.StepCompleted(f"copy-{number}")))
    (command,) = events.apply(commit(6000, "t", e.Completed())) or ()
    assert isinstance(command.command, c.RecordMemory)
    assert "copy-0, copy-1" in command.command.content.text
    assert "… copy-4999" in command.command.content.text


def test_a_message_is_a_job_and_others_are_none() -> None:
    parts = (MessageAdded(message="m", role="user", text="hi"), ExtractionRequested("m", "ada", "k"))
    (job,) = jobs_in(Commit(Record(7, 1, "claw.chat.c.log", b""), "chat", "c", parts))
    assert (job.key, job.user, job.conversation, job.message, job.seq) == ("k", "ada", "c", "m", 7)
    assert jobs_in(Commit(Record(8, 1, "claw.chat.c.log", b""), "chat", "c", parts[:1])) == []
