"""The objects of English statements: where they end, and whether they are a home, a workplace, an allergen, a taste."""

import re
from typing import Final

from clawactors.memory.consolidation.facts.stated import is_han
from clawactors.memory.consolidation.facts.words import (
    ABSTRACT,
    DRINKS,
    DWELLING,
    FIELDS,
    NO_NAME,
    ORIGINS,
    PRODUCTS,
    PROFESSIONS,
    WORKPLACE,
)
from clawactors.memory.text.normal import fold

__all__ = [
    "habit", "is_allergen", "is_home", "is_liked", "is_thing", "is_workplace", "origin", "place", "profession", "thing",
]  # fmt: skip

_IC = re.IGNORECASE
_MONTH = r"(?:jan|feb|mar|apr|may|june?|july?|aug|sep|oct|nov|dec)\w*"
_COUNT = r"(?:\d+|an?|one|two|three|four|five|six|seven|eight|nine|ten|several|many|a few|a couple of|some)"
_TAIL = re.compile(
    r"\s*(?:[;:!?(\u2014\u2013].*|,(?! (?:and )?[\w-]+(?:,| and|$)).*|\s-+\s.*"
    r"|\b(?:any ?more|any longer|after all|these days|nowadays|at the moment|right now|for now|now|currently|again|too|as well|already|for good|permanently|full-?time|part-?time|at present|in particular|either|at all"
    r"|(?:very |so )?much|a lot|(?:the )?most|best|more than anything|most of the time|all day|every (?:day|morning|night|evening|week|weekend|\w+day)|daily|twice a day|with a passion|of (?:course|all things)|by the way|though|however|instead|today|yesterday|recently|lately|together|alone|from now on"
    r"|last (?:week|month|year|night|quarter|spring|summer|autumn|fall|winter|\w+day)|this (?:week|month|year|morning|spring|summer|autumn|fall|winter|\w+day)|earlier this \w+)\b.*"
    r"|\b(?:since|because|with(?! (?:milk|sugar|lemon|cream)\b)|while|when|where|which|who|that|until|although|but|if|so|whenever|during|before|after|ever|despite|due to|thanks to|starting|as(?: of| from|$)|as (?:it|he|she|they|I|we))\b.*"
    rf"|\bfor (?:{_COUNT}|the (?:last|past)|about|over|almost|nearly|more|quite|years|months|ages|now|good|ever|work|breakfast|lunch|dinner)\b.*"
    rf"|\b{_COUNT} (?:days?|weeks?|months?|years?) ago\b.*|\bback in\b.*"
    rf"|\b(?:in|on|at|by) (?:the )?(?:{_MONTH}\b|\d{{4}}|\w+days?\b|\d|spring\b|summer\b|autumn\b|fall\b|winter\b|weekends?\b|the (?:morning|evening|afternoon)).*"
    r"|\b(?:in|at|on) (?:the )?(?:morning|evening|night|noon|weekend|afternoon)s?\b.*"
    r"|\b(?:living|residing|based|located|working|specializing|specialising|responsible)\b.*"
    r"|\band (?:I|we|he|she|it|they|that|then|so|am|is|my|not|never|everyone)\b.*)$",
    _IC | re.DOTALL,
)
_KEPT_DATES = re.compile(r"\s*(?:[;!?(].*|\b(?:because|while|when|which|who|but|so|and)\b.*)$", _IC | re.DOTALL)
_POINTING: Final = frozenset(
    "it that this them you him her us me these those what how when where why who whom there here to be being such more less nothing anything everything something so one ones".split()
)
_NOT_LIKED = re.compile(
    r"^(?:it|that|this|these|those|them|you|him|her|us|me|your|his|their|its|how|what|when|where|why|who|whatever|seeing you|(?:being|getting) (?:here|back|asked|told)|to (?:think|say|see|know|point|believe|add|mention|thank|keep|be|do|have|get|hear|ask|remind|report|note)|thinking|so|as|being|one|both|all"
    r"|the (?:way|idea|fact|look|looks|sound|sounds|new|old|latest|last|first|thought|concept|design|approach|proposal|plan|result|results|answer|one|ones|other|second|feature|color|colour|font|joke|logo|draft|version|name|title)|another|my (?:new|job at)|an?(?: \w+)? (?:idea|answer|hand|chat|word))\b",
    _IC,
)
_NO_ALLERGY = re.compile(
    r"\b(?:meetings?|mondays?|mornings?|work\w*|exercise|nonsense|drama|bureaucracy|paperwork|deadlines?|commitment|stupid\w*|ideas?|questions?|jargon|excuses?|people|change|responsib\w+|sports?|homework|spreadsheets?|powerpoint|buzzwords?|politics|failure|success|liars?|bullshit|mess|chaos|small talk|hard|early|boring|bad|code|emails?|house\w*|cleaning|losing|criticism|hype|surprises?|anything|everything|him|her|them|it|you|that)\b",
    _IC,
)
_IDIOMS: Final = {
    "takes": r"care|a look|look|notes?|part|place|it|time|a break|breaks?|long|over|off|turns?|responsib\w+|pride|action|offence|into|up|me|you|him|them|a (?:walk|nap|seat|shower|moment|minute|while|day|picture|photo|chance|step|deep|bath|rest|long)|pictures|photos|this|that|forever|my time|your|on|out|back|down|advantage|seriously|the (?:time|lead|bus|train|blame|opportunity|hint)|things|everything|one|days",
    "plays": r"a role|a part|along|safe|it|dumb|with|games?$|the game|fair|tricks|nice|second|devil|god|catch|around|hard|for|in|at|down|up|well|big|key|important|an important",
    "drives": r"the|me|you|him|her|them|us|home|to|through|around|off|by|past|away|there|slowly|fast|people|the (?:point|project|change)|carefully|in|on|up|too",
    "eats": r"my words|humble|out|in|at|up|too|well|like|together|lunch|dinner|breakfast|late|early|slowly|alone|healthy|my|a lot|now|first|it|and|nothing|the|less|more|ass|so",
    "drinks": r"to|too|up|it|in|a lot|responsibly|like|the|less|more|and|so",
    "uses": r"to|it|that|this|them|up|your|the|his|my|these|those|a lot|one|what|every|all|any|too|some of|only|both",
    "learns": r"a lot|from|that|to (?:live|love|be)|the hard|it|about|how|by|quickly|fast|something|more|hard|new|at|for|a lesson|so|every|slowly|my lesson|here|lots",
    "grows": r"up|old|tired|out|apart|on|into|together|fast|older|with|more|by|to|accustomed|fond|as|the",
    "rides": r"it|out|on|along|the|with|home|to|off|high|for|shotgun|up",
    "collects": r"it|them|the|my|dust|data|you|your|me|up|from|all|myself|that",
    "teaches": r"me|you|him|her|us|them|that|it|a lesson|how|to|at|in|full|my|here",
    "coaches": r"me|you|him|them|it|at|in", "breeds": r"contempt|it|in|trouble", "smokes": r"$|anymore|outside|a lot|too|like",
}  # fmt: skip
_HABIT_IDIOM: Final = {name: re.compile(rf"(?:{words})\b", _IC) for name, words in _IDIOMS.items()}
_LEVELS = r"(?:senior|junior|lead|chief|deputy|assistant|associate|principal|staff|full-stack|front-?end|back-?end|freelance|self-employed|retired|trained|certified|professional|part-time|full-time|registered|head|vice|general|primary|secondary|high|new|former|young|proud|qualified)"
_CALLINGS = "|".join(sorted((re.escape(word) for word in PROFESSIONS if not is_han(word)), key=len, reverse=True))
_CALLING = re.compile(
    rf"^(?:(?:an?|the|one of the|our|your|their|now|currently|working|still) )+(?P<o>(?:[\w'-]+ ){{0,3}}?(?:{_CALLINGS})(?: of [\w ]+?)?)(?= (?:at|in|for|with|from|by|on|here|there|now|by|since|and)\b|[,.;!]|$)|^(?:the |our )?(?P<title>(?:head|director|vice president|chief|secretary) of [\w ]+?|c[etoif]o|(?:{_LEVELS} )*(?:{_CALLINGS}))(?= (?:at|in|for|with|of|now|since)\b|[,.;!]|$)",
    _IC,
)
_NOT_A_CALLING = re.compile(
    r"\b(?:not|very|good|great|bad|terrible|better|best|like|friend|fan|lover|bit|big|huge|my|his|her|your|no|patient|former|ex|looking|excellent|lousy|of a|seeing|calling|waiting|going|the (?:best|worst))\b",
    _IC,
)


