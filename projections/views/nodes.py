"""The nodes view: every node as `NODE.evolve` leaves it, and what nodes did, told by the tasks view.

Heartbeats and machine figures are not here: they expire, so they are joined when a question is asked.
"""

from collections.abc import Iterator
from typing import Final

import msgspec

from clawactors.eventlog import Corrupt
from clawactors.eventlog.decoding import Commit
from clawactors.projections.engine.answers import Answers, answers_of
from clawactors.projections.engine.faults import Faults
from clawactors.projections.engine.index import ascending
from clawactors.projections.engine.keys import term
from clawactors.projections.engine.store import Reading, Writing
from clawactors.projections.engine.tally import Tally, sums_of
from clawactors.projections.engine.view import StoredState
from clawactors.projections.views.tasks.rows import BUSY, FAILED, RUNNING, SCHEDULED, SUCCEEDED
from clawactors.systems.nodes import NODE, Node
from clawactors.systems.nodes.row import NodeWork

__all__ = ["NODES", "WORK", "Nodes", "StoredNode", "load_node", "new_work", "nodes_with", "stored_nodes", "work_of"]

NODES: Final = "node.nodes"
"""id → version and node."""
INDEX: Final = "node.index"
"""term, id → nothing."""
WORK: Final = "node.work"
"""id → sums; a table of its own, since tasks may name a node that never joined."""
ANSWERS: Final = "node.answers"
"""id, version → time and ids of commands; see `answers`."""
_WIDTH: Final = 5
_STATUS, _SKILL = b"s", b"k"

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Node).decode


class StoredNode(msgspec.Struct):
    """A node as it was read."""

    id: str
    version: int
    node: Node


class _Held(msgspec.Struct):
    version: int
    node: Node
    written: Node
    frozen: bool


class Nodes:
    """See the module."""

    name = "nodes"
    kind = "node"
    tables = (NODES, INDEX, WORK, ANSWERS)

    def __init__(self, work: Tally, faults: Faults) -> None:
        self._work, self._faults = work, faults
        self._touched: dict[str, _Held] = {}
        self._answers = Answers(ANSWERS)

    def fold(self, commit: Commit, txn: Writing) -> None:
        """See `View`."""
        held = self._touched.get(commit.id) or self._load(commit.id, txn)
        if commit.fault == "future":
            self._faults.freeze(commit, txn)
            held.frozen = True
        elif not held.frozen:
            born = held.node is NODE.initial
            for event in commit.events:
                after = NODE.evolve(held.node, event, commit.record.at_ns)
                if after is held.node:
                    self._faults.note(commit, "illegal", f"{type(event).__name__} while {held.node.status}")
                held.node = after
            if held.node is not NODE.initial and not commit.fault:
                self._answers.note(_answers_key(commit.id), commit.record, txn)
                if born:
                    self._faults.born(commit, txn)
        if held.node is NODE.initial:
            self._faults.unborn(commit, txn)
        else:
            held.version = commit.record.seq
            self._touched[commit.id] = held

    def _load(self, id: str, txn: Writing) -> _Held:
        stored = load_node(txn, id)
        node = stored.node if stored else NODE.initial
        return _Held(0, node, node, self._faults.is_frozen("node", id, txn))

    def write(self, txn: Writing) -> None:
        """See `View`."""
        for id, held in self._touched.items():
            txn.put(NODES, id.encode(), held.version.to_bytes(8, "big") + _encode(held.node))
            before, after = _terms(held.written), _terms(held.node)
            for prefix in before - after:
                txn.delete(INDEX, prefix + id.encode())
            for prefix in after - before:
                txn.put(INDEX, prefix + id.encode(), b"")
        self._touched.clear()
        self._answers.write(txn)
        self._work.write(txn)

    def load(self, reading: Reading, id: str) -> StoredState | None:
        """See `SnapshotView`."""
        stored = load_node(reading, id)
        if stored is None:
            return None
        return StoredState(stored.node, stored.version, answers_of(reading, ANSWERS, _answers_key(id)))

    def forget(self) -> None:
        """See `View`."""
        self._touched.clear()
        self._answers.forget()
        self._work.forget()


def _terms(node: Node) -> set[bytes]:
    """The lists that a node is on; a removed one is on none."""
    if node.status in ("absent", "removed"):
        return set()
    return {term(_STATUS, node.status)} | {term(_SKILL, offer.name) for offer in node.joined.offers}


def _answers_key(id: str) -> bytes:
    return id.encode() + b"\0"


def new_work() -> Tally:
    """The sums of what nodes did: the tasks view adds, the nodes view writes."""
    return Tally(WORK, _WIDTH)


def work_of(reading: Reading, id: str) -> NodeWork:
    """What a node did so far."""
    sums = sums_of(reading, WORK, id, _WIDTH)
    return NodeWork(sums[SCHEDULED], sums[RUNNING], sums[SUCCEEDED], sums[FAILED], sums[BUSY])


def load_node(reading: Reading, id: str) -> StoredNode | None:
    """The node with that id, None where it never joined. Raises: `Corrupt`."""
    value = reading.get(NODES, id.encode())
    return None if value is None else _stored(id.encode(), value)


def stored_nodes(reading: Reading) -> Iterator[StoredNode]:
    """All nodes that were not removed, by id."""
    for key, value in ascending(reading, NODES):
        stored = _stored(key, value)
        if stored.node.status != "removed":
            yield stored


def nodes_with(reading: Reading, status: str = "", skill: str = "") -> Iterator[StoredNode]:
    """The nodes in that state, or offering that skill, by id."""
    prefix = term(_STATUS, status) if status else term(_SKILL, skill)
    for key, _ in ascending(reading, INDEX, prefix):
        if not key.startswith(prefix):
            return
        stored = load_node(reading, key[len(prefix) :].decode())
        if stored is not None:
            yield stored


def _stored(key: bytes, value: bytes) -> StoredNode:
    try:
        return StoredNode(key.decode(), int.from_bytes(value[:8], "big"), _decode(value[8:]))
    except msgspec.MsgspecError as error:
        raise Corrupt(f"the row of node {key.decode()} is damaged: {error}") from error
