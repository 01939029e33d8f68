"""What is wrong with a definition, each thing with its place in the file."""

from collections.abc import Sequence
from typing import Final

import msgspec

from clawactors.kernel.errors import Refused

__all__ = ["DefinitionProblem", "InvalidDefinition", "meant"]

_SHOWN: Final = 50
_NAMES_MAX: Final = 1000
"""Among more, no likely name is looked for: it takes too long."""


class DefinitionProblem(msgspec.Struct, frozen=True):
    """One thing that is wrong. `line` and `column` count from 1; 0 where there is no text."""

    file: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.message}" if self.line else f"{self.file}: {self.message}"


class InvalidDefinition(Refused):
    """The definition can't be run; `problems` has all that was found, in the order of the text."""

    def __init__(self, problems: Sequence[DefinitionProblem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda each: (each.line, each.column)))
        lines = [str(each) for each in self.problems[:_SHOWN]]
        if len(self.problems) > _SHOWN:
            lines.append(f"and {len(self.problems) - _SHOWN} more")
        super().__init__("\n".join(lines))


def meant(wrong: str, known: Sequence[str]) -> str:
    """`; did you mean 'x'?`, or nothing."""
    import difflib

    near = difflib.get_close_matches(wrong, known, 1) if len(known) <= _NAMES_MAX else []
    return f"; did you mean {near[0]!r}?" if near else ""
