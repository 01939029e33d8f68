"""What a clause states, and who is meant by «I», «she» and 她 while a text is read."""

import re
from collections.abc import Iterable
from typing import Final

import msgspec

from clawactors.memory.consolidation.facts.words import HAN_NO_NAME, NO_NAME
from clawactors.memory.text.normal import fold

__all__ = ["ANYTHING", "People", "Stated", "VerbPhrase", "aliases_in", "is_han", "is_person"]

ANYTHING: Final = {False: "anything", True: "任何东西"}
"""The object of an ending that names none («I quit my job», 辞职了), by whether the text is Chinese."""

_HAN = re.compile("[\u3400-\u9fff]")
_HAN_NAME = re.compile("[\u3400-\u9fff]{1,4}(?:·[\u3400-\u9fff]{1,6})?|[A-Za-zÀ-ÿ][\\w' .-]{0,30}")
_HAN_WORDS = frozenset(
    "这那哪谁什么个都会的了在是不没把被让给要对从我你他她它们有和跟也还就很去来上下改搬住喝吃戒用叫做换辞又"
)


class Stated(msgspec.Struct, frozen=True):
    """A statement. `exclusive`: it ends every other object of its predicate; `event`: it tells when it became so."""

    subject: str
    predicate: str
    object: str
    negated: bool = False
    exclusive: bool = False
    event: bool = False


class VerbPhrase(msgspec.Struct, frozen=True):
    """What follows the subject, with the auxiliaries taken off."""

    text: str
    negated: bool = False
    be: bool = False
    was: bool = False
    have: bool = False
    can: bool = False


class People:
    """Who speaks, and the one other person who was named last."""

    def __init__(self, speaker: str) -> None:
        self.speaker = speaker
        self.other = ""

    def meet(self, names: Iterable[str]) -> None:
        """Takes note of the people that a clause is about."""
        for name in names:
            if name and name != self.speaker:
                self.other = name


def is_han(text: str) -> bool:
    """Whether the text has Chinese characters."""
    return _HAN.search(text) is not None


def is_person(name: str) -> bool:
    """Whether this may be the name of a person: not a pronoun, a day or another word that begins a sentence."""
    if is_han(name):
        known = any(word in name for word in HAN_NO_NAME) or not _HAN_WORDS.isdisjoint(name)
        return (
            len(name) > 1
            and not name.endswith(("人", "者", "员", "师"))
            and _HAN_NAME.fullmatch(name) is not None
            and not known
        )
    words = name.split()
    if not words or not words[0][0].isupper():
        return False
    return not any(fold(word) in NO_NAME for word in words)


_LATIN = r"[A-ZÀ-Þ][\w'-]+(?: [A-ZÀ-Þ][\w'-]+)?"
_HAN_FULL = "[\u3400-\u9fff]{2,4}"
_AKA = re.compile(
    rf"(?P<one>{_LATIN}|{_HAN_FULL})(?:, | [(\uff08]|[(\uff08]|，)(?:aka|a\.k\.a\.|also known as|also called|better known as|英文名|又叫|也叫|又名|人称|外号|昵称)[是叫为]? ?(?P<two>{_LATIN}|{_HAN_FULL})"
    rf"|(?P<han>{_HAN_FULL}) ?[(/\uff08] ?(?P<latin>{_LATIN})[)\uff09]?|(?P<latin2>{_LATIN}) ?[(/\uff08] ?(?P<han2>{_HAN_FULL})[)\uff09]?"
)


def aliases_in(sentence: str) -> Iterable[Stated]:
    """«Robert, aka Bob», 王磊 (Leo): two names of one person, wherever in the sentence."""
    for match in _AKA.finditer(sentence):
        one = match["one"] or match["han"] or match["latin2"]
        two = match["two"] or match["latin"] or match["han2"]
        if is_person(one) and is_person(two):
            yield Stated(one, "is also called", two)
