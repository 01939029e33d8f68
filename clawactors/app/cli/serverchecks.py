"""The checks of `claw doctor` that ask the server itself: release, account, streams, and whether it syncs."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any, Final

import msgspec

from clawactors.app.discovery import Found
from clawactors.eventlog import EventLogError, PermissionDenied
from clawactors.eventlog.jetstream import Connection, health_of, lacking, syncs_always
from clawactors.eventlog.jetstream.log.peers import ask_servers
from clawactors.eventlog.jetstream.log.provision import repair, survey
from clawactors.eventlog.jetstream.wire.api import Refusal, call
from clawactors.kinds import KINDS
from clawactors.runtime.client.checks import Check

__all__ = [
    "check_account",
    "check_peers",
    "check_queue",
    "check_server",
    "check_streams",
    "check_system",
    "of_account",
    "of_queue",
]

_FULL: Final = 0.98
_NEARLY_FULL: Final = 0.8
_LIMITS: Final = {"max_storage": "MB", "max_memory": "MB", "max_streams": "", "max_consumers": ""}
"""The limits of an account, and the unit in which each is shown."""
_CONSUMER_S: Final = 3.0
_AGAIN_S: Final = 0.2


async def check_server(found: Found, *, mend: bool = False) -> AsyncIterator[Check]:
    """Checks that the server answers, is new enough, has room for this account, and holds the streams as needed.

    `mend`: streams that are missing or changed are made or set back first.
    """
    try:
        connection = await Connection.open(found.address, "claw-doctor")
    except EventLogError as error:
        yield Check("server", "failed", f"{error}; it is {found.why}")
        return
    try:
        version = ".".join(map(str, connection.version))
        yield Check("server", "ok", f"nats-server {version} at {found.shown}: {found.why}")
        found_lacking = await lacking(connection)
        yield Check("requirements", "failed" if found_lacking else "ok", "; ".join(found_lacking) or "all met")
        if not found_lacking:
            yield await check_account(connection)
            yield await check_streams(connection, mend=mend)
            if connection.is_clustered:
                yield await check_peers(connection)
            yield await check_queue(connection)
    except EventLogError as error:
        yield Check("requirements", "failed", str(error))
        if connection.is_clustered:
            yield await check_peers(connection)
    finally:
        await connection.aclose()


async def check_account(connection: Connection) -> Check:
    """The account's share of the server, with the limit that is nearest."""
    try:
        info, account = await call(connection, "INFO"), await _account(connection)
    except PermissionDenied as error:
        return Check("account", "unknown", str(error))
    return of_account(info, account)


def of_account(info: dict[str, Any], account: str) -> Check:
    """What the server's description of an account means."""
    shares = sorted(_shares(info), reverse=True)
    if not shares:
        return Check("account", "ok", f"account {account} has no limits of its own")
    share, text = shares[0]
    if share >= _FULL:
        return Check(
            "account", "failed", f"account {account} is full, {text}: raise the limit in the server's configuration"
        )
    return Check("account", "warning" if share >= _NEARLY_FULL else "ok", f"account {account}: {text}")


def _shares(info: dict[str, Any]) -> Iterator[tuple[float, str]]:
    """`(share that is used, in words)` for each limit, of each tier where the account has tiers."""
    tiers = info.get("tiers") or {"": info}
    for tier, used in tiers.items():
        for limit, unit in _LIMITS.items():
            most = used.get("limits", {}).get(limit, -1)
            if most is None or most < 0:
                continue
            name, one = limit.removeprefix("max_"), 1e6 if unit else 1
            have = used.get(name, 0)
            shown = f"{have / one:.0f} of {most / one:.0f} {unit}".rstrip()
            yield (have / most if most else 1.0), f"{name} {shown} ({limit}{f' of {tier}' if tier else ''})"


