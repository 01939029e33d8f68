"""What is known of predicates: which have one object at a time, what follows from them, and how they are worded."""

from typing import Final

from clawactors.memory.consolidation.facts.stated import is_han
from clawactors.systems.memories import Fact

__all__ = ["ALIASES", "is_single", "statement"]

ALIASES: Final = frozenset(("is called", "is also called"))
"""The object is another name of the subject."""

_SINGLE: Final = frozenset(
    "lives in;is called;works as;works at;has birthday;is aged;spouse;fiance;boss;mother;father;landlord;dentist;diet;email"
    ";phone;address;hometown;blood type;shoe size;height;weight;time zone;user name;native language;nationality;age;major"
    ";licence plate;team;department;office;star sign;emergency contact;size;is from;born in;studies at".split(";")
)
_HAN_WORDING: Final = {
    "lives in": "{s}住在{o}", "is called": "{s}名叫{o}", "is also called": "{s}又叫{o}", "works at": "{s}在{o}工作",
    "works as": "{s}的职业是{o}", "works in": "{s}从事{o}", "likes": "{s}喜欢{o}", "is allergic to": "{s}对{o}过敏",
    "has birthday": "{s}的生日是{o}", "is aged": "{s}今年{o}岁", "spouse": "{s}的伴侣是{o}", "boss": "{s}的领导是{o}",
    "drinks": "{s}喝{o}", "eats": "{s}吃{o}", "uses": "{s}用{o}", "learns": "{s}在学{o}", "speaks": "{s}会说{o}",
    "has": "{s}有{o}", "diet": "{s}的饮食习惯是{o}", "smokes": "{s}抽{o}", "is from": "{s}来自{o}", "born in": "{s}出生于{o}",
    "mother": "{s}的妈妈是{o}", "father": "{s}的爸爸是{o}", "sister": "{s}的姐妹是{o}", "brother": "{s}的兄弟是{o}",
    "friend": "{s}的朋友是{o}", "colleague": "{s}的同事是{o}", "son": "{s}的儿子是{o}", "daughter": "{s}的女儿是{o}",
    "child": "{s}的孩子是{o}", "parent": "{s}的父母是{o}", "sibling": "{s}的兄弟姐妹是{o}", "manages": "{s}领导{o}",
    "email": "{s}的邮箱是{o}", "phone": "{s}的电话是{o}", "address": "{s}的地址是{o}", "blood type": "{s}的血型是{o}",
    "lives within": "{s}住在{o}境内", "is in": "{s}位于{o}", "is a kind of": "{s}是一种{o}", "is part of": "{s}属于{o}",
}  # fmt: skip
_VERBS: Final = frozenset(
    "lives works likes drinks eats uses plays learns takes drives smokes collects grows breeds coaches teaches rides speaks has studies"
    " manages".split()
)


def is_single(predicate: str) -> bool:
    """Whether a subject has one object of this predicate at a time, so that a later one ends the earlier."""
    return predicate in _SINGLE or predicate.startswith("favourite")


def statement(fact: Fact) -> str:
    """The fact as a sentence, in the language of its object, or of its subject if that is Chinese too."""
    subject, thing, predicate = fact.subject, fact.object, fact.predicate
    if is_han(thing) or (is_han(subject) and predicate in _HAN_WORDING):
        wording = _HAN_WORDING.get(predicate, "{s}的" + predicate.replace("favourite ", "最爱的") + "是{o}")
        text = wording.format(s=subject, o=thing)
        return f"并非{text}" if fact.negated else text
    verb, _, rest = predicate.partition(" ")
    if verb not in (*_VERBS, "is", "born"):
        named = predicate.removeprefix("has ")
        return f"{subject}'s {named} is {'not ' if fact.negated else ''}{thing}"
    if verb == "born":
        return f"{subject} was {'not ' if fact.negated else ''}{predicate} {thing}"
    if not fact.negated:
        return f"{subject} {predicate} {thing}"
    auxiliary = "is not" if verb == "is" else f"does not {_base(verb)}"
    return " ".join(filter(None, (subject, auxiliary, rest, thing)))


def _base(verb: str) -> str:
    special = {"has": "have", "studies": "study", "coaches": "coach", "teaches": "teach"}
    return special.get(verb, verb.removesuffix("s"))
