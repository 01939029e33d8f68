"""What English verb phrases say of somebody: homes, jobs, and the ends of what was."""

import re
from collections.abc import Iterator

from clawactors.memory.consolidation.facts.framing import QUOTED
from clawactors.memory.consolidation.facts.objects import is_home, is_thing, is_workplace, place, profession, thing
from clawactors.memory.consolidation.facts.personal import DIET, HABIT, HABIT_FORMS, READERS, owned_thing
from clawactors.memory.consolidation.facts.stated import ANYTHING, Stated, VerbPhrase
from clawactors.memory.consolidation.facts.words import DIETS, DRINKS, PRODUCTS
from clawactors.memory.text.normal import fold

__all__ = ["said_of"]

_IC = re.IGNORECASE
_DIETS = "|".join(sorted(DIETS, key=len, reverse=True))
_LIVE = re.compile(
    r"(?:(?P<now>live|lives|living|reside|resides|residing|based|been living|been based|settled(?: down)?)|(?P<lived>lived)) (?:(?:happily|together|alone|out) )?(?:in|at|near) (?P<o>.+)$",
    _IC,
)
_MOVE = re.compile(
    r"(?:moved|relocated|emigrated|immigrated|resettled|moved house|moved back|moved over|moved away|moved out)(?: house| back| over| away| out| home| flat| again| with [\w ]+?)*(?: from (?P<old>.+?))?,? (?:to|into|(?:and )?(?:is|am) now in) (?P<o>.+?)(?: from (?P<from>.+))?$",
    _IC,
)
_MOVED_OUT = re.compile(r"(?:moved (?:away|out)|relocated)(?: from| of| out of) (?P<o>.+)$", _IC)
_LEFT_FOR = re.compile(r"left (?P<old>.+?) (?:for|and moved to|to live in) (?P<o>.+)$", _IC)
_WORK = re.compile(
    r"(?:work|works|working|worked|been working|employed|employed as \w+)(?: (?:full-time|part-time|remotely|freelance))? (?P<how>at|for|by|with|in|as) (?P<o>.+)$",
    _IC,
)
_JOINED = re.compile(
    r"(?:joined|started(?: a new job| working| work)?(?: at| with| for)|(?:got|found|landed|accepted|taken|took)(?: a| my| the)? (?:new |first |dream )*(?:job|position|role|post)(?: as (?P<role>.+?))? (?:at|with)|hired by|been hired by) (?P<o>.+)$",
    _IC,
)
_BECAME = re.compile(
    r"(?:became|become|got promoted to|promoted to|been promoted to|been made|started as|retrained as|(?:got|found|landed|have got)(?: a| my)? (?:new )?job as) (?P<o>.+)$",
    _IC,
)
_QUIT = re.compile(
    r"(?:quit|quits|left|leaving|resigned(?: from)?|departed(?: from)?|(?:been |was |got |were )?(?:laid off|fired|let go|made redundant|sacked|dismissed)(?: by| from| at)?|retired(?: from)?|stopped working(?: at| for)|walked away from|handed in my notice at)\b\s*(?P<o>.*)$",
    _IC,
)
_EMPLOYER = re.compile(
    r"\b(?:company|start-?up|firm|agency|lab|bank|hospital|consultancy|institute|studio|university|publisher)\b"
)
_JOBLESS = re.compile(
    r"(?:unemployed|out of work|jobless|between jobs|(?:lost|losing) (?:my|his|her|their) job)\b", _IC
)
_JOB = re.compile(
    r"^(?:my|his|her|the|that|our|work|working|old|office)?\s*(?:new |old |day |current |boring )*(?:job|position|post|work|employer|company|working)?$",
    _IC,
)
_STOP = re.compile(
    r"(?:stopped|quit|gave up|given up|ceased|done with|got rid of|dropped|ditched|went off|gone off|cut out|abandoned|kicked)\b\s*(?P<o>.+)$",
    _IC,
)
_SWITCH = re.compile(
    r"(?P<how>switched|changed|migrated|moved|converted|went over|gone over|swapped)(?: over)?(?: from (?P<old>.+?))? (?:to|for) (?P<o>.+?)(?: from (?P<from>.+))?$",
    _IC,
)
_LOST = re.compile(r"(?:sold|gave away|given away|lost|rehomed|scrapped)\s+(?P<o>(?:my|our|the|his|her)\s.+)$", _IC)
_USED_TO = re.compile(r"used to (?P<rest>.+)$", _IC)


