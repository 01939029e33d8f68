"""The numbered rules of the agenda, and that it comes right from any state of the store."""

import random

import pytest

from clawactors.eventlog.timers import TimerMark
from clawactors.systems.timers import Agenda, CancelTimer, SetTimer


class Store:
    """A store of timers in memory: what is set under each name, and what went off."""

    def __init__(self) -> None:
        self.place = 0
        self.open: dict[tuple[str, str], TimerMark] = {}
        self.fired: list[TimerMark] = []

    def make(self, change: SetTimer | CancelTimer) -> list[TimerMark]:
        name = (change.kind, change.id)
        if isinstance(change, CancelTimer):
            if name in self.open and self.open[name].place <= change.place:
                del self.open[name]
            return []
        self.place += 1
        self.open[name] = TimerMark(*name, change.at_ns, change.version, place=self.place)
        return [self.open[name]]

    def go_off(self, now_ns: int) -> list[TimerMark]:
        due = [mark for mark in self.open.values() if mark.at_ns <= now_ns]
        for mark in due:
            del self.open[mark.kind, mark.id]
            self.place += 1
            self.fired.append(TimerMark(mark.kind, mark.id, mark.at_ns, mark.version, True, self.place))
        return self.fired[len(self.fired) - len(due) :]


def started(*marks: TimerMark, soonest: int = 64) -> Agenda:
    agenda = Agenda(soonest)
    agenda.begin(marks)
    return agenda


def set_at(at_ns: int, version: int = 1, place: int = 1) -> TimerMark:
    return TimerMark("wait", "t", at_ns, version, False, place)


def off(at_ns: int, version: int = 1, place: int = 2) -> TimerMark:
    return TimerMark("wait", "t", at_ns, version, True, place)


def test_what_is_wanted_is_set_once() -> None:
    agenda = started()
    agenda.want("wait", "t", 5, 1)
    assert list(agenda.changes(1)) == [SetTimer("wait", "t", 5, 1)]
    assert list(agenda.changes(1)) == []
    agenda.saw(set_at(5))
    assert list(agenda.changes(1)) == []


def test_what_is_set_already_is_left_alone() -> None:
    agenda = Agenda()
    agenda.want("wait", "t", 5, 1)
    agenda.begin([set_at(5)])
    assert list(agenda.changes(1)) == []


def test_what_is_set_for_another_time_is_set_anew() -> None:
    agenda = started(set_at(5))
    agenda.want("wait", "t", 7, 2)
    assert list(agenda.changes(2)) == [SetTimer("wait", "t", 7, 2)]


def test_what_is_wanted_no_more_is_cancelled() -> None:
    agenda = started(set_at(5))
    assert list(agenda.changes(1)) == [CancelTimer("wait", "t", 1)]
    assert list(agenda.changes(1)) == []


def test_what_is_wanted_no_more_and_about_to_go_off_is_left_to_do_so() -> None:
    agenda = started(set_at(5))
    agenda.show(5)
    assert list(agenda.changes(1)) == []


def test_only_the_soonest_are_set_and_the_next_ones_once_they_went_off() -> None:  # rule 0
    agenda = started(soonest=2)
    for n in range(9, 0, -1):
        agenda.want("wait", f"t{n}", n, 1)
    assert [change.id for change in agenda.changes(1)] == ["t1", "t2"]
    agenda.want("wait", "t0", 1, 2)  # sooner than all, or as soon
    assert [change.id for change in agenda.changes(2)] == ["t0"]
    agenda.saw(TimerMark("wait", "t1", 1, 1, True, 2))
    agenda.show(1)
    assert [change.id for change in agenda.changes(2)] == ["t3"]
    agenda.show(8)
    assert [change.id for change in agenda.changes(2)] == ["t9"]


def test_what_could_not_be_done_is_proposed_again() -> None:
    agenda = started(set_at(5))
    [cancel] = agenda.changes(1)
    agenda.again(cancel)
    assert list(agenda.changes(1)) == [cancel]
    agenda.want("wait", "u", 5, 1)
    [change] = agenda.changes(1)
    agenda.again(change)
    assert list(agenda.changes(1)) == [change]


def test_what_went_off_ahead_of_its_time_is_not_due_and_not_set_again() -> None:  # rule 1
    agenda = started(set_at(5))
    agenda.want("wait", "t", 5, 1)
    agenda.saw(off(5))
    assert agenda.show(4) == []
    assert not agenda.is_due("wait", "t")
    assert agenda.next_ns == 5
    assert list(agenda.changes(1)) == []
    agenda.begin([off(5)])
    assert list(agenda.changes(1)) == []
    assert agenda.show(5) == [("wait", "t")]
    assert agenda.is_due("wait", "t")
    assert agenda.next_ns is None
    assert list(agenda.changes(1)) == []


def test_a_time_that_is_set_back_makes_what_was_not_resolved_due_no_more() -> None:  # rule 1
    agenda = started()
    agenda.want("wait", "t", 5, 1)
    agenda.want("wait", "u", 9, 1)
    assert agenda.show(3600) == [("wait", "t"), ("wait", "u")]
    agenda.want("wait", "t", None, 2)
    assert agenda.show(6) == []
    assert not agenda.is_due("wait", "u")
    agenda.want("wait", "v", 7, 3)
    assert not agenda.is_due("wait", "v")
    assert [change.id for change in agenda.changes(3)] == ["v", "u"]
    assert agenda.show(9) == [("wait", "v"), ("wait", "u")]


