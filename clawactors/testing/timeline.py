"""When time moves in a test cluster, beyond the machine's own: never while code of a task is at work (docs/adr/0050).

1. The cluster is quiet when no task is on a node and nothing was appended for a while.
2. While a client waits for the cluster and the cluster is quiet, time jumps to the next timer.
3. Time that passes at once meets every timer at its time, one after the other.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from clawactors.eventlog.requests import Asking
from clawactors.runtime.control import Control
from clawactors.runtime.taskasking import ASK
from clawactors.testing.clock import VirtualClock
from clawactors.testing.inprocess import InProcessCluster, is_in_process

__all__ = ["Timeline", "WaitingRequests", "leader_of"]

_TURNS: Final = 60
"""Of the loop; what one append leads to takes fewer."""
_LOOK_S: Final = 0.001


class WaitingRequests(Asking):
    """Requests of a client: while one is open, the client waits for the cluster, which `count` is told."""

    def __init__(self, requests: Asking, count: Callable[[int], None]) -> None:
        self._requests, self._count = requests, count

    async def request(self, subject: str, body: bytes, timeout_s: float) -> bytes:
        """See `Asking`."""
        waits = not subject.endswith(f".{ASK}")  # code answers as the task is now
        self._count(waits)
        try:
            return await self._requests.request(subject, body, timeout_s)
        finally:
            self._count(-waits)

    async def subscribe(self, pattern: str, on_message: Callable[[str, bytes], None]) -> Callable[[], None]:
        """See `Asking`."""
        return await self._requests.subscribe(pattern, on_message)


class Timeline:
    """`serve` moves the time while `is_asked` says that somebody waits; call `wake` when somebody begins to."""

    def __init__(self, cluster: InProcessCluster, clock: VirtualClock, is_asked: Callable[[], bool]) -> None:
        self._cluster, self._clock, self._is_asked = cluster, clock, is_asked
        self._asked = asyncio.Event()

    def wake(self) -> None:
        """Somebody asks the cluster."""
        self._asked.set()

    async def serve(self) -> None:
        """Runs until cancelled."""
        while True:
            await self._asked.wait()
            if not self._is_asked():
                self._asked.clear()
            elif not (await self._stays_quiet() and self._is_asked() and self._jump()):
                await asyncio.sleep(_LOOK_S)

    async def settle(self) -> None:
        """Returns when the cluster is quiet. Raises: `RuntimeError` in code of a task."""
        if is_in_process():
            raise RuntimeError("time stands still while code of a task is at work: let it pass in the test, not there")
        while True:
            if await self._stays_quiet():
                return
            await asyncio.sleep(_LOOK_S)

    async def pass_until(self, at_ns: int) -> None:
        """Returns when the cluster is quiet at that time, and every timer up to it has gone off."""
        while True:
            await self.settle()
            if not self._jump(at_ns):
                break
        self._move(at_ns)
        await self.settle()

    def _jump(self, until_ns: int | None = None) -> bool:
        """Moves to the next timer; False where there is none until then."""
        at_ns = self._cluster.timers.next_ns
        if at_ns is None or (until_ns is not None and at_ns > until_ns):
            return False
        self._move(at_ns)
        return True

    def _move(self, at_ns: int) -> None:
        self._clock.move_to(at_ns)
        self._cluster.timers.notify()

    async def _stays_quiet(self) -> bool:
        last_seq = self._cluster.log.last_seq
        for _ in range(_TURNS):
            if not self._is_quiet() or self._cluster.log.last_seq != last_seq:
                return False
            await asyncio.sleep(0)
        return True

    def _is_quiet(self) -> bool:
        control = leader_of(self._cluster)
        return control is not None and not any(node.assigned for node in control.state.nodes.by_id.values())


def leader_of(cluster: InProcessCluster) -> Control | None:
    """The control process that leads and answers, None while none does."""
    for name, control in cluster.controls.items():
        if name in cluster.mains and control.leadership.leading and control.endpoint.is_open:
            return control
    return None