def thing(text: str, *, keep_dates: bool = False) -> str:
    """The object without what only says since when, why or with whom."""
    before = None
    text = text.strip()
    pattern = _KEPT_DATES if keep_dates else _TAIL
    while before != text:
        before, text = text, pattern.sub("", text).strip()
    return text.strip("\"'“”「」., ")


def place(text: str) -> str:
    """Like `thing`, for places: «Graz, Austria» stays together."""
    match = re.match(r"[^\W\d_a-z][\w' -]*, [^\W\d_a-z][\w-]*$", text.strip())
    text = re.sub(r" for (?:my|his|her|our|their|a|the|work|love|family)\b.*$", "", text)
    return (
        match[0]
        if match
        else thing(
            re.sub(r"^(?:the city of|a place called|a (?:small |little )?(?:town|village|city) called) ", "", text)
        )
    )


def is_thing(text: str) -> bool:
    """Whether the text names something, and does not only point at it."""
    words = fold(text).split()
    return 0 < len(words) <= 8 and len(text) <= 60 and words[0] not in _POINTING and "\u2426" not in text


def is_home(text: str) -> bool:
    """Whether one can live there: a name that is no program, or a dwelling."""
    words = fold(text).split()
    if not is_thing(text) or fold(text) in PRODUCTS or words[0] in PRODUCTS or any(word in ABSTRACT for word in words):
        return False
    if re.search(r"\d\.\d|\d$", text) or re.match(r"(?:v\d|version|fortnightly|weekly|monthly)", text, _IC):
        return False
    if is_han(text) or (text[:1].isupper() and words[0] not in NO_NAME - {"the", "our"}):
        return not (words[0] == "the" and len(words) > 1 and not any(word[:1].isupper() for word in text.split()[1:]))
    named = any(word[:1].isupper() for word in text.split()[1:])
    return any(word in DWELLING for word in words) or (
        named
        and words[0]
        in (
            "the",
            "downtown",
            "central",
            "old",
            "upper",
            "north",
            "south",
            "east",
            "west",
            "northern",
            "southern",
            "eastern",
            "western",
            "rural",
            "near",
        )
    )


