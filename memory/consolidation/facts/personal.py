"""What English verb phrases say of somebody: people, health, names and origins, tastes and habits."""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from clawactors.memory.consolidation.facts.objects import (
    habit,
    is_allergen,
    is_liked,
    is_thing,
    is_workplace,
    origin,
    place,
    thing,
)
from clawactors.memory.consolidation.facts.stated import ANYTHING, Stated, VerbPhrase, is_person
from clawactors.memory.consolidation.facts.subject import NAME, REL
from clawactors.memory.consolidation.facts.words import (
    CONDITIONS,
    DIETS,
    LANGUAGES,
    ORIGINS,
    OWNED,
    PRODUCTS,
    RELATIONS,
)
from clawactors.memory.text.normal import fold

__all__ = ["DIET", "HABIT", "HABIT_FORMS", "READERS", "owned_thing"]  # fmt: skip

_IC = re.IGNORECASE
_HABITS: Final = {
    "drink": "drinks", "eat": "eats", "use": "uses", "play": "plays", "learn": "learns", "study": "learns", "take": "takes", "drive": "drives",
    "smoke": "smokes", "collect": "collects", "grow": "grows", "breed": "breeds", "coach": "coaches", "teach": "teaches", "ride": "rides",
}  # fmt: skip
HABIT_FORMS: Final = {
    form: name for base, name in _HABITS.items() for form in (base, name, base.removesuffix("e") + "ing", base + "ing")
} | {"studies": "learns", "studying": "learns", "switched to": "uses"}
HABIT = re.compile(rf"(?P<verb>{'|'.join(sorted(HABIT_FORMS, key=len, reverse=True))})\b\s*(?P<o>.*)$", _IC)
_LIKE = re.compile(
    r"(?:(?P<no>hate|hates|hating|dislike|dislikes|detest|detests|loathe|loathes|stand|bear|despise|despises)|like|likes|love|loves|enjoy|enjoys|enjoying|adore|adores|prefer|prefers|fond of|into|crazy about|a (?:big |huge )?fan of|keen on|passionate about|obsessed with)\s+(?P<o>.+?)(?: (?:over|to|rather than|more than)\b (?P<than>.+))?$",
    _IC,
)
_ALLERGIC = re.compile(
    r"(?:been |become |became |got |be )?(?:diagnosed as )?allergic to (?P<o>.+)$|(?P<outgrew>outgrew|outgrown|lost|got rid of|have)?\s*(?:an?|my|his|her|the|any|no)? ?(?:severe |bad |mild |serious |new )*(?P<what>[\w-]+(?: [\w-]+)?) allergy\b.*$",
    _IC,
)
_CONDITIONS = "|".join(sorted(filter(str.isascii, CONDITIONS), key=len, reverse=True))
_INTOLERANT = re.compile(r"(?:(?P<o>[\w-]+)[ -]intolerant\b|intolerant to (?P<to>.+))$", _IC)
_CONDITION = re.compile(
    rf"(?P<verb>(?:have|has|suffer from|suffers from|got|diagnosed with|been diagnosed with) )?(?:type \d )?(?P<o>{_CONDITIONS})\b",
    _IC,
)
_AGED = re.compile(
    r"(?:(?P<turned>turned|turning) )?(?P<o>\d{1,3})(?: years old| years of age|(?=$)| now| today| last \w+| yesterday)",
    _IC,
)
_AM = re.compile(rf"(?P<o>{NAME})$")
_BORN = re.compile(r"born(?: and raised| and grew up)? (?P<how>in|on) (?P<o>.+)$", _IC)
_FROM = re.compile(
    r"(?:originally )?(?:from|come from|comes from|hail from|hails from|native of|a native of) (?P<o>.+)$", _IC
)
_CALLED = re.compile(
    rf"(?:also )?(?:(?:called|named) (?P<name>{NAME})|(?:known as|goes by|go by|nicknamed) (?P<alias>{NAME}))"
)
_CALL_ME = re.compile(rf"call (?:me|us) (?P<o>{NAME})")
_SPEAK = re.compile(r"(?:speak|speaks|fluent in|speaking) (?P<o>.+)$", _IC)
_HAVE = re.compile(
    r"(?:have|has|had|own|owns|adopted|bought|got|keep|keeps|rescued|have got)(?: got)?\s+(?P<o>(?:an?|two|three|four|five|six|no|one|the|my|any|our|some|\d+)\s.+)$",
    _IC,
)
_MARRIED = re.compile(rf"(?:been |got |get |get |is |newly )*(?:married|engaged)(?: to)? (?P<o>{NAME})")
_DIVORCED = re.compile(
    r"(?:been |got |get |getting )*(?:divorced|separated|split up|broke up|broken up)(?: from| with)?\s*(?P<o>.*)$", _IC
)
_STUDIES = re.compile(
    r"(?:study|studies|studying|a student|(?:an? )?(?:\w+ )?student|enrolled) (?:(?P<what>[\w ]+) )?at (?P<o>.+)$", _IC
)
DIET = re.compile(
    rf"(?:an? |been |become |became |gone |went |turned |on a |follow a |strict |strictly )*(?P<o>{'|'.join(sorted(DIETS, key=len, reverse=True))})\b",
    _IC,
)
_RELATIVE = re.compile(
    rf"(?:an?|one|two|three|my) (?:(?:older|younger|elder|little|big|twin|new|good|best) )*(?P<rel>{REL})s? (?:called|named|whose name is|by the name of) (?P<o>{NAME}(?: and {NAME})?)"
)


