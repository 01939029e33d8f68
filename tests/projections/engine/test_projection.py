"""A projection of one's own needs a view, its tables and its part of the log; the rest is given."""

from pathlib import Path

from clawactors.eventlog import InProcessLog
from clawactors.eventlog.decoding import Commit
from clawactors.kinds import KINDS
from clawactors.projections.engine.digest import store_digest
from clawactors.projections.engine.replay import replay, verify
from clawactors.projections.engine.store import Writing
from clawactors.projections.engine.view import Projection
from clawactors.projections.live import LiveViews
from tests.projections.histories import History, joined, run


class Lengths:
    """How many commits each task has."""

    name = "lengths"
    kind = "task"
    tables = ("lengths",)

    def __init__(self) -> None:
        self._added: dict[str, int] = {}

    def believes(self, id: str, writer: str, txn: Writing) -> bool:
        return True

    def fold(self, commit: Commit, txn: Writing) -> None:
        self._added[commit.id] = self._added.get(commit.id, 0) + 1

    def write(self, txn: Writing) -> None:
        for id, added in self._added.items():
            before = int(txn.get("lengths", id.encode()) or b"0")
            txn.put("lengths", id.encode(), str(before + added).encode())
        self._added.clear()

    def forget(self) -> None:
        self._added.clear()


LENGTHS = Projection(
    name="lengths",
    patterns=("claw.task.>",),
    tables=Lengths.tables,
    schema="1",
    tags="",
    views=lambda: (Lengths(),),
    kinds=KINDS,
)


async def test_it_is_replayed_verified_opened_and_kept_beside_others(tmp_path: Path) -> None:
    async with InProcessLog() as log:
        history = History()
        history.node("n1", joined())
        for n in range(3):
            run(history, f"t{n}")
        history.publish("claw.task.t1.log", b"garbage")
        for record in history.records:
            log.publish(record.subject, record.body, record.headers)
        replayed = await replay(log, tmp_path / "replayed", projection=LENGTHS)
        views = await LiveViews.open(log, tmp_path, heartbeat=lambda _: None, now_ns=lambda: 0, projection=LENGTHS)
        stand = store_digest(views.store, LENGTHS)
        assert stand.digest == replayed.digest
        assert (await verify(log, stand, projection=LENGTHS, folder=tmp_path)).equal
        with views.store.snapshot() as reading:
            assert dict(reading.cursor("lengths")) == {b"t0": b"3", b"t1": b"4", b"t2": b"3"}
        await views.rebuild()
        assert store_digest(views.store, LENGTHS) == stand
        await views.aclose()