def said_of(name: str, phrase: VerbPhrase) -> list[Stated]:
    """The statements of a verb phrase about this name."""
    if QUOTED in phrase.text:
        return []
    if (past := _USED_TO.match(phrase.text)) and not phrase.be:
        return [
            Stated(name, one.predicate, one.object, True)
            for one in _present(name, past["rest"], VerbPhrase(phrase.text, phrase.negated))
            if not one.negated
        ]
    return list(_present(name, phrase.text, phrase))


def _present(name: str, text: str, phrase: VerbPhrase) -> Iterator[Stated]:
    for reader in (_homes, _jobs, _ends, *READERS):
        if found := list(reader(name, text, phrase)):
            yield from found
            return


def _homes(name: str, text: str, phrase: VerbPhrase) -> Iterator[Stated]:
    no = phrase.negated
    if match := _LIVE.match(text):
        lived = phrase.have and not no and re.search(r"\b(?:since|for|all my life|always)\b", text)
        if (match["lived"] and not lived) or phrase.was:
            return
        home = place(match["o"])
        if is_home(home):
            yield Stated(name, "lives in", home, no)
    elif (match := _LEFT_FOR.match(text)) and not no:
        old, home = place(match["old"]), place(match["o"])
        if is_home(home) and is_home(old):
            yield Stated(name, "lives in", old, True)
            yield Stated(name, "lives in", home, event=True)
    elif (match := _MOVE.match(text)) and not phrase.was and not (phrase.be and text.lower().startswith("moving")):
        home, old = place(match["o"]), place(match["old"] or match["from"] or "")
        if no or not is_home(home) or fold(old) in PRODUCTS:
            return
        if old and is_home(old):
            yield Stated(name, "lives in", old, True)
        yield Stated(name, "lives in", home, event=True)
    elif (match := _MOVED_OUT.match(text)) and not no and is_home(home := place(match["o"])):
        yield Stated(name, "lives in", home, True, event=True)


def _jobs(name: str, text: str, phrase: VerbPhrase) -> Iterator[Stated]:
    no, lower = phrase.negated, text.lower()
    if match := _WORK.match(text):
        if phrase.was or (lower.startswith("worked") and not phrase.have):
            return
        how, rest = match["how"].lower(), match["o"]
        if how == "as":
            yield from _as(name, rest, no)
        elif how == "in" and is_workplace(field := thing(rest), field=True):
            yield Stated(name, "works in", field, no)
        elif how in ("at", "for", "by") or (how == "with" and phrase.be):
            role = re.match(r"(?P<o>.+?) as (?P<role>.+)$", rest)
            at = thing(role["o"] if role else rest)
            if is_workplace(at):
                yield Stated(name, "works at", at, no)
            if role:
                yield from _as(name, role["role"], no)
    elif (match := _JOINED.match(text)) and not no:
        at = thing(re.sub(r" as .+$", "", match["o"]))
        # One also joins calls, gyms and chats.
        joins = lower.startswith("joined") and not re.search(r" as an? ", lower)
        if joins and (fold(at) in PRODUCTS or (at[:1].islower() and not _EMPLOYER.search(at))):
            return
        if is_workplace(at):
            yield Stated(name, "works at", at, event=True)
            role_text = match["role"] or (re.search(r" as (.+)$", match["o"]) or ["", ""])[1]
            yield from _as(name, role_text, False)
    elif match := _BECAME.match(text):
        yield from _as(name, match["o"], no)
    elif phrase.be and not phrase.was:
        yield from _as(name, text, no)
        if (
            (employer := re.search(r" (?:at|with|for) (?P<o>[^\W\d_a-z].*)$", text))
            and profession(text)
            and is_workplace(thing(employer["o"]))
        ):
            yield Stated(name, "works at", thing(employer["o"]), no)


