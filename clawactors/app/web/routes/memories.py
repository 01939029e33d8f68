"""Memories: searched, kept, changed, forgotten. `/api/v1/memories`."""

from typing import Annotated, Any

import msgspec
from litestar import Controller, delete, get, patch, post, put
from litestar.di import NamedDependency, Provide
from litestar.params import FromQuery, JSONBody, QueryParameter
from litestar.response import Stream

from clawactors.app.web.answers import begun
from clawactors.app.web.parameters import At, Claw, InPath, Key, Owner, Text, Time, given_of, moment, place, until
from clawactors.app.web.routes import memorybodies as b
from clawactors.kernel.errors import InvalidQuery
from clawactors.runtime.client.rows import Page
from clawactors.runtime.naming import id_of_key
from clawactors.systems.memories import Status

__all__ = ["ConversationRoutes", "MemoryOwnerRoutes", "MemoryRoutes"]

type MemoryRow = dict[str, Any]

_Text = Annotated[str, QueryParameter(name="q", description="what is sought, in any words")]
_FILTER = {"narrowed": Provide(b.recall_filter, sync_to_thread=False)}


class MemoryRoutes(Controller):
    """What is remembered."""

    path = "/memories"
    tags = ["memories"]  # noqa: RUF012 # as litestar declares it

    @get("/search", operation_id="recall", dependencies=_FILTER)
    async def search(
        self,
        claw: Claw,
        narrowed: NamedDependency[b.RecallFilter],
        text: _Text = "",
        like: Annotated[str, QueryParameter(description="similar to this memory")] = "",
        limit: Annotated[int, QueryParameter(ge=1, le=1000)] = 5,
        explain: Annotated[bool, QueryParameter(description="with the `parts` of each score")] = False,
    ) -> Page[MemoryRow]:
        """The memories that answer best, best first, with `score` and `sources`; without `q` the newest."""
        rows = await claw.recall(text, limit=limit, like=like, explain=explain, **narrowed.wanted)
        return Page(tuple(rows))

    @get("/context", operation_id="context", dependencies=_FILTER)
    async def context(
        self,
        claw: Claw,
        narrowed: NamedDependency[b.RecallFilter],
        text: _Text = "",
        tokens: Annotated[int, QueryParameter(ge=1, le=1_000_000)] = 2000,
    ) -> MemoryRow:
        """What memory holds about a text, packed into at most so many tokens for a language model."""
        return await claw.context(text, tokens=tokens, **narrowed.wanted)

    @get("/stats", operation_id="memories.statistics")
    async def statistics(self, claw: Claw, at: At = "") -> MemoryRow:
        """How many memories there are, by kind, status, owner and origin."""
        return await claw.memories.statistics(**await place(claw, "at", at))

    @get("/recent", operation_id="memories.recent")
    async def recent(self, claw: Claw, limit: Annotated[int, QueryParameter(ge=1, le=1000)] = 100) -> Page[MemoryRow]:
        """The newest events that memories are made of."""
        return Page(tuple(await claw.memories.recent(limit)))

    @get("/about", operation_id="memories.about")
    async def about(
        self,
        claw: Claw,
        name: FromQuery[str],
        owner: Owner = "",
        depth: Annotated[int, QueryParameter(ge=0, le=5)] = 1,
    ) -> Page[MemoryRow]:
        """The facts about a name, and those that can be reached from it."""
        return Page(tuple(await claw.memories.about(name, owner=owner, depth=depth)))

    @get("/working/{task:str}", operation_id="memories.working")
    async def working(
        self, claw: Claw, task: InPath, budget: Annotated[int, QueryParameter(ge=1, le=1_000_000)] = 1000
    ) -> MemoryRow:
        """The working memory of a task, as `text`."""
        return await claw.memories.working(task, budget=budget)

    @get("/export", operation_id="memories.export", media_type="application/x-ndjson")
    async def export(
        self,
        claw: Claw,
        owner: Owner = "",
        session: Text = "",
        agent: Text = "",
        status: FromQuery[Status | None] = None,
    ) -> Stream:
        """All memories of an owner as JSON lines, oldest first."""
        rows = await begun(claw.memories.export(owner, session=session, agent=agent, status=status))
        lines = (msgspec.json.encode(row) + b"\n" async for row in rows)
        return Stream(lines, media_type="application/x-ndjson")

    @get("/audit", operation_id="memories.audit")
    async def audit(
        self,
        claw: Claw,
        id: Annotated[str, QueryParameter(description="only of this memory")] = "",
        owner: Text = "",
        since: Time = "",
        limit: Annotated[int, QueryParameter(ge=1, le=1000)] = 100,
    ) -> Page[MemoryRow]:
        """Who changed what, when and why, newest first."""
        wanted: dict[str, Any] = {"owner": owner, "since": moment("since", since), "limit": limit}
        return Page(tuple(await claw.memories.audit(id, **wanted)))

    @get("/versions", operation_id="memories.history")
    async def versions(
        self,
        claw: Claw,
        key: Annotated[str, QueryParameter(description="what was remembered under this key")] = "",
        id: Annotated[str, QueryParameter(description="or this memory")] = "",
        owner: Text = "",
    ) -> Page[MemoryRow]:
        """The versions of a memory, oldest first."""
        if bool(key) is bool(id):
            raise InvalidQuery("give a key or an id")
        return Page(tuple(await claw.memories.history(key, id=id, owner=owner)))

    @get("/{id:str}", operation_id="memories.get")
    async def memory(self, claw: Claw, id: InPath, at: At = "") -> MemoryRow:
        """One memory with all its fields."""
        return await claw.memories.get(id, **await place(claw, "at", at))

    @post(operation_id="remember", status_code=201)
    async def remember(self, claw: Claw, data: JSONBody[b.NoteBody]) -> MemoryRow:
        """Remembers a text, and answers with the memory; the same again is quiet."""
        given = given_of(data)
        if "at" in given:
            given["at"] = moment("at", given["at"])
        return await claw.memories.get(await claw.remember(given.pop("text"), **given))

    @patch("/{id:str}", operation_id="memories.update")
    async def update(self, claw: Claw, id: InPath, data: JSONBody[b.UpdateBody]) -> MemoryRow:
        """Puts a memory in other words, and answers with it."""
        await claw.memories.update(id, data.text, tags=data.tags)
        return await claw.memories.get(id)

    @post("/{id:str}/archive", operation_id="memories.archive", status_code=200)
    async def archive(self, claw: Claw, id: InPath, data: JSONBody[b.ReasonBody | None] = None) -> MemoryRow:
        """Archives a memory, so that searches skip it."""
        await claw.memories.archive(id, reason=data.reason if data else "")
        return await claw.memories.get(id)

    @post("/{id:str}/restore", operation_id="memories.restore", status_code=200)
    async def restore(self, claw: Claw, id: InPath, data: JSONBody[b.ReasonBody | None] = None) -> MemoryRow:
        """Brings an archived memory back."""
        await claw.memories.archive(id, restore=True, reason=data.reason if data else "")
        return await claw.memories.get(id)

    @delete("/{id:str}", operation_id="memories.forget_one", status_code=200)
    async def forget_one(self, claw: Claw, id: InPath, reason: Text = "") -> MemoryRow:
        """Forgets one memory, and what derives from it; answers with the receipt."""
        return await claw.memories.forget(id, reason=reason)

    @post("/forget", operation_id="memories.forget", status_code=200)
    async def forget(self, claw: Claw, data: JSONBody[b.ForgetBody]) -> MemoryRow:
        """Forgets memories by id or by scope, and what derives from them; answers with the receipt."""
        given = given_of(data)
        ids = given.pop("ids")
        scope = {name for name in ("owner", "session", "agent", "since", "until") if given.get(name)}
        if bool(ids) is bool(scope):
            raise InvalidQuery("forget takes ids, or owner, session, agent, since or until")
        for name, read in (("since", moment), ("until", until)):
            if name in given:
                given[name] = read(name, given[name])
        return await claw.memories.forget(*ids, **given)

    @post("/consolidate", operation_id="memories.consolidate", status_code=200)
    async def consolidate(self, claw: Claw, since: Time = "") -> MemoryRow:
        """Draws conclusions from what was remembered since then."""
        return await claw.memories.consolidate(moment("since", since))


