"""Messages for people: what happened, why, the id, and the command that helps. Pure.

1. Text of tasks is quoted: one line, no characters that control a terminal or the direction of writing, cut.
2. Many at once are counted; of the first `SHOWN` it says more.
"""

import unicodedata
from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from clawactors.kernel.time import iso

__all__ = ["SHOWN", "Gathered", "Happening", "NoticeMessage", "Quoted", "plain"]

SHOWN: Final = 5
_WHY_MAX: Final = 500
_TITLE_MAX: Final = 120
_GROUPS: Final = 12
_COUNTED: Final = 200
_WRONG: Final = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
_WHAT: Final = {
    "dead": ("is dead", "dead"),
    "failed": ("failed", "failed"),
    "blocked": ("is blocked", "blocked"),
    "approval": ("asks for approval", "ask for approval"),
    "completed": ("completed", "completed"),
    "cancelled": ("was cancelled", "cancelled"),
}

_NODE_LOST: Final = "node-lost"
_LABELS: Final = {"approval": "Question: ", "completed": "Result: "}


def plain(text: object, most: int = _WHY_MAX) -> str:
    """The text as one line that only says something, cut; what else characters can do is left out."""
    cut = str(text)[: 4 * most]
    line = " ".join("".join(" " if each.isspace() else each for each in cut if _is_shown(each)).split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def _is_shown(character: str) -> bool:
    return character.isspace() or unicodedata.category(character) not in _WRONG


class Quoted(msgspec.Struct, frozen=True):
    """What somebody else wrote; a chat shows it as it is."""

    text: str


class NoticeMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One message. `id` is the same whenever it is sent again; `pieces` are its text, `data` what programs read."""

    id: str
    title: str
    pieces: tuple[str | Quoted, ...]
    data: dict[str, Any] = {}

    @property
    def text(self) -> str:
        """All of it as plain text."""
        return "".join(piece if isinstance(piece, str) else piece.text for piece in self.pieces)


class Happening(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened: `what` as rules name it, to the `kind` of that `id`; `why` and `skill` are quoted."""

    what: str
    kind: str
    id: str
    why: str = ""
    skill: str = ""
    user: str = ""
    number: int = 0
    asks: str = ""
    at_ns: int = 0
    cleared: bool = False

    @property
    def title(self) -> str:
        """What happened, in a few words."""
        if self.what in _WHAT:
            return plain(f"task {self.id} {_WHAT[self.what][0]}", _TITLE_MAX)
        return f"node {self.id} is lost" if self.what == _NODE_LOST else plain(f"{self.id}: {self.why}", _TITLE_MAX)

    @property
    def commands(self) -> tuple[str, ...]:
        """What helps."""
        match self.what:
            case "node-lost":
                return (f"claw node {self.id}",)
            case what if what not in _WHAT:
                return () if self.cleared else ("claw doctor",)
            case "approval":
                return (f"claw approve {self.id} {self.asks}".rstrip(), f"claw deny {self.id} {self.asks}".rstrip())
            case "dead" | "failed" | "blocked":
                return (f"claw why {self.id}", f"claw retry {self.id}")
            case _:
                return (f"claw task {self.id}",)

    def pieces(self) -> Iterable[str | Quoted]:
        """The same in whole."""
        yield f"{self.title[:1].upper()}{self.title[1:]}"
        if self.skill:
            yield " (skill "
            yield Quoted(plain(self.skill, 80))
            if self.user:
                yield ", user "
                yield Quoted(plain(self.user, 80))
            yield ")"
        yield "\n"
        if self.why and (self.what in _WHAT or self.what == _NODE_LOST):
            yield _LABELS.get(self.what, "Why: ")
            yield Quoted(plain(self.why))
            yield "\n"
        if self.at_ns:
            yield f"At: {(iso(self.at_ns) or '')[:19].replace('T', ' ')} UTC\n"
        if self.commands:
            yield "Do: "
            for index, command in enumerate(self.commands):
                yield from ("  or  ",) if index else ()
                yield Quoted(command)
            yield "\n"
        if self.number:
            yield f"Here: approve {self.number}  or  deny {self.number} because …\n"


class Gathered:
    """What goes out in one message: all are counted, few are kept. Empty until the first `add`."""

    def __init__(self) -> None:
        self.items: list[Happening] = []
        self.total = 0
        self._counts: Counter[str] = Counter()
        self._skills: Counter[tuple[str, str]] = Counter()

    def add(self, item: Happening) -> None:
        """Takes one more."""
        self.total += 1
        self._counts[item.what] += 1
        group = item.what, plain(item.skill, 80) or item.id
        if group in self._skills or len(self._skills) < _COUNTED:
            self._skills[group] += 1
        if len(self.items) < SHOWN:
            self.items.append(item)

    def message(self, id: str, rule: str) -> NoticeMessage:
        """All of it, said."""
        if self.total == 1:
            title, pieces = self.items[0].title, [*self.items[0].pieces()]
        else:
            title = ", ".join(_counted(what, count) for what, count in self._counts.most_common())
            pieces = [*self._summary(title)]
        data = {
            "type": "notification",
            "id": id,
            "rule": rule,
            "title": title,
            "total": self.total,
            "counts": dict(self._counts),
            "items": [_row(item) for item in self.items],
        }
        return NoticeMessage(id=id, title=title, pieces=(*pieces, f"Rule: {rule}"), data=data)

    def _summary(self, title: str) -> Iterable[str | Quoted]:
        yield f"{title[:1].upper()}{title[1:]}\n"
        for (what, name), count in self._skills.most_common(_GROUPS):
            yield f"{count} of {what} "
            yield Quoted(name)
            yield "\n"
        if len(self._skills) > _GROUPS:
            yield "and others\n"
        yield f"\nThe first {len(self.items)}:\n" if self.total > len(self.items) else "\n"
        for item in self.items:
            yield from item.pieces()
            yield "\n"
        listed = [what for what in ("dead", "failed", "blocked") if self._counts[what]]
        if listed:
            yield "All: "
            yield Quoted(f"claw tasks --status {','.join(listed)}")
            yield "\n"
        if self._counts["approval"]:
            yield "All: "
            yield Quoted("claw approvals")
            yield "\n"


def _counted(what: str, count: int) -> str:
    if what in _WHAT:
        return f"{count} tasks {_WHAT[what][1]}" if count > 1 else f"1 task {_WHAT[what][0]}"
    if what == _NODE_LOST:
        return f"{count} node{'s' if count > 1 else ''} lost"
    return f"{count} of {what}"


def _row(item: Happening) -> dict[str, Any]:
    return {
        "what": item.what,
        "kind": item.kind,
        "id": item.id,
        "title": item.title,
        "why": plain(item.why),
        "skill": item.skill or None,
        "user": item.user or None,
        "at": iso(item.at_ns),
        "commands": list(item.commands),
    }
