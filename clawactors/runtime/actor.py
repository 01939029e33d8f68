"""One aggregate in the hands of one process: decides, appends, and catches up when somebody else was first."""

import asyncio
from collections.abc import Iterable

from clawactors.eventlog import EventLogError, Record, TooLarge, WrongVersion, aggregate_pattern
from clawactors.kernel.errors import Refused
from clawactors.kernel.fold import Snapshot, fold
from clawactors.kernel.kind import Kind
from clawactors.runtime.call import Call
from clawactors.runtime.context import ActorContext

__all__ = ["Actor"]

_RACES_BEFORE_PAUSE = 3


class _Dropped:
    """What became of notes that can't be written any more: all from number `first` on; `error` says why."""

    first = 0
    error: Refused | EventLogError | None = None


class Actor[C, S, E]:
    """Commands go in by `handle`, or by `note` (decided now, written with the next `flush`).

    `state` and `version` are what the log holds as far as this process knows; noted commands are not in them yet.
    """

    def __init__(
        self,
        context: ActorContext,
        kind: Kind[C, S, E],
        id: str,
        known: Snapshot[S] | None = None,
    ) -> None:
        self.context, self.kind, self.id = context, kind, id
        self._known = known or Snapshot(kind.decider.initial)
        self._noted: list[tuple[int, C, tuple[E, ...]]] = []
        self._last_number = 0  # of a note; they are numbered so that each flush knows its own
        self._dropped = _Dropped()
        self._ahead = self._known.state
        self._sent: tuple[str, int] | None = None  # name of the append whose fate is open, and how many notes it holds
        self._writing = asyncio.Lock()  # keeps the order of this process's own appends; the version guards the rest

    @property
    def state(self) -> S:
        """The state as the log has it."""
        return self._known.state

    @property
    def ahead(self) -> S:
        """The state with what was noted, though not all of it may be written."""
        return self._ahead

    @property
    def version(self) -> int:
        """Sequence of the last commit that `state` includes."""
        return self._known.version

    @property
    def frozen(self) -> str:
        """Why this release can't go on with the aggregate, '' where it can."""
        return self._known.frozen

    async def handle(self, *commands: C) -> bool:
        """Decides and appends all of them, or none; False where nothing had to be written.

        Raises: `Refused`, only on a state that was fresh; what the log raises.
        """
        try:
            self._note_all(commands)
        except Refused:
            await self.catch_up()  # a refusal is a read: never believe it on a stale state
            self._note_all(commands)
        return await self.flush()

    def note(self, command: C) -> tuple[E, ...]:
        """Decides now, on top of what was noted before; written by the next `flush`. Raises `Refused`."""
        self._last_number += 1
        return self._decide(self._last_number, command)

    def _note_all(self, commands: Iterable[C]) -> None:
        before, ahead = len(self._noted), self._ahead
        try:
            for command in commands:
                self.note(command)
        except Refused:
            del self._noted[before:]
            self._ahead = ahead
            raise

    def _decide(self, number: int, command: C) -> tuple[E, ...]:
        self._refuse_frozen()
        events = self.kind.decider.decide(command, self._ahead)
        if events:
            self._noted.append((number, command, events))
            self._ahead = self._after(self._ahead, events)
        return events

    def _refuse_frozen(self) -> None:
        if self.frozen:
            raise Refused(f"{self.kind.name} {self.id} needs a newer release: {self.frozen}")

    def _drop(self, error: Refused | EventLogError) -> None:
        """Gives up everything noted; who waits for it to be written is told."""
        if self._noted:
            self._dropped.first, self._dropped.error = self._noted[0][0], error
            self._dropped = _Dropped()
        self._noted.clear()
        self._sent = None
        self._ahead = self._known.state

    def _after(self, state: S, events: tuple[E, ...]) -> S:
        now_ns = self.context.clock.now_ns()
        for event in events:
            state = self.kind.decider.evolve(state, event, now_ns)
        return state

    async def flush(self) -> bool:
        """Returns when everything noted so far is in the log; False where nothing was left to write.

        Raises: `Refused` when it lost a race and the noted commands are illegal now, `TooLarge` when one of them fits
        no commit (all are dropped then); what else the log raises, and the next flush tries again.
        """
        last, dropped = self._last_number, self._dropped
        races, wrote = 0, False
        async with self._writing:
            while self._noted and self._noted[0][0] <= last:
                # After an append in doubt the same notes go out under the same name: the log knows it if it has it.
                name, count = self._sent = self._sent or (self.context.names.commit(), len(self._noted))
                noted = self._noted[:count]
                commands: tuple[C, ...] = ()
                events: tuple[E, ...] = ()
                for _, command, own in noted:
                    commands += (command,)
                    events += own
                state = self._ahead if count == len(self._noted) else self._after(self._known.state, events)
                call = Call(
                    self.kind,
                    self.id,
                    commands,
                    known=self._known,
                    once=True,
                    decided=(state, events),
                    commit=name,
                )
                try:
                    version = (await self.context.dispatcher.send(call)).version
                except WrongVersion:
                    self._sent = None
                    races += 1
                    if races > _RACES_BEFORE_PAUSE:
                        await asyncio.sleep(self.context.clock.roll() * min(0.1, 0.002 * 2**races))
                    await self.catch_up()
                except TooLarge as error:
                    if count == 1:
                        self._drop(error)
                        raise
                    self._sent = (self.context.names.commit(), count // 2)
                else:
                    wrote = True
                    if self._sent is not None:  # else it came back by `catch_up` before the answer did
                        self._known = Snapshot(state, version)
                        self._written(count)
        if dropped.error is not None and last >= dropped.first:
            raise dropped.error
        return wrote

    def _written(self, count: int) -> None:
        self._sent = None
        del self._noted[:count]
        if not self._noted:
            self._ahead = self._known.state

    async def catch_up(self) -> None:
        """Takes in what others appended meanwhile and decides the noted commands again.

        One that knows nothing asks for the state: the log is read from a known version on, never from the start.
        Raises: `Refused`; `Unavailable`.
        """
        if not self.version and await self._load():
            return
        pattern = aggregate_pattern(self.kind.name, self.id)
        # All is read before any is folded: nothing may be appended on a state that was not decided on again.
        records = [record async for batch in self.context.log.read([pattern], after=self.version) for record in batch]
        self._take(records)
        self._refuse_frozen()

    async def _load(self) -> bool:
        """Begins with the state as it is now; False where an append of its own came first. Raises: as `catch_up`."""
        while not self.version:
            if not self._knows_nothing():
                await self.flush()  # a state does not tell whether it holds what was sent
                continue
            known = (await self.context.dispatcher.snapshots.load(self.kind, self.id, at_least=-1)).snapshot
            if self._knows_nothing():
                self._known = known
                self._redecide()
                return True
        return False

    def _knows_nothing(self) -> bool:
        return not self.version and self._sent is None

    def observe(self, record: Record) -> bool:
        """Takes in a commit that came by another way; False when some before it are missing: `catch_up` then.

        Raises: `Refused` as `catch_up`.
        """
        if record.seq > self.version and record.expected != self.version:
            return False
        self._take((record,))
        return True

    def _take(self, records: Iterable[Record]) -> None:
        """Folds the new ones among them."""
        before = self.version
        for record in records:
            if record.seq > self.version:
                self._known = fold(self.kind, self._known, record)
                if self._sent is not None and record.commit == self._sent[0]:
                    self._written(self._sent[1])
        if self.version != before:
            self._redecide()

    def _redecide(self) -> None:
        """Decides again what is noted, on the state as it is now known."""
        self._sent = None  # guarded by a version that is passed, so what was under way is lost
        noted, self._noted = self._noted, []
        self._ahead = self._known.state
        try:
            self._refuse_frozen()
            for number, command, _ in noted:
                self._decide(number, command)
        except Refused as refusal:
            self._noted = noted
            self._drop(refusal)
            raise
