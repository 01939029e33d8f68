"""What came to nothing, kept for a person: dead tasks, failed deliveries, refused commands, unreadable records."""

from collections.abc import Callable, Iterable
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec

from clawactors.kernel.errors import InvalidQuery, NotFound, Refused
from clawactors.kernel.external import ExternalCommand
from clawactors.runtime.asking import checked_reply
from clawactors.runtime.client.deadletterrows import (
    DeadLetterDetail,
    DeadLetterReport,
    DeadLetterRow,
    Reports,
    checked_kinds,
    detail_of,
    parts_of,
    row_of_delivery,
    row_of_letter,
    row_of_task,
)
from clawactors.runtime.client.rows import Page
from clawactors.runtime.client.triggerrows import TriggerFailureRow, TriggerRow
from clawactors.runtime.client.waiting import several_ids
from clawactors.runtime.deadletters import DropLetters, DropReply, Letter, LettersQuestion, LettersReply
from clawactors.runtime.times import Moment, moment_ns

if TYPE_CHECKING:
    from clawactors.runtime.client.client import ClusterClient

__all__ = ["ClientDeadLetters"]

type FoundPage = tuple[list[DeadLetterRow], str | None]
type Deliveries = list[tuple[TriggerRow, TriggerFailureRow]]

_PAGE: Final = 100


