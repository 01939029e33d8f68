"""What of a text is said in earnest: without questions, conditions, quotations, fiction and texts to work on.

1. A request to work on a text (translate, proofread, imagine, act as) makes the rest of the text material.
2. A frame of fiction («in my novel», 小说里) makes the rest of the text fiction.
3. A sentence that asks, wishes, supposes or reports states nothing; a plan states nothing in its own clause only.
4. What stands in quotation marks is somebody's words, not a statement, unless it is a short name.
"""

import re
from collections.abc import Callable, Iterator
from typing import Final

from clawactors.memory.consolidation.facts.stated import is_han
from clawactors.memory.text.sentence import is_question, sentences

__all__ = ["QUOTED", "earnest", "is_plan"]

QUOTED: Final = "\u2426"
"""Stands for words in quotation marks."""

_FENCE = re.compile(r"```.*?(?:```|\Z)|~~~.*?(?:~~~|\Z)", re.DOTALL)
_QUOTED_LINE = re.compile(r"^\s*(?:>|\|).*$", re.MULTILINE)
_QUOTE = re.compile(
    r"\"([^\"\n]{1,400})\"|\u201c([^\u201d]{1,400})\u201d|\u00ab([^\u00bb]{1,400})\u00bb|\u300c([^\u300d]{1,400})\u300d"
    r"|\u300e([^\u300f]{1,400})\u300f|(?<![\w])['\u2018]([^'\u2019\n]{1,300})['\u2019](?![\w])|`([^`\n]{1,200})`"
)
_STATING = re.compile(r"\b(?:I|i|we|my|is|am|are|was|has|have|he|she|they|you)\b|[我你他她它是在有]|[.!?。！？]")

