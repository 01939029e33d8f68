"""What `claw logs` writes: text as it was printed but for what a terminal would obey, or a line of JSON a chunk."""

from typing import Any

import pytest

from clawactors.app.cli.commands.logs import _text
from clawactors.runtime.client.streaming import Chunk, output_row


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"source": "stdout", "text": "a\tb\n"}, "a\tb\n"),
        ({"source": "stderr", "text": "\x1b[31mred\x07\n"}, " [31mred \n"),
        ({"source": "log", "text": "so", "level": "info", "logger": "x"}, "INFO so\n"),
        ({"source": "claw", "text": "[1.0 MB of output were cut here]\n"}, "[1.0 MB of output were cut here]\n"),
        (7, ""),
    ],
)
def test_a_chunk_of_the_log(value: Any, text: str) -> None:
    assert _text(value, True) == text


@pytest.mark.parametrize(("value", "text"), [("word ", "word "), ({"n": 1}, '{"n":1}\n'), ("\x1b", " ")])
def test_a_chunk_that_was_emitted(value: Any, text: str) -> None:
    assert _text(value, False) == text


def test_lines_of_json() -> None:
    about = {"position": 8193, "at": "2023-11-14T22:13:20.000000Z", "attempt": 2, "node": "n1"}
    chunk = Chunk({"source": "stdout", "text": "hi\n"}, 2, 8193, 1_700_000_000_000_000_000, "n1")
    found = output_row(chunk, is_log=True)
    assert found | {"at": about["at"]} == {"source": "stdout", "text": "hi\n", **about}
    found = output_row(chunk, is_log=False)
    assert found["value"] == {"source": "stdout", "text": "hi\n"}
