"""The routes of a question beside the ranked search: days, other names, facts in two steps, the first or the last.

Each route only reorders or adds what the search finds; the score never rises down the list.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import msgspec
from msgspec.structs import replace

from clawactors.memory.item import KINDS, Item
from clawactors.memory.recall.aliases import names_of, renamed
from clawactors.memory.recall.filter import MemoryFilter
from clawactors.memory.recall.firstperson import own_first
from clawactors.memory.recall.graph import FactGraph
from clawactors.memory.recall.hit import Hit, hit_of
from clawactors.memory.recall.when import TimeAsked, asked_order, asked_time
from clawactors.memory.text.calendar import UTC, Zone
from clawactors.projections.engine.store import Reading

__all__ = ["AskedQuestion", "FoundHit", "answers"]

_BY_TIME: Final = 0.9
"""The score of what happened on the days that a question asks about, where it asks for nothing else."""
_BY_FACTS: Final = 0.95
_LIKE_MOST: Final = 3
_ASKS_OF_TASKS = re.compile(
    r"\b(?:fail|error|wrong|problem|issue|crash|broke|time[sd]? ?out|happen|last time|before|similar)"
    r"|失败|出错|错误|报错|问题|超时|上次|之前|类似|怎么回事|发生",
    re.IGNORECASE,
)
"""Questions about how tasks went: only these are answered by tasks that were about the same."""
_ALIKE: Final = 0.8
"""Hits with at least this share of the best score answer alike: «the first» or «the last» of them is chosen by time."""

type FoundHit = tuple[Item, Hit]


class AskedQuestion(msgspec.Struct, frozen=True):
    """A question with what is needed to understand it; `now_ns` and `zone` for words like «yesterday»."""

    text: str
    filter: MemoryFilter
    now_ns: int
    zone: Zone = UTC
    locale: str = ""
    skill: str = ""
    """The skill of the task that asks."""
    goal: str = ""
    """What that task is about: its parameters and description."""


def answers(
    reading: Reading,
    asked: AskedQuestion,
    ranked: Callable[[str, MemoryFilter], list[FoundHit]],
    newest: Callable[[MemoryFilter], Iterable[Item]],
    passing: Callable[[Item], bool],
) -> list[FoundHit]:
    """What answers the question, best first.

    `ranked` searches, `newest` lists what a filter lets pass, `passing` tells whether the question's filter does.
    """
    found = ranked(asked.text, asked.filter)
    for text in renamed(reading, asked.text, passing):
        found = _merged(found, ranked(text, asked.filter))
    if time := asked_time(asked.text, asked.now_ns, asked.zone, asked.locale):
        found = _by_time(asked, time, found, ranked, newest)
    if order := asked_order(asked.text):
        found = _by_order(found, last=order == "last")
    if asked.goal and _ASKS_OF_TASKS.search(asked.text):
        found = _of_like_tasks(found, ranked(asked.goal, asked.filter))
    if asked.skill:
        found = _of_skill(found, asked.skill)
    asker = asked.filter.speaker or asked.filter.owner or asked.filter.reader or ""
    found = own_first(reading, asked.text, asker, found, lambda name: names_of(reading, name, passing))
    if facts := FactGraph(reading, asker, passing).answers(asked.text):
        told = [(item, hit_of(item, _BY_FACTS, False, item.content.text, {"facts": 1.0})) for item in facts]
        found = _first(told, found)
    return _falling(found)


def _by_time(
    asked: AskedQuestion,
    time: TimeAsked,
    found: list[FoundHit],
    ranked: Callable[[str, MemoryFilter], list[FoundHit]],
    newest: Callable[[MemoryFilter], Iterable[Item]],
) -> list[FoundHit]:
    """What happened on those days first: all of it where nothing else is asked, else what answers the question."""
    filter = asked.filter
    until_ns = min(filter.until_ns, time.until_ns) if filter.until_ns else time.until_ns
    within = replace(filter, since_ns=max(filter.since_ns, time.since_ns), until_ns=until_ns)
    if time.only:
        # What was said and done, once: what is derived from it repeats it.
        kinds = [(kind,) for kind in KINDS] if not filter.kinds else [filter.kinds]
        happened = next((items for each in kinds if (items := list(newest(replace(within, kinds=each))))), [])
        then = [(item, hit_of(item, _BY_TIME, False, item.content.text, {"date": 1.0})) for item in happened]
        told_later = [one for one in found if filter.kinds or one[1].kind != "knowledge"]
        return _first(then, told_later if then else found)
    then = ranked(asked.text, within)
    return _first(then, found) if _strong(then) else found


def _by_order(found: list[FoundHit], *, last: bool) -> list[FoundHit]:
    """The hits that answer alike by their time."""
    least = _ALIKE * max((hit.score for _, hit in found), default=0.0)
    alike = [one for one in found if one[1].score >= least]
    alike.sort(key=lambda one: (one[1].at_ns, one[0].number), reverse=last)
    return alike + [one for one in found if one[1].score < least]


def _of_skill(found: list[FoundHit], skill: str) -> list[FoundHit]:
    """Similar tasks: of the hits that answer alike, those of the same skill come first, then those of its kind.

    «deploy-web» and «deploy-api» are of one kind: their names share a word.
    """
    least = _ALIKE * max((hit.score for _, hit in found), default=0.0)
    words = _words_of(skill)

    def distance(one: FoundHit) -> int:
        skills = [tag.removeprefix("skill:") for tag in one[1].tags if tag.startswith("skill:")]
        if one[1].score < least:
            return 3
        return 0 if skill in skills else 1 if any(words & _words_of(each) for each in skills) else 2

    return sorted(found, key=distance)


def _words_of(skill: str) -> frozenset[str]:
    return frozenset(word for word in re.split(r"[^\w]+|_", skill.lower()) if len(word) > 2)


def _of_like_tasks(found: list[FoundHit], like: list[FoundHit]) -> list[FoundHit]:
    """What tasks of any skill met that were about the same comes behind what answers by its own words."""
    tasks = [one for one in _strong(like) if any(tag.startswith("skill:") for tag in one[1].tags)][:_LIKE_MOST]
    return _first(_strong(found), tasks) if tasks else found


def _merged(one: list[FoundHit], other: list[FoundHit]) -> list[FoundHit]:
    """Both, the better first; weak hits only where there are no others."""
    together = sorted([*one, *other], key=lambda each: -each[1].score)
    return _first([], _strong(together) or together)


def _first(before: Sequence[FoundHit], after: Sequence[FoundHit]) -> list[FoundHit]:
    """Those before those after, each memory once; weak hits fall away behind others."""
    placed: dict[str, FoundHit] = {}
    for item, hit in (*before, *(_strong(after) if before else after)):
        placed.setdefault(hit.id, (item, hit))
    return list(placed.values())


def _strong(found: Sequence[FoundHit]) -> list[FoundHit]:
    return [one for one in found if not one[1].weak]


def _falling(found: list[FoundHit]) -> list[FoundHit]:
    """The same order, with scores that never rise."""
    falling, least = [], 1.0
    for item, hit in found:
        least = min(least, hit.score)
        falling.append((item, hit if hit.score == least else replace(hit, score=least)))
    return falling
