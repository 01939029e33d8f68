"""Remembering and recalling, as clients and running tasks do; durable when it returns.

Clients ask the memory process to record; nodes write what their tasks remember by themselves, so that a task does not
wait for that process. Questions go to the memory process. Nothing here knows how memory searches.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from itertools import batched
from typing import Any, Final, Protocol, Unpack

import msgspec
from msgspec.structs import replace

from clawactors.eventlog import TooLarge, Unavailable
from clawactors.eventlog.requests import Asking
from clawactors.kernel.errors import InvalidQuery, NotFound, Refused
from clawactors.kernel.principals import principal_of
from clawactors.runtime.memoryoptions import NoteOptions, RecallOptions, checked
from clawactors.runtime.packing import Count, repacked
from clawactors.runtime.recalling import ask
from clawactors.systems.memories import Content, memory_id, note_key

__all__ = ["ASK_S", "CONTEXT", "SEARCH", "Memories", "Recorder", "StoredNote", "content_of", "encoded"]

SEARCH: Final = "memory.search"
CONTEXT: Final = "memory.context"
_BUILDING: Final = "building"
_AGAIN_S: Final = 0.1
ASK_S: Final = 20.0
"""How long a question may wait: after a start, memory reads the log first."""

_AT_ONCE: Final = 32
"""Questions under way, of any number that are asked at once: the memory process bounds those of each user."""
_TOGETHER: Final = 1000
_TOKENS_MAX: Final = 1_000_000
_ERRORS: Final[Mapping[str, type[Exception]]] = {"usage": InvalidQuery, "refused": Refused, "not_found": NotFound}


class StoredNote(msgspec.Struct, frozen=True):
    """What became of one content of many: `version` is the sequence of its commit, `refusal` why there is none.

    `new` is false for what was remembered before.
    """

    id: str
    version: int = 0
    new: bool = False
    refusal: str = ""


class Recorder(Protocol):
    """How this process has notes recorded."""

    async def record(self, id: str, content: Content, *, replaces: bool = False, key: str = "") -> tuple[int, bool]:
        """The version of the memory, and whether it is new; `replaces`: in place of what has that id.

        The id follows from the owner and `key`, by default from the words.

        Raises: `Refused`, `TooLarge`, `Unavailable`.
        """
        ...


class Memories:
    """What one process does with memory, for `user`; '' is the cluster's own account, which sees everything.

    `principal` is as whom it asks, that of the user by default.
    """

    def __init__(self, recorder: Recorder, requests: Asking, user: str = "", principal: str = "") -> None:
        self._recorder, self._requests, self.user = recorder, requests, user
        self._asking = asyncio.Semaphore(_AT_ONCE)
        principal = principal or (principal_of(user) if user else "")
        self._subject = f"claw.query.{principal}" if principal else "claw.query"

    async def remember(self, text: str, *, tags: Iterable[str] = (), **more: Unpack[NoteOptions]) -> str:
        """Remembers the text; returns the memory's id, which follows from owner and `key`, by default from the text.

        `at` is when it happened. The same again is quiet; other words for the same `key` replace what it stood for
        (see `history`). Raises: `Refused`; `TypeError` for an option that there is not; what the log raises.
        """
        key = more.pop("key", "")
        return await self.record(content_of(text, tags, {"owner": self.user} | more), key)

    async def record(self, content: Content, key: str = "") -> str:
        """As `remember`, with the content as it is."""
        self._check(content)
        id = memory_id(content.owner, key or note_key(content))
        await self._recorder.record(id, content, replaces=bool(key), key=key)
        return id

    def _check(self, content: Content) -> None:
        if self.user and content.owner not in ("", self.user):
            raise Refused(f"a client of {self.user[:60]!r} can't remember for {content.owner[:60]!r}")

    async def record_many(self, contents: Sequence[Content], keys: Sequence[str] = ()) -> list[StoredNote]:
        """Remembers all of them, each named by its key, by default its words and its date; repeats are quiet.

        A refusal holds up nobody else. Raises: what the log raises, but for what is wrong with one content.
        """
        for content in contents:
            self._check(content)
        kept: list[StoredNote] = []
        for group in batched(zip(contents, keys or [""] * len(contents), strict=True), _TOGETHER):
            ids = [memory_id(content.owner, key or note_key(content)) for content, key in group]
            first = dict(zip(reversed(ids), reversed(group), strict=True))
            notes = await asyncio.gather(*(self._record(id, *noted) for id, noted in first.items()))
            by_id = dict(zip(first, notes, strict=True))
            for id in ids:
                kept.append(by_id[id])
                by_id[id] = replace(by_id[id], new=False)
        return kept

    async def _record(self, id: str, content: Content, key: str) -> StoredNote:
        try:
            version, is_new = await self._recorder.record(id, content, key=key)
        except (Refused, TooLarge) as refusal:
            return StoredNote(id, refusal=str(refusal))
        return StoredNote(id, version, is_new)

    async def recall(self, text: str, *, limit: int = 5, **wanted: Unpack[RecallOptions]) -> list[dict[str, Any]]:
        """The memories that answer best, best first, as rows with `text`, `score`, `weak`, `at`, `sources` …

        A user gets their own and what nobody owns; `owner` names another one, who has to share them.

        Raises: `Refused` (a wrong question), `TypeError` (no such option), `Unavailable` (nobody answers).
        """
        question = checked("recall", wanted, RecallOptions, "limit")
        rows: list[dict[str, Any]] = (await self.ask(SEARCH, text=text, limit=limit, **question))["rows"]
        return rows

    async def context(
        self, text: str, *, tokens: int = 2000, count: Count | None = None, **wanted: Unpack[RecallOptions]
    ) -> dict[str, Any]:
        """What memory holds about a text, packed into at most `tokens` tokens for a language model.

        The answer has `text`, `tokens`, `tokens_before`, and `items` with the sources of each entry; `wanted` as in
        `recall`. `count` counts tokens as the model does; by default they are estimated.
        Raises: as `recall`.
        """
        question = checked("context", wanted, RecallOptions, "limit", "tokens", "count")
        # Another tokenizer may need half of the tokens that are estimated, so it is offered more.
        asked = tokens if count is None else min(4 * tokens, _TOKENS_MAX)
        reply = await self.ask(CONTEXT, text=text, tokens=asked, **question)
        return reply if count is None else repacked(reply, tokens, count)

    async def ask(self, name: str, /, timeout_s: float = ASK_S, **question: Any) -> dict[str, Any]:
        """The answer to `claw.query.<name>`. Raises: `Refused`, `NotFound`, `Unavailable`."""
        if self.user:
            question.setdefault("user", self.user)
        body = encoded(question)
        while True:
            async with self._asking:
                answer = await ask(self._requests, f"{self._subject}.{name}", body, timeout_s)
            reply: dict[str, Any] = msgspec.json.decode(answer)
            if (error := reply.get("error")) is None or error["code"] != _BUILDING:
                break
            await asyncio.sleep(_AGAIN_S)  # rows of a past moment
        if error is not None:
            raise _ERRORS.get(error["code"], Unavailable)(error["message"])
        return reply


def content_of(text: str, tags: Iterable[str], more: Mapping[str, Any]) -> Content:
    """The content that these fields make. Raises: `Refused`, `TypeError` for one that there is not."""
    given = checked("remember", {"tags": tags} | dict(more), NoteOptions, "tags")
    try:
        fields = {"text": text, "importance": 0.6} | given | {"tags": tuple(tags)}
        content = msgspec.convert(fields, Content, strict=True)
    except (msgspec.ValidationError, TypeError) as error:
        raise Refused(f"this can't be remembered: {error}") from None
    encoded(content)
    return content


def encoded(value: Any) -> bytes:
    """The value as JSON. Raises: `Refused` for text that is no valid Unicode, such as half of an emoji."""
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        raise Refused("the text is no valid Unicode; clean it first") from None
