"""Which commands from outside a commit answers, as its header tells: `commands QUEUE 1-5,7 refused 6 ids a b`.

What comes again is found there, so that it is carried out once.
"""

from collections.abc import Iterable

import msgspec

from clawactors.eventlog import Record

__all__ = ["Receipt", "read_receipt", "written"]

_WORD = "commands"


class Receipt(msgspec.Struct):
    """Commands of one queue by sequence, and the ids that they were given."""

    carried_out: set[int] = msgspec.field(default_factory=set)
    refused: set[int] = msgspec.field(default_factory=set)
    ids: set[str] = msgspec.field(default_factory=set)

    def add(self, other: "Receipt") -> None:
        """Takes in what another commit tells."""
        self.carried_out |= other.carried_out
        self.refused |= other.refused
        self.ids |= other.ids


def written(queue: str, receipt: Receipt) -> str:
    """The header's value."""
    parts = [_WORD, queue.replace(" ", "_"), _ranges(receipt.carried_out)]
    if receipt.refused:
        parts += ["refused", _ranges(receipt.refused)]
    if receipt.ids:
        parts += ["ids", *sorted(receipt.ids)]
    return " ".join(parts)


def read_receipt(queue: str, record: Record) -> Receipt:
    """What the commit answers of this queue; ids are those of any queue."""
    receipt = Receipt()
    word, _, rest = record.cause.partition(" ")
    if word != _WORD:
        return receipt
    named, _, rest = rest.partition(" ")
    is_ours = named == queue.replace(" ", "_")
    done, *words = rest.split(" ")
    if is_ours:
        receipt.carried_out = set(_numbers(done))
    if words[:1] == ["refused"]:
        if is_ours:
            receipt.refused = set(_numbers(words[1]))
        words = words[2:]
    if words[:1] == ["ids"]:
        receipt.ids = set(words[1:])
    return receipt


def _ranges(numbers: Iterable[int]) -> str:
    spans: list[tuple[int, int]] = []
    for number in sorted(numbers):
        if spans and spans[-1][1] == number - 1:
            spans[-1] = (spans[-1][0], number)
        else:
            spans.append((number, number))
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in spans) or "-"


def _numbers(text: str) -> Iterable[int]:
    for span in text.split(","):
        first, _, last = span.partition("-")
        if first.isdecimal() and (not last or last.isdecimal()):
            yield from range(int(first), int(last or first) + 1)
