"""The tasks view against the slow way, over random histories of deciders and strangers."""

import itertools
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clawactors.kernel.durations import DurationSketch, duration_class, middle_s
from clawactors.projections.engine.index import Effort, PrefixWalk, ascending
from clawactors.projections.engine.keys import LAST
from clawactors.projections.engine.projector import Projector
from clawactors.projections.engine.store import Reading
from clawactors.projections.views.tasks import table as t
from clawactors.projections.views.tasks.dimensions import BY, BY_SKILL
from clawactors.projections.views.tasks.durations import sketch_of
from clawactors.projections.views.tasks.filters import count_of
from clawactors.projections.views.tasks.selection import TaskFilter, pending, select
from clawactors.projections.views.tasks.sums import counts_by, counts_by_hour, status_counts
from clawactors.projections.views.tasks.words import WORDS
from clawactors.systems.tasks import STATUSES
from clawactors.systems.tasks import commands as tc
from clawactors.systems.tasks import events as te
from tests.projections.cluster import CLUSTER
from tests.projections.histories import AT, NODES, SKILLS, TAGS, USERS, History, random_history, run
from tests.projections.model import Model

seeds = st.integers(0, 1 << 30)
filters = st.builds(
    TaskFilter,
    status=st.lists(st.sampled_from(STATUSES), max_size=3, unique=True).map(tuple),
    node=st.sampled_from(("", *NODES)),
    user=st.sampled_from(USERS),
    skill=st.sampled_from(("", *SKILLS)),
    tag=st.sampled_from(("", *TAGS)),
    error=st.sampled_from(("", "unknown", "timeout", "interrupted")),
    interrupted=st.booleans(),
    text=st.sampled_from(
        ("", "", "", "import", "IMPORT orders", "imp*", "订单", "单", "失败 订单", "o* v2", "lost", "grösse")
    ),
    silent_since_ns=st.none() | st.integers(0, 200).map(lambda s: AT + s * 1_000_000_000),
    since_ns=st.none() | st.integers(0, 200).map(lambda s: AT + s * 1_000_000_000),
    until_ns=st.none() | st.integers(0, 200).map(lambda s: AT + s * 1_000_000_000),
)


def selected(reading: Reading, wanted: TaskFilter) -> list[str]:
    return [stored.id for stored in select(reading, wanted)]


@pytest.mark.parametrize("batch", [100, 1000])
def test_after_a_thousand_runs_a_task_has_the_rows_of_its_last_one(tmp_path: Path, batch: int) -> None:
    history = History()
    history.command("t", tc.Submit(te.Spec(skill="echo", params={"run": 1})))
    for run_number in range(1, 1001):
        history.command("t", tc.ScheduleTask("n1", "i1"), to="n1")
        fence = history.tasks["t"].fence
        steps = [tc.CompleteStep(fence, f"s{n}") for n in range(3 if run_number % 2 else 1)]
        for command in (tc.StartTask(fence), *steps):
            history.command("t", command, writer="n1")
        history.command("t", tc.Signal("go", run_number))
        history.command("t", tc.ContinueRun(fence, {"run": run_number + 1}, {"go": 1}), writer="n1")
    projector = Projector.open(CLUSTER, tmp_path, "log-1")
    projector.apply(history.records, batch=batch)
    with projector.store.snapshot() as reading:
        key = t.find(reading, "t")
        assert key is not None
        stored = t.load(reading, key)
        assert stored.task == history.tasks["t"]
        assert (stored.task.life.run, len(stored.task.journal), stored.size_bytes < 1000) == (1001, 0, True)
        assert list(ascending(reading, t.STEPS)) == []
    projector.close()


