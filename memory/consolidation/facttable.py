"""The facts that a run of consolidation reads and changes, by the names of what they are about."""

import re
from collections.abc import Iterator
from typing import Final

from clawactors.memory.consolidation.facts.words import HAN_RELATIONS, RELATIONS
from clawactors.memory.consolidation.known import KnownMemories
from clawactors.memory.consolidation.predicate import ALIASES
from clawactors.memory.text.normal import fold
from clawactors.systems.memories import Fact, Memory

__all__ = ["FactTable"]

_RELATIVE: Final = re.compile(r"(?P<owner>.+?)(?:'s (?P<rel>[\w -]+)|的(?P<han>\w+))$")
_NAMES_MOST: Final = 8


class FactTable:
    """The known facts, and those that this run adds or changes."""

    def __init__(self, known: KnownMemories) -> None:
        self._known = known
        self._by_name: dict[tuple[str, str], dict[str, Memory]] = {}

    def is_recorded(self, id: str, sources: tuple[int, ...]) -> bool:
        """True for a fact that was recorded before, also if it was archived since, or forgotten after it was said."""
        memory = self._known.memory(id)
        if memory is None or memory.status != "forgotten":
            return memory is not None
        return not memory.forgotten_upto or max(sources, default=0) <= memory.forgotten_upto

    def set(self, id: str, memory: Memory) -> None:
        """Sets the current state of a fact."""
        content = memory.content
        if content and content.fact:
            for name in (content.fact.subject, content.fact.object):
                self._by_name.setdefault((content.owner, fold(name)), {})[id] = memory

    def of_name(self, owner: str, name: str) -> dict[str, Memory]:
        """All facts of the owner with this name as subject or object, including those that are no longer valid."""
        known = {**dict(self._known.facts(owner, name)), **dict(self._known.facts_on(owner, name))}
        return known | self._by_name.get((owner, fold(name)), {})

    def about(self, owner: str, subject: str) -> dict[str, Memory]:
        """All facts about the subject, whatever it is called, including those that are no longer valid."""
        found: dict[str, Memory] = {}
        for name in self.names(owner, subject):
            found |= {id: one for id, one in self.of_name(owner, name).items() if _is_about(one, name)}
        return found

    def names(self, owner: str, name: str) -> list[str]:
        """The name and its aliases, as far as alias facts that hold connect them."""
        names = {fold(name): name}
        waiting = [name]
        while waiting and len(names) < _NAMES_MOST:
            for memory in self.of_name(owner, waiting.pop()).values():
                fact = _valid(memory)
                if fact and fact.predicate in ALIASES and not fact.negated:
                    for other in (fact.subject, fact.object):
                        if fold(other) not in names:
                            names[fold(other)] = other
                            waiting.append(other)
        return list(names.values())

    def resolved(self, owner: str, subject: str) -> str:
        """The name of «Anna's wife» where it is known, else the subject as it is."""
        match = _RELATIVE.match(subject)
        if match is None:
            return subject
        relation = HAN_RELATIONS.get(match["han"] or "") or RELATIONS.get(match["rel"] or "")
        named = [fact.object for fact in self._holding(owner, match["owner"]) if fact.predicate == relation]
        return named[0] if len(set(map(fold, named))) == 1 else subject

    def _holding(self, owner: str, subject: str) -> Iterator[Fact]:
        for memory in self.about(owner, subject).values():
            if (fact := _valid(memory)) and not fact.negated:
                yield fact


def _valid(memory: Memory) -> Fact | None:
    return memory.content.fact if memory.status == "live" and memory.content else None


def _is_about(memory: Memory, name: str) -> bool:
    return bool(memory.content and memory.content.fact and fold(memory.content.fact.subject) == fold(name))
