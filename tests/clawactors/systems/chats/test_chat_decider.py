"""The rules of a conversation, by their numbers in `clawactors.systems.chats.decider`."""

import pytest

from clawactors.kernel.errors import Refused
from clawactors.systems.chats import CHAT, CODEC, Conversation, ExtractionRequested, MessageAdded
from clawactors.systems.chats.commands import AddMessage

HELLO = MessageAdded(message="1", role="user", text="I moved to Porto", user="ana", speaker="Ana")
ANSWER = MessageAdded(message="2", role="assistant", text="How nice")


def test_rule_2_a_users_message_and_the_request_are_one_commit() -> None:
    assert CHAT.decide(AddMessage(HELLO, "c1"), CHAT.initial) == (HELLO, ExtractionRequested("1", "ana", "chat/c1/1"))
    assert CHAT.decide(AddMessage(ANSWER, "c1"), CHAT.initial) == (ANSWER,)


def test_rule_1_a_repeat_is_quiet_and_a_message_has_id_and_text() -> None:
    state: Conversation = CHAT.initial
    for event in CHAT.decide(AddMessage(HELLO, "c1"), state):
        state = CHAT.evolve(state, event, 5)
    assert (state.messages, state.requested) == (1, ("1",))
    assert CHAT.decide(AddMessage(HELLO, "c1"), state) == ()
    for broken in (
        MessageAdded(message="", role="user", text="x", user="u"),
        MessageAdded(message="3", role="user", text=" "),
    ):
        with pytest.raises(Refused):
            CHAT.decide(AddMessage(broken, "c1"), state)


def test_rule_3_a_users_message_says_whose_it_is() -> None:
    with pytest.raises(Refused, match="names its user"):
        CHAT.decide(AddMessage(MessageAdded(message="1", role="user", text="x"), "c1"), CHAT.initial)


def test_rule_4_what_memory_said_is_no_new_evidence() -> None:
    repeated = MessageAdded(message="1", role="user", text="I moved to Porto", user="ana", recalled=("m-1",))
    assert CHAT.decide(AddMessage(repeated, "c1"), CHAT.initial) == (repeated,)


def test_illegal_events_leave_the_state_and_tags_are_promises() -> None:
    assert CHAT.evolve(CHAT.initial, ExtractionRequested("9", "u", "k"), 1) is CHAT.initial
    assert CODEC.tags == {"chat.said", "chat.extraction_requested"}
    assert CODEC.decode(CODEC.encode((HELLO, ANSWER))) == (HELLO, ANSWER)
