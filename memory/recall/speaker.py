"""The known speakers and owners that a question names."""

import re

from clawactors.memory.index.columns import NameTable
from clawactors.memory.text.normal import fold
from clawactors.memory.text.stopword import STOP_WORDS

__all__ = ["NameFinder"]

_WORD = re.compile(r"[^\W_\u3400-\u9fff]+")
_RUN = re.compile("[\u3400-\u9fff]+")
_SHORTEST, _LONGEST = 2, 4


class NameFinder:
    """Finds names of a table by the full name or one word of it; in scripts without spaces, anywhere in the text."""

    def __init__(self, names: NameTable) -> None:
        self._names = names
        self._seen = 0
        self._numbers: dict[str, set[int]] = {}

    def mentioned(self, text: str) -> list[int]:
        """The numbers of the names that the text mentions."""
        self._add_new_names()
        folded = fold(text)
        parts = set(_WORD.findall(folded))
        for run in _RUN.findall(folded):
            for size in range(_SHORTEST, _LONGEST + 1):
                parts.update(run[at : at + size] for at in range(len(run) - size + 1))
        return sorted(set().union(*(self._numbers.get(part, set()) for part in parts)))

    def _add_new_names(self) -> None:
        for number in range(self._seen, len(self._names.texts)):
            name = fold(self._names.texts[number])
            for part in {name, *_WORD.findall(name), *_RUN.findall(name)}:
                if len(part) >= _SHORTEST and part not in STOP_WORDS:
                    self._numbers.setdefault(part, set()).add(number)
        self._seen = len(self._names.texts)
