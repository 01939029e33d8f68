"""The numbered rules of the time of the log (ADR 78), and that it is right whichever clock is wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawactors.runtime.logtime import HOLD_S, MOMENT_NS, LogTime

NOW_NS = 1_700_000_000_000_000_000
S = 1_000_000_000
HOUR = 3600 * S
EVERY_S = 5


class Machine:
    """A process that measures a server; true time passes, and the clocks differ from it as a test says."""

    def __init__(self, own_off_ns: int = 0, server_off_ns: int = 0) -> None:
        self.passed_ns, self.own_off_ns, self.server_off_ns = 0, own_off_ns, server_off_ns
        self.time = LogTime(self)
        self.jumps: list[int] = []

    def now_ns(self) -> int:
        return NOW_NS + self.passed_ns + self.own_off_ns

    def monotonic_s(self) -> float:
        return self.passed_ns / S

    def elapsed_ns(self) -> int:
        return self.passed_ns

    def roll(self) -> float:
        return 0.5

    @property
    def off_ns(self) -> int:
        """How far the time of the log is ahead of the true time."""
        return self.time.now_ns() - NOW_NS - self.passed_ns

    def measure(self, there_ns: int = 0, back_ns: int = 0) -> None:
        asked_ns = self.time.asking()
        self.passed_ns += there_ns
        at_ns = NOW_NS + self.passed_ns + self.server_off_ns
        self.passed_ns += back_ns
        if jump_ns := self.time.measure(at_ns, asked_ns):
            self.jumps.append(jump_ns)

    def live(self, seconds: float) -> None:
        for _ in range(int(seconds / EVERY_S)):
            self.passed_ns += EVERY_S * S
            self.measure()


def test_before_the_first_measurement_the_own_clock_is_all_there_is() -> None:
    machine = Machine(own_off_ns=HOUR)
    assert machine.time.now_ns() == machine.now_ns()
    machine.measure()
    assert machine.off_ns == 0


@pytest.mark.parametrize("jump_s", [-86_400 * 365, -3600, -61, -2, 2, 61, 3600, 86_400 * 365])
def test_a_jump_of_the_own_clock_is_never_believed(jump_s: int) -> None:
    machine = Machine()
    machine.measure()
    machine.own_off_ns = jump_s * S
    machine.live(3600)
    assert machine.off_ns == 0
    assert not machine.jumps


@pytest.mark.parametrize("jump_s", [-86_400 * 365, -3600, -61, -2, 2, 61, 3600, 86_400 * 365])
def test_a_jump_of_the_servers_clock_alone_is_never_believed(jump_s: int) -> None:  # rule 3
    """As when a server whose clock is wrong begins to lead the stream, or a clock is set by mistake and back again."""
    machine = Machine()
    machine.measure()
    machine.server_off_ns = jump_s * S
    machine.live(7200)
    assert machine.off_ns == 0
    assert machine.time.server_ahead_ns == jump_s * S, "doctor tells of it"
    machine.server_off_ns = 0
    machine.live(EVERY_S)
    assert machine.time.server_ahead_ns == 0
    assert not machine.jumps


@pytest.mark.parametrize("jump_s", [-3600, 3600])
def test_one_answer_an_hour_ahead_moves_nothing_even_where_the_own_clock_is_wrong(jump_s: int) -> None:
    machine = Machine(own_off_ns=9 * HOUR)
    machine.measure()
    machine.server_off_ns = jump_s * S
    machine.measure()
    machine.server_off_ns = 0
    machine.live(60)
    assert machine.off_ns == 0
    assert not machine.jumps


@pytest.mark.parametrize("jump_s", [-3600, 3600])
def test_what_both_clocks_say_is_believed_once_it_has_held(jump_s: int) -> None:
    """The clock of the one machine was set right, or the machine that the system runs in was halted."""
    machine = Machine()
    machine.measure()
    machine.server_off_ns = machine.own_off_ns = jump_s * S
    machine.live(HOLD_S)
    assert machine.off_ns == 0
    machine.live(EVERY_S)
    assert machine.off_ns == jump_s * S
    assert machine.jumps == [jump_s * S]


def test_a_clock_that_is_set_back_soon_moves_nothing() -> None:
    machine = Machine()
    machine.measure()
    for _ in range(20):
        machine.server_off_ns = machine.own_off_ns = HOUR
        machine.live(HOLD_S)
        machine.server_off_ns = machine.own_off_ns = 0
        machine.live(EVERY_S)
        assert machine.off_ns == 0


def test_after_a_jump_forward_and_back_that_both_held_the_time_is_right_again() -> None:
    machine = Machine()
    machine.measure()
    for off_ns in (HOUR, 0):
        machine.server_off_ns = machine.own_off_ns = off_ns
        machine.live(600)
        assert machine.off_ns == off_ns
    assert machine.jumps == [HOUR, -HOUR]


def test_where_the_own_clock_is_no_help_the_server_counts_once_it_has_held() -> None:
    machine = Machine(own_off_ns=-9 * HOUR)
    machine.measure()
    machine.server_off_ns = HOUR
    machine.live(HOLD_S + EVERY_S)
    assert machine.off_ns == HOUR


def test_a_server_that_was_wrong_from_the_start_is_left_for_one_that_the_own_clock_confirms() -> None:
    machine = Machine(server_off_ns=HOUR)
    machine.measure()
    assert machine.off_ns == HOUR
    machine.server_off_ns = 0  # another leads
    machine.live(HOLD_S + EVERY_S)
    assert machine.off_ns == 0


def test_a_clock_that_drifts_is_followed() -> None:
    machine = Machine()
    machine.measure()
    for _ in range(10_000):
        machine.server_off_ns += S // 2000
        machine.live(EVERY_S)
    assert machine.off_ns == machine.server_off_ns
    assert not machine.jumps


def test_the_sleep_of_a_machine_is_time_that_has_passed() -> None:
    machine = Machine()
    machine.measure()
    machine.passed_ns += 9 * HOUR
    assert machine.off_ns == 0


@pytest.mark.parametrize("jump_s", [-3600, 3600])
def test_who_follows_control_believes_it_at_once(jump_s: int) -> None:  # rule 4
    machine = Machine()
    machine.time.follow(machine.now_ns(), machine.time.asking())
    machine.time.follow(machine.now_ns() + jump_s * S, machine.time.asking())
    assert machine.off_ns == jump_s * S


offsets = st.sampled_from((0, 0, 0, S // 3, -S // 3, 10 * S, -10 * S, HOUR, -HOUR, 24 * HOUR))


@given(st.lists(st.tuples(st.booleans(), offsets, st.integers(1, 20), st.integers(0, S // 4), st.integers(0, S // 4))))
def test_one_wrong_clock_at_a_time_never_moves_it_by_more_than_a_moment(
    fates: list[tuple[bool, int, int, int, int]],
) -> None:
    """Whatever one of the two does while the other is right, and however long answers take."""
    machine = Machine()
    machine.measure()
    for is_server, off_ns, rounds, there_ns, back_ns in fates:
        machine.server_off_ns, machine.own_off_ns = (off_ns, 0) if is_server else (0, off_ns)
        for _ in range(rounds):
            shown_ns = machine.time.now_ns()
            machine.passed_ns += EVERY_S * S
            machine.measure(there_ns, back_ns)
            assert abs(machine.off_ns) <= MOMENT_NS
            assert machine.time.now_ns() >= shown_ns, "it never goes back"
    assert not machine.jumps
