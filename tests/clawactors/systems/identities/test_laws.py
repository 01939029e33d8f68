"""Laws of identities, in every state that a few commands lead to."""

from collections.abc import Iterator
from itertools import product

import pytest

from clawactors.kernel.errors import Refused
from clawactors.systems.identities import IDENTITY, Identity
from clawactors.systems.identities import commands as c
from clawactors.systems.identities.events import CODEC, IdentityEvent, Invitation
from tests.clawactors.systems.tasks.test_table import PAGE

DEPTH = 5
KEYS = [f"U{letter * 55}" for letter in "AB"]
SECRETS = ["1" * 64, "2" * 64]
COMMANDS: list[c.IdentityCommand] = [
    *(
        c.Invite(Invitation(role="node", sha256=sha256, expires_ns=9, uses=uses), 1)
        for sha256, uses in zip(SECRETS, (1, 2), strict=True)
    ),
    *(c.Join(sha256, key, 1, "", "gpu-1") for sha256, key in product(SECRETS, KEYS)),
    *(c.Register("node", key, "gpu") for key in KEYS),
    *(c.Renew(key) for key in KEYS),
    c.Revoke(),
]

type Move = tuple[Identity, c.IdentityCommand, tuple[IdentityEvent, ...], Identity]


def moves() -> Iterator[Move]:
    """Every state within reach, each command that is taken there, and the state after it."""
    seen, states = set[bytes](), [IDENTITY.initial]
    for _ in range(DEPTH):
        found = []
        for state, command in product(states, COMMANDS):
            try:
                events = IDENTITY.decide(command, state)
            except Refused:
                continue
            after = state
            for event in events:
                after = IDENTITY.evolve(after, event, 5)
            yield state, command, events, after
            if (name := repr(after).encode()) not in seen:
                seen.add(name)
                found.append(after)
        states = found


@pytest.fixture(scope="module")
def reached() -> list[Move]:
    return list(moves())


def test_what_is_decided_is_legal_and_its_repeat_is_quiet(reached: list[Move]) -> None:
    assert {event.__struct_config__.tag for _, _, events, _ in reached for event in events} == set(CODEC.tags)
    for state, command, events, after in reached:
        assert len(events) == (after is not state)
        assert IDENTITY.decide(command, after) == ()


def test_a_key_that_counts_no_longer_never_comes_back(reached: list[Move]) -> None:
    for state, _, _, after in reached:
        keys = [key for key, _ in after.retired]
        assert after.retired[: len(state.retired)] == state.retired
        assert len(keys) == len(set(keys))
        assert after.public_key not in keys
        if state.public_key not in ("", after.public_key):
            assert state.public_key in keys


def test_an_invitation_admits_no_more_than_it_says(reached: list[Move]) -> None:
    for _, _, _, after in reached:
        assert after.used <= (after.invitation.uses if after.invitation else 0)
        assert len(set(after.members.values())) == len(after.members)
        assert not (after.public_key and after.members)
        assert (after.status == "joined") == bool(after.public_key)


def test_states_move_by_the_table(reached: list[Move]) -> None:
    table = PAGE.identity_table()
    found: dict[str, dict[str, set[str]]] = {}
    for state, _, events, after in reached:
        for event in events:
            found.setdefault(str(event.__struct_config__.tag), {}).setdefault(state.status, set()).add(after.status)
    assert found == {tag: {status: set(to) for status, to in row.items()} for tag, row in table.items()}
