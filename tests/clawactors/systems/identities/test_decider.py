"""The rules of identities, as sentences."""

import pytest

from clawactors.kernel.errors import Exists, NotFound, Refused
from clawactors.systems.identities import IDENTITY, Identity, is_open, refused_keys
from clawactors.systems.identities import commands as c
from clawactors.systems.identities.events import Invitation

A, B, C = (f"U{letter * 55}" for letter in "ABC")
SECRET, OTHER = "1" * 64, "2" * 64
LINE = Invitation(role="node", sha256=SECRET, expires_ns=100)


def after(*commands: c.IdentityCommand, state: Identity = IDENTITY.initial) -> Identity:
    for at_ns, command in enumerate(commands, 1):
        for event in IDENTITY.decide(command, state):
            state = IDENTITY.evolve(state, event, at_ns)
    return state


INVITED = after(c.Invite(LINE, 1, "client/ada"))
JOINED = after(c.Join(SECRET, A, 2, "box"), state=INVITED)


def test_who_was_invited_joins_once_with_a_key() -> None:
    assert (JOINED.status, JOINED.role, JOINED.public_key, JOINED.host, JOINED.used) == ("joined", "node", A, "box", 1)
    assert IDENTITY.decide(c.Join(SECRET, A, 3), JOINED) == (), "the answer may have been lost"
    with pytest.raises(Refused, match="was used"):
        IDENTITY.decide(c.Join(SECRET, B, 3), JOINED)


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (c.Join(OTHER, A, 2), "another invitation"),
        (c.Join(SECRET, A, 100), "expired"),
        (c.Join(SECRET, "A" * 56, 2), "public one of a NATS user"),
        (c.Join(SECRET, "", 2), "public one of a NATS user"),
        (c.Renew(A), "has not joined"),
    ],
)
def test_nobody_else_joins(command: c.IdentityCommand, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        IDENTITY.decide(command, INVITED)


def test_who_was_never_invited_is_not_found() -> None:
    for command in (c.Join(SECRET, A, 2), c.Revoke()):
        with pytest.raises(NotFound):
            IDENTITY.decide(command, IDENTITY.initial)


@pytest.mark.parametrize(
    ("invitation", "reason"),
    [
        (Invitation(role="admin", sha256=SECRET, expires_ns=100), "is none of"),
        (Invitation(role="node", sha256="secret", expires_ns=100), "SHA-256"),
        (Invitation(role="node", sha256=SECRET, expires_ns=1), "would expire"),
        (Invitation(role="node", sha256=SECRET, expires_ns=100, uses=0), "1 to"),
        (Invitation(role="node", sha256=SECRET, expires_ns=100, uses=1001), "1 to"),
        (Invitation(role="node", sha256=SECRET, expires_ns=100, skills=("x" * 300,)), "at most"),
    ],
)
def test_an_invitation_that_can_be_no_one_s_is_refused(invitation: Invitation, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        IDENTITY.decide(c.Invite(invitation, 1), IDENTITY.initial)


def test_a_name_is_one_machine_until_it_is_revoked() -> None:
    with pytest.raises(Exists):
        IDENTITY.decide(c.Invite(LINE, 3), JOINED)
    with pytest.raises(Exists):
        IDENTITY.decide(c.Register("node", B, "team"), JOINED)
    revoked = after(c.Revoke("client/ada", "sold"), state=JOINED)
    assert (revoked.status, revoked.reason, revoked.exists) == ("revoked", "sold", False)
    assert after(c.Revoke(), state=revoked) == revoked
    assert after(c.Invite(Invitation(role="client", sha256=OTHER, expires_ns=100), 3), state=revoked).role == "client"


def test_a_key_that_was_replaced_or_revoked_never_counts_again() -> None:
    renewed = after(c.Renew(B), state=JOINED)
    assert (renewed.public_key, [key for key, _ in refused_keys(renewed)]) == (B, [A])
    with pytest.raises(Refused, match="no longer"):
        IDENTITY.decide(c.Renew(A), renewed)
    again = after(c.Revoke(), c.Invite(LINE, 3), state=renewed)
    assert [key for key, _ in refused_keys(again)] == [A, B]
    with pytest.raises(Refused, match="no longer"):
        IDENTITY.decide(c.Join(SECRET, A, 4), again)


def test_an_invitation_is_open_until_it_expires_or_is_revoked_or_replaced() -> None:
    assert is_open(INVITED, SECRET, 99)
    assert not is_open(INVITED, SECRET, 100)
    assert not is_open(INVITED, OTHER, 2)
    assert not is_open(IDENTITY.initial, SECRET, 2)
    assert not is_open(after(c.Revoke(), state=INVITED), SECRET, 2)
    replaced = after(c.Invite(Invitation(role="node", sha256=OTHER, expires_ns=100), 2), state=INVITED)
    assert not is_open(replaced, SECRET, 3)
    assert is_open(JOINED, SECRET, 3), "who has joined may ask again: the answer may have been lost"


def test_an_invitation_for_several_admits_each_under_a_name_of_its_own() -> None:
    team = after(c.Invite(Invitation(role="client", sha256=SECRET, expires_ns=100, uses=2), 1))
    team = after(c.Join(SECRET, A, 2, member="t-1"), c.Join(SECRET, B, 3, member="t-2"), state=team)
    assert (team.members, team.status, team.used) == ({A: "t-1", B: "t-2"}, "invited", 2)
    assert IDENTITY.decide(c.Join(SECRET, A, 4, member="t-9"), team) == ()
    with pytest.raises(Refused, match="was used"):
        IDENTITY.decide(c.Join(SECRET, C, 4, member="t-3"), team)
    member = after(c.Register("client", A, "team", "laptop"))
    assert (member.status, member.role, member.admitted_by, member.invitation) == ("joined", "client", "team", None)
    assert IDENTITY.decide(c.Register("client", A, "team", "laptop"), member) == ()