class MemoryOwnerRoutes(Controller):
    """What owners want of memory."""

    path = "/memory-settings"
    tags = ["memories"]  # noqa: RUF012 # as litestar declares it

    @get(operation_id="memories.settings")
    async def settings(self, claw: Claw, owner: Owner = "") -> MemoryRow:
        """The settings of an owner."""
        return await claw.memories.settings(owner)

    @put(operation_id="memories.set_settings")
    async def set_settings(self, claw: Claw, data: JSONBody[b.SettingsBody], owner: Owner = "") -> MemoryRow:
        """Changes those that are given; answers with all."""
        return await claw.memories.settings(owner, **given_of(data))


class ConversationRoutes(Controller):
    """Conversations that memories are made of."""

    path = "/conversations"
    tags = ["memories"]  # noqa: RUF012 # as litestar declares it

    @post("/{name:str}/say", operation_id="say", status_code=201)
    async def say(
        self, claw: Claw, name: InPath, data: JSONBody[b.MessageBody], idempotency_key: Key = ""
    ) -> dict[str, str]:
        """Adds a message to a conversation; answers with the message's id."""
        given = given_of(data)
        given["at"] = moment("at", data.at)
        if idempotency_key and not data.message:
            given["message"] = id_of_key(idempotency_key)
        return {"conversation": name, "message": await claw.say(name, given.pop("text"), **given)}