@settings(max_examples=40, deadline=None)
@given(seeds, st.lists(filters, min_size=10, max_size=30), st.integers(1, 40))
def test_rows_and_lists_are_those_of_the_slow_way(seed: int, wanted: list[TaskFilter], batch: int) -> None:
    history = random_history(seed, 120)
    model = Model(history.records)
    with TemporaryDirectory() as folder:
        projector = Projector.open(CLUSTER, Path(folder), "log-1")
        projector.apply(history.records, batch=batch)
        with projector.store.snapshot() as reading:
            for known in model.tasks:
                key = t.find(reading, known.id)
                assert key is not None
                stored = t.load(reading, key)
                assert (stored.id, stored.version, stored.task) == (known.id, known.folded.version, known.task)
            assert reading.count(t.IDS) == len(model.tasks)
            for each in wanted:
                found = model.select(each)
                assert selected(reading, each) == found
                assert count_of(reading, each, LAST, Effort()) == len(found)
            assert {status: count for status, count in status_counts(reading).items() if count} == model.counts()
            for name, field in BY.items():
                assert dict(counts_by(reading, field)) == model.counts_by(name)
            hours = [int(hour) for hour, _ in counts_by_hour(reading, 0, 1 << 40)]
            assert hours == sorted(map(int, model.counts_by("hour")), reverse=True)
            assert [stored.id for _, stored in pending(reading)] == model.pending()
        projector.close()


@pytest.mark.parametrize(
    "wanted", [TaskFilter(), TaskFilter(skill="echo"), TaskFilter(status=("completed", "pending"), user="ada")]
)
def test_a_page_begins_below_the_last_row_of_the_page_before(projector: Projector, wanted: TaskFilter) -> None:
    history = random_history(7, 300, strangers=False)
    projector.apply(history.records)
    with projector.store.snapshot() as reading:
        whole = [stored.key for stored in select(reading, wanted)]
        paged: list[bytes] = []
        while True:
            below = (int.from_bytes(paged[-1], "big") - 1).to_bytes(8, "big") if paged else LAST
            page = [stored.key for stored in itertools.islice(select(reading, wanted, below), 7)]
            if not page:
                break
            paged += page
        assert paged == whole
        assert len(whole) > 7


def test_long_words_and_any_characters_can_be_looked_up(projector: Projector) -> None:
    history = History()
    words = ("x" * 100_000, "ü\0ü", " ", "\U0001f600" * 300)
    for n, word in enumerate(words):
        history.command(f"t{n}", tc.Submit(te.Spec(skill=word, user=word, tags=(word, word))))
    projector.apply(history.records)
    with projector.store.snapshot() as reading:
        for n, word in enumerate(words):
            assert selected(reading, TaskFilter(user=word, skill=word, tag=word)) == [f"t{n}"]


