"""`claw trigger add|list|show|pause|resume|redrive|remove`: what follows when something happens."""

from typing import Any

from clawactors.app.cli.missing import note_missing
from clawactors.app.cli.named import print_all, print_one
from clawactors.app.cli.request import params_of
from clawactors.app.cli.triggerrows import trigger_card, trigger_table
from clawactors.app.client import Client
from clawactors.app.problem import Problem
from clawactors.kernel.fold import Snapshot
from clawactors.runtime.client.triggerrows import TriggerRow
from clawactors.runtime.client.triggers import trigger_row
from clawactors.systems.triggers import Trigger

__all__ = ["run"]


def run(options: Any) -> int:
    """Runs the verb and prints the trigger's new state."""
    given = _given(options)
    if options.verb == "list":
        if options.name or given:
            raise Problem("usage", "usage: trigger list")
        return print_all(options, lambda client: client.triggers.list(), trigger_table)
    if not options.name or (given and options.verb != "add"):
        raise Problem("usage", f"usage: trigger {options.verb} NAME{' --on EVENT …' if options.verb == 'add' else ''}")
    if options.verb == "add" and not options.on:
        raise Problem(
            "usage", "usage: trigger add NAME --on EVENT with --submit SKILL, --webhook URL or --publish SUBJECT"
        )

    async def ask(client: Client) -> TriggerRow:
        name = options.name
        if options.verb == "show":
            return await client.triggers.get(name)
        return trigger_row(name, await _changed(client, options, given))

    return print_one(options, "trigger", ask, trigger_card, changes=options.verb != "show")


def _given(options: Any) -> dict[str, Any]:
    given = {
        "on": options.on,
        "where": options.where,
        "submit": options.submit,
        "params": options.params,
        "webhook": options.webhook,
        "secret": options.secret,
        "publish": options.publish,
        "rate": options.rate,
        "allow_loop": options.allow_loop,
        "user": options.user,
        "priority": options.priority,
        "tags": options.tag,
        "timeout_s": options.timeout,
        "max_retries": options.retries,
    }
    return {name: value for name, value in given.items() if value is not None}


async def _changed(client: Client, options: Any, given: dict[str, Any]) -> Snapshot[Trigger]:
    triggers, name = client.triggers, options.name
    match options.verb:
        case "add":
            params = {"params": params_of(options.params)} if options.params else {}
            added = await triggers.add(name, **(given | params))
            if options.submit:
                await note_missing(client, options.submit, params.get("params"), "its tasks")
            return added
        case "pause":
            return await triggers.pause(name)
        case "resume":
            return await triggers.resume(name)
        case "redrive":
            return await triggers.redrive(name)
        case _:
            return await triggers.remove(name)