_QUOTE_SIGN = re.compile("[\"\u201c\u00ab\u300c\u300e\u2018`]|(?<!\\w)'")
_WORD = re.compile(r"[^\W_]+")
_ANY = re.IGNORECASE
_ASK_POLITELY = r"(?:please |kindly |now |then |can you |could you |would you |will you |help me (?:to )?|let's |let us |i want you to |i need you to |i'd like you to )*"
_MATERIAL = re.compile(
    rf"^\W*{_ASK_POLITELY}(?:translat\w+|proofread\w*|rewrite|re-write|rephrase|reword|paraphrase|summari[sz]e|condense|shorten|polish|transcribe"
    r"|spell-?check|continue|complete|finish|fill in|correct|fix|edit|improve|simplify|classify|parse|analy[sz]e|conjugate|decline|pronounce|dictation"
    r"|imagin\w+|pretend|suppose|assume|role-?play|act|play|let's say|say|repeat|quote|make up|invent|(?:write|draft|compose|tell|generate|create|give)"
    r"(?: me| us)? (?:an? |the |some |two |three |\d )?(?:\w+ ){0,3}(?:story|poem|song|novel|scene|dialogue|dialog|script|sentences?|examples?|letters?|e-?mails?"
    r"|messages?|posts?|tweets?|essays?|speech|bio|biography|limerick|haiku|lyrics|joke|fairy tale|monologue|conversation|paragraph|review|cover letter))\b",
    _ANY,
)
_NOT_MATERIAL = re.compile(rf"^\W*{_ASK_POLITELY}(?:correct(?:ion)?|fix(?:ed)?|say)\s*[:,]", _ANY)
_HAN_MATERIAL = re.compile(
    r"^\W*(?:请|麻烦|帮我|帮忙|你|能不能|可以|可否|能否|请你|请帮我|帮我把|给我|再|先|把)*(?:翻译|译成|润色|校对|改写|改一下|缩写|扩写|续写|概括|总结|复述|仿写|造句|造个句|听写"
    r"|分析(?:一下)?(?:这|下面|以下)|想象|假装|扮演|角色扮演|假设|假定|设想|举(?:个|一个)?例|(?:写|编|讲|生成|起草)(?:一|个|篇|封|首|段|则|几|两|三|句|下)+)"
    r"|(?:翻译|译)(?:成|为|一下)|把.{0,12}(?:这句|下面|以下|这段).{0,12}(?:翻|译|改|写)"
)
_LABEL = re.compile(r"^\W*([^\W\d][\w ()/-]{0,40}?)\s*[:\uff1a](?!\d|//)\s*")
_EARNEST_LABEL = re.compile(
    r"^(?:(?:big |small |quick |good |great |bad |sad |breaking |latest |important |the |one |more |another |just |a )*"
    r"(?:news|update|correction|note|notes|fact|facts|reminder|remember|fyi|ps|p s|info|btw|by the way|profile|about me|status|decision|decided|edit"
    r"|for the record|note to self|fun fact|thing|allergies|medical|personal|health|heads up|todo|remember this|please remember|please note)|备注|更正|更新|好消息|坏消息|提醒|注意|记住"
    r"|补充|说明|另外|对了|关于我|个人信息|决定|通知|请记住|记一下|记录)$",
    _ANY,
)
_FICTION = re.compile(
    r"\b(?:in|from|of|for) (?:my|the|a|an|this|that|her|his|our|their|which|some|one) (?:[\w'-]+ ){0,2}?(?:novel|story|book|film|movie|game|play|song|poem|dream"
    r"|series|sitcom|script|screenplay|comic|chapter|scene|fairy ?tale|legend|joke|riddle|lyrics|show|episode|campaign|musical|opera|saga|exercise|textbook"
    r"|example|thought experiment|scenario|simulation)\b(?! (?:company|studio|shop|store|publisher|developer|industry|club))"
    r"|\b(?:protagonist|main character|once upon a time|fictional|fiction|hypothetical\w*|dream(?:t|ed) (?:that|i|we|about)|alter ego|the lyrics|persona|my character"
    r"|(?:the|my|our) (?:hero|heroine|villain|narrator|avatar)\b|plays? the (?:role|part) of|as the saying goes|the saying|proverb|quote of the day|test (?:data|sentence|input)"
    r"|sample (?:text|data|sentence)|example sentence|placeholder|lorem ipsum)\b"
    r"|小说|故事[里中]|剧本|电影[里中]|电视剧[里中]|游戏[里中]|梦[见到]|梦[里中]|主人公|主角|男主|女主|童话|歌词|台词|例句|例如|比如说|俗话说|常言道|谚语|虚构|课文|角色",
    _ANY,
)
_UNREAL = re.compile(
    r"\b(?:if|unless|would|'d (?:love|like|rather|live|work|move|prefer)|wish(?:es|ed)?|might|maybe|perhaps|possibly|probably|imagine|supposed to|pretend\w*|assum(?:e|ing)"
    r"|hypothetically|could|should(?! know)|what if|in case|let's say|as though|as if|apparently|according to|as a joke|for example|for instance|e\.g|rumou?rs?|allegedly|supposedly|reportedly|joking|kidding|jk|not sure|unsure|doubt"
    r"|whether|hopefully|ideally|no idea|can't remember|someday|some day|one day)\b"
    r"|如果|要是|比如|譬如|假如|假设|倘若|万一|要不|可能|也许|或许|大概|好像|似乎|听说|据说|据传|传闻|说不定|恨不得|巴不得|但愿|假装|开玩笑|会不会|是不是|有没有|不知道|不确定|难道|何时|差点|差一点|就好了|的话",
    _ANY,
)
# An English sentence without one of these words needs no further look.
_FICTION_WORDS: Final = frozenset(
    "novel story book film movie game play song poem dream series sitcom script screenplay comic chapter scene fairy fairytale legend joke riddle lyrics show episode"
    " campaign musical opera saga exercise textbook example experiment scenario simulation protagonist character time fictional fiction hypothetical hypothetically"
    " dreamt dreamed ego persona hero heroine villain narrator avatar role saying proverb quote data sentence input text placeholder ipsum".split()
)
_UNREAL_WORDS: Final = frozenset(
    "if unless would d wish wished wishes might maybe perhaps possibly probably imagine supposed pretend pretends pretended pretending assume assuming hypothetically could"
    " should case say though apparently according joke example instance e rumor rumour rumors rumours allegedly supposedly reportedly joking kidding jk sure unsure doubt whether hopefully"
    " ideally idea remember someday day".split()
)
_PLAN = re.compile(
    r"\b(?:will|'ll|won't|going to|gonna|about to|plan(?:s|ning)? (?:to|on)|planned to|hop(?:e|es|ing)|want(?:s|ed)?|intend\w*|dream(?:s|ing)? of|looking (?:for|to|at|forward)|almost|nearly"
    r"|think(?:s|ing)? (?:of|about|i|that|he|she|we)|consider(?:s|ing)?|decid\w+ (?:whether|not to)|tried|trying|try|tomorrow|next (?:week|month|year|spring|summer|autumn|fall|winter|\w+day)|soon"
    r"|ought|can (?:not )?wait|used to think|applied|applying|apply|interview\w*|offer(?:ed)?|invited|in (?:a|two|three|four|\d+) (?:days?|weeks?|months?|years?)(?! ago)(?= *$)|seems?|guess|suggest\w*"
    r"|asked|said|says|told|claims?|claimed|heard|wrote|thinks?|believes?|wonders?|wondering)\b"
    r"|打算|计划|准备|想(?:要|去|搬|住|换|学|买|养|当|做|在|成为)|希望|梦想|将来|以后|明天|后天|下周|下个?月|明年|即将|快要|将[要会]|就要|快[^乐递餐]{1,8}了$|考虑|面试|申请|应该|说是|说他|说她|认为|觉得|以为|本来|说过|[问说][：:,，]",
    _ANY,
)
_NAMED_LIKE_VERBS = re.compile(
    r"(?<=[\w,] )(?:Will|Hope|Hop)\b|^(?:Will|Hope)(?=(?:'s)? (?:is|has|was|does|and|no longer|\w+s|\w+ed|quit|left|just|now|got|became)\b)"
)
_TOLD = re.compile(
    r"^\W*(?:(?:as )?I(?:'ve| have)? (?:already |just )?(?:told you|said|mentioned)(?: before| earlier)?(?: that)?|you should know(?: that)?|I(?: forgot to| wanted to| want to| have to) (?:tell you|mention|say)(?: that)?|I (?:think|guess) you know(?: that)?)\W*\s",
    _ANY,
)


