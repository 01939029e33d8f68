"""Streams that follow those of another server, and their promotion to streams of their own.

1. A mirror has the sequences, times and bodies of its stream. The server takes the guards out of the headers.
2. The metadata of a mirror holds the configuration of its stream, so that promotion needs the mirror alone.
3. The log is promoted last: until then nobody uses what is there, and a second run completes an interrupted one.
"""

from typing import Any, Final

import msgspec

from clawactors.eventlog.errors import Misconfigured, Unavailable
from clawactors.eventlog.jetstream.log.replicas import replicas_of
from clawactors.eventlog.jetstream.log.streams import CREATED, EVENTS
from clawactors.eventlog.jetstream.stores.snapshots import StreamInfo, stored_streams
from clawactors.eventlog.jetstream.wire.api import Refusal, call
from clawactors.eventlog.jetstream.wire.connection import Connection

__all__ = ["MirrorState", "create_mirrors", "mirror_states", "promote"]

_CONFIG: Final = "claw.config"
_LOG: Final = "claw.mirror_of"
_SERVERS_OWN: Final = "_nats."
_LEFT_OUT: Final = ("CLAW_COMMANDS", "CLAW_TIMERS", "CLAW_OUTPUT", "CLAW_DEAD")
"""A queue can't be mirrored; timers follow from the log; the others may be lost with the machine."""
_OURS: Final = ("CLAW_", "KV_claw-", "OBJ_claw-")
_LIVE_S: Final = 10.0
_ASK_S: Final = 3.0
_SHARED: Final = (
    "name",
    "storage",
    "max_msgs_per_subject",
    "max_msg_size",
    "allow_direct",
    "allow_msg_ttl",
    "compression",
)
"""What a mirror has in common with its stream; the rest is for writers."""


class MirrorState(msgspec.Struct, frozen=True):
    """How far a mirror has come, and how many messages it is behind.

    `silent_s` is how long it has heard nothing of its stream; None if it never did.
    """

    stream: str
    last_seq: int
    lag: int
    silent_s: float | None


class _Source(msgspec.Struct):
    lag: int = 0
    active: int = -1


async def create_mirrors(source: Connection, target: Connection, api: str) -> list[str]:
    """Makes the mirrors that are missing at `target`; `api` is the prefix of the source there. Returns the new ones.

    Raises: `Misconfigured` (other streams are there), `Unavailable`.
    """
    streams = {each.name: each for each in await stored_streams(source) if _is_mirrored(each)}
    if EVENTS not in streams:
        raise Unavailable(f"there is no stream {EVENTS} to mirror yet")
    log = streams[EVENTS].identity
    there = {each.name: each for each in await stored_streams(target)}
    made: list[str] = []
    for name, stream in streams.items():
        if (mirror := there.get(name)) is not None:
            if not mirror.config.get("mirror") or _metadata(mirror).get(_LOG) != log:
                raise Misconfigured(
                    f"the mirror's server has a stream {name} that is no mirror of this log: it was taken over, or is "
                    "of another cluster. Remove it there, or use another server"
                )
            continue
        kept = {key: value for key, value in stream.config.items() if not key.startswith("_")}
        metadata = {
            key: value for key, value in _metadata(stream).items() if not key.startswith((_SERVERS_OWN, CREATED))
        }
        original = msgspec.json.encode(kept | {"metadata": metadata}).decode()
        config = {key: kept[key] for key in _SHARED if key in kept} | {
            "num_replicas": replicas_of(target),
            "mirror": {"name": name, "external": {"api": api, "deliver": ""}},
            "metadata": {_CONFIG: original, _LOG: log},
        }
        await _asked(target, "CREATE", config)
        made.append(name)
    return made


async def mirror_states(connection: Connection) -> list[MirrorState]:
    """The mirrors of a cluster's streams at this server. Raises: `Unavailable`."""
    return [_state_of(each) for each in await stored_streams(connection, _ASK_S) if each.config.get("mirror")]


async def promote(connection: Connection) -> list[str]:
    """Makes streams of the mirrors at this server; returns their names. Order: repeatable.

    Raises: `Misconfigured` (there is no mirror, or the other cluster still sends), `Unavailable`.
    """
    mirrors = {each.name: each for each in await stored_streams(connection) if _CONFIG in _metadata(each)}
    open_ones = [each for each in mirrors.values() if each.config.get("mirror")]
    if EVENTS not in {each.name for each in open_ones}:
        raise Misconfigured("there is no mirror of a cluster here to take over")
    for state in map(_state_of, open_ones):
        if state.silent_s is not None and state.silent_s < _LIVE_S:
            raise Misconfigured(
                f"the cluster that is mirrored here was heard of {state.silent_s:.0f} s ago: stop it first, two "
                "clusters must not run the same tasks"
            )
    promoted: list[str] = []
    for mirror in sorted(open_ones, key=lambda each: (each.name == EVENTS, each.name)):
        config: dict[str, Any] = msgspec.json.decode(_metadata(mirror)[_CONFIG])
        config |= {"num_replicas": mirror.config["num_replicas"]}
        config.pop("placement", None)
        await _asked(connection, "UPDATE", config)
        promoted.append(mirror.name)
    return promoted


async def _asked(connection: Connection, verb: str, config: dict[str, Any]) -> None:
    try:
        await call(connection, f"STREAM.{verb}.{config['name']}", config, timeout_s=15)
    except Refusal as refusal:
        what = "mirrored" if verb == "CREATE" else "promoted"
        raise Misconfigured(f"the stream {config['name']} can't be {what}: {refusal.description}") from None


def _is_mirrored(stream: StreamInfo) -> bool:
    file = stream.config.get("storage") == "file" and not stream.config.get("mirror")
    return file and stream.name.startswith(_OURS) and stream.name not in _LEFT_OUT


def _metadata(stream: StreamInfo) -> dict[str, str]:
    return stream.config.get("metadata") or {}


def _state_of(stream: StreamInfo) -> MirrorState:
    source = msgspec.convert(stream.mirror or {}, _Source)
    return MirrorState(
        stream.name, stream.state.last_seq, source.lag, source.active / 1e9 if source.active >= 0 else None
    )
