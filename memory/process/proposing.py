"""What models add to consolidation: facts and summaries, each checked, and recorded as events like all others.

A replay reads the events and asks no model. Each new memory is asked about once; where the model fails, when it answers
again. Until then, and where a proposal does not pass the checks, the rules alone decide.
"""

import logging
import time
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any, Final

from msgspec.structs import replace

from clawactors.memory.consolidation.proposal import FactProposer, ProposedFact, Summarizer, checked_summary, proven
from clawactors.memory.consolidation.summary import SUMMARY_LIMIT
from clawactors.memory.index.rows import find
from clawactors.memory.item import Item, ItemCommand
from clawactors.memory.models.errors import ModelError, TextRefused
from clawactors.memory.process.store import MemoryStore
from clawactors.systems.memories import Fact
from clawactors.systems.memories.commands import MemoryCommand, RecordMemory, ReviseMemory

__all__ = ["Proposing"]

_WAITING_MAX: Final = 10_000
_ASKED_MAX: Final = 50_000
_TOGETHER: Final = 64
_TRIES: Final = 10
"""A memory for which the model fails so often is left to the rules, so that it holds up no other."""
_REST_S: Final = 60.0
"""After a failure nothing is asked for so long: consolidation goes on."""

_log = logging.getLogger(__name__)


class Proposing:
    """Called by consolidation, in threads, one run at a time."""

    def __init__(self, store: MemoryStore, proposer: FactProposer | None, summarizer: Summarizer | None) -> None:
        self._store, self._proposer, self._summarizer = store, proposer, summarizer
        self._waiting: dict[str, int] = {}
        """Ids with the number of failures."""
        self._asked: dict[tuple[str, int], None] = {}
        self._rests_until = 0.0
        self._counts = {"asked": 0, "accepted": 0, "refused": 0, "failed": 0}

    @property
    def row(self) -> dict[str, Any]:
        """What has become of proposals since the start, for people; {} where no model proposes."""
        if self._proposer is None and self._summarizer is None:
            return {}
        return self._counts | {"waiting": len(self._waiting)}

    def due(self, ids: Iterable[str]) -> list[str]:
        """These and some of those that still wait for an answer of the model."""
        return list(dict.fromkeys((*ids, *islice(self._waiting, _TOGETHER))))

    def facts(self, ids: Iterable[str], after: int) -> dict[str, list[Fact]]:
        """The facts by id of the memory that states them, of those memories that are evidence.

        Those up to the version `after` were asked about before a restart, but for those that wait.
        """
        proposer, found = self._proposer, dict[str, list[Fact]]()
        if proposer is None:
            return found
        with self._store.views.store.snapshot() as reading:
            items = [item for id in ids if (item := find(reading, id))]
        for item in items:
            failures = self._waiting.pop(item.id, None)
            asked = (item.id, item.memory.revision)
            if not _is_evidence(item) or asked in self._asked or (item.version <= after and failures is None):
                continue
            resting = time.monotonic() < self._rests_until
            proposals = None if resting else self._proposals(proposer, item)
            if proposals is None:
                failures = (failures or 0) + (not resting)
                if failures < _TRIES and len(self._waiting) < _WAITING_MAX:
                    self._waiting[item.id] = failures
                continue
            self._asked[asked] = None
            if len(self._asked) > _ASKED_MAX:
                del self._asked[next(iter(self._asked))]
            facts = list(proven(item.content, proposals))
            self._counts["asked"] += 1
            self._counts["accepted"] += len(facts)
            self._counts["refused"] += len(proposals) - len(facts)
            if facts:
                found[item.id] = facts
        return found

    def _proposals(self, proposer: FactProposer, item: Item) -> Sequence[ProposedFact] | None:
        """None where the model fails."""
        try:
            return proposer.propose(item.content)
        except TextRefused:
            return ()
        except ModelError as error:
            self._failed("no facts from the model, the rules go on alone: %s", error)
            return None

    def _failed(self, message: str, error: ModelError) -> None:
        _log.warning(message, error)
        self._counts["failed"] += 1
        self._rests_until = time.monotonic() + _REST_S

    def summarized(self, commands: Sequence[ItemCommand]) -> list[ItemCommand]:
        """The commands with the summaries of the model where they pass the checks."""
        if self._summarizer is None:
            return list(commands)
        return [better for command in commands for better in self._summary(self._summarizer, command)]

    def _summary(self, summarizer: Summarizer, command: ItemCommand) -> list[ItemCommand]:
        match command.command:
            case RecordMemory(content=content) as record if content.kind == "summary":
                parents = content.parents

                def worded(text: str) -> MemoryCommand:
                    return replace(record, content=replace(content, text=text))

            case ReviseMemory(parents=parents) as revision if self._is_summary(command.id):

                def worded(text: str) -> MemoryCommand:
                    return replace(revision, text=text)

                if not self._is_stale(command.id, parents):
                    return []  # only the words differ: those of the model stay
            case _:
                return [command]
        with self._store.views.store.snapshot() as reading:
            found = [item.content for id in parents if (item := find(reading, id)) and item.memory.content]
        said = [(content.speaker, content.text) for content in found]
        if time.monotonic() < self._rests_until:
            return [command]
        try:
            text = checked_summary(summarizer.summarize(said, SUMMARY_LIMIT), said)
        except ModelError as error:
            self._failed("no summary from the model, sentences are chosen instead: %s", error)
            return [command]
        self._counts["asked"] += 1
        self._counts["refused" if text is None else "accepted"] += 1
        return [command if text is None else ItemCommand(command.id, worded(text))]

    def _is_summary(self, id: str) -> bool:
        item = self._store.item(id)
        return item is not None and item.memory.content is not None and item.content.kind == "summary"

    def _is_stale(self, id: str, parents: Sequence[str]) -> bool:
        """Whether the summary misses one of these memories, or what one of them says by now."""
        item = self._store.item(id)
        if item is None or item.memory.content is None or set(item.content.parents) != set(parents):
            return True
        with self._store.views.store.snapshot() as reading:
            return any(
                (parent := find(reading, one)) is not None and parent.memory.revision and parent.version > item.version
                for one in parents
            )


def _is_evidence(item: Item) -> bool:
    """As for the rules: raw, and not made where others had been recalled."""
    content = item.memory.content
    return (
        item.memory.searched
        and content is not None
        and content.kind == "raw"
        and content.origin != "consolidation"
        and not content.derived_from
    )