def earnest(text: str, wanted: Callable[[str], bool] = lambda sentence: True) -> Iterator[str]:
    """The sentences of the text that are said in earnest, among those that are wanted."""
    text = _unquoted(text.replace("\u2019", "'"))
    found = [(sentence, wanted(sentence)) for sentence in sentences(text)]
    while found and not found[-1][1]:
        found.pop()
    for sentence, is_wanted in found:
        words = None if is_han(sentence) else frozenset(_WORD.findall(sentence.lower()))
        if (words is None or not words.isdisjoint(_FICTION_WORDS)) and _FICTION.search(sentence):
            return
        if (_MATERIAL.match(sentence) and not _NOT_MATERIAL.match(sentence)) or (
            words is None and _HAN_MATERIAL.search(sentence)
        ):
            return
        if not is_wanted or is_question(sentence) or sentence.endswith(("吗", "呢", "吗。", "呢。")):
            continue
        sentence = _TOLD.sub("", sentence)
        if (":" in sentence or "\uff1a" in sentence) and (label := _LABEL.match(sentence)):
            if not _EARNEST_LABEL.match(label[1].strip()):
                continue
            sentence = sentence[label.end() :]
        if (words is not None and words.isdisjoint(_UNREAL_WORDS)) or not _UNREAL.search(sentence):
            yield sentence


def _unquoted(text: str) -> str:
    """The text without code, quoted lines and longer quotations."""
    if "```" in text or "~~~" in text:
        text = _FENCE.sub(f" {QUOTED} ", text)
    if ">" in text or "|" in text:
        text = _QUOTED_LINE.sub(" ", text)
    return _QUOTE.sub(_masked, text) if _QUOTE_SIGN.search(text) else text


def is_plan(clause: str) -> bool:
    """Whether the clause tells what is meant to be, or what somebody else says, instead of what is."""
    return _PLAN.search(_NAMED_LIKE_VERBS.sub("", clause)) is not None


def _masked(match: re.Match[str]) -> str:
    inner = next((group for group in match.groups() if group is not None), "").strip()
    short = len(inner) <= 6 if not inner.isascii() else len(inner.split()) <= 3
    return inner if short and not _STATING.search(inner) else f" {QUOTED} "
