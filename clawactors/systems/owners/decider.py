"""The rules of an owner.

1. Settings that hold already are quiet; those that make no sense are refused.
2. A forgetting within an earlier one is quiet. One of everything takes the place of all before it.
"""

import re
from typing import Final, assert_never

from msgspec.structs import replace

from clawactors.kernel.decider import Decider
from clawactors.kernel.errors import Refused
from clawactors.kernel.time import time_zone
from clawactors.systems.owners.commands import Configure, ForgetOwner, OwnerCommand
from clawactors.systems.owners.events import Forgetting, OwnerConfigured, OwnerEvent, OwnerForgotten, OwnerSettings
from clawactors.systems.owners.identity import EVERYONE
from clawactors.systems.owners.owner import NOBODY, Owner

__all__ = ["OWNER", "decide", "evolve"]

_NAME_LIMIT: Final = 256
_SHARING_LIMIT: Final = 1000
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z]{4})?([-_][A-Za-z]{2})?(\.[A-Za-z0-9-]+)?")


def decide(command: OwnerCommand, owner: Owner) -> tuple[OwnerEvent, ...]:
    """The events that the command leads to in this state, none for a repeat. Raises `Refused`."""
    if len(command.owner) > _NAME_LIMIT:
        raise Refused(f"the owner has {len(command.owner)} characters, the limit is {_NAME_LIMIT}")
    match command:
        case Configure():
            if not command.owner:
                raise Refused("settings belong to an owner; name one")
            if command.owner == EVERYONE:
                raise Refused("* stands for all owners; name one")
            if owner.settings == command.settings:
                return ()
            _check(command.settings)
            return (OwnerConfigured(owner=command.owner, settings=command.settings),)
        case ForgetOwner():
            new = command.forgetting
            if any(replace(each, upto=new.upto) == new and each.upto >= new.upto for each in owner.forgotten):
                return ()
            return (OwnerForgotten(owner=command.owner, forgetting=new, reason=command.reason),)
        case _:
            assert_never(command)


def _check(settings: OwnerSettings) -> None:
    if settings.zone and time_zone(settings.zone) is None:
        raise Refused(f"there is no time zone {settings.zone[:60]!r}: write one as in 'Europe/Rome' or 'UTC'")
    if settings.language and _LANGUAGE.fullmatch(settings.language) is None:
        raise Refused(f"{settings.language[:60]!r} is no language: write one as in 'en', 'en_GB' or 'zh-Hans-CN'")
    if len(settings.sharing) > _SHARING_LIMIT:
        raise Refused(f"sharing names {len(settings.sharing)}, the limit is {_SHARING_LIMIT}")
    if any(not name.strip() for name in settings.sharing):
        raise Refused("sharing names users, agent:SKILL, or * for everyone; one name is empty")


def evolve(owner: Owner, event: OwnerEvent, at_ns: int) -> Owner:
    """The state after the event; the same object where the event is illegal in this state."""
    match event:
        case OwnerConfigured():
            return replace(owner, name=event.owner, settings=event.settings, updated_ns=at_ns)
        case OwnerForgotten():
            forgotten = _joined(owner.forgotten, event.forgetting)
            return replace(owner, name=event.owner, forgotten=forgotten, updated_ns=at_ns)
        case _:
            assert_never(event)


def _joined(known: tuple[Forgetting, ...], new: Forgetting) -> tuple[Forgetting, ...]:
    if new.is_whole:
        return (*(each for each in known if each.upto > new.upto), new)
    return (*(each for each in known if replace(each, upto=new.upto) != new), new)


OWNER: Final[Decider[OwnerCommand, Owner, OwnerEvent]] = Decider("owner", NOBODY, decide, evolve)
