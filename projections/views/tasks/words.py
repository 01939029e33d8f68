"""Full text over the names of tasks and their last errors: words as they are indexed, and as they are sought.

1. A word is a run of letters and digits, whatever its case; of `ValueError` also `value` and `error` are words.
2. Chinese and Japanese have no spaces: of a run each two neighbours are a word, and the last character alone.
3. What is sought is checked on the task itself, so the index may hold too much and never too little.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final

import msgspec

from clawactors.kernel.errors import InvalidQuery
from clawactors.projections.engine.index import PrefixWalk, Walk, any_of
from clawactors.projections.engine.store import Reading
from clawactors.systems.tasks import Task

__all__ = ["WORDS", "SoughtText", "sought", "text_of", "walks_of_text", "word_keys", "words_of"]

WORDS: Final = "task.words"
"""word, 0, key → nothing."""

type Text = tuple[str, str, str]
"""Name, class and message of the last error."""

_NAME_CHARS: Final = 1000
_ERROR_CHARS: Final = 2000
_WORD_CHARS: Final = 40
_WORDS_MAX: Final = 200
_SOUGHT_MAX: Final = 16
_BEGINNINGS_MAX: Final = 1000

_WRITTEN_TOGETHER: Final = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_RUN: Final = re.compile(rf"[{_WRITTEN_TOGETHER}]+|[^\W_{_WRITTEN_TOGETHER}]+")
_TOGETHER: Final = re.compile(rf"[{_WRITTEN_TOGETHER}]")
_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


class SoughtText(msgspec.Struct, frozen=True):
    """Words, beginnings of words, and runs of characters that are written together; all of them must be there."""

    words: tuple[str, ...] = ()
    beginnings: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()

    def fits(self, task: Task) -> bool:
        """True for a task whose name or last error has all of it."""
        text = text_of(task)
        known = words_of(text)
        return (
            known.issuperset(self.words)
            and all(any(word.startswith(beginning) for word in known) for beginning in self.beginnings)
            and (not self.runs or all(any(run in _plain(each) for each in text) for run in self.runs))
        )


def text_of(task: Task) -> Text:
    """What of a task can be sought."""
    error, name = task.life.error, (task.spec.name or "") if task.spec else ""
    if error is None:
        return name[:_NAME_CHARS], "", ""
    return name[:_NAME_CHARS], error.kind, error.message[:_ERROR_CHARS]


@lru_cache(maxsize=2048)  # tasks of one sort have like names, and fail alike
def words_of(text: Text) -> frozenset[str]:
    """The words under which a task with that text is found."""
    words: dict[str, None] = {}
    for part in text:
        for run in _RUN.findall(unicodedata.normalize("NFKC", part)):
            words.update(dict.fromkeys(_words_of_run(run)))
            if len(words) >= _WORDS_MAX:
                return frozenset(list(words)[:_WORDS_MAX])
    return frozenset(words)


def _words_of_run(run: str) -> Iterator[str]:
    if _TOGETHER.match(run):
        yield from (run[at : at + 2] for at in range(len(run)))
    else:
        yield run.casefold()[:_WORD_CHARS]
        if not (run.islower() or run.isupper()):
            yield from (part.casefold()[:_WORD_CHARS] for part in _HUMP.split(run))


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


@lru_cache(maxsize=256)
def sought(text: str) -> SoughtText:
    """What the words of a question ask for; `conn*` is the beginning of a word.

    Raises: `InvalidQuery` for a text without words, and for one that has too many.
    """
    words, beginnings, runs = list[str](), list[str](), list[str]()
    plain = _plain(text)
    for found in _RUN.finditer(plain):
        run = found.group()
        if _TOGETHER.match(run):
            runs.append(run)
            words += (run[at : at + 2] for at in range(len(run) - 1))
            if len(run) == 1:
                beginnings.append(run)
        elif plain[found.end() : found.end() + 1] == "*":
            beginnings.append(run.casefold()[:_WORD_CHARS])
        else:
            words.append(run.casefold()[:_WORD_CHARS])
    if not words and not beginnings:
        raise InvalidQuery(f"there is no word in {text[:40]!r}: seek letters or digits, and beginnings as in conn*")
    if len(words) + len(beginnings) > _SOUGHT_MAX:
        raise InvalidQuery(f"{text[:40]!r} has too many words: seek {_SOUGHT_MAX} at most")
    return SoughtText(*(tuple(dict.fromkeys(each)) for each in (words, beginnings, runs)))


def walks_of_text(reading: Reading, text: SoughtText) -> list[Walk]:
    """The lists that a task with all of it is on. Raises: `InvalidQuery` where too many words begin so."""
    walks: list[Walk] = [PrefixWalk(reading, WORDS, _prefix(word)) for word in text.words]
    for beginning in text.beginnings:
        words = list(_beginning_so(reading, beginning.encode()))
        walks.append(any_of([PrefixWalk(reading, WORDS, word) for word in words]))
    return walks


def _prefix(word: str) -> bytes:
    return word.encode() + b"\0"


def word_keys(words: Iterable[str], key: bytes) -> Iterator[bytes]:
    """The keys under which a task is listed for its words."""
    return (_prefix(word) + key for word in words)


def _beginning_so(reading: Reading, beginning: bytes) -> Iterator[bytes]:
    """The prefixes of all words that begin so: a seek each."""
    cursor, found = reading.cursor(WORDS), 0
    at = beginning
    while cursor.set_range(at) and (key := cursor.key()).startswith(beginning):
        if (found := found + 1) > _BEGINNINGS_MAX:
            raise InvalidQuery(f"more than {_BEGINNINGS_MAX} words begin with {beginning.decode()!r}: give more of it")
        word = key[: key.index(b"\0")]
        yield word + b"\0"
        at = word + b"\1"
