"""The state of one memory."""

from typing import Literal

import msgspec

from clawactors.systems.memories.events import Content, Kind

__all__ = ["SEARCHED", "STATUSES", "Level", "Memory", "Status"]

type Status = Literal["absent", "live", "superseded", "archived", "forgotten"]
type Level = Literal["episodic", "semantic"]

STATUSES: tuple[Status, ...] = Status.__value__.__args__
SEARCHED: frozenset[Status] = frozenset(("live", "superseded"))

_LEVELS: dict[Kind, Level] = {"raw": "episodic", "summary": "episodic", "knowledge": "semantic"}


class Memory(msgspec.Struct, frozen=True):
    """One memory; `content` None before it is recorded and after it is forgotten.

    `count` says how often the same was met, `occurrences` names the meetings behind the first, `uses` how often it was
    an answer. `revision` counts updates. What was said up to the log sequence `forgotten_upto` can't make it again.
    """

    status: Status = "absent"
    content: Content | None = None
    count: int = 0
    occurrences: frozenset[str] = frozenset()
    superseded_by: str = ""
    restores_to: Status = "live"
    last_met_ns: int = 0
    recorded_ns: int = 0
    updated_ns: int = 0
    uses: int = 0
    last_used_ns: int = 0
    revision: int = 0
    forgotten_upto: int = 0

    @property
    def level(self) -> Level:
        """Which of the stored levels it belongs to; the sensory and the working level are never stored."""
        return _LEVELS[self.content.kind] if self.content else "episodic"

    @property
    def searched(self) -> bool:
        """True while a search may find it."""
        return self.status in SEARCHED
