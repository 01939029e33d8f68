"""Markdown and JSON Lines as memories; what can't be read is said, line by line."""

import json

from clawactors.memory.ingest.importing import CHUNK_LIMIT, chunks, from_jsonl, from_markdown
from clawactors.systems.memories import Content

MARKDOWN = """# Kiln
The kiln broke
in June.

- spare part from Stoke
- [x] call the supplier
1. pay the bill

## Glazes ##
```
ash: 40 %
clay: 60 %
```
Done.
# Garden
Water the tomato.
"""


def test_markdown_gives_a_memory_a_paragraph_under_its_headings() -> None:
    found = list(from_markdown(MARKDOWN, owner="maya", session="notes.md", tags=("diary",)))
    assert [content.text for content in found] == [
        "The kiln broke in June.",
        "spare part from Stoke",
        "call the supplier",
        "pay the bill",
        "ash: 40 %\nclay: 60 %",
        "Done.",
        "Water the tomato.",
    ]
    assert found[0].tags == ("diary", "Kiln")
    assert found[4].tags == ("diary", "Kiln", "Glazes")
    assert found[6].tags == ("diary", "Garden")
    assert [content.position for content in found] == list(range(7))
    assert {content.owner for content in found} == {"maya"}


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
    ]
    found = list(from_jsonl("\n".join(lines), owner="o", session="f"))
    contents = [one for one in found if isinstance(one, Content)]
    assert [one.text for one in contents] == ["I moved", "plain", "known"]
    assert (contents[0].kind, contents[0].tags, contents[0].speaker) == ("knowledge", ("home", "5"), "Ana")
    assert contents[0].happened_ns == 1_683_504_000 * 10**9
    assert (contents[1].kind, contents[1].owner, contents[1].session, contents[1].position) == ("raw", "o", "f", 6)
    assert contents[2].kind == "knowledge"
    faults = [one for one in found if isinstance(one, str)]
    assert [fault.split(":")[0] for fault in faults] == ["line 3", "line 4", "line 5", "line 8"]


def test_long_texts_become_several_memories_cut_between_sentences() -> None:
    text = "One two three four five. " * 1000
    pieces = chunks(text)
    assert all(len(piece) <= CHUNK_LIMIT for piece in pieces)
    assert all(piece.endswith("five.") for piece in pieces)
    assert " ".join(pieces) == text.strip()
    assert chunks("  ") == []
    assert all(len(piece) <= CHUNK_LIMIT for piece in chunks("x" * 1_000_000))


def test_empty_and_binary_files_are_read_without_harm() -> None:
    assert list(from_markdown("")) == []
    assert list(from_markdown("\x00\x01# \n```")) == []
    assert all(isinstance(one, str) for one in from_jsonl("".join(map(chr, range(256)))))
