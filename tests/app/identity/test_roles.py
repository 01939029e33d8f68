"""The tables of rights: whom a name stands for, and what no role but the cluster's own has."""

import pytest

from clawactors.app.identity.roles import Rights, Role, check_name, rights_of
from clawactors.kernel.errors import Refused

STRANGERS = (Role.GATEWAY, Role.CLIENT, Role.OBSERVER, Role.NODE, Role.JOIN)


def everything(rights: Rights) -> tuple[str, ...]:
    return (*rights.publish, *rights.subscribe, *rights.deny_publish, *rights.deny_subscribe)


@pytest.mark.parametrize("name", ["", "a.b", "*", ">", "a b", "ä", "x" * 129])
@pytest.mark.parametrize("role", Role)
def test_a_name_is_one_token_that_stands_for_nobody_else(role: Role, name: str) -> None:
    with pytest.raises(Refused):
        check_name(role, name)


@pytest.mark.parametrize("name", ["control", "memory", "asked", "node-n1"])
def test_a_person_is_not_called_as_a_process_is(name: str) -> None:
    for role in (Role.CLIENT, Role.OBSERVER, Role.JOIN):
        with pytest.raises(Refused):
            check_name(role, name)
    check_name(Role.NODE, name)


@pytest.mark.parametrize("role", Role)
def test_no_placeholder_is_left(role: Role) -> None:
    assert not [subject for subject in everything(rights_of(role, "ada")) if "<" in subject]


@pytest.mark.parametrize("role", STRANGERS)
def test_no_stranger_changes_streams(role: Role) -> None:
    changing = ("STREAM.PURGE", "STREAM.DELETE", "STREAM.UPDATE", "STREAM.CREATE", "STREAM.MSG.DELETE")
    assert not [each for each in rights_of(role, "ada").publish if any(word in each for word in changing)]


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMIN])
def test_nobody_else_may_do_everything(role: Role) -> None:
    assert not {">", "$JS.>", "$JS.API.>", "claw.>", "_INBOX.>"} & set(everything(rights_of(role, "ada")))
