"""The thesaurus: everyday words with similar or related meanings, in English and Chinese, grouped by concept.

A question seldom uses the words of its answer. Without a model, the thesaurus leads from «profession» to «nurse», from
«purchase» to «bought» and from 职业 to 护士. In `thesaurus.txt` each entry is `concept: words`, with indented
continuation lines. A word may be in several entries; English words joined by `_` match as a phrase.
"""

import re
from importlib import resources

__all__ = ["CONCEPTS"]


def _read() -> dict[str, tuple[str, ...]]:
    text = resources.files(__package__).joinpath("thesaurus.txt").read_text(encoding="utf-8")
    entries = re.sub(r"\n +", " ", text).strip().split("\n")
    return {concept: tuple(words.split()) for concept, words in (entry.split(":", 1) for entry in entries)}


CONCEPTS: dict[str, tuple[str, ...]] = _read()
