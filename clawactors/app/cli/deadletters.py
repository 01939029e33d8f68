"""What lies in the stream of dead letters, and up to where a person knows of it."""

from typing import Any, Final

import msgspec

from clawactors.eventlog.jetstream import Connection
from clawactors.eventlog.jetstream.wire.api import call, message_at

__all__ = ["DEAD", "Accepted", "DeadLetterList"]

DEAD: Final = "CLAW_DEAD"
_NEWEST: Final = 30
_LOG, _DEAD = "claw.accepted.log", "claw.accepted.dead"


class Accepted(msgspec.Struct, frozen=True):
    """The positions of the log and of the dead letters up to which a person knows what is wrong."""

    log: int = 0
    dead: int = 0


class DeadLetterList:
    """Reads the stream. All raise `Unavailable`, `PermissionDenied`, `Refusal` where it is missing."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def accepted(self) -> Accepted:
        """What was accepted last: it stands in the metadata of the stream."""
        metadata = (await self._info())["config"].get("metadata", {})
        log, dead = (metadata.get(key, "0") for key in (_LOG, _DEAD))
        return Accepted(int(log) if log.isdecimal() else 0, int(dead) if dead.isdecimal() else 0)

    async def accept(self, last_seq: int) -> Accepted:
        """From now on all dead letters, and all faults up to that sequence of the log, are known."""
        info = await self._info()
        accepted = Accepted(last_seq, info["state"]["last_seq"])
        told = {_LOG: str(accepted.log), _DEAD: str(accepted.dead)}
        config = info["config"] | {"metadata": info["config"].get("metadata", {}) | told}
        await call(self._connection, f"STREAM.UPDATE.{DEAD}", config)
        return accepted

    async def newest(self, *, after: int) -> tuple[int, list[str]]:
        """How many there are, and why the newest behind that place are there, the last one first."""
        state = (await self._info())["state"]
        first = max(after + 1, state["first_seq"], state["last_seq"] - _NEWEST + 1)
        seqs = range(state["last_seq"], first - 1, -1) if state["messages"] else range(0)
        found = [await message_at(self._connection, DEAD, seq) for seq in seqs]
        return state["messages"], [each.record.header("Claw-Reason") or "no reason" for each in found if each]

    async def _info(self) -> Any:
        return await call(self._connection, f"STREAM.INFO.{DEAD}")
