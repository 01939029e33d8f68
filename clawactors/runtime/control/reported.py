"""The progress that running code reports between its records: heard, shown and forgotten, never in the log."""

import contextlib
from collections import OrderedDict
from typing import Final

import msgspec

from clawactors.runtime.node.heartbeat import ReportedProgress

__all__ = ["ProgressReports"]

_KEPT_MAX: Final = 10_000


class ProgressReports:
    """The last report of each task by each node, the latest 10,000 of them. `of` may be called in any thread."""

    def __init__(self) -> None:
        self._last: OrderedDict[tuple[str, str], ReportedProgress] = OrderedDict()

    def take(self, id: str, node: str, body: bytes) -> None:
        """Takes the body of a sign of life; most have none."""
        if body:
            with contextlib.suppress(msgspec.MsgspecError):
                self._last[id, node] = msgspec.json.decode(body, type=ReportedProgress)
                self._last.move_to_end((id, node))
                while len(self._last) > _KEPT_MAX:
                    self._last.popitem(last=False)

    def of(self, id: str, attempt: int, node: str) -> float:
        """What that attempt on that node has reported last, 0..1; 0 where nothing was heard."""
        last = self._last.get((id, node))
        return last.progress if last is not None and last.attempt == attempt else 0.0
