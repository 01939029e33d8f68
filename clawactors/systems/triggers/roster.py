"""All triggers as of a position of the log."""

from collections.abc import Iterator

from clawactors.kernel.roster import Roster
from clawactors.systems.triggers.commands import TriggerCommand
from clawactors.systems.triggers.decider import TRIGGER, Trigger
from clawactors.systems.triggers.events import TriggerEvent

__all__ = ["TriggerRoster"]


class TriggerRoster(Roster[TriggerCommand, Trigger, TriggerEvent]):
    """The triggers, and which of them are at work."""

    def __init__(self) -> None:
        super().__init__(TRIGGER)

    def __iter__(self) -> Iterator[tuple[str, Trigger, bool]]:
        """Name and state of each, and whether it is at work."""
        for name, known in self._known.items():
            yield name, known.state, known.state.status == "active" and name not in self.frozen
