"""How rare a word is in general language, and where the words of Chinese text begin and end.

`common_en.txt` and `common_zh.txt` list the most frequent words, most frequent first: the English ones from the counts
of Google's Web corpus in `wordsegment` (Apache-2.0), the Chinese ones from the dictionary of `jieba` (MIT).
"""

import math
from functools import cache
from importlib import resources
from typing import Final

__all__ = ["acts", "light", "rarity", "segments"]

_UNKNOWN: Final = 15.0
"""What a character outside every word costs; a word costs the logarithm of its rank."""

_LIGHT_TEXT = """
use make do have need want know tell say remember mean
happen go come keep call name kind sort type thing way time
long much many often far old new current currently still now recently lately latest nowadays
later soon already again first last next day today someone
anyone person people everyone everybody something anything
one number set work take let put find see look think like
back well good big little lot part case point place right
end 什么 什么时候 什么样 时候 哪个 哪家 哪里 哪天 哪年 哪些 哪位 哪一天 谁 怎么 怎样 如何 为什么
为何 多少 几 几个 几点 多久 多长 多大 多重 多远 是否 有没有 我们 你们 他们 她们 它们 咱们 大家 自己
这个 那个 这些 那些 这里 那里 现在 目前 当前 如今 最近 近来 以后 以前 之前 之后 关于 对于 可以 能够 应该 需要 必须 已经
还是 或者 如果 因为 所以 但是 最后 最终 一下 一个 一次 一样 一起 东西 事情 事 人 时间 号 要 会 能
做 用 去 来 到 给 让 叫 放 看 想 说 问 找 有 没有 没 不 过 住 写 开 每 每天 多 少 大 小 新
旧 前 后 里 上 下 中 内 外 家 个 位 次 种 样 分别 具体 主要 一共 总共 大概 知道 记得 告诉 发生
情况
"""
_LIGHT: Final = frozenset(_LIGHT_TEXT.split())


@cache
def _listed() -> tuple[dict[str, int], dict[str, str]]:
    """The rank of each word; the Chinese verbs and adjectives, marked `'` in the list, or `*` if they are nouns too."""
    ranks: dict[str, int] = {}
    acting: dict[str, str] = {}
    for name in ("common_en.txt", "common_zh.txt"):
        text = resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
        for rank, entry in enumerate(text.split(), 1):
            word = entry.rstrip("'*")
            ranks[word] = rank
            if word != entry:
                acting[word] = entry[-1]
    return ranks, acting


def acts(word: str, following: str) -> bool:
    """True for a Chinese verb or adjective; a word that can be both verb and noun is a noun before another one."""
    kind = _listed()[1].get(word, "")
    return kind == "'" or (kind == "*" and (len(following) < 2 or light(following) or following in _listed()[1]))


def light(word: str) -> bool:
    """True for a word that asks or connects, and that an answer seldom repeats."""
    return word in _LIGHT


def rarity(word: str) -> float:
    """The rarity of a folded word in general language: 0 for the most frequent words, 1 for unlisted ones."""
    rank = _listed()[0].get(word)
    return 1.0 if rank is None else min(math.log10(rank) / 4.2, 1.0)


def segments(run: str, known: frozenset[str]) -> list[str]:
    """The words of a run of Chinese characters, the most frequent way; `known` are further words."""
    ranks = _listed()[0]
    best: list[tuple[float, int]] = [(0.0, 0)]
    for end in range(1, len(run) + 1):
        choices = []
        for start in range(max(0, end - 6), end):
            word = run[start:end]
            rank = ranks.get(word) or (3000 if word in known else 0)
            if rank or end - start == 1:
                choices.append((best[start][0] + (math.log(rank + 20) if rank else _UNKNOWN), start))
        best.append(min(choices))
    found = []
    end = len(run)
    while end:
        start = best[end][1]
        found.append(run[start:end])
        end = start
    return found[::-1]
