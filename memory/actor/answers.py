"""Answers to questions about memory: a question's bytes in, the answer's bytes out; a wrong one gets an error."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from clawactors.eventlog import EventLogError, is_id
from clawactors.kernel.errors import NotFound, Refused
from clawactors.kernel.time import iso
from clawactors.memory.actor import questions as q
from clawactors.memory.actor.extraction import extracted
from clawactors.memory.actor.harvest import Job
from clawactors.memory.actor.rows import fact_row, hit_row, item_row
from clawactors.memory.consolidation import Order
from clawactors.memory.index.item import KINDS, Item
from clawactors.memory.index.rows import find, item_at, taken
from clawactors.memory.recall import Filter
from clawactors.memory.recall.relation import Edge, Relations
from clawactors.projections.engine.pages import InvalidQuery
from clawactors.projections.engine.replay import stand_of
from clawactors.projections.queries import problem, read_question
from clawactors.systems.memories import Kind
from clawactors.systems.memories import commands as c
from clawactors.systems.memories.memory import STATUSES

if TYPE_CHECKING:
    from clawactors.memory.actor.actor import MemoryActor

__all__ = ["Answers"]

type _Reply = dict[str, Any]

_encode = msgspec.json.Encoder().encode
_PAGE_BYTES = 512 * 1024


class Answers:
    """What a `MemoryActor` answers, once it is open."""

    def __init__(self, actor: "MemoryActor") -> None:
        self._actor = actor

    async def answer(self, name: str, body: bytes) -> bytes:
        """The encoded answer, or an error in its place; it never raises for what was asked."""
        try:
            question = read_question(q.QUESTIONS, name, body, "memory.")
            await self._actor.opened()
            if question.fresh:
                await self._actor.fresh(concluded=not isinstance(question, q.Search))
            reply = await self._reply(question)
            return _encode(reply | {"position": self._actor.stock.views.position})
        except (Refused, NotFound, EventLogError, RecursionError) as error:
            return problem(error)

    async def _reply(self, question: q.Question) -> _Reply:
        match question:
            case q.Forget():
                return await self._forget(question)
            case q.Consolidate():
                report = await self._actor.consolidation.run(question.since_ns, everything=True)
                return msgspec.structs.asdict(report)
            case q.Extract():
                return await self._extract(question)
            case q.Recent():
                return await self._recent(question)
            case q.Working():
                return await self._working(question)
            case q.Search():
                with self._actor.stock.precedence.answering():
                    reply = await asyncio.to_thread(self._search, question)
                if is_id(question.task):
                    working = await self._actor.working(question.task)
                    working.recalled(question.text, [row["excerpt"] for row in reply["rows"]])
                return reply
            case _:
                return await asyncio.to_thread(self._read_only(question))

    def _read_only(self, question: q.Question) -> Callable[[], _Reply]:
        match question:
            case q.Show():
                return lambda: self._show(question)
            case q.Export():
                return lambda: self._export(question)
            case q.Stats():
                return self._stats
            case q.About():
                return lambda: self._about(question)
            case q.Digest():
                return lambda: self._digest(question)
            case _:
                raise InvalidQuery("there is no such question")

    # Reading

    def _search(self, question: q.Search) -> _Reply:
        if not 0 < question.limit <= q.LIMIT_MAX:
            raise InvalidQuery(f"limit is {question.limit}, it must be 1 to {q.LIMIT_MAX}")
        if not 0 <= question.threshold <= 1:
            raise InvalidQuery(f"threshold is {question.threshold}, it must be within 0 and 1")
        kinds: tuple[Kind, ...] = (question.kind,) if question.kind else ()
        wanted = Filter(
            owner=question.owner,
            kinds=kinds,
            tags=question.tags,
            speaker=question.speaker,
            session=question.session,
            since_ns=question.since_ns,
            until_ns=question.until_ns,
            closed=question.past,
        )
        searcher = self._actor.stock.searcher
        if question.like:
            hits = searcher.similar(question.like, question.limit, wanted)
        elif question.text.strip():
            now_ns = self._actor.context.time.now_ns()
            hits = searcher.search(question.text, question.limit, wanted, question.threshold, now_ns)
        else:
            hits = searcher.newest(question.limit, wanted)
        return {"rows": [hit_row(hit, explain=question.explain) for hit in hits]}

    def _show(self, question: q.Show) -> _Reply:
        item = self._actor.stock.item(question.id)
        if item is None:
            raise NotFound(f"there is no memory {question.id[:128]!r}")
        return {"row": item_row(item)}

    def _export(self, question: q.Export) -> _Reply:
        rows: list[msgspec.Raw] = []
        number, size_bytes = question.after + 1, 0
        with self._actor.stock.views.store.snapshot() as reading:
            end = taken(reading)
            while number < end and len(rows) < min(max(question.limit, 1), q.LIMIT_MAX) and size_bytes < _PAGE_BYTES:
                item = item_at(reading, number)
                number += 1
                if item and item.memory.content and question.owner in ("", item.content.owner):
                    row = _encode(item_row(item))
                    size_bytes += len(row)
                    rows.append(msgspec.Raw(row))
        return {"rows": rows, "after": number - 1 if number < end else None}

    def _stats(self) -> _Reply:
        kinds, statuses = dict.fromkeys(KINDS, 0), dict.fromkeys(STATUSES[1:], 0)
        owners: dict[str, int] = {}
        origins: dict[str, int] = {}
        for item in self._actor.stock.items():
            statuses[item.memory.status] += 1
            if item.memory.searched:
                content = item.content
                kinds[content.kind] += 1
                owners[content.owner] = owners.get(content.owner, 0) + 1
                origins[content.origin] = origins.get(content.origin, 0) + 1
        stock, consolidation = self._actor.stock, self._actor.consolidation
        return {
            "items": sum(kinds.values()),
            "kinds": kinds,
            "statuses": statuses,
            "owners": owners,
            "origins": origins,
            "in_index": stock.index.columns.living,
            "in_graph": stock.index.graph_upto,
            "size_bytes": stock.views.store.size_bytes,
            "told": self._actor.histories.told,
            "consolidated": consolidation.upto,
            "last_daily_at": iso(consolidation.daily_ns),
        }

    def _about(self, question: q.About) -> _Reply:
        with self._actor.stock.views.store.snapshot() as reading:
            relations = Relations(reading, question.owner)
            if question.at_ns:
                edges = relations.at(question.name, question.at_ns)
            elif question.depth > 1:
                edges = relations.walk(question.name, min(question.depth, 10))
            else:
                edges = relations.about(question.name, past=question.past)
        return {"rows": [_edge_row(edge) for edge in edges]}

    def _digest(self, question: q.Digest) -> _Reply:
        views = self._actor.stock.views
        return msgspec.structs.asdict(stand_of(views.store, views.feed.projector.projection, question.views))

    async def _recent(self, question: q.Recent) -> _Reply:
        return {
            "rows": [
                {
                    "seq": commit.record.seq,
                    "at": iso(commit.record.at_ns),
                    "kind": commit.kind,
                    "id": commit.id,
                    "event": msgspec.to_builtins(event),
                }
                for commit, event in (await self._actor.sensory()).newest(question.limit)
            ]
        }

    async def _working(self, question: q.Working) -> _Reply:
        if not is_id(question.task):
            raise InvalidQuery("an id has 1 to 128 of the characters A-Z a-z 0-9 _ -")
        if not 0 < question.budget <= 1_000_000:
            raise InvalidQuery(f"budget is {question.budget}, it must be 1 to 1000000")
        working = await self._actor.working(question.task)
        return {"task": question.task, "text": working.text(question.budget)}

    # Changing

    async def _extract(self, question: q.Extract) -> _Reply:
        job = Job(question.key, question.user, question.conversation, question.message, question.seq)
        orders = await extracted(self._actor.context, job)
        written = await self._actor.writer.write(orders)
        if written.refused:
            raise Refused(f"{written.refused} of {len(orders)} memories of the message were refused")
        return {"ids": [order.id for order in orders], "changed": written.changed}

    async def _forget(self, question: q.Forget) -> _Reply:
        if bool(question.id) == bool(question.owner):
            raise InvalidQuery("forget takes a memory or an owner")
        ids = await asyncio.to_thread(self._doomed, question)
        if question.id and not ids:
            raise NotFound(f"there is no memory {question.id[:128]!r}")
        written = await self._actor.writer.write(Order(id, c.ForgetMemory(question.by)) for id in ids)
        if written.last_seq > 0:
            await self._actor.stock.reached(written.last_seq, 30.0)
        return {"ids": ids, "changed": written.changed}

    def _doomed(self, question: q.Forget) -> list[str]:
        """What goes: the memories that were named, and all that was condensed from them, for it holds their words."""
        stock = self._actor.stock
        if question.owner:
            return [one.id for one in stock.items() if one.memory.content and one.content.owner == question.owner]
        with stock.views.store.snapshot() as reading:
            if find(reading, question.id) is None:
                return []
        doomed = {question.id: None}
        found = True
        while found:
            more = {one.id: None for one in stock.items() if one.id not in doomed and _comes_from(one, doomed)}
            found = bool(more)
            doomed |= more
        return list(doomed)


def _comes_from(item: Item, ids: dict[str, None]) -> bool:
    content = item.memory.content
    return content is not None and any(parent in ids for parent in content.parents)


def _edge_row(edge: Edge) -> _Reply:
    return {"id": edge.id, "holds": edge.holds, "steps": edge.steps, "fact": fact_row(edge.fact)}