def _as(name: str, text: str, no: bool) -> Iterator[Stated]:
    if text and (calling := profession(text)):
        yield Stated(name, "works as", calling, no)


def _ends(name: str, text: str, phrase: VerbPhrase) -> Iterator[Stated]:
    if phrase.negated or (
        phrase.be
        and not re.match(
            r"(?:done with|retired|laid off|fired|made redundant|unemployed|out of work|jobless|between jobs)",
            text,
            _IC,
        )
    ):
        return
    if _JOBLESS.match(text) and not phrase.was:
        yield Stated(name, "works at", ANYTHING[False], True, exclusive=True, event=True)
        return
    if (match := _QUIT.match(text)) and not text.lower().startswith("leaving"):
        rest = thing(match["o"])
        if _JOB.match(rest) and (rest or not text.lower().startswith(("left", "quit"))):
            yield Stated(name, "works at", ANYTHING[False], True, exclusive=True, event=True)
            return
        employer = re.sub(
            r"^(?:my|his|her|the|our)?\s*(?:job|position|post|role)(?: as [\w ]+?)? (?:at|with) ", "", rest
        )
        if fold(rest).split(" ")[0] not in HABIT_FORMS and fold(rest) not in PRODUCTS and is_workplace(employer):
            yield Stated(name, "works at", employer, True, event=True)
            return
    if match := _LOST.match(text):
        if owned := owned_thing(match["o"]):
            yield Stated(name, "has", owned, True, event=True)
    elif (match := _SWITCH.match(text)) and _is_switch(match):
        yield from _switched(name, thing(match["old"] or match["from"] or ""), thing(match["o"]))
    elif match := _STOP.match(text):
        yield from _stopped(name, thing(re.sub(r"^(?:using|with) ", "using ", match["o"])))


def _is_switch(match: re.Match[str]) -> bool:
    """Who moves from a program to another one moves no house."""
    return match["how"].lower() != "moved" or fold(thing(match["old"] or match["from"] or "")) in PRODUCTS


def _switched(name: str, old: str, new: str) -> Iterator[Stated]:
    old, new = (re.sub(r" (?:for|in|as|on|at) .*$", "", each) for each in (old, new))
    if diet := DIET.match(new):
        yield Stated(name, "diet", diet["o"].lower())
        return
    words = {word for text in (old, new) for word in fold(text).split()}
    predicate = "drinks" if words & DRINKS else "uses"
    product = bool({fold(new), fold(old)} & PRODUCTS) or new[:1].isupper() or old[:1].isupper()
    if not is_thing(new) or (predicate == "uses" and not product):
        return
    if old and is_thing(old):
        yield Stated(name, predicate, old, True)
    yield Stated(name, predicate, new, exclusive=predicate == "drinks", event=True)


def _stopped(name: str, rest: str) -> Iterator[Stated]:
    if diet := re.match(rf"being (?:an? )?(?P<o>{_DIETS})\b", rest, _IC):
        yield Stated(name, "diet", diet["o"].lower(), True)
    elif match := HABIT.match(rest):
        predicate, what = HABIT_FORMS[match["verb"].lower()], thing(match["o"])
        if predicate == "smokes" or is_thing(what):
            yield Stated(name, predicate, what or "tobacco", True)
    elif live := _LIVE.match(rest):
        yield Stated(name, "lives in", place(live["o"]), True)
    elif fold(rest).split(" ")[-1] in DRINKS:
        yield Stated(name, "drinks", rest, True)
    elif fold(rest) in PRODUCTS:
        yield Stated(name, "uses", rest, True)
    elif fold(rest) in ("cigarettes", "tobacco"):
        yield Stated(name, "smokes", "tobacco", True)
    elif fold(rest) in ("meat", "sugar", "gluten", "dairy", "chocolate", "bread", "fish", "carbs", "sweets"):
        yield Stated(name, "eats", rest, True)