def is_workplace(text: str, *, field: bool = False) -> bool:
    """Whether one can work there: an organization, by name or by kind; with `field` a line of work or a place."""
    words = fold(text).split()
    if not is_thing(text) or words[0] in ("me", "my", "myself", "you", "it", "home", "night"):
        return bool(words) and words[0] == "my" and any(word in WORKPLACE for word in words)
    if field:
        if words[0] in PRODUCTS:
            return False
        return words[0] in FIELDS or (text[:1].isupper() and words[0] not in NO_NAME)
    if text[:1].isupper() or is_han(text):
        return words[0] not in NO_NAME - {"the", "our"} or len(words) > 1
    articled = words[0] in ("a", "an", "the", "our", "one", "some", "two")
    return articled and (
        any(word.removesuffix("s") in WORKPLACE for word in words)
        or any(word[:1].isupper() for word in text.split()[1:])
    )


def is_allergen(text: str) -> bool:
    """Whether somebody can be allergic to it in earnest."""
    return (
        is_thing(text)
        and len(text.split()) <= 4
        and _NO_ALLERGY.search(text) is None
        and not text.lower().startswith(("any", "the way"))
    )


def is_liked(text: str) -> bool:
    """Whether it is a taste that lasts, and not a remark on what was just said or seen."""
    return is_thing(text.removeprefix("to ")) and len(text.split()) <= 6 and _NOT_LIKED.match(text) is None


def habit(predicate: str, text: str) -> bool:
    """Whether this is the object of a habit, not of a turn of phrase («take care»)."""
    if not is_thing(text) or len(text.split()) > 5:
        return False
    if predicate == "drinks" and fold(text).split()[-1] in DRINKS:
        return True
    idiom = _HABIT_IDIOM.get(predicate)
    return idiom is None or idiom.match(text) is None


def origin(text: str) -> str:
    """The place that somebody is from, "" if the text names none."""
    found = place(text)
    return (
        found if found[:1].isupper() and fold(found).split()[0] not in NO_NAME and fold(found) not in PRODUCTS else ""
    )


def profession(text: str) -> str:
    """The calling in «a senior nurse at …», "" if there is none."""
    match = _CALLING.match(text)
    if match is None:
        return ""
    found = (match["o"] or match["title"]).strip()
    words = fold(found).split()
    if _NOT_A_CALLING.search(found) or (words[0] in ORIGINS and len(words) == 1):
        return ""
    return re.sub(r"^(?:an?|the|our) ", "", found)
