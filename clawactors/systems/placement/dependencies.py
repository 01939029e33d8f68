"""Which open tasks wait for which others, and what follows when these end: an index, so that an end costs no more than
its dependents, and nothing where there are none.

1. A predecessor is open, has completed, has ended without a result, or is not there yet. Only completed is for ever.
2. Of one that is not open the fold does not know how it ended: it is asked for once, and `learn` tells.
3. A ring is closed by a task that somebody waits for before it is there: then alone it is looked for.
"""

from collections.abc import Callable, Iterable, Sequence

from clawactors.systems.tasks import FINAL, Status, Task
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks.dependencies import cycle
from clawactors.systems.tasks.events import TaskError

__all__ = ["Dependencies"]


class _Wait:
    """What a task still waits for; `dead` are those of it that have ended without a result, and how.

    `ring` says that it waits for itself, '' where it does not.
    """

    __slots__ = ("cycle", "dead", "left")

    def __init__(self, after: Sequence[str]) -> None:
        self.cycle = ""
        self.left = dict.fromkeys(after)
        self.dead: dict[str, Status] = {}


class Dependencies:
    """`watched` are the predecessors that somebody waits for. Whatever changes gives the tasks to look at again."""

    def __init__(self) -> None:
        self.watched: dict[str, dict[str, None]] = {}
        self._waits: dict[str, _Wait] = {}
        self._dead: dict[str, Status] = {}
        self._unknown: dict[str, None] = {}
        self._asked: set[str] = set()

    def wait(self, id: str, after: Sequence[str], is_open: Callable[[str], bool]) -> None:
        """The task waits for these."""
        if id in self._waits:
            return
        wait = self._waits[id] = _Wait(after)
        for predecessor in wait.left:
            self.watched.setdefault(predecessor, {})[id] = None
            if (status := self._dead.get(predecessor)) is not None:
                wait.dead[predecessor] = status
            elif not is_open(predecessor):
                self._unknown[predecessor] = None
        if id in self.watched:
            wait.cycle = self._cycle(id)

    def _cycle(self, id: str) -> str:
        """The way from the task back to itself in words, '' where there is none."""
        comes_after: dict[str, str] = {}
        todo = [id]
        while todo:
            at = todo.pop()
            wait = self._waits.get(at)
            for predecessor in wait.left if wait is not None else ():
                if predecessor == id:
                    way = [at]
                    while way[-1] != id:
                        way.append(comes_after[way[-1]])
                    return cycle(way[::-1])
                if predecessor not in comes_after:
                    comes_after[predecessor] = at
                    todo.append(predecessor)
        return ""

    def forget(self, id: str) -> None:
        """The task has stopped waiting."""
        wait = self._waits.pop(id, None)
        for predecessor in wait.left if wait else ():
            waiting = self.watched[predecessor]
            del waiting[id]
            if not waiting:
                self._unwatch(predecessor)

    def _unwatch(self, predecessor: str) -> None:
        del self.watched[predecessor]
        self._dead.pop(predecessor, None)
        self._unknown.pop(predecessor, None)
        self._asked.discard(predecessor)

    def opened(self, id: str) -> list[str]:
        """A predecessor is there, or goes on."""
        self._unknown.pop(id, None)
        self._asked.discard(id)
        if self._dead.pop(id, None) is None:
            return []
        waiting = list(self.watched[id])
        for each in waiting:
            del self._waits[each].dead[id]
        return waiting

    def ended(self, id: str, status: Status) -> list[str]:
        """A predecessor has ended."""
        waiting = list(self.watched.get(id, ()))
        if status == "completed":
            for each in waiting:
                wait = self._waits[each]
                del wait.left[id]
                wait.dead.pop(id, None)
            if waiting:
                self._unwatch(id)
            return [each for each in waiting if len(self._waits[each].left) == len(self._waits[each].dead)]
        if waiting:
            self._unknown.pop(id, None)
            self._asked.discard(id)
            self._dead[id] = status
        for each in waiting:
            self._waits[each].dead[id] = status
        return waiting

    def asks(self) -> list[str]:
        """The predecessors whose end is to be found out, each once."""
        asked = list(self._unknown)
        self._asked.update(asked)
        self._unknown.clear()
        return asked

    def ask_again(self, id: str) -> None:
        """The answer was of no use."""
        if id in self._asked:
            self._asked.discard(id)
            self._unknown[id] = None

    def note_status(self, id: str, status: Status | None) -> Iterable[str]:
        """What was asked for; it counts for nothing when the fold has come to know it meanwhile."""
        if id not in self._asked:
            return ()
        self._asked.discard(id)
        return self.ended(id, status) if status in FINAL else ()

    def follows(self, id: str, task: Task) -> c.TaskCommand | None:
        """What the task is to be told now, if anything."""
        status, spec, wait = task.life.status, task.spec, self._waits.get(id)
        if wait is None or spec is None or status not in ("waiting", "blocked"):
            return None
        if wait.cycle and status == "waiting":
            return c.Expire(TaskError("dependency", wait.cycle)) if spec.on_dead == "fail" else c.Block(wait.cycle)
        dead = {} if spec.on_dead == "run" else wait.dead
        if len(wait.left) == len(wait.dead) and not dead:
            return c.Ready()
        if status == "blocked":
            return None if dead else c.Await()
        if not dead:
            return None
        predecessor, how = next(iter(dead.items()))
        reason = f"its predecessor {predecessor} is {'gone' if how == 'archived' else how}"
        if spec.on_dead == "fail":
            return c.Expire(TaskError("dependency", reason))
        return c.Block(reason, waits_for="dependency")