@pytest.mark.parametrize("others", [100, 2000])
def test_a_selection_costs_its_shortest_list_and_not_the_table(
    projector: Projector, others: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = History()
    for n in range(others):
        if n % (others // 4) == 0:
            history.command(f"odd{n}", tc.Submit(te.Spec(skill="echo", user="ada", tags=("odd",))))
            history.command(f"odd{n}", tc.Cancel())
        run(history, f"t{n}")
    projector.apply(history.records)
    seeks = 0
    at_most = PrefixWalk.at_most

    def counting(self: PrefixWalk, key: bytes) -> bytes | None:
        nonlocal seeks
        seeks += 1
        return at_most(self, key)

    monkeypatch.setattr(PrefixWalk, "at_most", counting)
    with projector.store.snapshot() as reading:
        assert len(selected(reading, TaskFilter(skill="echo", user="ada", tag="odd"))) == 4
        assert len(selected(reading, TaskFilter(status=("cancelled",), skill="echo"))) == 4
        assert seeks < 100


def test_the_newest_page_reads_no_more_rows_than_it_shows(
    projector: Projector, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = History()
    for n in range(300):
        run(history, f"t{n}")
    projector.apply(history.records)
    loaded = []
    load = t.load
    monkeypatch.setattr(t, "load", lambda *args: loaded.append(args[1]) or load(*args))
    with projector.store.snapshot() as reading:
        whole = select(reading, TaskFilter(since_ns=AT, status=("completed",)))
        assert [stored.id for stored in itertools.islice(whole, 10)] == [f"t{n}" for n in range(299, 289, -1)]
        assert len(loaded) == 10


def test_durations_are_counted_by_skill_within_three_percent(projector: Projector) -> None:
    """Of 100 runs that take 1, 2, …, 100 s, half took 50 s at most."""
    history = History()
    for n in range(1, 101):
        id = f"t{n}"
        history.command(id, tc.Submit(te.Spec(skill="echo")))
        history.command(id, tc.ScheduleTask("n1", "i1"), to="n1")
        history.command(id, tc.StartTask(history.tasks[id].fence))
        began_ns = history.records[-1].at_ns
        history.command(id, tc.Complete(history.tasks[id].fence, None))
        history.records[-1] = msgspec.structs.replace(history.records[-1], at_ns=began_ns + n * 1_000_000_000)
    projector.apply(history.records, batch=7)
    with projector.store.snapshot() as reading:
        found = sketch_of(reading, BY_SKILL, ["echo"]).percentiles_s((0.01, 0.5, 0.95, 1.0))
        assert found == pytest.approx([1, 50, 95, 100], rel=0.032)
        assert sketch_of(reading, BY_SKILL, ["nobody-ran-it"]).percentiles_s((0.5,)) == [0.0]


@given(st.integers(0, 1 << 62))
def test_the_class_of_a_duration_is_close_to_it(took_ns: int) -> None:
    assert middle_s(duration_class(took_ns)) == pytest.approx(took_ns / 1e9, rel=0.032, abs=2e-6)


@given(st.lists(st.integers(0, 1 << 50), min_size=1, max_size=200), st.floats(0.01, 1))
def test_a_percentile_is_that_of_the_runs_themselves_within_three_percent(took: list[int], share: float) -> None:
    sketch = DurationSketch()
    for took_ns in took:
        sketch.add(duration_class(took_ns))
    rank = next(n for n in range(1, len(took) + 1) if n >= share * len(took))
    assert sketch.percentiles_s((share,)) == [pytest.approx(sorted(took)[rank - 1] / 1e9, rel=0.032, abs=2e-6)]


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("refused", "c a"),
        ("connection REFUSED", "a"),
        ("refused connection", "a"),
        ("conn*", "b a"),
        ("conn", ""),
        ("value", "c"),
        ("ValueError", "c"),
        ("network", "a"),
        ("10.0.0.7", "a"),
        ("10.0.*", "a"),
        ("refused=connection", "a"),
        ("%refused%", "c a"),
        ("'refused\"; --", "c a"),
        ("7", "a"),
        ("kunde*", "d"),
        ("订单", "e b"),
        ("导入订单", "b"),
        ("单导", ""),
        ("订", "e b"),
        ("败", "b"),
        ("导入 conn*", "b"),
        ("größen*", "d"),
        ("hidden", ""),
    ],
)
def test_words_of_names_and_errors_are_found(projector: Projector, text: str, ids: str) -> None:
    projector.apply(_named_tasks().records)
    with projector.store.snapshot() as reading:
        assert selected(reading, TaskFilter(text=text)) == ids.split()
        assert selected(reading, TaskFilter(text=text, user="nobody")) == []


def _named_tasks() -> History:
    history = History()
    names = {
        "a": "Export",
        "b": "导入订单失败 (connect)",
        "c": "",
        "d": "Kundengrößentabelle Größenlauf",
        "e": "订单x导入",
    }
    errors = {"a": ("network", "connection refused: 10.0.0.7"), "c": ("validation", "ValueError: refused")}
    for id, name in names.items():
        history.command(id, tc.Submit(te.Spec(skill="echo", name=name, params={"x": "hidden"})))
        if id in errors:
            history.command(id, tc.ScheduleTask("n1", "i1"), to="n1")
            fence = history.tasks[id].fence
            history.command(id, tc.StartTask(fence), tc.Fail(fence, te.TaskError(*errors[id]), "failed"), writer="n1")
    return history


def test_words_that_are_gone_are_found_no_more(projector: Projector) -> None:
    history = History()
    history.command("t", tc.Submit(te.Spec(skill="echo", name="first second")))
    projector.apply(history.records)
    history.command("t", tc.Edit(te.Spec(skill="echo", name="second third")))
    projector.apply(history.records)
    with projector.store.snapshot() as reading:
        assert [selected(reading, TaskFilter(text=word)) for word in ("first", "second", "third")] == [[], ["t"], ["t"]]
        assert [key.partition(b"\0")[0] for key, _ in ascending(reading, WORDS)] == [b"second", b"third"]
