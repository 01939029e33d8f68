"""What people may say in a chat, and what is done and answered. No answer is an error of the program."""

import asyncio
import hashlib
import re
from collections.abc import Awaitable, Callable, Iterable
from fnmatch import fnmatchcase
from typing import Any, Final

import msgspec

from clawactors.app.chat.port import IncomingMessage
from clawactors.eventlog import EventLogError
from clawactors.kernel.errors import NotFound, Refused
from clawactors.runtime.client import ClusterClient
from clawactors.runtime.client.rows import ApprovalRow
from clawactors.runtime.notifications.words import Quoted, plain
from clawactors.systems.bridges import Ask, ChatMember

__all__ = ["HELP", "ChatSayings"]

type Pieces = list[str | Quoted]
type _Saying = Callable[[ClusterClient, ChatMember, str, str], Awaitable[Pieces]]

HELP: Final = """status: tasks and nodes
tasks [STATUS]: the newest tasks
why ID: why a task is in its state
approvals: what tasks ask for, with numbers
approve 17, deny 17 because …: answer one
cancel ID: cancel a task
submit SKILL {"a": 1}: submit a task
remember …: keep it in memory
recall …, or any question: what memory knows
help: this
"""
_ANSWER_S: Final = 60.0
_ROWS: Final = 10
_FOUND: Final = 3
_SHORT: Final = 160
_MEMORY_MAX: Final = 10_000
_GENERATED: Final = re.compile(r"t-[0-9a-z]{21}|key-[0-9a-f]{32}")


