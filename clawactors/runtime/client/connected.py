"""The base of a client's duties: its connections, and reading or changing one aggregate."""

from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec

from clawactors.eventlog.numbers import unfit_number
from clawactors.eventlog.requests import Asking
from clawactors.kernel.errors import InvalidQuery, NotFound
from clawactors.kernel.external import ExternalCommand
from clawactors.kernel.fold import Snapshot
from clawactors.kernel.transfer import decode_state
from clawactors.runtime.client.blobs import ClientBlobs
from clawactors.runtime.client.ends import Ends
from clawactors.runtime.client.openrequests import OpenRequests
from clawactors.runtime.client.questions import TypedQuestions, ViewsReader
from clawactors.runtime.client.sender import DEADLINE_S, CommandSender
from clawactors.runtime.context import ProcessContext
from clawactors.runtime.naming import new_id
from clawactors.runtime.payloads import Payloads
from clawactors.runtime.questions import Questions, follow_time
from clawactors.runtime.states import read_state
from clawactors.systems.tasks import Task
from clawactors.systems.tasks.submission import checked_id

if TYPE_CHECKING:
    from clawactors.runtime.client.skills import KnownSkills

__all__ = ["ConnectedClient"]


class ConnectedClient(ViewsReader):
    """`sender` carries commands, `questions` raw questions, `views` typed ones, `ends` the ends of awaited tasks.

    `user` is whom it acts for, '' for nobody.
    """

    def __init__(
        self, context: ProcessContext, requests: Asking, deadline_s: float = DEADLINE_S, user: str = ""
    ) -> None:
        self.process, self.requests, self.user = context, OpenRequests(requests), user
        self.principal = context.by.partition("/")[2] or context.by
        self.name = new_id()
        asks = self.requests
        self.sender = CommandSender(context, asks, self.principal, self.name, deadline_s, asks.check)
        self.questions = Questions(self.requests, self.principal, deadline_s)
        self.views = TypedQuestions(self.ask)
        self.ends = Ends(context, self.requests, self.principal, self.name)
        self.payloads = Payloads(ClientBlobs(self.requests, self.principal))

    def close(self) -> None:
        """Fails what still waits, and all later calls, with `Closed`. Order: idempotent."""
        self.requests.close()
        self.ends.close()
        self.sender.close()

    @cached_property
    def skills(self) -> "KnownSkills":
        """The skills that nodes offer, cached by name once they were requested."""
        from clawactors.runtime.client.skills import KnownSkills

        return KnownSkills(self.questions)

    async def ask(self, name: str, question: Any = None) -> bytes:
        """Asks the views; returns their answer as JSON.

        Raises: `InvalidQuery` (no JSON), `Unavailable` (no control process answers).
        """
        return await self.questions.ask(name, _encoded(question))

    async def now_ns(self) -> int:
        """The time of the log, ns since 1970: the clock of this machine may be off. Raises: `Unavailable`."""
        await follow_time(self.questions, self.process.time)
        return self.process.time.now_ns()

    async def snapshot(self, id: str, *, brief: bool = False) -> Snapshot[Task]:
        """The task with everything that is in the log now; `brief`: without its journal.

        Raises: `NotFound`, `Unavailable`.
        """
        known = await self.state("task", checked_id(id), Task, brief=brief)
        if not known.state.exists and not known.frozen:
            raise NotFound(f"there is no task {id!r}")
        return known

    async def state[S](
        self, kind: str, id: str, type: type[S], *, at_least: int = -1, brief: bool = False
    ) -> Snapshot[S]:
        """One aggregate, with all its commits up to `at_least`, -1 for all in the log; `brief`: without its journal.

        Raises: `Refused`, `Unavailable`.
        """
        return await read_state(self.questions, kind, id, type, at_least, brief=brief)

    async def ask_for_change[S](
        self, kind: str, id: str, request: ExternalCommand, type: type[S], *, version: int = -1
    ) -> Snapshot[S]:
        """Sends the command; returns the aggregate after it, without its journal. Raises: as `CommandSender.ask`."""
        outcome = await self.sender.ask(kind, id, request, state=True, version=version)
        if not outcome.has_state:
            return await self.state(kind, id, type, at_least=outcome.version, brief=True)
        return Snapshot(decode_state(type, outcome.state), outcome.version)


def _encoded(question: Any) -> bytes:
    try:
        encoded = msgspec.json.encode(question)
        unfit = unfit_number(question, encoded)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise InvalidQuery(f"this can't be asked: {error}") from None
    if unfit:
        raise InvalidQuery(f"this can't be asked: {unfit}")
    return encoded
