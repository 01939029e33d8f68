"""Files as memories: nothing gets lost unsaid, whatever the encoding, and what can't be read is named by its line."""

import datetime as dt
import io
import json
import tracemalloc
from collections.abc import Iterable
from typing import Any

import pytest

from clawactors.kernel.errors import Refused
from clawactors.memory.ingest.chunking import CHUNK_LIMIT, chunks, code_chunks
from clawactors.memory.ingest.exports import ExportedNote
from clawactors.memory.ingest.importing import notes_in
from clawactors.memory.ingest.jsonlines import Dropped
from clawactors.memory.text.date import DateReader
from clawactors.systems.memories import Content, note_key

DAY_1 = 1_714_521_600 * 10**9
"""1 May 2024"""


def read(body: bytes | str, name: str = "n.md", **options: object) -> list[Content | ExportedNote | Dropped]:
    """All that comes of a file with this body."""
    body = body.encode() if isinstance(body, str) else body
    return list(notes_in(io.BytesIO(body), name, **options))  # type: ignore[arg-type]


def contents(found: Iterable[Content | ExportedNote | Dropped]) -> list[Content]:
    return [one for one in found if isinstance(one, Content)]


def dropped(found: Iterable[Content | ExportedNote | Dropped]) -> list[str]:
    return [str(one) for one in found if isinstance(one, Dropped)]


# JSON Lines


def test_jsonl_takes_what_it_knows_and_says_what_it_cannot_read() -> None:
    lines = [
        json.dumps(
            {"text": "I moved", "speaker": "Ana", "date": "8 May 2023", "tags": ["home", 5], "kind": "knowledge"}
        ),
        "",
        "{not json",
        "[1]",
        json.dumps({"text": " "}),
        json.dumps({"text": "plain", "kind": "nonsense", "tags": "x"}),
        json.dumps({"text": "known", "kind": "knowledge"}),
        "[" * 100_000,
        json.dumps({"text": "one\u2028line", "date": 1_714_521_600}, ensure_ascii=False),
    ]
    found = read("\n".join(lines), "f.jsonl", owner="o", session="f", tags=("all",))
    notes = contents(found)
    assert [one.text for one in notes] == ["I moved", "plain", "known", "one\u2028line"]
    assert (notes[0].kind, notes[0].tags, notes[0].speaker) == ("knowledge", ("all", "home", "5"), "Ana")
    assert notes[0].happened_ns == 1_683_504_000 * 10**9
    assert (notes[1].kind, notes[1].owner, notes[1].session, notes[1].position) == ("raw", "o", "f", 6)
    assert notes[1].tags == ("all", "x")
    assert notes[3].happened_ns == DAY_1
    assert [fault.split(":")[0] for fault in dropped(found)] == ["line 3", "line 4", "line 5", "line 8"]


@pytest.mark.parametrize("date", ["the day after the fair", "2024-13-45", True, 1e30, ["2024-05-01"]])
def test_a_date_that_cannot_be_read_is_never_taken_for_now(date: object) -> None:
    found = read(json.dumps({"text": "the pump was replaced", "date": date}), "f.jsonl")
    assert not contents(found)
    assert "line 1: the date" in dropped(found)[0]


@pytest.mark.parametrize("date", [1_714_521_600, 1_714_521_600_000, "2024-05-01", "2024-05-01T00:00:00Z"])
def test_dates_are_texts_seconds_or_milliseconds(date: object) -> None:
    (note,) = contents(read(json.dumps({"text": "the pump was replaced", "date": date}), "f.jsonl"))
    assert note.happened_ns == DAY_1


def test_equal_lines_of_different_days_are_two_notes_and_of_one_day_one() -> None:
    days = ("2024-05-01", "2024-05-02", "2024-05-01")
    lines = [json.dumps({"text": "backup ok", "date": day}) for day in days]
    keys = [note_key(note) for note in contents(read("\n".join(lines), "f.jsonl"))]
    assert len(set(keys)) == 2
    assert keys[0] == keys[2]
    diary = "# 2024-05-01\n- 备份成功\n# 2024年5月2日\n- 备份成功\n"
    assert len({note_key(note) for note in contents(read(diary))}) == 2


# Encodings


TEXT = "- the pump hums\n- 水泵响了\n- el pozo está seco\n"


@pytest.mark.parametrize(
    "body",
    [
        TEXT.encode(),
        TEXT.encode("utf-8-sig"),
        TEXT.encode("utf-16"),
        TEXT.encode("utf-16-le"),
        TEXT.encode("utf-32"),
        TEXT.replace("\n", "\r\n").encode(),
        TEXT.replace("\n", "\r").encode(),
        TEXT.replace("\n", "\r\n").encode("utf-16"),
    ],
)
def test_a_text_is_the_same_in_every_unicode_encoding_and_with_all_line_ends(body: bytes) -> None:
    found = read(body)
    assert [one.text for one in contents(found)] == ["the pump hums", "水泵响了", "el pozo está seco"]
    assert dropped(found) == []


