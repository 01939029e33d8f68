"""What words mean, for questions that seldom use the words of their answer; in English and Chinese.

1. `thesaurus.txt` groups everyday words around a concept, `concept: words`: from «kiln» to «oven», from «profession» to
   «nurse». Words of one concept are related, not equal: they help to find and prove little.
2. `synonyms.txt` has a line for words that mean nearly the same in both languages, `words | examples`: who asks for a
   «database» may be answered by «Postgres», but who asks for Redis is not.

Entries of the first continue on indented lines. A word may be in several; English words joined by `_` are a phrase.
"""

import re
from importlib import resources

__all__ = ["CONCEPTS", "SYNONYMS"]


def _read(name: str) -> list[str]:
    text = resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
    return re.sub(r"\n +", " ", text).strip().split("\n")


CONCEPTS: dict[str, tuple[str, ...]] = {
    concept: tuple(words.split()) for concept, words in (entry.split(":", 1) for entry in _read("thesaurus.txt"))
}
"""Related words by concept."""

SYNONYMS: list[tuple[tuple[str, ...], tuple[str, ...]]] = [
    (tuple(words.split()), tuple(examples.split()))
    for words, _, examples in (entry.partition("|") for entry in _read("synonyms.txt"))
]
"""Words that mean nearly the same, and examples of what they name."""
