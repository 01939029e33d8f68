"""A node whose event loop runs speaks for its attempts; code that wants a tighter watch gives signs by itself.

1. Once a minute the node publishes a sign of life for each attempt that it runs. The silence limit of control is for
   attempts that no node knows, and for nodes whose loop stands still.
2. An attempt of a skill with `heartbeat_s` fails when nothing has come from its code for so long: no heartbeat, no
   progress, no record.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from clawactors.runtime.node.attempt.attempt import Attempt

__all__ = ["SIGN_S", "HeartbeatWatch", "report_alive"]

SIGN_S: Final = 60.0


async def report_alive(running: Callable[[], Iterable[str]], publish: Callable[[str], None]) -> None:
    """Publishes a sign of life for each task that runs, once a minute, without end."""
    while True:
        await asyncio.sleep(SIGN_S)
        for id in list(running()):
            publish(id)


class HeartbeatWatch:
    """Watches the code of one attempt from its creation until `stop`; `fail` is told when it has been silent."""

    def __init__(self, attempt: "Attempt", limit_s: float, fail: Callable[[TimeoutError], None]) -> None:
        self._attempt, self._limit_s, self._fail = attempt, limit_s, fail
        self._known, self._since_s = attempt.journal.ahead, attempt.clock.monotonic_s()
        self._check()

    def _check(self) -> None:
        attempt, now_s = self._attempt, self._attempt.clock.monotonic_s()
        if attempt.journal.ahead is not self._known:
            self._known, self._since_s = attempt.journal.ahead, now_s
        left_s = max(self._since_s, attempt.heartbeat.last_s) + self._limit_s - now_s
        if left_s > 0:
            self._timer = asyncio.get_running_loop().call_later(left_s, self._check)
        else:
            self._fail(TimeoutError(f"the code gave no heartbeat for {self._limit_s:g} s"))

    def stop(self) -> None:
        """The code has ended."""
        self._timer.cancel()
