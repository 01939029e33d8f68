"""Which events of the log are hidden from what a process shows of them, because what they say was forgotten."""

import msgspec

from clawactors.eventlog.decoding import Commit
from clawactors.memory.index.forgotten import FORGOTTEN, OWNERS_TABLES, is_forgotten, owner_in
from clawactors.memory.index.rows import find, is_restricted
from clawactors.memory.process.access import Access
from clawactors.memory.recall.levels import WorkingLine, WorkingMemory
from clawactors.projections.engine.store import Reading
from clawactors.systems.chats.events import MessageAdded
from clawactors.systems.memories import Content
from clawactors.systems.owners import EVERYONE

__all__ = ["Hiding"]


class Hiding(msgspec.Struct, frozen=True):
    """Decides by one snapshot of the rows."""

    reading: Reading

    @property
    def hides_any(self) -> bool:
        """Whether anything was ever forgotten, or anybody has settings."""
        return self.reading.count(FORGOTTEN) > 0 or self.reading.count(OWNERS_TABLES.states) > 0

    def message(self, event: object, commit: Commit) -> bool:
        """Whether an event of a conversation is forgotten, or what it repeats."""
        seq, at_ns = commit.record.seq, commit.record.at_ns
        if not isinstance(event, MessageAdded):
            return self._said(getattr(event, "user", ""), commit.id, "", seq, at_ns)
        return self._said(event.user, commit.id, event.agent, seq, event.happened_ns or at_ns) or any(
            self._recalled(id, seq) for id in event.recalled
        )

    def task_event(self, task: WorkingMemory, seq: int, at_ns: int) -> bool:
        """Whether an event of a task is forgotten, or may repeat what is."""
        if self._said(task.owner, task.id, "", seq, at_ns):
            return True
        return any(self._recalled(id, seq) for recalled_seq, id in task.recalled if recalled_seq <= seq)

    def sees(self, access: Access, task: WorkingMemory) -> bool:
        """Whether one may see what a task did: of one without a user, nothing once it recalled what somebody owns."""
        if access.user is None or (task.owner and access.sees(task.owner)):
            return True
        made_of = tuple(id for _, id in task.recalled)
        return access.sees(task.owner) and not is_restricted(self.reading, Content(text="", derived_from=made_of))

    def line(self, task: WorkingMemory, line: WorkingLine) -> bool:
        """Whether a line of a task's working memory is forgotten."""
        return self.task_event(task, line.seq, line.at_ns) or any(self._recalled(id, line.seq) for id in line.ids)

    def _said(self, owner: str, session: str, agent: str, seq: int, at_ns: int) -> bool:
        return is_forgotten(self.reading, seq) or any(
            owner_in(self.reading, name).has_forgotten(seq, session, agent, at_ns) for name in (owner, EVERYONE)
        )

    def _recalled(self, id: str, seq: int) -> bool:
        """Whether the memory was forgotten after it was recalled at that sequence."""
        item = find(self.reading, id)
        return item is not None and (item.memory.status == "forgotten" or item.memory.forgotten_upto >= seq)
