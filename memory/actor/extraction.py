"""Messages become memories: the job of each is a task of `memory.extract`, the work is done where the index is.

1. A job's task is named by the idempotency key: one request is one job, however often it is seen.
2. The payload is checked against the log: a job for a message that is not there, or another user's, is refused.
3. What it makes is named by user and key: an attempt that is repeated makes nothing twice.
"""

import asyncio
import logging
from typing import Any, Final

import msgspec

from clawactors.eventlog import EventLogError, TooLarge, Unavailable, aggregate_pattern, is_id
from clawactors.kernel.errors import Refused
from clawactors.memory.actor.harvest import Job
from clawactors.memory.consolidation import Order
from clawactors.memory.consolidation.importance import importance, tone
from clawactors.memory.importing import chunks
from clawactors.runtime.actor import Actor, ActorContext
from clawactors.runtime.naming import id_of_key
from clawactors.systems.chats.events import CODEC, EXTRACT, ExtractionRequested, MessageAdded
from clawactors.systems.memories import Content, memory_id
from clawactors.systems.memories.commands import RecordMemory
from clawactors.systems.tasks import commands as tc
from clawactors.systems.tasks.kind import TASKS
from clawactors.systems.tasks.submission import spec_of

__all__ = ["extracted", "submit_job"]

_PIECES_MAX: Final = 16
"""Longer messages are cut."""
_PAUSE_S: Final = 0.2

_log = logging.getLogger(__name__)


async def submit_job(context: ActorContext, job: Job) -> None:
    """Makes the job's task, or finds it; waits out a log that is away."""
    try:
        spec = spec_of(EXTRACT, msgspec.to_builtins(job), user=job.user[:128], priority="low", tags=("memory",))
        actor = Actor(context, TASKS, id_of_key(job.key))
    except (Refused, UnicodeError) as error:
        _log.warning("message %d is no job: %s", job.seq, error)
        return
    while True:
        try:
            await actor.handle(tc.Submit(spec))
            return
        except (Refused, TooLarge) as error:  # say, somebody gave the key to another task: that one stands
            _log.warning("message %d is no job: %s", job.seq, error)
            return
        except Unavailable:
            await asyncio.sleep(_PAUSE_S)


async def extracted(context: ActorContext, job: Job) -> list[Order]:
    """The memories of the job's message. Raises: `Refused` for a payload that does not fit the log."""
    said, at_ns = await _message(context, job)
    pieces = await asyncio.to_thread(chunks, said.text)
    return [
        Order(memory_id(job.user, f"{job.key}/{nth}"), RecordMemory(_content(job, said, piece, at_ns)))
        for nth, piece in enumerate(pieces[:_PIECES_MAX])
    ]


def _content(job: Job, said: MessageAdded, text: str, at_ns: int) -> Content:
    return Content(
        text=text,
        owner=job.user,
        speaker=said.speaker or job.user,
        session=job.conversation,
        position=job.seq,
        happened_ns=said.happened_ns or at_ns,
        sources=(job.seq,),
        importance=importance(text),
        tone=tone(text),
        origin="chat",
    )


async def _message(context: ActorContext, job: Job) -> tuple[MessageAdded, int]:
    if not job.user or not job.key:
        raise Refused("an extraction names its user and its key")
    if not is_id(job.conversation):
        raise Refused(f"{job.conversation[:40]!r} is no conversation")
    pattern = aggregate_pattern("chat", job.conversation)
    async for records in context.log.read([pattern], after=job.seq - 1, until=job.seq):
        for record in records:
            try:
                events: tuple[Any, ...] = CODEC.decode(record.body)
            except EventLogError as error:
                raise Refused(f"the message can't be read: {error}") from None
            said = [each for each in events if isinstance(each, MessageAdded) and each.message == job.message]
            asked = ExtractionRequested(job.message, job.user, job.key)
            if said and asked in events and said[0].role == "user":
                return said[0], record.at_ns
    raise Refused(f"the log has no message {job.message!r} of {job.user!r} at {job.seq}")
