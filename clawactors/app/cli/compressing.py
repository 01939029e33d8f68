"""`claw memory compress`: a text in short, with keywords. It needs no cluster."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final

import msgspec

from clawactors.app.cli.output import emit, note, plain
from clawactors.app.problem import Problem

__all__ = ["compressed", "input_file"]

_CHARS_MAX: Final = 16_000_000


def compressed(options: Any) -> int:
    """Prints the text of a file or of standard input in at most `--chars` characters."""
    from clawactors.kernel.errors import Refused
    from clawactors.memory import compress
    from clawactors.memory.ingest.lines import TextLines

    name = options.words[0]
    with input_file(name) as file:
        try:
            with TextLines(file, options.encoding) as lines:
                text = lines.read(_CHARS_MAX + 1)
        except Refused as refusal:
            raise Problem("refused", f"{name}: {refusal}") from None
    if len(text) > _CHARS_MAX:
        raise Problem("refused", f"{name} has more than {_CHARS_MAX} characters", "compress it in parts")
    if lines.damaged:
        note(f"{name}: bytes that are no {lines.encoding} were replaced; --encoding names another encoding")
    found = compress(text, options.chars, keywords=options.keywords)
    told = [plain(found.text), f"keywords: {', '.join(map(plain, found.keywords))}"] if found.keywords else [found.text]
    emit(options, msgspec.to_builtins(found), lambda: filter(None, told))
    note(f"{found.chars} characters of {found.chars_before}, {found.tokens} tokens of {found.tokens_before}")
    return 0


@contextmanager
def input_file(name: str) -> Iterator[BinaryIO]:
    """The file with this name, opened; `-` is standard input. Raises: `Problem`."""
    if name == "-":
        yield sys.stdin.buffer
        return
    path = Path(name).expanduser()
    try:
        file = path.open("rb")
    except OSError as error:
        raise Problem(
            "usage", f"can't read {path}: {error.strerror or error}", "name a file, or - for a pipe"
        ) from None
    with file:
        yield file