class ClientDeadLetters:
    """`Client.dead_letters`."""

    def __init__(self, client: "ClusterClient") -> None:
        self._client = client

    async def list(
        self,
        *,
        kind: str | Iterable[str] = (),
        skill: str = "",
        error: str = "",
        since: Moment | None = None,
        limit: int | None = 100,
        cursor: str = "",
    ) -> Page[DeadLetterRow]:
        """A page of them: tasks first, then deliveries, commands and records; of each kind the newest first.

        `kind` is one or several of `task`, `delivery`, `command`, `record`. With `skill` or `error`, a class of errors,
        only what has one is listed: tasks, and by skill the deliveries of triggers that submit it. `since` is when it
        came to nothing. `cursor` is that of the page before. Raises: `InvalidQuery`, `Unavailable`.
        """
        kinds, since_ns = checked_kinds(kind), moment_ns(since)
        if limit is not None and (type(limit) is not int or limit < 1):
            raise InvalidQuery(f"the limit is {limit!r}; it must be a whole number of at least 1, or None for all")
        name, _, rest = cursor.partition(" ")
        if cursor and name not in kinds:
            raise InvalidQuery("this cursor is of another question")
        rows: list[DeadLetterRow] = []
        for each in kinds[kinds.index(name) if cursor else 0 :]:
            if (each != "task" and error) or (each in ("command", "record") and skill):
                continue
            after: str | None = rest if each == name else ""
            while after is not None:
                if len(rows) == limit:
                    return Page(tuple(rows), f"{each} {after}")
                most = _PAGE if limit is None else min(_PAGE, limit - len(rows))
                found, after = await self._page(each, after, most, skill, error, since_ns)
                rows += (row for row in found if since_ns is None or (moment_ns(row.at) or 0) >= since_ns)
        return Page(tuple(rows))

    async def get(self, id: str) -> DeadLetterDetail:
        """One of them, by its id; a task also by its own. Raises: `NotFound`, `InvalidQuery`, `Unavailable`."""
        sort, name = parts_of(id)
        if sort == "task":
            task = await self._client.task(name)
            if task.status != "dead":
                raise NotFound(f"task {name} is {task.status}, not dead")
            return detail_of(row_of_task(task), task=task)
        if sort == "letter":
            letter = await self._letter(int(name))
            body = (letter.body or b"").decode(errors="replace")
            return detail_of(row_of_letter(letter), body=body, bytes=letter.size, seq=letter.of_seq)
        trigger, failure = await self._delivery(name)
        return detail_of(row_of_delivery(trigger, failure), event=failure.event, about=failure.of)

    async def redrive(
        self, ids: Iterable[str], *, progress: Callable[[int, int], None] = lambda done, total: None
    ) -> Reports:
        """Tries them again: tasks are retried, deliveries repeated, commands sent again, in the name of this client.

        What can't be tried again, such as a record that nobody can read, is left with the reason.
        Raises: `InvalidQuery`, `Unavailable`.
        """
        return await self._each(ids, self._redrive, progress)

    async def drop(
        self, ids: Iterable[str], *, progress: Callable[[int, int], None] = lambda done, total: None
    ) -> Reports:
        """Keeps them no longer: dead tasks are deleted, their histories stay readable. Raises: as `redrive`."""
        return await self._each(ids, self._drop, progress)

    async def _each(self, ids: Iterable[str], change: Any, progress: Callable[[int, int], None]) -> Reports:
        wanted = several_ids(ids)
        for id in wanted:
            parts_of(id)
        reports: list[DeadLetterReport] = []
        progress(0, len(wanted))
        for id in wanted:
            try:
                await change(*parts_of(id))
                reports.append(DeadLetterReport(id, done=True))
            except (Refused, NotFound) as refusal:
                reports.append(DeadLetterReport(id, left=str(refusal)))
            progress(len(reports), len(wanted))
        return reports

    async def _redrive(self, sort: str, name: str) -> None:
        if sort == "task":
            [report] = await self._client.redrive(name)
            if report.task is None:
                raise Refused(report.left)
        elif sort == "delivery":
            trigger, _ = await self._delivery(name)
            await self._client.triggers.redrive(trigger.name, (name,))
        else:
            await self._send_again(await self._letter(int(name)))
            await self._drop(sort, name)

    async def _drop(self, sort: str, name: str) -> None:
        if sort == "task":
            await self.get(f"task:{name}")
            await self._client.delete(name)
        elif sort == "delivery":
            trigger, _ = await self._delivery(name)
            await self._client.triggers.drop(trigger.name, (name,))
        else:
            request = msgspec.json.encode(DropLetters(seqs=[int(name)]))
            answer = await self._client.questions.ask("letters", request, verb="do")
            reply = checked_reply(msgspec.json.decode(answer, type=DropReply))
            if not reply.dropped:
                raise NotFound(f"there is no dead letter {name}")

    async def _send_again(self, letter: Letter) -> None:
        """Raises: `Refused`, with the reason of now."""
        if not letter.is_command:
            raise Refused("it is a record of the log, which stays as it is: nothing can be tried again")
        *_, kind, id = letter.subject.split(".")
        try:
            command = msgspec.json.decode(letter.body or b"", type=dict[str, Any])
        except msgspec.MsgspecError as error:
            raise Refused(f"the command is no JSON: {error}") from None
        command.pop("by", None)  # it is this client who asks now
        raw = cast("ExternalCommand", msgspec.Raw(msgspec.json.encode(command)))
        await self._client.sender.ask(kind, id, raw, queued=False)

    async def _page(self, sort: str, after: str, most: int, skill: str, error: str, since_ns: int | None) -> FoundPage:
        """At most so many of one kind, and where the next page goes on: behind a place, whatever lay there is gone."""
        if sort == "task":
            page = await self._client.tasks(
                status="dead", skill=skill, error=error, limit=most, cursor=after, fresh=not after
            )
            return [row_of_task(task) for task in page], page.cursor
        if sort == "delivery":
            found = [
                (_place(row), row)
                for trigger, failure in await self._deliveries()
                if skill in ("", trigger.skill)
                for row in (row_of_delivery(trigger, failure),)
            ]
            left = sorted((each for each in found if not after or each[0] < after), key=itemgetter(0), reverse=True)
            return [row for _, row in left[:most]], left[most - 1][0] if len(left) > most else None
        before = int(after) if after.isdecimal() else 0
        question = LettersQuestion(before=before, limit=most, commands=sort == "command", since_ns=since_ns)
        reply = await self._ask(question)
        return [row_of_letter(letter) for letter in reply.letters], str(reply.before) if reply.before else None

    async def _deliveries(self) -> Deliveries:
        return [(trigger, each) for trigger in await self._client.triggers.list() for each in trigger.failures]

    async def _delivery(self, id: str) -> tuple[TriggerRow, TriggerFailureRow]:
        for trigger, failure in await self._deliveries():
            if failure.id == id:
                return trigger, failure
        raise NotFound(f"no failed delivery {id!r} is kept")

    async def _letter(self, seq: int) -> Letter:
        return (await self._ask(LettersQuestion(seq=seq))).letters[0]

    async def _ask(self, question: LettersQuestion) -> LettersReply:
        answer = await self._client.questions.ask("letters", msgspec.json.encode(question))
        return checked_reply(msgspec.json.decode(answer, type=LettersReply))


def _place(row: DeadLetterRow) -> str:
    """Where a delivery lies among the others, the newest highest."""
    return f"{row.at or ''} {row.id}"