class ChatSayings:
    """`answer` does what a message says as the user that its sender acts as. `own` numbers approvals."""

    def __init__(self, bridge: str, own: ClusterClient) -> None:
        self._bridge, self._own = bridge, own
        self._by_word: dict[str, _Saying] = {
            "help": self._help,
            "start": self._help,
            "status": self._status,
            "tasks": self._tasks,
            "why": self._why,
            "approvals": self._approvals,
            "approve": self._approve,
            "deny": self._deny,
            "cancel": self._cancel,
            "submit": self._submit,
            "remember": self._remember,
            "recall": self._recall,
        }

    async def answer(self, client: ClusterClient, who: ChatMember, message: IncomingMessage) -> Pieces:
        """What to answer. Order: done again after a crash it has its effect once."""
        text = message.text.strip()
        first, _, rest = text.partition(" ") if "\n" not in text.split(" ", 1)[0] else text.partition("\n")
        command = first.startswith("/")
        word, rest = first.lstrip("/").partition("@")[0].lower().rstrip("?!.:"), rest.strip()
        saying = self._by_word.get(word)
        if saying is None or (not command and not _fits(word, rest)):
            if not text:
                return ["I can read text only. Say help for what I understand."]
            if command:
                return ["I do not know ", Quoted(plain(first, 40)), ". Say help for what I understand."]
            saying, rest = self._recall, text
        try:
            async with asyncio.timeout(_ANSWER_S):
                return await saying(client, who, rest, message.id)
        except (Refused, NotFound) as refusal:
            return ["That did not work: ", Quoted(plain(refusal))]
        except EventLogError as error:
            return ["The cluster does not answer: ", Quoted(plain(error))]
        except TimeoutError:
            return [f"That took longer than {_ANSWER_S:g} s; it may still happen. Ask again."]

    # Asking

    async def _help(self, client: ClusterClient, who: ChatMember, rest: str, id: str) -> Pieces:
        skills = ", ".join(who.skills)
        return [HELP, f"You act as {plain(who.name, 80)}", f" and may submit {plain(skills)}." if skills else "."]

    async def _status(self, client: ClusterClient, who: ChatMember, rest: str, id: str) -> Pieces:
        status = await client.status(fresh=True)
        alarms = [row for row in await client.notifications.alarms() if row.status == "raised"]
        asks = await self._numbered(client)
        lines = [f"Tasks: {_counts(status.tasks)}\n", f"Nodes: {_counts(status.nodes)}\n"]
        if status.projection.lag > _ROWS:
            lines.append(f"The views are {status.projection.lag} commits behind\n")
        lines += [f"Alarm: {plain(row.reason)}\n" for row in alarms]
        if asks:
            lines.append(f"{len(asks)} waiting for approval: say approvals\n")
        return [*lines]

    async def _tasks(self, client: ClusterClient, who: ChatMember, rest: str, id: str) -> Pieces:
        wanted = [each for each in re.split(r"[\s,]+", rest.lower()) if each]
        page = await client.tasks(status=wanted, limit=_ROWS, fresh=True)
        pieces: Pieces = []
        for row in page:
            pieces += [f"{row.status} ", Quoted(row.id), " ", Quoted(plain(row.skill, 60)), "\n"]
        if page.cursor is not None:
            pieces.append("and more")
        return pieces or ["There are none."]

    async def _why(self, client: ClusterClient, who: ChatMember, rest: str, id: str) -> Pieces:
        task = await self._found(client, rest)
        told = await client.why(task)
        pieces: Pieces = ["Task ", Quoted(told.id), f" is {told.status}\n"]
        for reason in told.reasons:
            pieces += [Quoted(plain(reason)), "\n"]
        return pieces

    async def _approvals(self, client: ClusterClient, who: ChatMember, rest: str, id: str) -> Pieces:
        pieces: Pieces = []
        asks = await self._numbered(client)
        for number, row in asks[:_ROWS]:
            pieces += [f"{number}: ", Quoted(plain(row.question, 300)), " (task ", Quoted(row.task), ")\n"]
            if row.by and who.name not in row.by:
                pieces += ["    for ", Quoted(plain(", ".join(row.by), _SHORT)), " to answer\n"]
        if len(asks) > _ROWS:
            pieces.append(f"and {len(asks) - _ROWS} more\n")
        return [*pieces, "Say approve NUMBER, or deny NUMBER because …"] if pieces else ["Nobody asks for approval."]

    async def _numbered(self, client: ClusterClient) -> list[tuple[int, ApprovalRow]]:
        rows = await client.approvals()
        bridge = await self._own.bridges.number(self._bridge, map(_ask, rows)) if rows else None
        return [(bridge.number_of(_ask(row)), row) for row in rows] if bridge else []

    # Changing

    async def _approve(self, client: ClusterClient, who: ChatMember, rest: str, id: str) -> Pieces:
        return await self._decide(client, rest, "approved", client.approve)

    async def _deny(self, client: ClusterClient, who: ChatMember, rest: str, id: str) -> Pieces:
        return await self._decide(client, rest, "denied", client.deny)

    async def _decide(
        self, client: ClusterClient, rest: str, done: str, call: Callable[[str, str, str], Awaitable[Any]]
    ) -> Pieces:
        which, _, comment = rest.partition(" ")
        comment = re.sub(r"^(because|as|for|:|-)\s+", "", comment.strip(), flags=re.IGNORECASE)
        which = which.strip("#,.:")
        task, name = which, ""
        if which.isdecimal() and which.isascii():
            bridge = await self._own.bridges.state(self._bridge)
            ask = next((each for each in bridge.asks if each.number == int(which)), None)
            if ask is None:
                raise Refused(f"there is no approval {which}: say approvals for those that are open")
            open_now = [row for row in await client.approvals() if (row.task, row.name) == (ask.task, ask.name)]
            if open_now and _ask(open_now[0]).asked != ask.asked:
                raise Refused(f"{which} is over, and the task asks again: say approvals for its new number")
            task, name = ask.task, ask.name
        await call(task, name, comment)
        return [f"{done.capitalize()}: ", Quoted(task), f" ({plain(name, 80)})" if name else ""]

    async def _cancel(self, client: ClusterClient, who: ChatMember, rest: str, id: str) -> Pieces:
        task = await self._found(client, rest, whole=True)
        status = (await client.cancel(task)).state.life.status
        return [Quoted(task), " is cancelled" if status == "cancelled" else " is asked to stop"]

    async def _submit(self, client: ClusterClient, who: ChatMember, rest: str, id: str) -> Pieces:
        skill, _, params = rest.partition(" ")
        if not any(fnmatchcase(skill, each) for each in who.skills):
            may = f"you may submit {', '.join(who.skills)}" if who.skills else "you may submit nothing from here"
            raise Refused(f"{may}; claw chat allow … --submit changes that")
        try:
            given = msgspec.json.decode(params or "{}", type=dict[str, Any])
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise Refused(f"the parameters are no JSON object: {error}") from None
        digest = hashlib.blake2b(f"{self._bridge}/{id}".encode(), digest_size=12).hexdigest()
        ref = await client.submit(skill, given, id=f"chat-{digest}")
        return ["Submitted: ", Quoted(ref.id)]

    async def _remember(self, client: ClusterClient, who: ChatMember, rest: str, id: str) -> Pieces:
        if len(rest) > _MEMORY_MAX:
            raise Refused(f"a message to remember has at most {_MEMORY_MAX} characters")
        await client.remember(rest)
        return ["I will remember that."]

    async def _recall(self, client: ClusterClient, who: ChatMember, rest: str, id: str) -> Pieces:
        rows = await client.recall(rest[:_MEMORY_MAX], limit=_FOUND)
        good = [row for row in rows if not row.get("weak")] or rows[:1]
        if not good:
            return ["Memory knows nothing about that. Say help for what I understand."]
        pieces: Pieces = ["Memory is not sure:\n"] if good[0].get("weak") else []
        for row in good:
            pieces += [f"{str(row.get('at') or '')[:10]} ".lstrip(), Quoted(plain(row["text"])), "\n"]
        return pieces

    async def _found(self, client: ClusterClient, start: str, *, whole: bool = False) -> str:
        """The id that begins so, where only one does; `whole`: an id that somebody chose is given in whole."""
        found = await client.resolve(start)
        if found is None or (whole and found != start and not _GENERATED.fullmatch(found)):
            more = f"; to change {found}, give its whole id" if found else ""
            raise NotFound(f"there is no task {plain(start, 60)!r}{more}")
        return found


def _fits(word: str, rest: str) -> bool:
    """Whether it is a command and no sentence that begins with the same word."""
    words = rest.split()
    match word:
        case "help" | "start" | "status" | "approvals":
            return not rest
        case "tasks":
            return len(words) <= 3
        case "why" | "cancel":
            return len(words) == 1
        case "approve" | "deny":
            return bool(words) and (words[0].strip("#,.:").isdecimal() or "-" in words[0] or len(words) == 1)
        case _:
            return bool(rest)


def _ask(row: ApprovalRow) -> Ask:
    return Ask(row.task, row.name, row.asked_at or "")


def _counts(counts: "Iterable[tuple[str, int]] | dict[str, int]") -> str:
    items = counts.items() if isinstance(counts, dict) else counts
    return ", ".join(f"{count} {status}" for status, count in items if count) or "none"
