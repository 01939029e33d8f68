"""The labelled set: conversations and task histories with questions whose evidence is marked.

A file of `memory_questions/`: first `name: value` lines, then sessions (`@ date`) of messages (`speaker: text {mark}`),
then questions (`? question = mark mark`), without marks where nothing in it answers. Messages of `note` are notes of no
conversation; the files `daily_*` consist of them. Half of the files are held out: nothing is ever fitted to them.
"""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Literal

import msgspec

__all__ = ["Question", "Set", "daily", "load", "mixed"]

FOLDER = Path(__file__).parent / "memory_questions"

_DAILY = "daily_"
_NOTE = "note"
_MESSAGE = re.compile(r"(?P<speaker>[^:]+): (?P<text>.*?)(?: \{(?P<mark>\S+)\})?")

type Half = Literal["tuning", "held-out"]


class Question(msgspec.Struct, frozen=True):
    text: str
    evidence: frozenset[str]


class Set(msgspec.Struct, frozen=True):
    """Messages as `Scratch.add_turns` takes them, and questions about them."""

    name: str
    language: str
    half: Half
    turns: list[dict[str, Any]]
    questions: list[Question]


def load(half: Half | None = None) -> list[Set]:
    """The dialogues and task histories, each a set of its own."""
    return [one for one in _sets() if not one.name.startswith(_DAILY) and half in (None, one.half)]


def daily(half: Half | None = None) -> list[Set]:
    """The notes of somebody's days, each a set of its own."""
    return [one for one in _sets() if one.name.startswith(_DAILY) and half in (None, one.half)]


@cache
def _sets() -> list[Set]:
    return [_parsed(path) for path in sorted(FOLDER.glob("*.txt"))]


def mixed(half: Half) -> Iterator[Set]:
    """All files of a language and half as one memory, asked all their questions: what a real memory is like."""
    sets = load(half)
    for language in sorted({one.language for one in sets}):
        own = [one for one in sets if one.language == language]
        turns = [turn for one in own for turn in one.turns]
        yield Set(f"{language} {half}", language, half, turns, [ask for one in own for ask in one.questions])


def _parsed(path: Path) -> Set:
    facts: dict[str, str] = {}
    turns: list[dict[str, Any]] = []
    questions: list[Question] = []
    marks: dict[str, str] = {}
    session, date, index = 0, "", 0
    for line in filter(None, path.read_text(encoding="utf-8").splitlines()):
        if line.startswith("? "):
            text, _, evidence = line[2:].rpartition("=")
            questions.append(Question(text.strip(), frozenset(marks[mark] for mark in evidence.split())))
        elif line.startswith("@ "):
            session, date, index = session + 1, line[2:], 0
        elif not session:
            name, _, value = line.partition(": ")
            facts[name] = value
        else:
            message = _MESSAGE.fullmatch(line)
            assert message, f"{path.name}: {line}"
            id = f"{path.stem}-{session}-{index}"
            if mark := message["mark"]:
                assert mark not in marks, f"{path.name}: {mark} marks two messages"
                marks[mark] = id
            said = {"text": message["text"], "date": date}
            if message["speaker"] != _NOTE:
                said |= {"speaker": message["speaker"], "session": f"{path.stem}-{session}"}
            turns.append({"id": id, "index": index, **said})
            index += 1
    half: Half = "held-out" if facts["half"] == "held-out" else "tuning"
    return Set(path.stem, facts["language"], half, turns, questions)
