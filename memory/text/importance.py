"""The importance and the tone of a text, from its words alone.

Importance, 0..1, decides how long a memory is retained: facts, figures, names, strong feelings and failures matter,
questions and pleasantries do not. Tone ranges from -1 (bad) to 1 (good).
"""

import math
import re

from clawactors.memory.text.decision import states_decision
from clawactors.memory.text.normal import fold
from clawactors.memory.text.sentence import is_question
from clawactors.memory.text.term import is_unspaced

__all__ = ["importance", "tone"]

_GOOD = re.compile(
    r"\b(?:love|loved|great|happy|glad|thank\w*|amazing|wonderful|brilliant|excellent|perfect|proud|best|success\w*"
    r"|congratulations|finally|works|fixed|delighted|thrilled|lovely|fun|enjoy\w*|good)\b"
    r"|开心|高兴|喜欢|爱|谢谢|太好|成功|恭喜|完美|厉害|真好|幸福|骄傲|满意|顺利|棒"
)
_BAD = re.compile(
    r"\b(?:hate\w*|sad|angry|terrible|awful|bad|worst|afraid|scared|sorry|fail\w*|error\w*|broke\w*|lost|died|dead|hurt"
    r"|pain\w*|worried|worry|furious|crash\w*|stolen|sick|ill|problem\w*|denied|timeout|upset|hopeless)\b"
    r"|难过|生气|讨厌|糟|坏|害怕|失败|错误|丢|死|疼|痛|担心|崩溃|伤心|可惜|问题|生病|倒霉|拒绝|超时"
)
_NEGATION = re.compile(r"\b(?:not|no|never|n't|without)\s+(?:\w+\s+)?$|n't\s+$|[不没别未]$")
_FIGURE = re.compile(
    r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|hundred|thousand)\b|[一二两三四五六七八九十百千万]"
)
_NAME = re.compile(r"[a-z,] [A-Z][a-z]+|《[^》]+》")
_FIRST_PERSON = re.compile(r"\b(?:i|my|we|our|i'm|i've|i'll)\b|我|我们|咱们")
_LASTING = re.compile(
    r"\b(?:always|never|remember|important|must|deadline|birthday|allergic|password|address|decided|promise\w*|married"
    r"|moved|live|job|born|diagnos\w*)\b|记住|记得|重要|一定|必须|截止|生日|过敏|密码|地址|决定|答应|结婚|搬|住在|工作|出生"
)


def tone(text: str) -> float:
    """The tone, -1..1; a negated word counts for the opposite."""
    folded = fold(text)
    score = 0
    for pattern, sign in ((_GOOD, 1), (_BAD, -1)):
        for match in pattern.finditer(folded):
            negated = _NEGATION.search(folded[max(0, match.start() - 16) : match.start()])
            score += -sign if negated else sign
    return round(math.tanh(score / 2), 3)


def importance(text: str) -> float:
    """The importance, 0..1."""
    folded = fold(text)
    score = 0.2 + 0.15 * min(len(text) / (45 if is_unspaced(text) else 120), 1)
    score += 0.15 * bool(_FIGURE.search(folded)) + 0.1 * bool(_NAME.search(text))
    score += 0.1 * bool(_FIRST_PERSON.search(folded)) + 0.2 * bool(_LASTING.search(folded))
    score += 0.15 * abs(tone(text)) + 0.3 * states_decision(text)
    score -= 0.2 * is_question(text)
    return round(min(max(score, 0.05), 1.0), 3)
