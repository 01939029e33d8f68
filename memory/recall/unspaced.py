"""The demands of text without spaces: Chinese words and names, and runs of other scripts."""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from clawactors.memory.recall.demand import ASKED, LIGHT, MODIFIES, RELATED, VERB, WEIGHTS, Demand, covering
from clawactors.memory.text.lexicon import Lexicon
from clawactors.memory.text.numeral import numbers
from clawactors.memory.text.rarity import acts, light, rarity, segments
from clawactors.memory.text.stopword import STOP_CHARACTERS

__all__ = ["unspaced_demands"]

_HAN = re.compile("([\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003fffd]+)")
_FIRST = re.compile("(?<!十)一号|第一[^次个]")
"""Where 一 tells a thing from its like."""
_PARTICLES = re.compile("[\u3041-\u309f]+")
"""Hiragana: endings and particles of Japanese."""

_SUFFIXES: Final = frozenset("器仪员师者机处部局性化率度站库量值额费")
"""They make a noun of the word before them."""

_ASKING: Final = frozenset(("什么", "哪个", "哪种", "哪些", "哪家", "哪位", "哪款", "哪门", "哪本"))
_TROUBLE: Final = frozenset(("问题", "毛病", "故障", "状况"))
"""«出了什么问题» asks for anything that went wrong."""
_TITLES: Final = frozenset("老小阿")
_SURNAMES: Final = frozenset(
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗高郑梁谢宋唐许韩邓冯曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔谭陆范汪"
    "廖石金韦贾夏付方邹熊白孟秦邱侯江尹薛闫段雷龙黎史陶贺毛郝顾龚邵万覃武钱戴严莫孔向常汤康易乔赖文柯骆"
)
_PLACES_TEXT = """
北京 上海 天津 重庆 广州 深圳 杭州 南京 苏州 武汉 成都 西安 长沙 郑州 青岛 济南 大连 沈阳 哈尔滨 长春
厦门 福州 合肥 昆明 贵阳 南宁 海口 三亚 兰州 西宁 银川 拉萨 太原 石家庄 南昌 无锡 宁波 温州 珠海 东莞
佛山 香港 澳门 台北 东京 大阪 首尔 新加坡 曼谷 伦敦 巴黎 柏林 纽约 旧金山 洛杉矶 莫斯科 悉尼 罗马 米兰
马德里 里斯本 维也纳 大理 丽江 桂林 洛阳 扬州 绍兴 嘉兴 中国 美国 英国 法国 德国 日本 韩国 意大利
西班牙 葡萄牙 加拿大 澳大利亚 俄罗斯 印度 泰国 越南 瑞士 荷兰
"""
_PLACES: Final = frozenset(_PLACES_TEXT.split())


def unspaced_demands(run: str, lexicon: Lexicon) -> Iterator[Demand]:
    """The demands of a folded run of characters; what is no Chinese word is taken for a name."""
    if _HAN.fullmatch(run):
        yield from _chinese(run, lexicon)
        return
    for piece in [one for one in _PARTICLES.split(run) if one] or [run]:
        pairs = tuple(term for term in lexicon.analyzer.terms(piece) if len(term) > 1) or (piece,)
        yield Demand(piece, "word", min(0.2 * len(piece), 1.0), {}, pairs, 0.9)


def _chinese(run: str, lexicon: Lexicon) -> Iterator[Demand]:
    for number in numbers(run):
        if number != "1":
            yield Demand(number, "number", WEIGHTS["number"], {number: 1.0})
    if _FIRST.search(run):
        yield Demand("1", "number", WEIGHTS["number"], {"1": 1.0})
    pieces = ["", "", *_pieces(run, lexicon), ""]
    first = True
    for place, piece in enumerate(pieces[2:-1], 2):
        if all(character in STOP_CHARACTERS for character in piece):
            continue
        pairs = tuple(piece[at : at + 2] for at in range(len(piece) - 1)) or (piece,)
        terms = covering(piece, lexicon)
        named = piece in _PLACES or (not terms and _is_name(piece))
        if len(pairs) == 1:
            terms[pairs[0]] = 1.0
        if named:
            same = {term: share for term, share in terms.items() if share > RELATED}
            yield Demand(piece, "name", WEIGHTS["name"], same, pairs, 0.25)
        elif light(piece) or (piece in _TROUBLE and pieces[place - 1] in _ASKING):
            yield Demand(piece, "word", LIGHT, terms, pairs)
        else:
            weight = (0.55 if len(piece) == 1 else 0.7) + 0.3 * rarity(piece)
            scale = _scale(pieces, place, first)
            first = False
            yield Demand(piece, "word", weight * scale, terms, pairs, 0.25)


def _scale(pieces: list[str], place: int, first: bool) -> float:
    """How much a word weighs at its place: before another one, after «which», as a verb."""
    asked, before, piece, following = pieces[place - 2 : place + 2]
    joins = len(following) > 1 and not light(following)
    if not (first and joins) and acts(piece, following):
        return VERB
    if before in _ASKING and asked != "对":
        return ASKED
    return MODIFIES if following == "的" or (joins and (first or not acts(following, ""))) else 1.0


def _is_name(piece: str) -> bool:
    begins = piece[0] in _SURNAMES or piece[0] in _TITLES or piece[0] == piece[1:2]
    return begins and 2 <= len(piece) <= 3 and rarity(piece) == 1.0


def _pieces(run: str, lexicon: Lexicon) -> Iterator[str]:
    """The words of the run; single characters side by side are one piece, and so are a word and its suffix."""
    words = segments(run, lexicon.concepts.words | _ASKING)
    piece = ""
    loose = False
    for word, following in pairwise([*words, ""]):
        single = len(word) == 1 and not _connects(word)
        title = word in _TITLES and len(following) == 1 and not _connects(following)
        suffix = word in _SUFFIXES and len(piece) > 1 and not loose and not light(piece)
        if suffix or (single and loose and not title):
            piece += word
        else:
            if piece:
                yield piece
            piece, loose = word, single or title
    if piece:
        yield piece


def _connects(character: str) -> bool:
    return character in STOP_CHARACTERS or light(character)
