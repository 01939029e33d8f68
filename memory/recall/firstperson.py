"""Who asks about themselves is told about themselves first: «Where do I work?» asks for nobody else's employer."""

import re
from collections.abc import Callable, Iterator, Sequence

from clawactors.memory.index.rows import find
from clawactors.memory.item import Item
from clawactors.memory.recall.hit import Hit
from clawactors.memory.text.normal import fold
from clawactors.projections.engine.store import Reading

__all__ = ["own_first"]

_ASKS = re.compile(
    r"\b(?:do|did|am|was|have|had|will|can|could|should|would|may|must) i\b"
    r"|^(?:请问|那么?|你知道|告诉我)?[,，]?我(?!的|们|家|[爸妈爹娘哥姐弟妹爷奶姑叔舅姨]|老[婆公板师]|妻|丈夫|太太|先生|女|男|儿|孩|同[事学]|朋友|领导)",
    re.IGNORECASE,
)


def own_first(
    reading: Reading,
    question: str,
    asker: str,
    found: Sequence[tuple[Item, Hit]],
    names: Callable[[str], Sequence[str]],
) -> list[tuple[Item, Hit]]:
    """What is found, with facts about others behind the rest, where the question is about the asker.

    `names` are all names of a person. What somebody said of themselves in their own conversation is about the asker.
    """
    if not _ASKS.search(question) or not any(item.content.fact for item, _ in found):
        return list(found)
    own = {fold(name) for name in names(asker)} | {fold(asker)}
    others = [item.id for item, _ in found if item.content.fact and not _is_own(reading, item, own)]
    return sorted(found, key=lambda one: one[0].id in others)


def _is_own(reading: Reading, item: Item, own: set[str]) -> bool:
    subject = fold(item.content.fact.subject) if item.content.fact else ""
    return subject in own or subject in set(_speakers(reading, item))


def _speakers(reading: Reading, item: Item) -> Iterator[str]:
    """Who said what the fact was read from; the owner of a conversation alone makes memories of it."""
    for id in item.content.parents:
        parent = find(reading, id)
        if parent is not None and parent.memory.content and parent.content.owner == item.content.owner:
            yield fold(parent.content.speaker)
