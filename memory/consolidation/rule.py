"""The patterns that extract facts from statements, in English and Chinese."""

import re
from typing import Final

import msgspec

from clawactors.memory.text.thesaurus import CONCEPTS

__all__ = ["RULES", "Rule"]

_PROFESSION = "|".join(sorted((word.replace("_", " ") for word in CONCEPTS["profession"]), key=len, reverse=True))
_END = (
    r"(?=\s*(?:[.,;!?。，；！？…\n(（]|$)"  # noqa: RUF001 - full-width signs end a statement too
    r"|\s+(?:and|but|because|since|now|with|so|when|where|which|who|anymore|any more|these days|at the moment|as)\b)"
)
_THING = rf"(?P<o>[^.,;!?。，；！？\n]{{1,60}}?){_END}"  # noqa: RUF001
_RUN = "(?P<o>[^了的吗呢吧，。！？；、,.!?;\\s]{1,16})"  # noqa: RUF001
_I = r"(?:\b[Ii]|\b[Ww]e)"
_NAME = r"(?P<s>[A-Z][\w'-]+(?: [A-Z][\w'-]+)?)"
_AM = rf"(?:{_I}(?:'m| am|'re| are)|{_NAME}(?: is|'s))"
_NOW = "(?: now| still| currently| really| also| do)?"


class Rule(msgspec.Struct, frozen=True):
    """Group `s` is the subject (default: the speaker), `o` the object, `p` a part of the predicate."""

    pattern: re.Pattern[str]
    predicate: str
    negated: bool = False


def _rule(pattern: str, predicate: str, negated: bool = False) -> Rule:
    return Rule(re.compile(pattern), predicate, negated)


def _verb(base: str, third: str, predicate: str, rest: str = "") -> tuple[Rule, ...]:
    """«I live in …», «Anna lives in …», and their negations."""
    end = f"{rest} {_THING}"
    return (
        _rule(rf"{_I}{_NOW} (?:{base}){end}", predicate),
        _rule(rf"{_NAME}{_NOW} (?:{third}){end}", predicate),
        _rule(rf"{_I}(?: no longer| don't| do not)(?: really)? (?:{base}){end}", predicate, True),
        _rule(rf"{_NAME}(?: no longer| doesn't| does not)(?: really)? (?:{base}|{third}){end}", predicate, True),
    )


RULES: Final = (
    *_verb("live", "lives", "lives in", " in"),
    *_verb("work", "works", "works at", " (?:at|for)"),
    *_verb("work", "works", "works as", " as(?: an?| the)?"),
    *_verb("like|love|enjoy|adore|prefer", "likes|loves|enjoys|adores|prefers", "likes"),
    _rule(rf"{_I}(?: really)? (?:hate|dislike|can't stand|cannot stand) {_THING}", "likes", True),
    _rule(rf"{_NAME}(?: really)? (?:hates|dislikes|can't stand|cannot stand) {_THING}", "likes", True),
    _rule(rf"{_I}(?:'ve| have)?(?: just| recently)? moved to {_THING}", "lives in"),
    _rule(rf"{_NAME}(?:'s| has)?(?: just| recently)? moved to {_THING}", "lives in"),
    _rule(rf"{_AM} (?:an? |the )(?P<o>(?:\w+ )?(?:{_PROFESSION}))\b", "works as"),
    _rule(rf"{_AM} allergic to {_THING}", "is allergic to"),
    _rule(rf"{_AM} (?P<o>\d{{1,3}}) years old", "is aged"),
    _rule(rf"\b[Mm]y name(?: is|'s) {_THING}", "is called"),
    _rule(rf"\b[Mm]y favou?rite (?P<p>[\w ]{{2,24}}?) is {_THING}", "favourite"),
    _rule(rf"\b[Mm]y birthday(?: is|'s)(?: on)? {_THING}", "has birthday"),
    _rule(r"\b[Mm]y (?P<p>wife|husband|partner|boss|manager)(?:'s name)? is (?:called |named )?(?P<o>[A-Z][\w-]+)", ""),
    _rule(r"我(?:已经)?不(?:再)?住在?" + _RUN, "lives in", True),
    _rule(r"我(?:现在|目前|还)?(?:住在|搬到了?|搬去了?)" + _RUN, "lives in"),
    _rule(r"(?:我叫|我的名字[是叫])" + _RUN, "is called"),
    _rule(r"我(?:现在|目前)?在(?P<o>[^，。！？\s]{2,12}?)(?:工作|上班)", "works at"),  # noqa: RUF001
    _rule(rf"我是(?:一名|一个|一位|个|名)?(?P<o>[\u4e00-\u9fff]{{0,4}}?(?:{_PROFESSION}))", "works as"),
    _rule(r"我(?:最|特别|很|非常)?(?:不喜欢|不爱|讨厌)" + _RUN, "likes", True),
    _rule(r"我最喜欢的(?P<p>[\u4e00-\u9fff]{1,6})是" + _RUN, "favourite"),
    _rule(r"我(?:很|非常|特别|也)?(?:喜欢|爱)(?!的)" + _RUN, "likes"),
    _rule(r"我对(?P<o>[^，。！？\s]{1,10})过敏", "is allergic to"),  # noqa: RUF001
    _rule(r"我(?:的)?生日[是在]" + _RUN, "has birthday"),
    _rule(r"我今年(?P<o>[\d一二三四五六七八九十]{1,3})岁", "is aged"),
    _rule(r"我(?:的)?(?P<p>妻子|丈夫|老婆|老公|老板|领导)叫" + _RUN, ""),
)
