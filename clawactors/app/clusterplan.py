"""What `claw up` starts."""

import socket

import msgspec

from clawactors.app.layers import options_given
from clawactors.app.listening import Listening
from clawactors.eventlog.jetstream import Address
from clawactors.runtime.settings import Layer

__all__ = ["ClusterPlan"]


class ClusterPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What to start. `address` is that of somebody else's server; without it one is started, which other machines reach
    at `listening`, None for this one alone.

    `mirror` is the address of a server that mirrors this cluster. `standby` is where a server listens that does so for
    another one, and runs nothing else. `takes_over` goes on from such a mirror. On the socket `web`, which listens, the
    HTTP API and the dashboard are served, None for nowhere. Of the other options None leaves the settings as they are.
    """

    nodes: int = 2
    slots: int | None = None
    skills: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()
    workers: tuple[str, ...] = ()
    port: int | None = None
    listening: Listening | None = None
    address: Address | None = None
    restart: bool = True
    lease_s: float | None = None
    secrets: str = ""
    memory_daily_s: float | None = None
    memory_incremental: bool | None = None
    memory_extracts: bool | None = None
    memory_config: str = ""
    web: socket.socket | None = None
    chat: str = ""
    mirror: str = ""
    standby: str = ""
    takes_over: bool = False

    @property
    def given(self) -> tuple[Layer, ...]:
        """The settings that it gives."""
        return options_given(
            slots=self.slots,
            lease=self.lease_s,
            memory_daily=self.memory_daily_s,
            memory_incremental=self.memory_incremental,
            memory_extracts=self.memory_extracts,
        )
