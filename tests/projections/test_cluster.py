"""The one list of views: a view that is added to it is folded, digested, asked and read like the others."""

from pathlib import Path
from typing import Any

import msgspec

from clawactors.eventlog.decoding import Commit
from clawactors.kernel.kind import Kinds
from clawactors.kinds import KINDS
from clawactors.projections.cluster import VIEWS, cluster_projection
from clawactors.projections.engine.digest import store_digest
from clawactors.projections.engine.faults import Faults
from clawactors.projections.engine.projector import Projector
from clawactors.projections.engine.questions import Queries, QueryContext, QuestionHandler, ViewQuestion
from clawactors.projections.engine.store import Writing
from clawactors.projections.engine.view import ViewDefinition
from tests.projections.histories import History, joined, run


class ChatLengths:
    """How many commits each conversation has."""

    name = "lengths"
    kind = "chat"
    tables = ("lengths",)

    def __init__(self, kinds: Kinds, faults: Faults) -> None:
        self.kinds, self.faults = kinds, faults

    def believes(self, id: str, writer: str, txn: Writing) -> bool:
        return False

    def fold(self, commit: Commit, txn: Writing) -> None:
        length = int(txn.get("lengths", commit.id.encode()) or b"0") + 1
        txn.put("lengths", commit.id.encode(), str(length).encode())

    def write(self, txn: Writing) -> None:
        pass

    def forget(self) -> None:
        pass


class LengthQuestion(ViewQuestion, frozen=True, kw_only=True):
    id: str


def length(question: LengthQuestion, context: QueryContext) -> dict[str, Any]:
    return {"length": int(context.reading.get("lengths", question.id.encode()) or b"0")}


LENGTHS_VIEW = ViewDefinition(make=ChatLengths, questions=(QuestionHandler("length", LengthQuestion, length),))


def test_a_view_is_added_by_one_line_in_one_list(tmp_path: Path) -> None:
    projection = cluster_projection(KINDS, (*VIEWS, LENGTHS_VIEW))
    projector = Projector.open(projection, tmp_path, "log-1")
    history = History()
    history.node("n1", joined())
    run(history, "t")
    for _ in range(3):
        history.publish("claw.chat.c.log", b"garbage")
    projector.apply(history.records)
    queries = Queries(projection.questions, lambda: projector.store, lambda _: None, lambda: 0)
    answer = msgspec.json.decode(queries.reply("length", b'{"id":"c"}'))
    assert answer == {"length": 3, "position": len(history.records)}
    assert "claw.chat.>" in projection.patterns
    whole, without = store_digest(projector.store, projection), store_digest(projector.store, projection, ("tasks",))
    assert whole.digest != without.digest
    projector.close()
