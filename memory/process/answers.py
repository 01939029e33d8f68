"""Answers to questions about memory: a question's bytes in, the answer's bytes out; an error for an invalid one."""

import asyncio
from typing import Protocol

import msgspec

from clawactors.eventlog import EventLogError, is_id
from clawactors.kernel.errors import NotFound, Refused
from clawactors.kernel.time import iso
from clawactors.memory.ingest.history_reader import HistoryReader
from clawactors.memory.ingest.message_extractor import ExtractionJob, extract
from clawactors.memory.item import ItemCommand
from clawactors.memory.process import questions as q
from clawactors.memory.process import reading
from clawactors.memory.process.consolidation import ConsolidationRunner, MemoryPlan
from clawactors.memory.process.contexts import Contexts
from clawactors.memory.process.replies import Reply, event_row
from clawactors.memory.process.store import MemoryStore
from clawactors.memory.process.writer import CommandWriter
from clawactors.memory.recall.levels import SensoryMemory, WorkingMemory
from clawactors.projections.engine.pages import InvalidQuery
from clawactors.projections.engine.questions import error_reply, read_question
from clawactors.runtime.context import ActorContext
from clawactors.systems.memories import commands as c

__all__ = ["AnswerSource", "Answers"]

_encode = msgspec.json.Encoder().encode
_ROWS_WITHIN_S = 30.0


class AnswerSource(Protocol):
    """What answers are made from; `MemoryActor` has it once it is open."""

    context: ActorContext
    store: MemoryStore
    consolidation: ConsolidationRunner
    writer: CommandWriter
    histories: HistoryReader
    plan: MemoryPlan

    async def opened(self) -> None:
        """Returns when the store is open. Raises: `Unavailable`."""
        ...

    async def fresh(self, *, concluded: bool = True) -> None:
        """Returns when everything in the log is indexed. Raises: `Unavailable`."""
        ...

    async def sensory(self) -> SensoryMemory:
        """The newest raw events."""
        ...

    async def working(self, task: str) -> WorkingMemory:
        """The working memory of a task."""
        ...


class Answers:
    """Answers questions from one source."""

    def __init__(self, source: AnswerSource) -> None:
        self._source = source
        self.contexts = Contexts()

    async def answer(self, name: str, body: bytes) -> bytes:
        """The encoded answer, or an encoded error; it never raises for an invalid question."""
        try:
            question = read_question(q.QUESTIONS, name, body, "memory.")
            await self._source.opened()
            if question.fresh:
                await self._source.fresh(concluded=not isinstance(question, q.SearchQuestion))
            reply = await self._reply(question)
            return _encode(reply | {"position": self._source.store.views.position})
        except (Refused, NotFound, EventLogError, RecursionError) as error:
            return error_reply(error)

    async def _reply(self, question: q.MemoryQuestion) -> Reply:
        store = self._source.store
        match question:
            case q.ContextQuestion():
                return await self._context(question)
            case q.SearchQuestion():
                return await self._search(question)
            case q.ShowQuestion():
                return await asyncio.to_thread(reading.show, store, question)
            case q.ExportQuestion():
                return await asyncio.to_thread(reading.export, store, question)
            case q.StatsQuestion():
                return await self._stats()
            case q.AboutQuestion():
                return await asyncio.to_thread(reading.about, store, question)
            case q.MemoryDigestQuestion():
                return await asyncio.to_thread(reading.digest, store, question)
            case q.RecentQuestion():
                sensory = await self._source.sensory()
                return {"rows": [event_row(commit, event) for commit, event in sensory.newest(question.limit)]}
            case q.WorkingQuestion():
                return await self._working(question)
            case q.ConsolidateQuestion():
                report = await self._source.consolidation.run(question.since_ns, everything=True)
                return msgspec.structs.asdict(report)
            case q.ExtractQuestion():
                return await self._extract(question)
            case q.ForgetQuestion():
                return await self._forget(question)
            case _:
                raise InvalidQuery("there is no such question")

    async def _search(self, question: q.SearchQuestion) -> Reply:
        store = self._source.store
        with store.precedence.answering():
            reply = await asyncio.to_thread(reading.search, store, question, self._source.context.time.now_ns())
        if is_id(question.task):
            working = await self._source.working(question.task)
            working.add_answers(question.text, [row["excerpt"] for row in reply["rows"]])
        return reply

    async def _context(self, question: q.ContextQuestion) -> Reply:
        reply = await self.contexts.answer(self._source.store, question, self._source.context.time.now_ns())
        if is_id(question.task):
            working = await self._source.working(question.task)
            working.add_answers(question.text, [item["excerpt"] for item in reply["items"]])
        return reply

    async def _stats(self) -> Reply:
        consolidation = self._source.consolidation
        return await asyncio.to_thread(reading.counts, self._source.store) | {
            "histories_upto": self._source.histories.position,
            "consolidated_upto": consolidation.upto,
            "last_daily_at": iso(consolidation.daily_ns),
            "plan": msgspec.structs.asdict(self._source.plan),
        }

    async def _working(self, question: q.WorkingQuestion) -> Reply:
        if not is_id(question.task):
            raise InvalidQuery("task is not a valid id: 1 to 128 characters of A-Z a-z 0-9 _ -")
        if not 0 < question.budget <= 1_000_000:
            raise InvalidQuery(f"budget is {question.budget}, it must be 1 to 1000000")
        working = await self._source.working(question.task)
        return {"task": question.task, "text": working.text(question.budget)}

    async def _extract(self, question: q.ExtractQuestion) -> Reply:
        job = ExtractionJob(question.key, question.user, question.conversation, question.message, question.seq)
        commands = await extract(self._source.context.log, job)
        written = await self._source.writer.write(commands)
        if written.refused:
            raise Refused(f"{written.refused} of {len(commands)} memories of the message were refused")
        return {"ids": [command.id for command in commands], "changed": written.changed}

    async def _forget(self, question: q.ForgetQuestion) -> Reply:
        ids = await asyncio.to_thread(reading.ids_to_forget, self._source.store, question)
        written = await self._source.writer.write(ItemCommand(id, c.ForgetMemory(question.by)) for id in ids)
        if written.last_seq > 0:
            await self._source.store.reached(written.last_seq, _ROWS_WITHIN_S)
        return {"ids": ids, "changed": written.changed}
