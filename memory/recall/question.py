"""What a question asks for, as the terms an answer must cover.

Each `Demand` is a word, a name, a number or a date of the question. Its weight follows from what it is and from how rare
it is in general language: names, numbers and dates weigh most, words that only ask or connect weigh little. The terms
of a demand say by what a text covers it: by the word itself, by its parts, or by a word that means the same.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final, Literal

import msgspec

from clawactors.memory.text.date import mentioned_days
from clawactors.memory.text.irregular import BASE_FORMS
from clawactors.memory.text.lexicon import Lexicon, Sense, values
from clawactors.memory.text.normal import fold
from clawactors.memory.text.numeral import numbers
from clawactors.memory.text.rarity import acts, light, rarity, segments
from clawactors.memory.text.stopword import STOP_CHARACTERS, STOP_WORDS
from clawactors.memory.text.term import COMPOUND, UNSPACED

__all__ = ["Demand", "demands"]

type DemandKind = Literal["word", "name", "number", "code", "date"]

_LIGHT: Final = 0.15
_VERB: Final = 0.45
"""Verbs and adjectives are said in other words more often than things: they weigh so much of a noun."""
_TYPED: Final = 0.4
_WEIGHTS: Final[dict[DemandKind, float]] = {"name": 1.3, "number": 1.1, "code": 1.3, "date": 1.1}
_RELATED: Final = 0.35
_SHARES: Final = {Sense.MEANS: 0.9, Sense.EXAMPLE: 0.0, Sense.RELATED: _RELATED}
"""How far a text with a concept covers a word that means it, or is related to it; another example of it covers nothing."""

_MONTHS = (
    "january february march april may june july august september october november december"
    " jan feb mar apr jun jul aug sep sept oct nov dec"
).split()
_WEEKDAYS = "monday tuesday wednesday thursday friday saturday sunday".split()
_DATE = re.compile(
    rf"\b\d{{4}}-\d{{1,2}}-\d{{1,2}}\b|(?:\b\d{{1,2}}(?:st|nd|rd|th)?(?: of)? )?\b(?:{'|'.join(_MONTHS)})\b(?:,? \d{{1,4}}(?:st|nd|rd|th)?\b(?!:))*"
    rf"|\b(?:last |next |this |on )?(?:{'|'.join(_WEEKDAYS)})s?\b|\b(?:the day before )?yesterday\b|\btoday\b|\btonight\b|\btomorrow\b"
    r"|\b(?:last|this|next) (?:night|week|month|year|spring|summer|autumn|fall|winter|quarter|weekend)\b"
    r"|\b(?:\d+|a|two|three|four|five|six|seven) (?:day|week|month|year)s? ago\b|\b(?:in|since|of|from) (?:19|20)\d\d\b"
    r"|(?:\d{2,4}年)?(?:\d{1,2}|[一二三四五六七八九十]{1,2})月(?:份|(?:\d{1,2}|[一二三四五六七八九十]{1,3})[日号])?|\d{4}年"
    r"|前天|昨天|昨晚|今天|今晚|明天|后天|上周[一二三四五六日天]?|本周[一二三四五六日天]?|下周[一二三四五六日天]?|这周|(?:周|星期|礼拜)[一二三四五六日天]"
    r"|上个?月|这个月|本月|下个?月|去年|今年|明年|前年",
    re.IGNORECASE,
)
_TOKEN = re.compile(
    rf"(?P<han>[{UNSPACED}]+)|(?P<code>{COMPOUND.pattern})|(?P<number>\d+(?:[.,]\d+)*(?![^\W\d_]))"
    rf"|(?P<plus>\b[A-Za-z](?:\+\+|#)(?!\w))|(?P<word>[^\W_{UNSPACED}]+(?:['\u2019][^\W_{UNSPACED}]+)?)"
)
_TYPES: Final = tuple(
    (re.compile(pattern, re.IGNORECASE), term)
    for pattern, term in (
        (r"\bhow old\b|几岁|多大年纪|多大岁数", "\x01=age"),
        (r"\bhow (?:long|soon)\b(?! (?:is|are) the)|多久|多长时间", "\x01=duration"),
        (r"\bwhat time\b|几点", "\x01=time"),
        (r"\bhow much\b.*\b(?:cost|pay|paid|owe|spend|charge|earn|price)|多少钱", "\x01=price"),
        (r"\bhow (?:many|much)\b|多少|几[个次台人本张]", "\x01=figure"),
    )
)
"""What kind of value a question asks for, and the concept of texts that hold one."""
_AUXILIARY = re.compile(
    r"\b(?:do|does|did|don't|doesn't|didn't|can|can't|could|may|must|should|shall|will|would|won't|has|have|had)\b"
)
_BEFORE_VERB = frozenset(
    "i we you they he she it who to not must may can should shall will would could do does did don't doesn't didn't can't"
    " won't be been being how".split()
)
_AFTER_VERB = frozenset(
    "in on at of for from to with during between after before by about into over under until since how and or when".split()
)
_NOW = re.compile(r"(?:today|tonight|this \w+|今天|今晚|今年|本\S+|这\S+)", re.IGNORECASE)
_ACRONYMS = re.compile(r"[A-Z]{2,}s")
_GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_CODE = re.compile(r"[\d_./:@\\#]")
_WEEKDAY = re.compile(rf"{'|'.join(_WEEKDAYS)}|[周期拜][一二三四五六日天]")
_SUFFIXES = frozenset("器员师者机处部局性化率度站库量值额费")
_SURNAMES = frozenset(
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗高郑梁谢宋唐许韩邓冯曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔谭陆范汪廖石金韦贾夏付方邹熊白孟秦邱侯江尹薛闫"
    "段雷龙黎史陶贺毛郝顾龚邵万覃武钱戴严莫孔向常汤康易乔赖文柯骆"
)
_TITLES = frozenset("老小阿")
_PLACES = frozenset(
    "北京 上海 天津 重庆 广州 深圳 杭州 南京 苏州 武汉 成都 西安 长沙 郑州 青岛 济南 大连 沈阳 哈尔滨 长春 厦门 福州 合肥 昆明 贵阳 南宁 海口"
    " 三亚 兰州 西宁 银川 拉萨 太原 石家庄 南昌 无锡 宁波 温州 珠海 东莞 佛山 香港 澳门 台北 东京 大阪 首尔 新加坡 曼谷 伦敦 巴黎 柏林 纽约"
    " 旧金山 洛杉矶 莫斯科 悉尼 罗马 米兰 马德里 里斯本 维也纳 大理 丽江 桂林 洛阳 扬州 绍兴 嘉兴 中国 美国 英国 法国 德国 日本 韩国 意大利"
    " 西班牙 葡萄牙 加拿大 澳大利亚 俄罗斯 印度 泰国 越南 瑞士 荷兰".split()
)


class Demand(msgspec.Struct, frozen=True):
    """One thing an answer must cover. A text with one of `any` covers it by that share, one with `parts` in part."""

    text: str
    kind: DemandKind
    weight: float
    any: dict[str, float]
    parts: tuple[str, ...] = ()


def demands(text: str, lexicon: Lexicon, today: int) -> list[Demand]:
    """The demands of a question, in its order. `today` is counted from 1970-01-01."""
    text = unicodedata.normalize("NFKC", text)
    found: list[Demand] = []
    dated = bool(mentioned_days(text, today))
    at = 0
    for match in _DATE.finditer(text):
        now = _NOW.fullmatch(match.group()) is not None
        if (dated or now or _WEEKDAY.search(match.group().lower())) and match.group() not in ("may", "march", "mar", "dec", "sep"):
            found += _plain(text, at, match.start(), lexicon)
            found.append(_date(match.group(), now, lexicon))
            at = match.end()
    found += _plain(text, at, len(text), lexicon)
    for pattern, term in _TYPES:
        if match := pattern.search(text):
            found.append(Demand(match.group().lower(), "word", _TYPED, {term: 1.0}))
            break
    merged: dict[str, Demand] = {}
    for one in found:
        merged.setdefault(one.text, one)
    return list(merged.values())


def _date(text: str, now: bool, lexicon: Lexicon) -> Demand:
    """A date is covered by what happened then, or by a text that names it; «today» hardly asks for anything."""
    folded = fold(text)
    days = re.findall(r"\d+", re.sub(r"\d+月", "", folded)) + [one for one in numbers(re.sub(r".?[^年]月", "", folded))]
    months = [term for term in values(f"in {folded}") if "=month" in term]
    weekdays = [term for word in re.findall(_WEEKDAY, folded) for term, sense in lexicon.concepts.senses(word) if sense is Sense.MEANS]
    parts = tuple(dict.fromkeys((*months, *weekdays, *days)))
    return Demand(folded, "date", _LIGHT if now else _WEIGHTS["date"], {}, parts if months or weekdays or days else ())


def _plain(text: str, first: int, end: int, lexicon: Lexicon) -> Iterator[Demand]:
    """The demands of a part without dates; what comes before it tells whether a capital begins a sentence."""
    words = re.findall(r"[^\W\d_]{2,}", text)
    capitals = sum(word[0].isupper() for word in words)
    titled = len(words) > 2 and capitals > 0.7 * len(words)
    last: Demand | None = None
    asks = _AUXILIARY.search(text.lower()) is not None
    tokens = list(_TOKEN.finditer(text, first, end))
    raw = [match.group().lower() for match in tokens]
    for nth, match in enumerate(tokens):
        token = match.group()
        found: list[Demand]
        if match["han"]:
            found = list(_unspaced(fold(token), lexicon))
        elif match["code"] and (_CODE.search(token) or token.isupper()):
            found = [_code(fold(token), lexicon)]
        elif match["number"]:
            bare = token.replace(",", "") if _GROUPED.fullmatch(token) else token
            found = [Demand(bare, "number", _WEIGHTS["number"], {bare: 1.0})]
        else:
            said = text[: match.start()].rstrip(" \"'\u201c(")
            begins = not said or said[-1] in ".!?:\u3002\uff1f"
            ends = nth + 1 == len(raw) or raw[nth + 1] in _AFTER_VERB
            found = list(_word(token, begins, titled, _acts(raw[nth], raw[nth - 1] if nth else "", ends and asks), lexicon))
            if last and found and (phrase := _phrase(last, found[0], lexicon)):
                found, last = [phrase], None
        if last:
            yield last
        last = found.pop() if found else None
        yield from found
    if last:
        yield last


def _phrase(first: Demand, second: Demand, lexicon: Lexicon) -> Demand | None:
    """Two words that mean something together, as one demand."""
    senses = lexicon.concepts.senses(f"{first.text} {second.text}")
    terms = {term: _SHARES[sense] for term, sense in senses if _SHARES[sense]}
    if not terms or first.kind != "word":
        return None
    return Demand(f"{first.text} {second.text}", "word", max(first.weight, second.weight), terms, (first.text, second.text))


def _code(folded: str, lexicon: Lexicon) -> Demand:
    bare = re.sub(r"^v(?=\d)", "", folded)
    terms = lexicon.analyzer.terms(bare)
    parts = tuple(dict.fromkeys(term for term in terms if term != bare))
    return Demand(bare, "code", _WEIGHTS["code"], {bare[:48]: 1.0}, parts)


def _acts(word: str, before: str, ends: bool) -> bool:
    """Whether the word is probably a verb or an adjective, by the words around it."""
    if before in _BEFORE_VERB or word.endswith("ed"):
        return True
    if before == "what":
        return word.endswith("s") or word in BASE_FORMS
    return ends and before != "" and before not in STOP_WORDS


def _word(token: str, begins: bool, titled: bool, verb: bool, lexicon: Lexicon) -> Iterator[Demand]:
    if _ACRONYMS.fullmatch(token):
        token = token[:-1]
    folded = fold(token).removesuffix("'s")
    joined = folded.replace("-", "")
    if folded in STOP_WORDS and not (token[0].isupper() and not begins and not titled and token not in ("I",)):
        return
    base = lexicon.analyzer.base_form(joined) or folded
    rare = rarity(folded)
    mixed = re.search(r"[a-z][A-Z]|[^\W\d_]\d|\d[^\W\d_]", token) is not None
    capital = token[0].isupper() and not titled and not token.isupper()
    senses = lexicon.concepts.senses(base)
    terms: dict[str, float] = {base: 1.0}
    kind: DemandKind = "word"
    if mixed and not token.islower() or re.search(r"\d", token):
        kind = "code"
    elif (capital and not begins) or (capital and rare == 1.0 and not senses):
        kind = "name"
    for term, sense in senses:
        share = _SHARES[sense]
        if share and (kind == "word" or sense is Sense.MEANS):
            terms[term] = max(terms.get(term, 0.0), share)
    if kind != "word":
        weight = _WEIGHTS[kind]
    elif light(folded) or light(base):
        weight = _LIGHT
    else:
        weight = (0.5 + 0.5 * rare) * (_VERB if verb else 1.0)
    yield Demand(base, kind, weight, terms)


def _unspaced(run: str, lexicon: Lexicon) -> Iterator[Demand]:
    """The words of Chinese text; what is no word, and each two characters elsewhere, is taken for a name."""
    pieces: list[str] = []
    loose = ""
    words = [*segments(run, lexicon.concepts.words), ""]
    for word, following in zip(words, [*words[1:], ""], strict=True):
        titled = word in _TITLES and len(following) == 1 and not light(following) and following not in STOP_CHARACTERS
        if pieces and not loose and word in _SUFFIXES and len(pieces[-1]) > 1 and not light(pieces[-1]):
            pieces[-1] += word
            continue
        if len(word) == 1 and (titled or not (word in STOP_CHARACTERS or light(word))):
            if titled and loose:
                pieces.append(loose)
                loose = ""
            loose += word
            continue
        if loose:
            pieces.append(loose)
            loose = ""
        if word:
            pieces.append(word)
    for number in numbers(run):
        if number != "1":  # 一次 and 一家 are hardly numbers
            yield Demand(number, "number", _WEIGHTS["number"], {number: 1.0})
    for piece, following in zip(pieces, [*pieces[1:], ""], strict=True):
        if all(character in STOP_CHARACTERS for character in piece):
            continue
        pairs = tuple(piece[at : at + 2] for at in range(len(piece) - 1)) or (piece,)
        terms: dict[str, float] = {}
        if len(pairs) == 1:
            terms[pairs[0]] = 1.0
        known = lexicon.concepts.senses(piece)
        for term, sense in known:
            if share := _SHARES[sense]:
                terms[term] = max(terms.get(term, 0.0), share)
        named = 2 <= len(piece) <= 3 and rarity(piece) == 1.0 and not known
        named = named and (piece[0] in _SURNAMES or piece[0] in _TITLES or piece[0] == piece[1])
        if named or piece in _PLACES:
            yield Demand(piece, "name", _WEIGHTS["name"], {t: s for t, s in terms.items() if s > _RELATED}, pairs)
        elif light(piece):
            yield Demand(piece, "word", _LIGHT, terms, pairs)
        else:
            weight = (0.4 if len(piece) == 1 else 0.5) + 0.5 * rarity(piece)
            weight *= _VERB if acts(piece, following) else 1.0
            yield Demand(piece, "word", weight, terms, pairs)