def test_what_went_off_for_an_earlier_time_is_quiet_and_the_right_one_is_set() -> None:  # rule 1
    agenda = started(set_at(5))
    agenda.want("wait", "t", 7, 2)
    agenda.saw(off(5))
    assert agenda.show(5) == []
    assert not agenda.is_due("wait", "t")
    assert list(agenda.changes(2)) == [SetTimer("wait", "t", 7, 2)]


def test_the_time_is_shown_to_all_whether_they_are_set_or_not() -> None:  # rule 1
    agenda = started(soonest=1)
    for id, at_ns in (("t", 5), ("u", 5), ("v", 4), ("w", 6)):
        agenda.want("wait", id, at_ns, 1)
    assert [change.id for change in agenda.changes(1)] == ["v"]
    assert agenda.show(3) == []
    assert set(agenda.show(5)) == {("wait", id) for id in "tuv"}
    assert agenda.show(5) == []
    assert [change.id for change in agenda.changes(1)] == ["w"]


def test_what_is_wanted_for_a_time_that_was_shown_is_due_and_never_set() -> None:  # rules 1 and 3
    agenda = started()
    agenda.show(5)
    agenda.want("wait", "t", 5, 9)
    assert agenda.is_due("wait", "t")
    assert list(agenda.changes(9)) == []


def test_what_was_resolved_is_due_no_more() -> None:
    agenda = started()
    agenda.want("wait", "t", 5, 1)
    agenda.show(5)
    agenda.want("wait", "t", None, 2)
    assert not agenda.is_due("wait", "t")
    agenda.want("wait", "t", 8, 3)
    assert not agenda.is_due("wait", "t")
    assert list(agenda.changes(3)) == [SetTimer("wait", "t", 8, 3)]


def test_what_a_further_reader_has_set_is_not_cancelled() -> None:  # rule 2
    agenda = started(set_at(5, version=9))
    assert list(agenda.changes(8)) == []
    assert list(agenda.changes(9)) == [CancelTimer("wait", "t", 1)]


@pytest.mark.parametrize("seed", range(200))
def test_from_any_history_the_store_comes_right(seed: int) -> None:  # rule 3
    """Wants, cancels, lost stores, restarts and two leaders in any order; each time is resolved once, none early."""
    r = random.Random(seed)
    store, now_ns = Store(), 0
    truth: dict[tuple[str, str], tuple[int, int]] = {}
    resolved: list[tuple[str, str, int, int]] = []
    agendas = [started(soonest=r.choice((1, 2, 64))) for _ in range(2)]
    folded = [0, 0]
    log: list[tuple[tuple[str, str], int | None]] = []

    def fold(which: int, upto: int) -> None:
        while folded[which] < upto:
            (kind, id), at_ns = log[folded[which]]
            folded[which] += 1
            agendas[which].want(kind, id, at_ns, folded[which])
            agendas[which].want(kind, id, at_ns, folded[which])

    def append(name: tuple[str, str], at_ns: int | None) -> None:
        log.append((name, at_ns))
        if at_ns is None:
            truth.pop(name, None)
        else:
            truth[name] = (at_ns, len(log))

    def lead(which: int) -> None:
        for change in list(agendas[which].changes(folded[which], r.choice((1, 5, 100)))):
            if r.random() < 0.2:
                agendas[which].again(change)
                continue
            for mark in store.make(change):
                for agenda in agendas:
                    agenda.saw(mark)

    def resolve(which: int) -> None:
        for name, (at_ns, since) in list(truth.items()):
            if agendas[which].is_due(*name) and folded[which] == len(log):
                assert now_ns >= at_ns
                resolved.append((*name, at_ns, since))
                append(name, None)
                fold(which, len(log))

    def turn() -> None:
        nonlocal now_ns
        match r.randrange(8):
            case 0 | 1:
                name = (r.choice(("wait", "deadline")), r.choice("abc"))
                append(name, r.choice((None, now_ns + r.randrange(-3, 20))))
            case 2:
                now_ns += r.randrange(10)
                for agenda in agendas:
                    if r.random() < 0.6:
                        agenda.show(now_ns)
                for mark in store.go_off(now_ns):
                    for agenda in agendas:
                        agenda.saw(mark)
            case 3:
                which = r.randrange(2)
                fold(which, r.randint(folded[which], len(log)))
            case 4 | 5:
                lead(r.randrange(2))
            case 6:
                resolve(r.randrange(2))
            case _ if r.random() < 0.3:
                which = r.randrange(2)
                if r.random() < 0.5:
                    store.open.clear()  # the store is lost
                    store.fired.clear()
                marks = [*store.open.values(), *store.fired]
                agendas[which].begin(sorted(marks, key=lambda mark: mark.place))

    for _ in range(300):
        turn()
    now_ns += 100
    for _ in range(6):  # in the end one leads alone, has read all, and has looked at the store
        fold(0, len(log))
        agendas[0].begin(sorted([*store.open.values(), *store.fired], key=lambda mark: mark.place))
        for _ in range(40):
            lead(0)
        for mark in store.go_off(now_ns):
            agendas[0].saw(mark)
        agendas[0].show(now_ns)
        resolve(0)
    assert not truth, "none is lost"
    assert not store.open, "none is left behind"
    assert len(set(resolved)) == len(resolved), "each once"
