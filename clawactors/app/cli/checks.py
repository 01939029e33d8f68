"""The checks of `claw doctor`, one function each; a check says what it found and, if it failed, what to do."""

import shutil
from collections.abc import AsyncIterator

import msgspec

from clawactors.app.cli.deadletters import DEAD, Accepted, DeadLetterList
from clawactors.app.client import Client
from clawactors.app.datafolder import RESERVE_BYTES
from clawactors.app.discovery import Found
from clawactors.app.logmark import LogMark
from clawactors.app.upkeep.mirror import states_of_mirror
from clawactors.eventlog import EventLogError, PermissionDenied
from clawactors.eventlog.jetstream import JetStreamLog
from clawactors.eventlog.sealing import can_seal
from clawactors.runtime.client.checks import LOST, Check
from clawactors.runtime.questions import read_log_end

__all__ = [
    "check_cluster",
    "check_dead_letters",
    "check_disk",
    "check_log",
    "check_middleware",
    "check_mirror",
    "check_programs",
    "check_settings",
]


class _Middleware(msgspec.Struct):
    chain: tuple[str, ...]


async def check_mirror(found: Found) -> Check | None:
    """How far the mirror of the cluster is; None where it has none."""
    if found.run is None or not found.run.mirror or not found.is_own:
        return None
    where = found.run.mirror
    try:
        states = await states_of_mirror(found.run.address)
    except EventLogError as error:
        return Check("mirror", "warning", f"its server at {where} does not answer, so nothing is mirrored: {error}")
    if not states:
        return Check("mirror", "warning", f"nothing is mirrored at {where}: see logs/supervisor.log")
    behind = sum(state.lag for state in states)
    return Check("mirror", "ok", f"{len(states)} streams at {where}, {behind} messages behind")


def check_disk(found: Found) -> Check:
    """Checks the free space of the data folder."""
    if not found.data.is_dir():
        return Check("disk", "unknown", f"there is no data folder {found.data} on this machine")
    free = shutil.disk_usage(found.data).free
    detail = f"{free / 1e9:.1f} GB free for {found.data}"
    if free <= RESERVE_BYTES:
        return Check("disk", "failed", f"{detail}, appends are refused: free some space")
    return Check("disk", "warning" if free <= 4 * RESERVE_BYTES else "ok", detail)


async def check_log(found: Found, client: Client) -> AsyncIterator[Check]:
    """Checks that the log is the one that the data folder knows, and that personal data is sealed in it."""
    try:
        await LogMark(found.data).check(await JetStreamLog.over(client.connection))
    except PermissionDenied as error:
        yield Check("log", "unknown", str(error))
    except EventLogError as error:
        yield Check("log", "failed", str(error))
    else:
        yield Check("log", "ok", "the one that this data folder has written, up to its end")
    if can_seal():
        yield Check("sealing", "ok", "what belongs to a user is sealed with a key of that user")
    else:
        yield Check("sealing", "failed", "nothing is sealed, so nothing can be erased: pip install cryptography")


async def check_cluster(client: Client, *, accept: bool = False) -> AsyncIterator[Check]:
    """Control process, views, nodes, tasks, memory, and what could not be read.

    `accept`: a person knows of all faults that there are, so they are no error from now on.
    """
    letters = DeadLetterList(client.connection)
    try:
        accepted = await letters.accept((await read_log_end(client.questions)).last_seq) if accept else None
        accepted = accepted or await letters.accepted()
    except EventLogError:
        accepted = Accepted()
    async for check in client.checks(client.memories.ask, accepted.log):
        yield check
    yield await check_dead_letters(letters, accepted)


async def check_settings(client: Client) -> Check:
    """Settings that this release can't use, and those that a process takes over only when it starts again."""
    try:
        rows = await client.config.list(origins=True)
    except EventLogError as error:
        return Check("settings", "unknown", str(error))
    if problems := [f"{row.name}: {row.problem}" for row in rows if row.problem]:
        way_out = "upgrade, or claw config unset NAME"
        return Check("settings", "warning", f"{'; '.join(problems)}; the default counts: {way_out}")
    late = [f"{each.process} ({row.name})" for row in rows for each in row.origins or () if each.pending]
    text = f"{sum(row.set for row in rows)} are set"
    return Check("settings", "ok", f"{text}; to be started again: {', '.join(late)}" if late else text)


async def check_programs(found: Found, client: Client) -> Check:
    """Which nodes run any program that a task names: at a server of others that is for a person to know."""
    try:
        nodes = [node for row in await client.skills_known() if row.name == "shell" for node in row.nodes]
    except EventLogError as error:
        return Check("shell", "unknown", str(error))
    if not nodes:
        return Check("shell", "ok", "no node runs the skill shell (a node that is to: --allow shell)")
    where = f"{', '.join(nodes[:5])}{' …' if len(nodes) > 5 else ''} {'runs' if len(nodes) == 1 else 'run'} any program"
    if found.is_own:
        return Check("shell", "ok", f"{where} that a task names: the server listens on this machine only")
    return Check("shell", "warning", f"{where} for everybody who may submit: leave out --allow shell where you can")


async def check_middleware(client: Client) -> Check:
    """The middleware that a command passes in control before it is appended, in order."""
    try:
        answer = await client.views.answer(_Middleware, "middleware")
    except EventLogError as error:
        return Check("middleware", "unknown", str(error))
    return Check("middleware", "ok", " -> ".join(answer.chain))


async def check_dead_letters(letters: DeadLetterList, accepted: Accepted) -> Check:
    """How many dead letters there are; those that came of lost history are an error until a person knows of them."""
    try:
        count, reasons = await letters.newest(after=accepted.dead)
    except PermissionDenied as error:
        return Check("dead letters", "unknown", str(error))
    except EventLogError as error:
        return Check("dead letters", "failed", str(error))
    if not count:
        return Check("dead letters", "ok", "none")
    text = f"{count} in the stream {DEAD}"
    if reasons:
        text += f"; the newest of them: {reasons[0]}"
    if any(reason.startswith("illegal") for reason in reasons):
        return Check("dead letters", "failed", f"{text}: {LOST}")
    return Check("dead letters", "warning", text)
