"""The numbered rules of bridges, as sentences."""

from msgspec.structs import replace

from clawactors.systems.bridges import BRIDGE, Ask, ChatMember
from clawactors.systems.bridges import decider as c
from clawactors.systems.bridges import events as e
from tests.spec import spec

given = spec(BRIDGE)

ADA = ChatMember(chat="-50", member="7", name="ada", skills=("a*",))
ALLOWED = e.ChatAllowed(chat="-50", member="7", name="ada", skills=("a*",))
ONE, TWO = Ask("t1", "go", "2026-05-01"), Ask("t1", "go", "2026-05-02")


def test_who_may_talk_is_replaced_and_removed() -> None:
    state = given().when(c.AllowChat(ADA), c.AllowChat(ADA)).then(ALLOWED)
    assert state.member("-50", "7") == ADA
    assert state.member("-50", "8") is None
    assert state.member("7", "7") is None
    everybody = e.ChatAllowed(chat="-50", name="all")
    state = given(ALLOWED, everybody).when().then()
    assert [state.member("-50", id) for id in ("7", "8")] == [ADA, ChatMember(chat="-50", name="all")]
    state = given(ALLOWED).when(c.AllowChat(replace(ADA, name="bob"))).then(replace(ALLOWED, name="bob"))
    assert [each.name for each in state.members] == ["bob"]
    given(ALLOWED).when(c.DisallowChat("-50")).refused("is not on the list")
    given(ALLOWED).when(c.DisallowChat("-50", "7")).then(e.ChatDisallowed("-50", "7"))


def test_that_an_answer_goes_out_is_on_record_until_the_bridge_is_further() -> None:
    state = given(e.BridgeAnswering("12-1")).when(c.AnswerMessage("12-1")).then()
    assert state.answering == "12-1"
    further = c.AdvanceBridge(after="", place="12:1")
    state = given(e.BridgeAnswering("12-1")).when(further).then(e.BridgeAdvanced(place="12:1"))
    assert (state.answering, state.place) == ("", "12:1")
    given(e.BridgeAdvanced(place="12:1")).when(further).refused("another process runs this bridge")


def test_strangers_are_counted_and_the_newest_kept() -> None:
    strangers = tuple(e.Stranger(str(number)) for number in range(8))
    state = (
        given(
            e.BridgeAdvanced(place="1", ignored=8, strangers=strangers),
            e.BridgeAdvanced(place="2", ignored=5, strangers=(*strangers[:2], e.Stranger("x"), e.Stranger("y"))),
        )
        .when()
        .then()
    )
    assert state.ignored == 13
    assert [each.chat for each in state.strangers] == ["2", "3", "4", "5", "6", "7", "0", "1", "x", "y"]


def test_a_number_means_one_question_for_ever() -> None:
    first = e.ApprovalsNumbered((replace(ONE, number=1),))
    state = given(first).when(c.NumberApprovals((ONE, TWO, TWO))).then(e.ApprovalsNumbered((replace(TWO, number=2),)))
    assert [state.number_of(ask) for ask in (ONE, TWO, Ask("t2", "go"))] == [1, 2, 0]