def test_bytes_that_are_no_text_are_named_by_their_line_and_hold_up_no_other() -> None:
    found = read(b"- fine\n- caf\xe9 au lait\n- also fine\n")
    assert [one.text for one in contents(found)] == ["fine", "caf\ufffd au lait", "also fine"]
    assert dropped(found)[0].startswith("line 2: bytes that are no utf-8")
    assert [one.text for one in contents(read(b"- caf\xe9", encoding="latin-1"))] == ["café"]
    assert [one.text for one in contents(read("- 水泵响了".encode("gb18030"), encoding="gb18030"))] == ["水泵响了"]


def test_binary_files_and_unknown_encodings_are_refused() -> None:
    with pytest.raises(Refused, match="binary"):
        read(bytes(range(32)) * 20)
    with pytest.raises(Refused, match="no encoding 'klingon'"):
        read(b"text", encoding="klingon")
    assert dropped(read("水泵".encode("utf-16")[:-1]))[0].startswith("line 1: bytes that are no utf-16")
    assert read(b"") == []


# Lengths


def test_long_texts_become_several_memories_cut_between_sentences() -> None:
    text = "One two three four five. " * 1000
    pieces = chunks(text)
    assert all(len(piece) <= CHUNK_LIMIT for piece in pieces)
    assert all(piece.endswith("five.") for piece in pieces)
    assert " ".join(pieces) == text.strip()
    assert chunks("  ") == []
    assert "".join(chunks("x" * 1_000_000)) == "x" * 1_000_000


@pytest.mark.parametrize("sentence", ["A word more. ", "再说一句话。", "def f():\n    return 1\n", "no end at all "])
def test_the_pieces_of_a_long_text_hold_all_of_it(sentence: str) -> None:
    text = (sentence * (100_000 // len(sentence))).strip()
    pieces = chunks(text)
    assert len(pieces) > 16
    assert "".join("".join(pieces).split()) == "".join(text.split())
    lines = text.split("\n")
    assert "".join("".join(code_chunks(lines)).split()) == "".join(text.split())


def test_plain_text_gives_a_memory_a_paragraph_and_its_lines_stay_lines() -> None:
    found = contents(read("Roses are red,\nviolets blue.\n\n\n  两行\n  诗\n", "poem.txt", owner="maya"))
    assert [(one.text, one.position) for one in found] == [
        ("Roses are red,\nviolets blue.", 0),
        ("两行\n  诗", 1),
    ]
    assert {(one.owner, one.session) for one in found} == {("maya", "poem.txt")}
    many = contents(read("a line of a long log\n" * 20_000, "log.txt"))
    assert sum(one.text.count("a line") for one in many) == 20_000


def test_dates_are_read_by_locale_and_zone_or_refused() -> None:
    lines = b'{"text": "a", "date": "5/6/2026"}\n{"text": "b", "date": "05.06.2026"}\n'
    plain = list(notes_in(io.BytesIO(lines), "x.jsonl"))
    assert isinstance(plain[0], Dropped)
    assert "two ways" in plain[0].why
    british = notes_in(io.BytesIO(lines), "x.jsonl", dates=DateReader(locale="en_GB"))
    june = dt.datetime(2026, 6, 5, tzinfo=dt.UTC).timestamp() * 1e9
    assert [one.happened_ns for one in british if isinstance(one, Content)] == [june, june]


def test_a_mark_at_the_start_hides_neither_the_first_line_nor_the_front_matter() -> None:
    found = contents(read('\ufeff{"text": "first"}\n{"text": "second"}', "f.jsonl"))
    assert [one.text for one in found] == ["first", "second"]
    (note,) = contents(read("\ufeff---\ndate: 2024-05-01\n---\nWe met."))
    assert note.happened_ns == DAY_1


# Memory


class Endless(io.RawIOBase):
    """A file whose lines are made as they are read."""

    def __init__(self, line: bytes, size_bytes: int) -> None:
        self._block = line * (65_536 // len(line))
        self._left = size_bytes

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        part = self._block[: min(len(buffer), self._left)]
        buffer[: len(part)] = part
        self._left -= len(part)
        return len(part)


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("f.jsonl", json.dumps({"text": "The pump in the hall was checked. " * 100}).encode() + b"\n"),
        ("f.txt", b"no paragraph ends here and no sentence either " * 100 + b"\n"),
    ],
)
def test_a_large_file_needs_no_more_memory_than_a_small_one(name: str, line: bytes) -> None:
    size_bytes = 1 << 20
    file = io.BufferedReader(Endless(line, size_bytes), 65_536)
    tracemalloc.start()
    try:
        count = sum(1 for _ in notes_in(file, name))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert count > 200
    assert peak < size_bytes / 2