async def _account(connection: Connection) -> str:
    try:
        answer = (await connection.ask("$SYS.REQ.USER.INFO", timeout_s=2))[1]
        return str(msgspec.json.decode(answer)["data"]["account"])
    except (EventLogError, msgspec.MsgspecError, KeyError, TypeError):
        return "of this user"


async def check_streams(connection: Connection, *, mend: bool) -> Check:
    """Whether the streams are there with the settings that are needed; `mend` makes them so first."""
    try:
        done = await repair(connection, KINDS.names) if mend else []
        faults = await survey(connection, KINDS.names)
    except PermissionDenied as error:
        return Check("streams", "unknown", str(error))
    except EventLogError as error:
        return Check("streams", "failed", str(error))
    text = "; ".join([*done, *map(str, faults)])
    if not faults:
        return Check("streams", "ok", text or "all are there and configured as needed")
    text += "" if mend else ": claw doctor --repair makes what is missing and sets the rest back"
    return Check("streams", "warning" if all(fault.is_choice for fault in faults) else "failed", text)


async def check_peers(connection: Connection) -> Check:
    """Whether all servers of a cluster are there and whole."""
    try:
        report = await ask_servers(connection)
    except EventLogError as error:
        return Check("servers", "unknown", str(error))
    is_whole = all(not peer.is_away and not peer.behind for peer in report.servers)
    return Check("servers", "failed" if report.problem else "ok" if is_whole else "warning", report.text)


async def check_queue(connection: Connection) -> Check:
    """Whether somebody takes what `claw.cmd.>` has brought."""
    try:
        info = await _consumer(connection)
    except PermissionDenied as error:
        return Check("commands", "unknown", str(error))
    if info is None:
        nobody = "nobody takes the commands in CLAW_COMMANDS: claw up starts a control process"
        return Check("commands", "failed", nobody)
    return of_queue(info)


def of_queue(info: dict[str, Any]) -> Check:
    """What the server's description of the consumer of commands means."""
    waiting = info["num_pending"] + info["num_ack_pending"]
    if waiting and not info["num_waiting"] and not info["num_ack_pending"]:
        return Check("commands", "failed", f"{waiting} wait in CLAW_COMMANDS, and no control process takes them")
    return Check("commands", "ok", f"{waiting} wait to be carried out" if waiting else "none waits")


async def _consumer(connection: Connection) -> dict[str, Any] | None:
    """The consumer of commands, None where none comes: one that was deleted is soon made again by who leads."""
    end_s = asyncio.get_running_loop().time() + _CONSUMER_S
    while True:
        try:
            info: dict[str, Any] = await call(connection, "CONSUMER.INFO.CLAW_COMMANDS.control")
        except Refusal:
            if asyncio.get_running_loop().time() > end_s:
                return None
            await asyncio.sleep(_AGAIN_S)
        else:
            return info


async def check_system(found: Found) -> AsyncIterator[Check]:
    """How the server is, and whether acknowledged means synced.

    Only a user of the system account may ask, so only of a server of our own.
    """
    address = found.run.system if found.run is not None and found.is_own else None
    try:
        system = await Connection.open(address, "claw-doctor") if address else None
    except EventLogError as error:
        yield Check("sync", "unknown", f"the server does not say: {error}")
        return
    try:
        if system is not None:
            yield _of_health(await health_of(system)())
        yield _of_sync(await syncs_always(system))
    finally:
        if system is not None:
            await system.aclose()


def _of_health(said: str) -> Check:
    if not said:
        return Check("health", "ok", "the server takes appends on all streams")
    if "no space left" in said:
        said += ": free some space; the server is restarted by itself then, and all goes on"
    return Check("health", "failed", said)


def _of_sync(always: bool | None) -> Check:
    match always:
        case True:
            return Check("sync", "ok", "sync_interval: always")
        case False:
            return Check(
                "sync", "failed", "a power cut loses minutes: set sync_interval: always in the jetstream block"
            )
        case None:
            return Check("sync", "unknown", "can't be seen from here: the server must run with sync_interval: always")
