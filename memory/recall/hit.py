"""What a search gives."""

import msgspec

from clawactors.systems.memories import Fact, Kind

__all__ = ["Hit"]


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """A memory that was found. `score` is its relevance, 0..1; `weak`: below the threshold, as all others are.

    `parts` says what the rank is made of, by feature; `sources` are sequences of the log. Times in ns since 1970.
    """

    id: str
    kind: Kind
    text: str
    excerpt: str
    score: float
    weak: bool
    owner: str
    speaker: str
    session: str
    tags: tuple[str, ...]
    at_ns: int
    sources: tuple[int, ...]
    parents: tuple[str, ...]
    count: int
    fact: Fact | None
    parts: dict[str, float]
