"""Whether two stems are forms or misspellings of one word, which the stemmer keeps apart: decision and decide."""

from typing import Final

__all__ = ["FORM", "PREFIX", "likeness"]

PREFIX: Final = 4
"""Related stems share so many first letters."""

FORM: Final = 0.75
"""How far a related form stands for a word."""

_SHARED: Final = 0.75
_ENDING: Final = 3
_TYPO_FROM: Final = 7


def likeness(one: str, other: str, *, named: bool = False) -> float:
    """1 for the same stem, `FORM` for a related form or a slip of one letter in a long word, else 0.

    A name (`named`) has no forms but its plural.
    """
    if one == other:
        return 1.0
    shared = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        shared += 1
    shorter, longer = sorted((len(one), len(other)))
    if named and {one, other} == {min(one, other), min(one, other) + "s"}:
        return FORM
    if not named and shared >= max(PREFIX, _SHARED * shorter) and longer - shared <= _ENDING:
        return FORM
    return FORM if shorter >= _TYPO_FROM and shared >= PREFIX and _one_slip(one[shared:], other[shared:]) else 0.0


def _one_slip(one: str, other: str) -> bool:
    """One letter more, less, other, or two letters swapped."""
    return (
        one[1:] == other[1:]
        or one[1:] == other
        or one == other[1:]
        or (one[:2] == other[1::-1] and one[2:] == other[2:])
    )
