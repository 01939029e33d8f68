"""The rules of an owner, by their numbers in `clawactors.systems.owners.decider`."""

import pytest

from clawactors.kernel.errors import Refused
from clawactors.systems.owners import OWNER, Forgetting, Owner, OwnerSettings, owner_id
from clawactors.systems.owners.commands import Configure, ForgetOwner, OwnerCommand
from clawactors.systems.owners.external import COMMANDS, command_of


def folded(*commands: OwnerCommand, start: Owner = OWNER.initial) -> Owner:
    owner = start
    for at_ns, command in enumerate(commands, 1):
        for event in OWNER.decide(command, owner):
            owner = OWNER.evolve(owner, event, at_ns)
    return owner


def test_rule_1_settings_hold_from_now_on_and_a_repeat_is_quiet() -> None:
    settings = OwnerSettings(memory=False, zone="Asia/Shanghai", sharing=("bob",))
    owner = folded(Configure("小雯", settings))
    assert (owner.name, owner.settings) == ("小雯", settings)
    assert OWNER.decide(Configure("小雯", settings), owner) == ()


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (Configure("", OwnerSettings(memory=False)), "name one"),
        (Configure("ada", OwnerSettings(zone="Mars/Olympus")), "no time zone"),
        (Configure("ada", OwnerSettings(zone="../etc/passwd")), "no time zone"),
        (Configure("ada", OwnerSettings(sharing=("bob", " "))), "one name is empty"),
        (Configure("a" * 300, OwnerSettings(memory=False)), "characters"),
    ],
)
def test_rule_1_settings_without_sense_are_refused(command: Configure, words: str) -> None:
    with pytest.raises(Refused, match=words):
        OWNER.decide(command, OWNER.initial)


def test_rule_2_forgettings_add_up_until_one_of_everything() -> None:
    part, later, whole = (
        Forgetting(upto=5, session="c-1"),
        Forgetting(upto=7, session="c-1"),
        Forgetting(upto=9),
    )
    owner = folded(ForgetOwner("ada", part), ForgetOwner("ada", Forgetting(upto=6, agent="guide")))
    assert [each.upto for each in owner.forgotten] == [5, 6]
    owner = folded(ForgetOwner("ada", later), start=owner)
    assert OWNER.decide(ForgetOwner("ada", part), owner) == ()
    assert [each.upto for each in owner.forgotten] == [6, 7]
    assert folded(ForgetOwner("ada", whole), start=owner).forgotten == (whole,)


def test_a_forgetting_covers_what_was_said_up_to_its_position_and_is_within_it() -> None:
    week = Forgetting(upto=9, session="c-1", agent="guide", since_ns=100, until_ns=200)
    assert week.covers(9, "c-1", "guide", 150)
    for other in ((10, "c-1", "guide", 150), (9, "c-2", "guide", 150), (9, "c-1", "", 150), (9, "c-1", "guide", 201)):
        assert not week.covers(*other)
    assert Forgetting(upto=9).covers(1, "any", "any", -5)


def test_only_the_owner_configures_by_a_command() -> None:
    body = b'{"type":"owner.configure","owner":"ada","settings":{"sharing":["bob"]}}'
    command = COMMANDS.decode(body)
    assert command_of(command, "client/ada", 0) == Configure("ada", OwnerSettings(sharing=("bob",)))
    with pytest.raises(Refused, match="only 'ada'"):
        command_of(command, "client/bob", 0)


def test_ids_follow_from_the_name() -> None:
    assert owner_id("ada") == owner_id("ada") != owner_id("Ada")
    assert len({owner_id(""), owner_id("*"), owner_id("ü\ud800")}) == 3
