"""Memories of chat messages. Each message is a job: a task of the skill `memory.extract`, which asks memory to do it.

1. The id of the task follows from the idempotency key of the request: one request is one job.
2. The payload is checked against the log: a job for an unknown message, or for another user's, is refused.
3. The ids of the memories follow from user and key: a repeated attempt records nothing twice.
4. A long message becomes as many memories as it takes: nothing of it is left out.
"""

import asyncio
import logging
from typing import Any, Final

import msgspec

from clawactors.eventlog import EventLog, EventLogError, TooLarge, Unavailable, aggregate_pattern, is_id
from clawactors.eventlog.decoding import Commit
from clawactors.kernel.errors import Refused
from clawactors.memory.ingest.chunking import Chunker, chunks
from clawactors.memory.item import ItemCommand
from clawactors.memory.text.importance import importance, tone
from clawactors.memory.text.normal import clean
from clawactors.runtime.client.sender import CommandSender
from clawactors.runtime.naming import id_of_key
from clawactors.systems.chats.events import CODEC, EXTRACT, ExtractionRequested, MessageAdded
from clawactors.systems.memories import Content, memory_id
from clawactors.systems.memories.commands import RecordMemory
from clawactors.systems.memories.decider import TEXT_LIMIT_BYTES
from clawactors.systems.tasks import commands as tc
from clawactors.systems.tasks.external import request_of
from clawactors.systems.tasks.kind import TASKS
from clawactors.systems.tasks.submission import spec_of

__all__ = ["ExtractionJob", "extract", "jobs_in", "submit_job"]

_PAUSE_S: Final = 0.2

_log = logging.getLogger(__name__)


class ExtractionJob(msgspec.Struct, frozen=True):
    """A message to extract memories from; `seq` is its log sequence."""

    key: str
    user: str
    conversation: str
    message: str
    seq: int


def jobs_in(commit: Commit) -> list[ExtractionJob]:
    """The extraction jobs that a commit of a chat requests."""
    return [
        ExtractionJob(event.key, event.user, commit.id, event.message, commit.record.seq)
        for event in commit.events
        if isinstance(event, ExtractionRequested)
    ]


async def submit_job(sender: CommandSender, job: ExtractionJob) -> None:
    """Asks control to submit the job's task. Order: idempotent. Waits while no control process answers."""
    try:
        spec = spec_of(EXTRACT, msgspec.to_builtins(job), user=job.user[:128], priority="low", tags=("memory",))
        id, request = id_of_key(job.key), request_of(tc.Submit(spec))
    except (Refused, UnicodeError) as error:
        _log.warning("message %d is not extracted: %s", job.seq, error)
        return
    while True:
        try:
            await sender.ask(TASKS.name, id, request, queued=False)
            return
        except (Refused, TooLarge) as error:  # for example, another task has the same key
            _log.warning("message %d is not extracted: %s", job.seq, error)
            return
        except Unavailable as error:
            _log.info("message %d waits to be extracted: %s", job.seq, error)
            await asyncio.sleep(_PAUSE_S)


async def extract(log: EventLog, job: ExtractionJob, chunker: Chunker = chunks) -> list[ItemCommand]:
    """The commands that record the memories of the job's message. Raises: `Refused` if the log has no such message."""
    message, at_ns = await _message(log, job)
    texts = await asyncio.to_thread(_pieces, message.text, chunker)
    return [
        ItemCommand(memory_id(job.user, f"{job.key}/{nth}"), RecordMemory(_content(job, message, text, at_ns)))
        for nth, text in enumerate(texts)
    ]


def _pieces(text: str, chunker: Chunker) -> list[str]:
    """The pieces of a text, by the built-in way where a chunker of users fails: no message is lost by it."""
    try:
        pieces = [clean(piece) for piece in chunker(text)]
        if all(0 < len(piece.encode()) <= TEXT_LIMIT_BYTES for piece in pieces) and (pieces or not clean(text)):
            return pieces
        _log.warning("a chunker gives pieces that are empty or too long: a message is cut between sentences")
    except Exception:
        _log.exception("a chunker fails: a message is cut between sentences")
    return chunks(text)


def _content(job: ExtractionJob, message: MessageAdded, text: str, at_ns: int) -> Content:
    return Content(
        text=text,
        owner=job.user,
        speaker=message.speaker or job.user,
        session=job.conversation,
        position=job.seq,
        happened_ns=message.happened_ns or at_ns,
        sources=(job.seq,),
        importance=importance(text),
        tone=tone(text),
        origin="chat",
        agent=message.agent,
    )


async def _message(log: EventLog, job: ExtractionJob) -> tuple[MessageAdded, int]:
    if not job.user or not job.key:
        raise Refused("an extraction must name its user and its key")
    if not is_id(job.conversation):
        raise Refused(f"{job.conversation[:40]!r} is not a valid conversation id")
    pattern = aggregate_pattern("chat", job.conversation)
    async for records in log.read([pattern], after=job.seq - 1, until=job.seq):
        for record in records:
            try:
                events: tuple[Any, ...] = CODEC.decode(record.body)
            except EventLogError as error:
                raise Refused(f"message {job.message!r} can't be decoded: {error}") from None
            messages = [each for each in events if isinstance(each, MessageAdded) and each.message == job.message]
            requested = ExtractionRequested(job.message, job.user, job.key)
            if messages and requested in events and messages[0].role == "user":
                return messages[0], record.at_ns
    raise Refused(f"the log has no message {job.message!r} of {job.user!r} at {job.seq}")
