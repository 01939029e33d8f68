"""The nodes view: every node as its kind folds it, and what nodes did, which the tasks view counts.

Heartbeats and machine figures are not here: they expire, so they are joined when a question is asked.
"""

from collections.abc import Iterator
from typing import Final

import msgspec

from clawactors.eventlog import Corrupt
from clawactors.eventlog.decoding import Commit
from clawactors.kernel.kind import Kinds
from clawactors.projections.engine.answers import AnswerTable, answers_of
from clawactors.projections.engine.faults import Faults
from clawactors.projections.engine.folding import answers_key, fold_commit
from clawactors.projections.engine.index import ascending
from clawactors.projections.engine.keys import term
from clawactors.projections.engine.store import Reading, Writing
from clawactors.projections.engine.view import StoredState
from clawactors.systems.nodes import Node

__all__ = ["NODES", "NodesView", "StoredNode", "load_node", "nodes_with", "stored_nodes"]

NODES: Final = "node.nodes"
"""id → version and node."""
INDEX: Final = "node.index"
"""term, id → nothing."""
ANSWERS: Final = "node.answers"
"""id, version → time and ids of commands; see `answers`."""
_STATUS, _SKILL = b"s", b"k"

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Node).decode


class StoredNode(msgspec.Struct):
    """A node as it was read."""

    id: str
    version: int
    node: Node


class _TouchedNode(msgspec.Struct):
    version: int
    node: Node
    written: Node


class NodesView:
    """See the module. `faults` gets what could not be folded."""

    name = "nodes"
    kind = "node"
    tables = (NODES, INDEX, ANSWERS)

    def __init__(self, kinds: Kinds, faults: Faults) -> None:
        self._kind, self._faults = kinds[self.kind], faults
        self._initial = self._kind.decider.initial
        self._touched: dict[str, _TouchedNode] = {}
        self._answers = AnswerTable(ANSWERS)

    def believes(self, id: str, writer: str, txn: Writing) -> bool:
        """See `View`."""
        return self._kind.believes(id, (self._touched.get(id) or self._load(id, txn)).node, writer)

    def fold(self, commit: Commit, txn: Writing) -> None:
        """See `View`."""
        held = self._touched.get(commit.id) or self._load(commit.id, txn)
        held.node = fold_commit(self._kind, commit, held.node, txn, self._faults, self._answers, _standing)
        if held.node is not self._initial:
            held.version = commit.record.seq
            self._touched[commit.id] = held

    def _load(self, id: str, txn: Writing) -> _TouchedNode:
        stored = load_node(txn, id)
        node = stored.node if stored else self._initial
        return _TouchedNode(0, node, node)

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

    def load(self, reading: Reading, id: str, *, brief: bool = False) -> StoredState | None:
        """See `SnapshotView`."""
        stored = load_node(reading, id)
        if stored is None:
            return None
        return StoredState(stored.node, stored.version, answers_of(reading, ANSWERS, answers_key(id)))

    def forget(self) -> None:
        """See `View`."""
        self._touched.clear()
        self._answers.forget()


def _standing(node: Node) -> str:
    return f"while {node.status}"


def _terms(node: Node) -> set[bytes]:
    """The lists that a node is on; a removed one is on none."""
    if node.status in ("absent", "removed"):
        return set()
    return {term(_STATUS, node.status)} | {term(_SKILL, offer.name) for offer in node.joined.offers}


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
