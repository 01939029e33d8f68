"""Running attempts that say nothing any more, or go on far beyond their time: a wheel that each commit leaves alone.

An attempt is looked at when the time of its last known sign of life plus the limit has come; only then it is asked
whether it has shown one since. Rebuilt from the open tasks at every start: what was not heard before is no silence.
Times are the log's, ns since 1970. Stamps of records are behind them by `behind_ns`, where the server's clock is wrong.
"""

from collections.abc import Iterator
from typing import Final

import msgspec

from clawactors.kernel.ranking import Ranking
from clawactors.systems.settings import DEFAULTS
from clawactors.systems.tasks import TaskStatus

__all__ = ["Silence"]

_BEYOND: Final = 1.5
_BEYOND_S: Final = 30.0
"""A node ends an attempt at its timeout by itself; the leader steps in at one and a half of it and 30 s more."""


class _Run(msgspec.Struct, gc=False):
    attempt: int
    node: str
    since_ns: int
    end_ns: int
    timeout_s: float
    heard_ns: int = 0


class Silence:
    """The attempts that run, by task. `limit_s` is how long one may show no sign of life."""

    def __init__(self, limit_s: float = DEFAULTS.task_silence) -> None:
        self.limit_s = limit_s
        self._runs: dict[str, _Run] = {}
        self._checks: Ranking[int] = Ranking()
        self._listens_ns = self.behind_ns = 0

    def limit(self, limit_s: float) -> None:
        """The limit is another one from now on: all attempts are looked at."""
        self.limit_s = limit_s
        for id in self._runs:
            self._checks.put(id, 0)

    def runs(self, id: str, life: TaskStatus, timeout_s: float | None) -> None:
        """This attempt of the task runs, as of the last change of `life`."""
        run = self._runs.get(id)
        if run is None or run.attempt != life.attempt:
            since_ns = life.updated_ns + self.behind_ns
            end_ns = since_ns + int((timeout_s * _BEYOND + _BEYOND_S) * 1e9) if timeout_s else 0
            run = self._runs[id] = _Run(life.attempt, life.node, since_ns, end_ns, timeout_s or 0.0)
        self._plan(id, run, life)

    def rests(self, id: str) -> None:
        """No attempt of the task runs."""
        if self._runs.pop(id, None) is not None:
            self._checks.discard(id)

    def listen(self, now_ns: int) -> None:
        """From now on signs of life are heard; of the time before nobody knows."""
        self._listens_ns = now_ns

    def heard(self, id: str, node: str, now_ns: int) -> None:
        """That node gives a sign of life for it: only the one that has the attempt keeps it alive."""
        if (run := self._runs.get(id)) is not None and run.node == node:
            run.heard_ns = now_ns

    def next_check_ns(self) -> int | None:
        """When the next attempt is to be looked at."""
        first = self._checks.first()
        return first[0] if first else None

    def to_check(self, now_ns: int, limit: int) -> Iterator[str]:
        """The tasks whose attempt is to be looked at now, each until `verdict` is asked for it."""
        for _ in range(limit):
            first = self._checks.first()
            if first is None or first[0] > now_ns:
                return
            yield first[1]

    def verdict(self, id: str, life: TaskStatus, now_ns: int) -> str:
        """Why the attempt has to end, '' where it may go on; asked, it is not looked at again before its next time."""
        run = self._runs[id]
        if run.end_ns and now_ns >= run.end_ns:
            self._checks.discard(id)
            return f"it went on far beyond its timeout of {run.timeout_s:g} s"
        if now_ns - self._last_ns(run, life) >= self.limit_s * 1e9:
            self._checks.discard(id)
            return f"it showed no sign of life for {self.limit_s:g} s"
        self._plan(id, run, life)
        return ""

    def _last_ns(self, run: _Run, life: TaskStatus) -> int:
        return max(life.updated_ns + self.behind_ns, run.heard_ns, self._listens_ns)

    def _plan(self, id: str, run: _Run, life: TaskStatus) -> None:
        check_ns = self._last_ns(run, life) + int(self.limit_s * 1e9)
        self._checks.put(id, min(check_ns, run.end_ns) if run.end_ns else check_ns)
