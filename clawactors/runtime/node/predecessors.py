"""The results of the predecessors of a task, read when its code asks for them: an assignment does not carry them."""

import asyncio
from typing import TYPE_CHECKING, Any

from clawactors.runtime.node.attempt.journal import load_task, submitted
from clawactors.runtime.node.codetasks import at_work
from clawactors.systems.tasks.payload import is_reference

if TYPE_CHECKING:
    from clawactors.runtime.node.attempt.attempt import Attempt

__all__ = ["Predecessors"]


class Predecessors:
    """The predecessors of one task; read once."""

    def __init__(self, attempt: "Attempt") -> None:
        self._attempt = attempt
        self._results: dict[str, Any] | None = None

    @at_work
    async def results(self) -> dict[str, Any]:
        """See `TaskContext.results`."""
        self._attempt.check()
        if self._results is None:
            await self._attempt.retry_while_unavailable(self._read)
            self._attempt.check()
        return dict(self._results or {})

    async def _read(self) -> None:
        attempt = self._attempt
        spec, least = await submitted(attempt), attempt.assignment.version
        after = tuple(dict.fromkeys(spec.after)) if spec else ()
        found = await asyncio.gather(*(load_task(attempt.context, id, at_least=least, brief=True) for id in after))
        lives = {id: known.state.life for id, known in zip(after, found, strict=True)}
        results = {id: life.result for id, life in lives.items() if life.status == "completed"}
        for id, result in results.items():
            if is_reference(result):
                results[id] = await attempt.values.load_payload(result, f"the result of its predecessor {id}")
        # Their results may repeat what they had recalled.
        attempt.note_recalled([memory for id in results for memory in lives[id].recalled])
        self._results = results
