"""`claw schedule add|list|show|pause|resume|remove`: runs tasks on a cron schedule."""

from typing import Any

from clawactors.app.cli.missing import note_missing
from clawactors.app.cli.named import print_all, print_one
from clawactors.app.cli.request import params_of
from clawactors.app.cli.rows import schedule_card, schedule_table
from clawactors.app.client import Client
from clawactors.app.problem import Problem
from clawactors.kernel.fold import Snapshot
from clawactors.runtime.client.rows import ScheduleRow
from clawactors.runtime.client.schedules import schedule_row
from clawactors.systems.schedules import Schedule

__all__ = ["run"]

_VERB_USAGE = {
    "add": "usage: schedule add NAME CRON SKILL [JSON]",
    "list": "usage: schedule list",
    **{verb: f"usage: schedule {verb} NAME" for verb in ("show", "pause", "resume", "remove")},
}


def run(options: Any) -> int:
    """Runs the verb and prints the schedule's new state."""
    given = _given(options)
    match options.verb, options.words:
        case "add", [_, _, _] | [_, _, _, _]:
            pass
        case "list", []:
            return print_all(options, lambda client: client.schedules.list(), schedule_table)
        case (("show" | "pause" | "resume" | "remove"), [_]) if not given:
            pass
        case _:
            raise Problem("usage", _VERB_USAGE[options.verb])

    async def ask(client: Client) -> ScheduleRow:
        name = options.words[0]
        if options.verb == "show":
            return await client.schedules.get(name)
        return schedule_row(name, await _changed(client, options, given))

    return print_one(options, "schedule", ask, schedule_card, changes=options.verb != "show")


def _given(options: Any) -> dict[str, Any]:
    given = {
        "zone": options.zone,
        "catch_up": options.catch_up,
        "user": options.user,
        "priority": options.priority,
        "tags": options.tag,
        "timeout_s": options.timeout,
        "max_retries": options.retries,
    }
    return {name: value for name, value in given.items() if value is not None}


async def _changed(client: Client, options: Any, given: dict[str, Any]) -> Snapshot[Schedule]:
    schedules, name = client.schedules, options.words[0]
    match options.verb:
        case "add":
            _, cron, skill, *params = options.words
            asked = params_of(params[0] if params else None)
            added = await schedules.add(name, cron, skill, asked, **given)
            await note_missing(client, skill, asked, "its tasks")
            return added
        case "pause":
            return await schedules.pause(name)
        case "resume":
            return await schedules.resume(name)
        case _:
            return await schedules.remove(name)
