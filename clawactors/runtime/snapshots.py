"""Where a dispatcher gets the state of an aggregate from: the views of its process, those of control, or the log."""

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

from clawactors.eventlog import EventLog, aggregate_pattern
from clawactors.kernel.fold import Snapshot, fold
from clawactors.kernel.kind import Kind
from clawactors.runtime.questions import Questions
from clawactors.runtime.states import read_state

__all__ = ["AskedSnapshots", "Known", "LogSnapshots", "Snapshots"]


class Known(msgspec.Struct, frozen=True):
    """An aggregate as it is known; `answered` maps the command ids that its commits answer to their versions."""

    snapshot: Snapshot[Any]
    answered: Mapping[str, int] = {}


class Snapshots(Protocol):
    """States of aggregates with their versions."""

    async def load(self, kind: Kind[Any, Any, Any], id: str, *, at_least: int = 0, brief: bool = False) -> Known:
        """The aggregate with all commits up to `at_least`, -1 for all that are in the log now.

        `brief`: in the brief form of its kind, for who does not decide on it.
        Raises: `Unavailable`.
        """
        ...


class AskedSnapshots:
    """Asks the home of the kind: for processes without views. Which commands an aggregate has answered is not told."""

    def __init__(self, questions: Questions) -> None:
        self._questions = questions

    async def load(self, kind: Kind[Any, Any, Any], id: str, *, at_least: int = 0, brief: bool = False) -> Known:
        """The aggregate, in parts where it is large. Raises: `Unavailable`, `Refused` (its home does not fold it)."""
        state = type(kind.decider.initial)
        return Known(await read_state(self._questions, kind.name, id, state, at_least, brief=brief, home=kind.home))


class LogSnapshots:
    """Folds each aggregate from its commits in the log: for processes without views, and for short histories."""

    def __init__(self, log: EventLog) -> None:
        self._log = log

    async def load(self, kind: Kind[Any, Any, Any], id: str, *, at_least: int = 0, brief: bool = False) -> Known:
        """The aggregate as the log has it now. Raises: what the log raises."""
        snapshot: Snapshot[Any] = Snapshot(kind.decider.initial)
        answered: dict[str, int] = {}
        async for batch in self._log.read([aggregate_pattern(kind.name, id)]):
            for record in batch:
                snapshot = fold(kind, snapshot, record)
                answered.update(dict.fromkeys(record.answers, record.seq))
        if brief:
            snapshot = msgspec.structs.replace(snapshot, state=kind.brief(snapshot.state))
        return Known(snapshot, answered)
