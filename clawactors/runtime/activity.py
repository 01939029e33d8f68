"""What happened lately, as control is asked for it and tells it: `claw.query.<principal>.activity`."""

import msgspec

__all__ = ["ActivityQuestion", "ActivityReply", "SeriesReply", "TookReply"]


class ActivityQuestion(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The last `window_s` seconds added up, and the last `series_s` full seconds one by one; 300 at most."""

    window_s: int = 60
    series_s: int = 0


class TookReply(msgspec.Struct, frozen=True, kw_only=True):
    """Percentiles in seconds."""

    runs: int
    p50_s: float
    p90_s: float
    p95_s: float
    p99_s: float


class SeriesReply(msgspec.Struct, frozen=True, kw_only=True):
    """Counts second by second, the oldest first; `until_ns` is where the last one ends."""

    until_ns: int
    commits: list[int]
    submitted: list[int]
    started: list[int]
    completed: list[int]
    failed: list[int]
    dead: list[int]
    cancelled: list[int]


class ActivityReply(msgspec.Struct, frozen=True, kw_only=True):
    """As one control process has folded it, so for `window_s` at most: it knows nothing of before it began.

    `slots` are those of living nodes, `given` the tasks that these have. `longest_ns` is since when the task that waits
    longest at the head of a queue could run, 0 for none. `fullest` is the node with the fullest disk, '' for none.
    """

    at_ns: int
    window_s: float
    commits: int
    submitted: int
    started: int
    completed: int
    failed: int
    dead: int
    cancelled: int
    errors: dict[str, int]
    wait: TookReply
    took: TookReply
    slots: int
    given: int
    longest_ns: int
    fullest: str
    fullest_percent: float
    trouble: str
    series: SeriesReply | None = None
