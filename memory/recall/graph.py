"""Questions that take two steps over facts: «who works where Ana works?», «where does my wife's sister live?»."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from clawactors.memory.consolidation.facts.subject import NAME
from clawactors.memory.consolidation.facts.words import ATTRIBUTES, HAN_ATTRIBUTES, HAN_RELATIONS, RELATIONS
from clawactors.memory.index.rows import with_terms
from clawactors.memory.index.terms import object_term, subject_term
from clawactors.memory.item import Item
from clawactors.memory.recall.aliases import names_of
from clawactors.memory.text.normal import fold
from clawactors.projections.engine.store import Reading
from clawactors.systems.memories import Fact

__all__ = ["FactGraph"]

_MOST: Final = 20
_LONGEST: Final = 200
"""Characters of a question that takes steps."""
_IC: Final = re.IGNORECASE
_REL = "|".join(sorted(RELATIONS, key=len, reverse=True))
_HAN_REL = "|".join(sorted(HAN_RELATIONS, key=len, reverse=True))
_HAN_NAME = r"(?:[\u3400-\u9fff·]{2,8}?|[A-Za-z][\w.-]*)"
_PLACES: Final = {
    "company": "works at", "firm": "works at", "employer": "works at", "office": "works at", "city": "lives in", "town": "lives in", "place": "lives in", "village": "lives in",
    "street": "lives in", "school": "studies at", "university": "studies at", "college": "studies at", "boss": "boss", "manager": "boss", "job": "works as",
    "profession": "works as", "birthday": "has birthday", "公司": "works at", "单位": "works at", "城市": "lives in", "地方": "lives in", "城": "lives in", "小区": "lives in",
    "学校": "studies at", "大学": "studies at", "老板": "boss", "领导": "boss", "职业": "works as", "工作": "works as",
}  # fmt: skip
_VERBS: Final = {
    "work": "works at",
    "live": "lives in",
    "stud": "studies at",
    "工作": "works at",
    "上班": "works at",
    "住": "lives in",
    "上学": "studies at",
}
_PLACE = "|".join(sorted(_PLACES, key=len, reverse=True))
_SAME = (
    re.compile(
        rf"^who(?: all)?(?: else)? (?:also )?(?P<verb>work|live|stud)(?:s|ies|y|ing)?(?: at| in| for)?,?(?: (?:in|at|for) the same (?:{_PLACE})(?: as| where| that)| the same (?:{_PLACE})(?: as| where)| where| with| together with| alongside) (?P<name>.+?)(?: (?:also )?(?:works?|lives?|studies|does|do|is))?(?: at| in| for)?\W*$",
        _IC,
    ),
    re.compile(rf"^who(?: all)?(?: else)? (?:is|are|has|have|shares?)(?: in| at| from)? (?:the same|an?) (?P<place>{_PLACE}) (?:as|with) (?P<name>.+?)(?: (?:is|does|has))?\W*$", _IC),
    re.compile(r"^who (?:is|are) (?P<name>.+?)'s? (?P<verb>work|live)?(?:colleagues?|coworkers?|co-workers?|workmates?)\W*$", _IC),
    re.compile(rf"^(?:还有)?(?:谁|哪些人|哪个人)(?:还|也)?(?:和|跟|与|同)(?P<name>{_HAN_NAME})(?:都|是)?(?:在|住在?|就职于)?(?:同|一样|相同)的?(?:一)?(?:家|个|座|所|间)?(?P<place>{_PLACE})(?:工作|上班|住|里|的)*\W*$"),
    re.compile(rf"^(?:和|跟|与|同)(?P<name>{_HAN_NAME})(?:都)?(?:在|住在?)?(?:同|相同)的?(?:一)?(?:家|个|座|所|间)?(?P<place>{_PLACE})(?:工作|上班|住|里|的)*(?:人)?(?:是|有|还有)*(?:谁|哪些人?|哪几个)\W*$"),
    re.compile(rf"^(?:还有)?谁(?:还|也)?(?:和|跟|与|同)(?P<name>{_HAN_NAME})(?:在)?一起(?P<verb>工作|上班|住|上学)\W*$"),
    re.compile(rf"^(?:还有)?谁(?:也)?在(?P<name>{_HAN_NAME})(?:的)?(?P<place>公司|单位|学校|城市)(?:里)?(?P<verb>工作|上班|住|上学)?\W*$"),
)  # fmt: skip
_WHOSE = (
    re.compile(
        rf"^whose (?P<rel>{_REL})s? (?:also )?(?P<verb>work|live|stud)(?:s|ies)? (?:at|in|for) (?P<o>.+?)\W*$", _IC
    ),
    re.compile(rf"^谁的(?P<rel>{_HAN_REL})(?:现在|也)?(?:在|住在?)(?P<o>.+?)(?P<verb>工作|上班|住|上学)?(?:的)?\W*$"),
)
_PATH = re.compile(rf"\b(?P<start>[Mm]y|{NAME})(?:'s?)? (?P<path>(?:(?:{_REL})'s? )*(?:{_REL}))(?:'s)?\b")
_OF_PATH = re.compile(rf"\b(?P<path>(?:(?:{_REL}) of (?:the |my )?)+)(?P<start>{NAME}|me)\b")
_HAN_PATH = re.compile(rf"(?P<start>我|{_HAN_NAME})的?(?P<path>(?:(?:{_HAN_REL})的?)+)")
_ASKED: Final = (
    (r"\bwhere\b.*\b(?:live|lives|living|based|home)\b|住在?哪|住什么地方|在哪[里儿]?住|家在哪", "lives in"),
    (r"\b(?:where|who|which company)\b.*\b(?:work|works|working|employed|employer)\b|\bemployer\b|在哪[里儿家]*.{0,4}(?:工作|上班)|哪家公司|什么公司", "works at"),
    (r"\bwhat\b.*\b(?:do|does|job|profession|occupation|work as|living)\b(?!.*\b(?:like|love|drink|eat|speak|use|play)\b)|\b(?:job|profession|occupation)\b|做什么|什么职业|什么工作|干什么|职业", "works as"),
    (r"\ballerg|过敏", "is allergic to"), (r"\b(?:like|likes|love|loves|enjoy|enjoys)\b|喜欢|爱", "likes"), (r"\bdrinks?\b|喝", "drinks"),
    (r"\beats?\b|吃", "eats"), (r"\bspeaks?\b|\blanguages?\b|语言|会说|会讲", "speaks"), (r"\bbirthday\b|生日", "has birthday"), (r"\bhow old\b|\bage\b|多大|几岁", "is aged"),
    (r"\bborn\b|出生", "born in"), (r"\bfrom\b|来自|哪里人", "is from"),
)  # fmt: skip
_WHO = re.compile(r"\bwho\b|\bname\b|\bcalled\b|是谁|叫什么|谁", _IC)


class FactGraph:
    """Answers questions over the facts in one snapshot of the store that are `passing`; «my» is about `asker`."""

    def __init__(self, reading: Reading, asker: str, passing: Callable[[Item], bool]) -> None:
        self._reading, self._asker, self._passing = reading, asker, passing

    def answers(self, text: str) -> list[Item]:
        """The facts that answer the question, best first; empty for a question that takes no two steps."""
        text = text.strip()
        if len(text) > _LONGEST:
            return []
        found = self._same(text) or self._whose(text) or self._path(text)
        return list({item.id: item for item in found}.values())[:_MOST]

    def _same(self, text: str) -> list[Item]:
        """Who shares an object with a name."""
        match = next((match for pattern in _SAME if (match := pattern.match(text))), None)
        if match is None:
            return []
        groups = match.groupdict()
        predicate = _VERBS.get((groups.get("verb") or "").lower()) or _PLACES.get(
            (groups.get("place") or "").lower(), "works at"
        )
        names = self._names(groups["name"])
        own = [item for name in names for item in self._of(name, (predicate,))]
        folded = set(map(fold, names))
        others = [
            item
            for mine in own
            for item in self._on(_fact(mine).object, predicate)
            if fold(_fact(item).subject) not in folded
        ]
        return [*others, *own] if others else []

    def _whose(self, text: str) -> list[Item]:
        """Whose relative has this object."""
        match = next((match for pattern in _WHOSE if (match := pattern.match(text))), None)
        if match is None:
            return []
        word = match["rel"].lower()
        relation = RELATIONS.get(word) or HAN_RELATIONS.get(word, "")
        predicate = _VERBS.get((match["verb"] or "").lower(), "works at")
        found: list[Item] = []
        for item in self._on(match["o"], predicate):
            found += [*self._on(_fact(item).subject, relation), item]
        return found if len(found) > 1 else []

    def _path(self, text: str) -> list[Item]:
        """Along relatives from a name to what is asked about the last one."""
        for pattern in (_PATH, _OF_PATH, _HAN_PATH):
            if match := pattern.search(text):
                steps = _steps(match["path"], backwards=pattern is _OF_PATH)
                rest = text[: match.start()] + " " + text[match.end() :]
                if found := self._walk(self._names(match["start"]), steps, rest):
                    return found
        return []

    def _walk(self, names: Sequence[str], steps: Sequence[str], rest: str) -> list[Item]:
        passed: list[Item] = []
        for relation in steps:
            met = [item for name in names for item in self._of(name, (relation,))]
            if not met:
                return []
            passed += met
            names = [other for item in met for other in self._also(_fact(item).object)]
        predicate = next((name for words, name in _ASKED if re.search(words, rest, _IC)), "") or next(
            (name for word, name in {**ATTRIBUTES, **HAN_ATTRIBUTES}.items() if word in rest.lower()), ""
        )
        asked = [item for name in names for item in self._of(name, (predicate,))] if predicate else []
        if asked:
            return [*asked, *reversed(passed)]
        return passed[::-1] if not predicate and (len(steps) > 1 or _WHO.search(rest)) else []

    def _names(self, name: str) -> list[str]:
        name = name.strip()
        if fold(name) in ("i", "me", "my", "我"):
            name = self._asker
        return self._also(name) if name else []

    def _also(self, name: str) -> list[str]:
        return names_of(self._reading, name, self._passing)

    def _of(self, name: str, predicates: Sequence[str]) -> list[Item]:
        return [item for item in self._facts(subject_term(name)) if _fact(item).predicate in predicates]

    def _on(self, thing: str, predicate: str) -> list[Item]:
        return [item for item in self._facts(object_term(thing)) if _fact(item).predicate == predicate]

    def _facts(self, term: str) -> Iterator[Item]:
        for item in with_terms(self._reading, term):
            fact = item.content.fact
            if fact and not fact.negated and item.memory.status == "live" and self._passing(item):
                yield item


def _fact(item: Item) -> Fact:
    fact = item.content.fact
    assert fact is not None  # noqa: S101 - only items with a fact come here
    return fact


def _steps(path: str, *, backwards: bool) -> list[str]:
    """The predicates of «wife's sister», of «sister of the wife of», or of 妻子的妹妹."""
    words = re.findall(rf"{_HAN_REL}" if re.search("[\u3400-\u9fff]", path) else rf"\b(?:{_REL})\b", path, _IC)
    steps = [RELATIONS.get(word.lower()) or HAN_RELATIONS.get(word, "") for word in words]
    return steps[::-1] if backwards else steps
