"""A timer as the store of timers shows it; see `clawactors.eventlog.jetstream.timers`."""

import msgspec

__all__ = ["TimerMark"]


class TimerMark(msgspec.Struct, frozen=True, gc=False):
    """A timer that was set for `at_ns` (ns since 1970), or that has gone off since (`fired`).

    `kind` and `id` name it: there is one of a name at a time. `version` is that of the aggregate which asked for it,
    `place` where the store holds it.
    """

    kind: str
    id: str
    at_ns: int
    version: int
    fired: bool = False
    place: int = 0
