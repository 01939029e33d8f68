"""Markdown as memories: headings tag and date, rows of tables keep their columns, code keeps its shape."""

import pytest

from clawactors.memory.ingest.jsonlines import Dropped
from clawactors.memory.ingest.markdown import from_markdown
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
DAY_1 = 1_714_521_600 * 10**9
"""1 May 2024"""


def notes(text: str, **options: object) -> list[Content]:
    return [one for one in from_markdown(text.split("\n"), **options) if isinstance(one, Content)]  # type: ignore[arg-type]


def texts(text: str) -> list[str]:
    return [content.text for content in notes(text)]


def test_markdown_gives_a_memory_a_paragraph_under_its_headings() -> None:
    found = notes(MARKDOWN, owner="maya", session="notes.md", tags=("diary",))
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


@pytest.mark.parametrize(
    ("table", "rows"),
    [
        (
            "| host | port |\n| --- | ---: |\n| forge | 2222 |\n| atlas | 22 |",
            ["host: forge; port: 2222", "host: atlas; port: 22"],
        ),
        ("主机 | 端口\n:-- | --\nforge | 2222", ["主机: forge; 端口: 2222"]),
        ("| a | b | c |\n|-|-|-|\n| 1 | | 3 |\n| x \\| y |", ["a: 1; c: 3", "a: x | y"]),
        ("| | who |\n|---|---|\n| 早班 | 小雯 |", ["早班; who: 小雯"]),
        ("before\n| only | heads |\n|---|---|\n\nafter", ["before", "only | heads", "after"]),
    ],
)
def test_each_row_of_a_table_keeps_the_names_of_its_columns(table: str, rows: list[str]) -> None:
    assert texts(table) == rows


def test_what_only_looks_like_a_table_is_text() -> None:
    assert texts("either | or\nnothing below") == ["either | or nothing below"]
    assert texts("a | b\n---\nc") == ["c"]


@pytest.mark.parametrize(
    ("source", "code"),
    [
        (
            "```python\ndef f():\n    if x:\n        return 1\n\n    return 2\n```",
            "def f():\n    if x:\n        return 1\n\n    return 2",
        ),
        ("~~~~\n```\nnot the end\n~~~\n~~~~\n", "```\nnot the end\n~~~"),
        ("    indented:\n      - code\n\n    goes on\n", "indented:\n  - code\n\ngoes on"),
        ("- run this:\n  ```sh\n  for x in *; do\n    echo $x\n  done\n  ```\n", "for x in *; do\n  echo $x\ndone"),
        ("```\n    starts indented\nends not\n```", "    starts indented\nends not"),
        (
            "```\n# not a heading\n| not | a table |\n|---|---|\n- not a list\n",
            "# not a heading\n| not | a table |\n|---|---|\n- not a list",
        ),
    ],
)
def test_code_keeps_its_lines_and_their_indentation(source: str, code: str) -> None:
    assert texts(source)[-1] == code


def test_long_code_is_cut_between_lines() -> None:
    lines = [f"    line_{number} = {number}" for number in range(2000)]
    pieces = texts("\n".join(["```", *lines, "```"]))
    assert len(pieces) > 1
    assert "\n".join(pieces) == "\n".join(lines)


@pytest.mark.parametrize(
    "heading",
    [
        "# 2024-05-01",
        "## Friday (1 May 2024)",
        "# May 1, 2024: standup",
        "# 2024年5月1日",
        "1 May 2024\n=====",
        "Standup 2024-05-01\n---",
    ],
)
def test_a_heading_with_a_date_dates_what_stands_under_it(heading: str) -> None:
    found = notes(f"undated\n\n{heading}\n- first\n\n### detail\n- second\n\n# Other\n- third")
    assert [(one.text, one.happened_ns) for one in found] == [
        ("undated", 0),
        ("first", DAY_1),
        ("second", DAY_1),
        ("third", 0),
    ]


def test_a_date_that_may_be_two_days_is_told_and_not_guessed() -> None:
    told, note = from_markdown(["# 5/6/2026", "- the pump was replaced"])
    assert isinstance(told, Dropped)
    assert "two ways" in told.why
    assert isinstance(note, Content)
    assert note.happened_ns == 0


def test_a_file_may_say_its_own_date() -> None:
    found = notes("---\ntitle: Standup\ndate: 2024-05-01\n---\nWe met.\n# 2024-05-02\nAgain.")
    assert [(one.text, one.happened_ns // (86_400 * 10**9)) for one in found] == [("We met.", 19844), ("Again.", 19845)]
    assert texts("---\nno front matter") == ["no front matter"]


def test_lists_breaks_and_odd_lines_lose_nothing() -> None:
    assert texts("- a\n  goes on\n\n  and on\n- b\n\n***\n\nc") == ["a goes on", "and on", "b", "c"]
    assert texts("") == []
    assert texts("\x00\x01# \n```") == []


@pytest.mark.parametrize(
    "head", ["tags: [work, 'sensor gateway']", "Tags: work, sensor gateway", "tags:\n  - work\n  - sensor gateway"]
)
def test_the_tags_of_a_front_matter_are_tags(head: str) -> None:
    (note,) = notes(f"---\ntitle: Lumen\n{head}\nauthor: Ana\n---\n# Hosts\nforge runs the build", tags=("mine",))
    assert note.tags == ("mine", "work", "sensor gateway", "Hosts")