def _people(name: str, text: str, phrase: VerbPhrase) -> Iterator[Stated]:
    if (met := list(_RELATIVE.finditer(text))) and not phrase.negated:
        if not (re.match(r"(?:have|has|got|adopted|keep|own)\b", text, _IC) or phrase.have):
            return
        for each in met:
            for one in re.split(r" and ", each["o"]):
                if is_person(one):
                    yield Stated(name, RELATIONS[each["rel"].lower()], one)
    elif (match := _MARRIED.match(text)) and is_person(match["o"]):
        yield Stated(name, "spouse" if "married" in text.lower() else "fiance", match["o"], phrase.negated)
    elif (match := _DIVORCED.match(text)) and not phrase.negated:
        other = thing(match["o"])
        ended = other if other and is_person(other) else ANYTHING[False]
        if ended != other and other and not re.match(r"(?:my|his|her|the)\b", other):
            return
        yield Stated(name, "spouse", ended, True, exclusive=ended == ANYTHING[False], event=True)


def _health(name: str, text: str, phrase: VerbPhrase) -> Iterator[Stated]:
    if match := _ALLERGIC.match(text):
        if match["o"] and not phrase.was:
            whole = re.sub(r"^(?:.*\b)?(?:anything with|all kinds of|any kind of) ", "", match["o"])
            for one in _each(whole):
                if is_allergen(one):
                    yield Stated(name, "is allergic to", one, phrase.negated)
        elif match["what"] and is_allergen(what := match["what"].strip()):
            gone = match["outgrew"] is not None and match["outgrew"].lower() != "have"
            yield Stated(
                name, "is allergic to", what, phrase.negated or gone or bool(re.search(r"\bno\b|longer have", text))
            )
    elif (match := _INTOLERANT.match(text)) and phrase.be and not phrase.was:
        yield Stated(name, "is intolerant to", thing(match["o"] or match["to"]), phrase.negated)
    elif (match := _CONDITION.match(text)) and not phrase.was and (match["verb"] or phrase.have):
        yield Stated(name, "has condition", match["o"].lower(), phrase.negated)
    elif (match := DIET.match(text)) and not phrase.was:
        yield Stated(name, "diet", match["o"].lower(), phrase.negated)


