"""Answers to questions about memory: a question's bytes in, the answer's bytes out; an error for an invalid one."""

import asyncio
from functools import partial
from typing import Protocol

import msgspec

from clawactors.eventlog import EventLogError, is_id
from clawactors.eventlog.decoding import Decoder
from clawactors.kernel.errors import NotFound, Refused
from clawactors.kernel.time import iso
from clawactors.memory.ingest.history_reader import HistoryReader
from clawactors.memory.ingest.message_extractor import ExtractionJob, extract
from clawactors.memory.process import questions as q
from clawactors.memory.process import reading
from clawactors.memory.process.access import Access, access_of, spelled
from clawactors.memory.process.auditing import audit, history
from clawactors.memory.process.changing import change, configure
from clawactors.memory.process.commands import MemoryCommands
from clawactors.memory.process.consolidation import ConsolidationRunner
from clawactors.memory.process.contexts import Contexts
from clawactors.memory.process.forgetting import forget
from clawactors.memory.process.hiding import Hiding
from clawactors.memory.process.past import PastMemory
from clawactors.memory.process.plan import MemoryPlan
from clawactors.memory.process.replies import Reply, event_row
from clawactors.memory.process.store import MemoryStore
from clawactors.memory.process.uses import UseCounter
from clawactors.memory.process.writer import CommandWriter
from clawactors.memory.recall.levels import SENSORY_LIMIT, SensoryMemory, WorkingMemory
from clawactors.projections.engine.pages import InvalidQuery
from clawactors.projections.engine.questions import error_reply, read_question
from clawactors.runtime.context import ActorContext
from clawactors.systems.memories import commands as c
from clawactors.systems.tasks.kind import TASKS

__all__ = ["AnswerSource", "Answers"]

_encode = msgspec.json.Encoder().encode
_ROWS_WITHIN_S = 30.0


