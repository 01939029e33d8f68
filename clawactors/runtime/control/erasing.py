"""Erases an owner's words for good, step by step; the process that leads does it, and a later leader ends it.

1. Nothing of the owner may be under way: open tasks, schedules and triggers are refused, or ended first.
2. A new key takes the place of the old ones; once no process seals with an old one, `erasure.begun` names those.
3. What lies outside of the log and only the owner's records name is removed: large values, streamed output.
4. The old keys are removed. From here on no reader can open what they sealed, whatever copy it reads.
5. `erasure.finished` says so, and each process that folds it builds its rows again from the log.

Every step may be repeated: a process that is killed anywhere leaves a run that the next leader goes on with.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from typing import Any, Final, override

import msgspec

from clawactors.eventlog import Unavailable, writer_of
from clawactors.eventlog.decoding import Commit
from clawactors.eventlog.requests import Requests
from clawactors.eventlog.sealing import PRESENT_S, Sealer
from clawactors.kernel.errors import Refused
from clawactors.kernel.roster import Roster
from clawactors.runtime.call import Call
from clawactors.runtime.control.background import ControlBackground
from clawactors.runtime.control.leftovers import Leftovers
from clawactors.runtime.control.ports import Views
from clawactors.runtime.control.underway import OpenWork
from clawactors.runtime.dispatcher import Dispatcher
from clawactors.runtime.erasing import EraseReply, EraseRequest
from clawactors.runtime.naming import new_id
from clawactors.runtime.serving import RequestEndpoint, answering
from clawactors.systems.erasures import ERASURE, Erasure, ErasureRun
from clawactors.systems.erasures.decider import BeginErasure, ErasureCommand, FinishErasure
from clawactors.systems.erasures.events import ErasureEvent, ErasureFinished
from clawactors.systems.erasures.kind import ERASURES
from clawactors.systems.erasures.row import receipt_of
from clawactors.systems.owners import owner_id

__all__ = ["Eraser"]

_NAMED: Final = 5
_ANSWER_S: Final = 1.0
_LOOK_S: Final = 0.1
_SETTLED_S: Final = 1.5 * PRESENT_S
"""After so long no process seals with a key that was replaced."""

_decode: Final = msgspec.json.Decoder(EraseRequest).decode
_encode: Final = msgspec.json.Encoder().encode


class Eraser(RequestEndpoint):
    """`apply` takes the commits about erasures; `open` it where this process begins to lead."""

    def __init__(
        self,
        dispatcher: Dispatcher,
        sealer: Sealer,
        views: Views,
        leftovers: Leftovers,
        under_way: Callable[[str], Iterable[OpenWork]],
        background: ControlBackground,
        caught_up: Callable[[], Awaitable[None]],
    ) -> None:
        """`caught_up` waits until what was in the log has been applied."""
        super().__init__()
        self._caught_up = caught_up
        self._dispatcher, self._sealer, self._views = dispatcher, sealer, views
        self._leftovers, self._under_way, self._background = leftovers, under_way, background
        self.roster: Roster[ErasureCommand, Erasure, ErasureEvent] = Roster(ERASURE)
        self._jobs: dict[str, asyncio.Task[dict[str, Any]]] = {}
        self._stages: dict[str, str] = {}
        self._must_renew = False
        self.on_erased: Sequence[Callable[[], None]] = ()
        """Called where the fold meets the end of an erasure."""

    # What the log says

    def apply(self, commit: Commit) -> None:
        """Takes commits of its kind in the order of the log."""
        if commit.fault or writer_of(commit.record.subject):
            return
        self.roster.apply(commit.id, commit.record.seq, commit.events, commit.record.at_ns)
        if any(isinstance(event, ErasureFinished) for event in commit.events):
            self._sealer.forget(commit.id)
            self._must_renew = True
            for forget in self.on_erased:
                forget()

    def renew(self) -> None:
        """Has the views built again where they may hold what was erased; they have all commits up to then."""
        if self._must_renew:
            self._must_renew = False
            self._background.insist(self._views.renew)

    # Requests

    async def open(self, requests: Requests) -> None:
        """Erases on request from now on, and goes on with what was begun. Raises: `PermissionDenied`, `Unavailable`."""
        self._serving = [await requests.answer("claw.do.*.erase", self._answer)]
        self._background.insist(self._resume)

    async def _resume(self) -> None:
        """Goes on with what the leader before has begun, also where that is not folded here yet."""
        await self._caught_up()
        for id, known in list(self.roster.items()):
            if (run := known.state.open) is not None:
                self._background.insist(partial(self._finish, id, run))
            elif known.state.exists:
                self._background.insist(partial(self._erase_returned, id, known.state))

    @answering(_decode, _encode, EraseReply, "a request to erase")
    async def _answer(self, principal: str, asked: EraseRequest) -> EraseReply:
        """Raises: `Refused`; what log, keys and stores raise."""
        if not asked.owner or not asked.request:
            raise Refused("an erasure names an owner, and has a name of its own")
        name = f"{asked.request}/{asked.prepare}"
        job = self._jobs.get(name)
        if job is None:
            job = self._jobs[name] = asyncio.ensure_future(self._job(asked, f"client/{principal}"))
        await asyncio.wait((job,), timeout=_ANSWER_S)
        if not job.done():
            return EraseReply(self._stages.get(asked.request, ""))
        if job.cancelled():
            raise Unavailable("this process leads no longer")
        if job.exception() is not None:
            self._jobs.pop(name, None)  # asked again, it tries again
        return EraseReply("done", job.result())

    async def _job(self, asked: EraseRequest, by: str) -> dict[str, Any]:
        if asked.prepare:
            await self._end_work(asked)
            return {}
        run = await self._erase(asked, by)
        runs = self.roster.known(owner_id(asked.owner)).state.runs
        earlier = [receipt_of(each) for each in runs if each.finished_ns and each.request != run.request]
        return receipt_of(run) | {"earlier": earlier}

    @override
    async def aclose(self) -> None:
        """Ends what is under way: a new leader continues it. Order: idempotent."""
        await super().aclose()
        for job in self._jobs.values():
            job.cancel()
        self._jobs.clear()

    # The steps

    async def _erase(self, asked: EraseRequest, by: str) -> ErasureRun:
        id, keys = owner_id(asked.owner), self._sealer.keys
        if (run := self.roster.known(id).state.find(asked.request)) is not None:
            return await self._finish(id, run)
        await self._end_work(asked)
        self._stages[asked.request] = "waiting until no process seals with the old key"
        present = await keys.replace(id)
        self._sealer.forget(id)
        await asyncio.sleep(_SETTLED_S)
        await self._end_work(asked)
        old = tuple(name for name in await keys.names(id) if name != present.name)
        begin = BeginErasure(asked.request, old, by, asked.reason)
        answer = await self._dispatcher.send(Call(ERASURES, id, (begin,), principal=by))
        found: ErasureRun = answer.state.find(asked.request)
        return await self._finish(id, found)

    async def _erase_returned(self, id: str, erasure: Erasure) -> None:
        """Erases keys that came back with a mirror or a restored bucket."""
        gone = {name for run in erasure.runs for name in run.keys}
        if back := tuple(name for name in await self._sealer.keys.names(id) if name in gone):
            begin = BeginErasure(f"again-{new_id()}", back, self._dispatcher.context.by, "its keys had come back")
            answer = await self._dispatcher.send(Call(ERASURES, id, (begin,)))
            await self._finish(id, answer.state.open)

    async def _finish(self, id: str, run: ErasureRun) -> ErasureRun:
        keys = self._sealer.keys
        if not run.finished_ns:
            self._stages[run.request] = "looking for what only these records name"
            erased = await self._leftovers.remove(id, run.keys)
            self._stages[run.request] = "removing the keys"
            for name in run.keys:
                await keys.erase(id, name)
            self._sealer.forget(id)
            finish = FinishErasure(run.request, erased)
            answer = await self._dispatcher.send(Call(ERASURES, id, (finish,)))
            run = answer.state.find(run.request) or run
            self._stages[run.request] = "building the views again"
            await self._dispatcher.snapshots.load(ERASURES, id, at_least=answer.version)
        await self._views.renew()
        return run

    async def _end_work(self, asked: EraseRequest) -> None:
        """Ends what may be ended, and returns when nothing is under way. Raises: `Refused` where something may not."""
        sent: set[tuple[str, str]] = set()
        while work := [*self._under_way(asked.owner)]:
            if not asked.cancel and (kept := [each for each in work if not each.inner]):
                named = ", ".join(f"{each.kind.name} {each.id}" for each in kept[:_NAMED])
                more = f" and {len(kept) - _NAMED} more" if len(kept) > _NAMED else ""
                raise Refused(
                    f"{asked.owner} has work under way: {named}{more}; wait for its end, or erase with --cancel"
                )
            self._stages[asked.request] = f"ending {len(work)} tasks, schedules and triggers"
            for each in work:
                if (each.kind.name, each.id) not in sent:
                    sent.add((each.kind.name, each.id))
                    with contextlib.suppress(Refused):  # it has ended meanwhile
                        await self._dispatcher.send(Call(each.kind, each.id, (each.end,)))
            await asyncio.sleep(_LOOK_S)
