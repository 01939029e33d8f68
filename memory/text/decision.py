"""Tells what was decided from talk about it: «**Decision:** …», «we decided to …», 决定: …"""

import re

from clawactors.memory.text.normal import fold
from clawactors.memory.text.sentence import is_question, sentences

__all__ = ["asks_decision", "states_decision"]

_LABEL = re.compile(
    r"^(?:[\W\d_]|x(?=\])|[a-z]{1,6}[ -]?\d+[.:)])*(?:final\s+|our\s+|the\s+)?"
    r"(?:decisions?|decided|resolution|resolved|conclusion|verdict|agreed|agreement|outcome)"
    r"(?:\s*(?:\(|#|no\.?|of\b|on\b|about\b|\d)[^:\n]{0,40})?[\s*_`)\]]*:"
    r"|^[\W\d_]*(?:最终|最后|会议|我们的|本次)?(?:决定|决议|结论|定论|共识|裁定)[\s*_`]*:"
)
_STATED = re.compile(
    r"\b(?:we|they|i|it was|it is|was|has been|have been|have|has|finally|team|board)\s+(?:\w+\s+){0,2}?"
    r"(?:decided|agreed|settled|resolved|chose|opted)\b(?:\s+(?:to|on|that|against|for|upon|in favou?r)\b|\s*[:,])?"
    r"|\bdecision\s+(?:is|was|fell|has been|:)|\bwent with\b"
    r"|(?:已经?|最终|最后|终于|一致|我们|大家|会上|团队|公司|他们|她们)[^。,.!?]{0,6}(?:决定|敲定|商定|拍板|选定)(?!不了|什么|吗|是否)"
    r"|定下来|就这么定"
)
_OPEN = re.compile(
    r"\b(?:not|never|n't|nothing|yet to|before|whether|should|must|need to|have to|can|could|may|might|if|until"
    r"|try(?:ing)? to)"
    r"\s+(?:\w+\s+){0,3}?(?:decide|decided|agreed?|settled?|chosen?|resolved?)\b|\bundecided\b|\bno decision\b"
    r"|(?:没|没有|未|尚未|还没|不|怎么|如何|是否|该|要|再|等)[^。,.!?]{0,4}(?:决定|敲定|定下来|商定|选定)|待定"
)
_ASKED = re.compile(
    r"\b(?:decid\w+|decision|agree\w*|settl\w+|chose|chosen|choose|choice|pick(?:ed)?|conclu\w+|resol\w+|verdict"
    r"|outcome|go(?:ne)? with|went with)\b"
    r"|决定|决议|结论|敲定|选定|选了|选择|商定|共识|定了|定的"
)
_HINTS = (
    *("deci", "resol", "conclusion", "verdict", "agree", "outcome", "settled", "chose", "opted", "went with"),
    *("决", "定", "结论", "共识", "拍板"),
)


def states_decision(text: str) -> bool:
    """True for a text that says what was decided; false for one that asks, or says that it is open."""
    folded = fold(text)
    if not any(hint in folded for hint in _HINTS):  # most texts speak of no decision, and patterns cost more
        return False
    if any(_LABEL.search(line) for line in folded.splitlines()):
        return True
    for sentence in sentences(folded):
        if _STATED.search(sentence) and not _OPEN.search(sentence) and not is_question(sentence):
            return True
    return False


def asks_decision(text: str) -> bool:
    """True for a question after what was decided."""
    return _ASKED.search(fold(text)) is not None
