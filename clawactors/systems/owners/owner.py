"""The state of one owner."""

import msgspec

from clawactors.systems.owners.events import Forgetting, OwnerSettings

__all__ = ["NOBODY", "Owner"]


class Owner(msgspec.Struct, frozen=True, omit_defaults=True):
    """One owner; `name` is '' before anything was said about them, and for what nobody owns."""

    name: str = ""
    settings: OwnerSettings = OwnerSettings()
    forgotten: tuple[Forgetting, ...] = ()
    updated_ns: int = 0

    @property
    def exists(self) -> bool:
        """True once anything is on record."""
        return self.updated_ns > 0

    @property
    def status(self) -> str:
        """For faults."""
        return "known" if self.exists else "absent"

    def has_forgotten(self, seq: int, session: str, agent: str, at_ns: int) -> bool:
        """Whether what was said at that sequence is forgotten; see `Forgetting.covers`."""
        return any(each.covers(seq, session, agent, at_ns) for each in self.forgotten)


NOBODY = Owner()