class AnswerSource(Protocol):
    """What answers are made from; `MemoryActor` has it once it is open."""

    context: ActorContext
    store: MemoryStore
    decoder: Decoder
    consolidation: ConsolidationRunner
    writer: CommandWriter
    commands: MemoryCommands
    histories: HistoryReader
    plan: MemoryPlan
    uses: UseCounter
    past: PastMemory | None

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
        self._running: dict[tuple[str, str, bytes], asyncio.Future[Reply]] = {}

    async def answer(self, name: str, principal: str, body: bytes) -> bytes:
        """The encoded answer, or an encoded error; it never raises for an invalid question.

        `principal` is who asks, '' for the cluster's own account.
        """
        try:
            question = read_question(q.QUESTIONS, name, body, "memory.")
            question = spelled(question)
            access = access_of(question, principal)
            if isinstance(question, q.ForgetQuestion | q.ConsolidateQuestion):
                return await self._once((name, principal, body), question, access)
            return _encode(await self._fresh_reply(question, access))
        except (Refused, NotFound, EventLogError, RecursionError) as error:
            return error_reply(error)

    async def _once(self, key: tuple[str, str, bytes], question: q.MemoryQuestion, access: Access) -> bytes:
        """What takes long is asked again before it is answered; then it is done once, for all who ask."""
        if (running := self._running.get(key)) is None:
            running = self._running[key] = asyncio.ensure_future(self._fresh_reply(question, access))
            running.add_done_callback(lambda _: self._running.pop(key))
        return _encode(await asyncio.shield(running))

    async def _fresh_reply(self, question: q.MemoryQuestion, access: Access) -> Reply:
        await self._source.opened()
        if question.fresh:
            await self._source.fresh(concluded=not isinstance(question, q.SearchQuestion))
        if question.at_seq or question.at_time_ns:
            if self._source.past is None:
                raise InvalidQuery("memory can't be asked of the past here")
            return await self._source.past.reply(question, access, self._source.store)
        reply = await self._reply(question, access)
        return reply | {"position": self._source.store.views.position}

    async def _reply(self, question: q.MemoryQuestion, access: Access) -> Reply:
        store, context = self._source.store, self._source.context
        now_ns, decoder = context.time.now_ns(), self._source.decoder
        dispatcher = self._source.commands.dispatcher
        match question:
            case q.ContextQuestion():
                return await self._context(question, access)
            case q.SearchQuestion():
                return await self._search(question, access)
            case q.ShowQuestion():
                return await asyncio.to_thread(reading.show, store, question, access, now_ns)
            case q.ExportQuestion():
                return await asyncio.to_thread(reading.export, store, question, access, now_ns)
            case q.StatsQuestion():
                return await self._stats(access)
            case q.RowsHealthQuestion():
                return msgspec.structs.asdict(await store.views.health.report(check=question.check))
            case q.AboutQuestion():
                return await asyncio.to_thread(reading.about, store, question, access)
            case q.MemoryDigestQuestion():
                return await asyncio.to_thread(reading.digest, store, question)
            case q.RecentQuestion():
                return {"rows": await self._recent(question, access)}
            case q.WorkingQuestion():
                return await self._working(question, access)
            case q.ConsolidateQuestion():
                report = await self._source.consolidation.run(question.since_ns, everything=True)
                return msgspec.structs.asdict(report)
            case q.ExtractQuestion():
                return await self._extract(question)
            case q.ForgetQuestion():
                head = (await context.log.head()).last_seq
                return await forget(store, dispatcher, question, access, head, self._source.consolidation.reconsider)
            case q.UpdateQuestion():
                command = c.UpdateMemory(question.text, question.tags, question.derived_from)
                return await change(store, dispatcher, question.id, command, access, now_ns)
            case q.ArchiveQuestion():
                kept = c.RestoreMemory() if question.restore else c.ArchiveMemory(question.reason)
                return await change(store, dispatcher, question.id, kept, access, now_ns)
            case q.VersionsQuestion():
                return await history(store, context.log, decoder, question, access)
            case q.AuditQuestion():
                return await audit(store, context.log, decoder, question, access)
            case q.SettingsQuestion():
                return await configure(store, dispatcher, question, access)
            case _:
                raise InvalidQuery("there is no such question")

    async def _search(self, question: q.SearchQuestion, access: Access) -> Reply:
        store = self._source.store
        position, now_ns = store.views.position, self._source.context.time.now_ns()
        working = await self._source.working(question.task) if is_id(question.task) else None
        goal = working.about if working else ""
        with store.precedence.answering():
            reply = await asyncio.to_thread(reading.search, store, question, access, now_ns, goal)
        if working:
            working.add_answers(question.text, {row["id"]: row["excerpt"] for row in reply["rows"]}, position)
        if question.text:
            self._source.uses.note(row["id"] for row in reply["rows"] if not row["weak"])
        return reply

    async def _context(self, question: q.ContextQuestion, access: Access) -> Reply:
        store = self._source.store
        position, now_ns = store.views.position, self._source.context.time.now_ns()
        working = await self._source.working(question.task) if is_id(question.task) else None
        reply = await self.contexts.answer(store, question, access, now_ns, working.about if working else "")
        if working:
            working.add_answers(question.text, {item["id"]: item["excerpt"] for item in reply["items"]}, position)
        self._source.uses.note(item["id"] for item in reply["items"] if not item["weak"])
        return reply

    async def _stats(self, access: Access) -> Reply:
        consolidation = self._source.consolidation
        return await asyncio.to_thread(reading.counts, self._source.store, access) | {
            "histories_upto": self._source.histories.position,
            "consolidated_upto": consolidation.upto,
            "last_daily_at": iso(consolidation.daily_ns),
            "proposals": consolidation.proposing.row,
            "plan": msgspec.structs.asdict(self._source.plan),
        }

    async def _recent(self, question: q.RecentQuestion, access: Access) -> list[Reply]:
        """The newest events that one may see and that are not forgotten."""
        found = (await self._source.sensory()).newest(SENSORY_LIMIT)
        rows: list[Reply] = []
        with self._source.store.views.store.snapshot() as snapshot:
            hiding = Hiding(snapshot)
            if access.user is None and not hiding.hides_any:
                return [event_row(*each) for each in found[-question.limit :]]
            for commit, event in reversed(found):
                if len(rows) >= question.limit:
                    break
                if commit.kind == TASKS.name:
                    task = await self._source.working(commit.id)
                    hidden = hiding.task_event(task, commit.record.seq, commit.record.at_ns)
                    seen = hiding.sees(access, task) and not hidden
                else:
                    seen = access.sees(getattr(event, "user", "")) and not hiding.message(event, commit)
                if seen:
                    rows.append(event_row(commit, event))
        return rows[::-1]

    async def _working(self, question: q.WorkingQuestion, access: Access) -> Reply:
        if not is_id(question.task):
            raise InvalidQuery("task is not a valid id: 1 to 128 characters of A-Z a-z 0-9 _ -")
        if not 0 < question.budget <= 1_000_000:
            raise InvalidQuery(f"budget is {question.budget}, it must be 1 to 1000000")
        working = await self._source.working(question.task)
        with self._source.store.views.store.snapshot() as snapshot:
            hiding = Hiding(snapshot)
            if not hiding.sees(access, working):
                raise NotFound(f"there is no task {question.task!r}")
            text = working.text(question.budget, partial(hiding.line, working))
        return {"task": question.task, "text": text}

    async def _extract(self, question: q.ExtractQuestion) -> Reply:
        job = ExtractionJob(question.key, question.user, question.conversation, question.message, question.seq)
        # What was forgotten since it was said, or is not wanted, leads to nothing, and the job is done.
        commands = await asyncio.to_thread(
            reading.wanted,
            self._source.store,
            await extract(self._source.context.log, job, self._source.store.parts.chunker),
            question.seq,
        )
        written = await self._source.writer.write(commands)
        if written.refused:
            raise Refused(f"{written.refused} of {len(commands)} memories of the message were refused")
        return {"ids": [command.id for command in commands], "changed": written.changed}
