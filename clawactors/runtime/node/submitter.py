"""How a node asks control for changes of tasks: as a client does, for the code that it runs."""

from clawactors.eventlog.requests import Asking
from clawactors.runtime.asking import Outcome
from clawactors.runtime.client.sender import CommandSender
from clawactors.runtime.client.skills import KnownSkills
from clawactors.runtime.context import ProcessContext
from clawactors.runtime.questions import Questions
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks.events import Spec
from clawactors.systems.tasks.external import request_of

__all__ = ["Submitter"]


class Submitter:
    """One a node: what its tasks ask for in one turn of the loop travels together."""

    def __init__(self, context: ProcessContext, requests: Asking, principal: str) -> None:
        self._names = context.names
        self._sender = CommandSender(context, requests, principal, "")
        self._skills = KnownSkills(Questions(requests, principal))

    async def check(self, spec: Spec) -> None:
        """Raises `Refused` when the parameters, which are no reference yet, don't fit the skill."""
        await self._skills.check(spec)

    async def submit(self, id: str, spec: Spec) -> Outcome:
        """Makes the task, unless it is there. Raises: `Refused`, `Unavailable`."""
        return await self._ask(id, c.Submit(spec))

    async def cancel(self, id: str) -> Outcome:
        """Cancels the task. Raises: `NotFound`, `Refused`, `Unavailable`."""
        return await self._ask(id, c.Cancel())

    async def _ask(self, id: str, command: c.TaskCommand) -> Outcome:
        return await self._sender.ask("task", id, request_of(command, self._names.commit()), queued=False)

    def close(self) -> None:
        """Fails what still waits with `Closed`."""
        self._sender.close()