def _selves(name: str, text: str, phrase: VerbPhrase) -> Iterator[Stated]:
    no = phrase.negated
    if (match := _AGED.match(text)) and (phrase.be or match["turned"]) and not phrase.was and int(match["o"]) < 130:
        yield Stated(name, "is aged", match["o"], no)
    elif (match := _AM.match(text)) and phrase.be and not phrase.was and not no and is_person(match["o"]):
        if not {fold(word) for word in match["o"].split()} & (ORIGINS | PRODUCTS | DIETS):
            yield Stated(name, "is called", match["o"])
    elif (match := _BORN.match(text)) and (phrase.was or phrase.be) and not no:
        when = match["how"].lower() == "on"
        if both := re.match(r"\d{4} in (?P<o>.+)$", match["o"]):
            yield Stated(name, "born in", thing(both["o"]))
            return
        if when or place(match["o"])[:1].isupper() or match["o"][:1].isdigit():
            yield Stated(name, "has birthday" if when else "born in", thing(match["o"], keep_dates=True))
    elif (
        (match := _FROM.match(text)) and (phrase.be or text.lower().startswith(("come", "hail"))) and origin(match["o"])
    ):
        yield Stated(name, "is from", origin(match["o"]), no)
    elif (
        (match := _CALLED.match(text))
        and (alias := match["alias"] or match["name"])
        and is_person(alias)
        and not phrase.was
    ):
        yield Stated(
            name, "is also called" if match["alias"] or text.lower().startswith("also") else "is called", alias, no
        )
    elif match := _CALL_ME.search(text):
        if is_person(match["o"]) and name:
            yield Stated(name, "is also called", match["o"], no)
    elif (match := _SPEAK.match(text)) and not phrase.was:
        for one in _each(match["o"]):
            language = re.sub(r"^(?:fluent|fluently|some|a little|good|a bit of|native|basic|broken|both) ", "", one)
            if fold(language).split(" ")[-1] in LANGUAGES:
                yield Stated(name, "speaks", language, no)
    elif (match := _STUDIES.match(text)) and not phrase.was and is_workplace(at := thing(match["o"])):
        yield Stated(name, "studies at", at, no)
        if match["what"] and is_thing(match["what"]) and not no:
            yield Stated(name, "learns", match["what"].strip())
    elif (match := _HAVE.match(text if not phrase.have else f"have {text}")) and not phrase.was:
        owned = owned_thing(match["o"])
        if owned and not re.match(r"had\b", text, _IC):
            yield Stated(name, "has", owned, no or match["o"].lower().startswith("no "))


def owned_thing(text: str) -> str:
    """The pet, relative or vehicle in «my old car», "" if it is none of these."""
    owned = thing(text)
    bare = re.sub(r"^(?:my|our|the|his|her|any|no|some|one) (?:own |new |old |little )*", "", owned)
    head = fold(re.split(r" (?:called|named|in|on|at|from|of|for|to|by|near)\b", bare)[0]).split(" ")
    return bare if head and head[-1] in OWNED and len(head) <= 5 else ""


def _tastes(name: str, text: str, phrase: VerbPhrase) -> Iterator[Stated]:
    match = _LIKE.match(text)
    if match is None or phrase.was:
        return
    head = text.split(maxsplit=1)[0].lower()
    if (head in ("fond", "into", "a", "crazy", "keen", "passionate", "obsessed")) != phrase.be and not (
        phrase.be and head in ("enjoying", "hating")
    ):
        return
    if head in ("stand", "bear") and not (phrase.can and phrase.negated):
        return
    no = phrase.negated if head in ("stand", "bear") else phrase.negated ^ (match["no"] is not None)
    for one in _each(match["o"]):
        if is_liked(one):
            yield Stated(name, "likes", one, no)


def _habits(name: str, text: str, phrase: VerbPhrase) -> Iterator[Stated]:
    match = HABIT.match(re.sub(r"^(?:started|begun|began|been) (?=\w+ing\b)", "", text))
    if match is None or phrase.was:
        return
    predicate = HABIT_FORMS[match["verb"].lower()]
    if phrase.be and predicate not in ("learns", "takes") and not phrase.negated:
        return  # «I am drinking tea» is about this moment
    rest = re.sub(r" (?:for|as|on|at|in) .*$", "", match["o"]) if predicate == "uses" else match["o"]
    old = re.search(r" (?:instead of|rather than|in place of) (?P<o>.+)$", rest)
    for one in _each(rest[: old.start()] if old else rest):
        if habit(predicate, one):
            yield Stated(name, predicate, one, phrase.negated)
    if predicate == "smokes" and not thing(rest) and (phrase.negated or not rest):
        yield Stated(name, predicate, "tobacco", phrase.negated)
    if old and is_thing(thing(old["o"])):
        yield Stated(name, predicate, thing(old["o"]), True)


def _each(text: str) -> Iterable[str]:
    """«tea, milk and juice» as three; words without a common head stay together («research and development»)."""
    whole = thing(text)
    parts = [
        part.strip() for part in re.split(r",\s*(?:and |or )?| and (?:also |both |to )?| or ", whole) if part.strip()
    ]
    return parts if all(len(part.split()) <= 3 for part in parts) else [whole]


type _Reader = Callable[[str, str, VerbPhrase], Iterator[Stated]]

READERS: Final[tuple[_Reader, ...]] = (_people, _health, _selves, _tastes, _habits)
"""What reads a verb phrase about a name, in this order, until one finds something."""
