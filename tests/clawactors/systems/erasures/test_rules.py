"""The rules of erasures, by number."""

from clawactors.systems.erasures import ERASURE, Erased
from clawactors.systems.erasures.decider import BeginErasure, FinishErasure
from clawactors.systems.erasures.events import ErasureBegun, ErasureFinished
from clawactors.systems.erasures.row import row
from tests.spec import SECOND, spec

given = spec(ERASURE)
BEGUN = ErasureBegun(request="r1", keys=("k1",), by="client/ada")
DONE = ErasureFinished(request="r1", erased=Erased(3, {"task": 1}))


def test_an_erasure_begins_and_ends() -> None:
    state = given(BEGUN).when(FinishErasure("r1", DONE.erased)).then(DONE)
    assert state.status == "erased"
    shown = row("o-1", 9, state)["runs"][0]
    assert (shown["records"], shown["aggregates"], shown["blobs"]) == (3, {"task": 1}, 0)
    assert state.runs[0].finished_ns == 2 * SECOND


def test_rule_1_one_erasure_of_an_owner_at_a_time() -> None:
    given(BEGUN).when(BeginErasure("r2", ())).refused("under way")
    given(BEGUN, DONE).when(BeginErasure("r2", ("k2",))).then(ErasureBegun(request="r2", keys=("k2",)))


def test_rule_2_what_was_asked_once_is_carried_out_once() -> None:
    given(BEGUN).when(BeginErasure("r1", ("other",))).quietly()
    given(BEGUN, DONE).when(BeginErasure("r1", ()), FinishErasure("r1", Erased(7))).quietly()
    given().when(FinishErasure("r1", Erased())).refused("no such erasure")
