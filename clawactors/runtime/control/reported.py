"""The progress that running code reports between its records: heard, shown and forgotten, never in the log."""

import contextlib
from collections import OrderedDict
from typing import Final

import msgspec

from clawactors.runtime.node.heartbeat import ReportedProgress

__all__ = ["ProgressReports"]

_KEPT_MAX: Final = 10_000


class ProgressReports:
    """The last report of each task, of the latest 10,000 tasks that gave one. `of` may be called in any thread."""

    def __init__(self) -> None:
        self._last: OrderedDict[str, ReportedProgress] = OrderedDict()

    def take(self, id: str, body: bytes) -> None:
        """Takes the body of a sign of life; most have none."""
        if body:
            with contextlib.suppress(msgspec.MsgspecError):
                self._last[id] = msgspec.json.decode(body, type=ReportedProgress)
                self._last.move_to_end(id)
                while len(self._last) > _KEPT_MAX:
                    self._last.popitem(last=False)

    def of(self, id: str, attempt: int) -> float:
        """What that attempt has reported last, 0..1; 0 where nothing was heard."""
        last = self._last.get(id)
        return last.progress if last is not None and last.attempt == attempt else 0.0
