"""`claw workflow add|check|list|show|run|remove|schema`: steps as data."""

import sys
from pathlib import Path
from typing import Any, Final

import msgspec

from clawactors.app.cli.commands.submit import shown
from clawactors.app.cli.named import print_all, print_one
from clawactors.app.cli.output import emit, note
from clawactors.app.cli.request import params_of
from clawactors.app.cli.session import explained, hinted, with_client
from clawactors.app.cli.workflowrows import plan_card, workflow_card, workflow_table
from clawactors.app.client import Client
from clawactors.app.problem import Problem
from clawactors.runtime.client.workflows import Workflows
from clawactors.runtime.workflows.checks import compile_plan
from clawactors.runtime.workflows.plan import Plan
from clawactors.runtime.workflows.problems import InvalidDefinition
from clawactors.runtime.workflows.source import read_source

__all__ = ["run"]

_USAGE: Final = {
    "add": "usage: workflow add FILE",
    "check": "usage: workflow check FILE",
    "list": "usage: workflow list",
    "show": "usage: workflow show NAME [--version N] [--diagram mermaid|svg [--task ID]]",
    "run": "usage: workflow run NAME [JSON] [--version N] [--wait [D]]",
    "remove": "usage: workflow remove NAME",
    "schema": "usage: workflow schema",
}
_OPTIONS: Final = ("version", "diagram", "task", "wait", "id", "key", "user", "priority", "tag")
_TAKES: Final = {
    "show": ("version", "diagram", "task"),
    "run": ("version", "wait", "id", "key", "user", "priority", "tag"),
}
_LISTING: Final = "claw workflow list shows all workflows"


def run(options: Any) -> int:
    """Runs the verb and prints what it gives."""
    verb = options.verb
    given = [name for name in _OPTIONS if getattr(options, name) is not None]
    wrong = [name for name in given if name not in _TAKES.get(verb, ())]
    needs_name = verb not in ("list", "schema")
    if wrong or bool(options.name) is not needs_name or (options.params and verb != "run"):
        raise Problem("usage", _USAGE[verb])
    match verb:
        case "schema":
            return _schema()
        case "check":
            return _check(options)
        case "list":
            return print_all(options, lambda client: client.workflows.list(), workflow_table)
        case "add":
            return _add(options)
        case "show":
            return _show(options)
        case "run":
            return _run(options)
        case _:
            return print_one(
                options, "workflow", lambda client: client.workflows.remove(options.name), workflow_card, changes=True
            )


def _read(options: Any) -> Plan:
    """The plan of the file, or of standard input. Raises: `Problem` with one line for each thing that is wrong."""
    file = options.name
    try:
        text = sys.stdin.buffer.read() if file == "-" else Path(file).expanduser().read_bytes()
    except OSError as error:
        raise Problem("usage", f"can't read {file}: {error.strerror}", "name a YAML, TOML or JSON file") from None
    try:
        return compile_plan(read_source(text, "standard input" if file == "-" else file))
    except InvalidDefinition as error:
        problems = msgspec.to_builtins(error.problems)
        for each in error.problems[:-1]:
            note(str(each))
        hint = "claw workflow schema prints what may stand in the file"
        raise Problem("refused", str(error.problems[-1]), hint, extra={"problems": problems}) from None


def _check(options: Any) -> int:
    plan = _read(options)
    document = {"ok": True, "name": plan.definition.workflow, "steps": len(plan.steps), "skills": plan.skills}
    emit(options, document, lambda: plan_card(plan, options.name))
    return 0


def _add(options: Any) -> int:
    plan = _read(options)

    async def work(client: Client) -> int:
        row = await client.workflows.add(plan)
        missing = await client.workflows.missing_skills(plan)
        if missing:
            names = ", ".join(map(repr, missing[:10])) + (f" and {len(missing) - 10} more" if len(missing) > 10 else "")
            note(f"no node offers {names}; the steps wait until one does")
        emit(options, row, lambda: workflow_card(row, plan))
        return 0

    return with_client(options, work)


def _show(options: Any) -> int:
    if options.task and not options.diagram:
        raise Problem("usage", _USAGE["show"])

    async def work(client: Client) -> int:
        with hinted(_LISTING):
            if options.diagram:
                picture = await client.workflows.diagram(
                    options.name, options.version, format=options.diagram, task=options.task or ""
                )
                emit(options, {"diagram": picture}, lambda: [picture.rstrip("\n")])
            else:
                row = await client.workflows.get(options.name, options.version)
                emit(options, row, lambda: workflow_card(row))
        return 0

    return with_client(options, work)


def _run(options: Any) -> int:
    params = params_of(options.params)
    asked = {"user": options.user, "priority": options.priority, "tags": options.tag}
    given = {name: value for name, value in asked.items() if value is not None}

    async def work(client: Client) -> int:
        workflows: Workflows = client.workflows
        with hinted(_LISTING), explained(f"nothing was submitted; claw workflow show {options.name} lists parameters"):
            ref = await workflows.submit(
                options.name, params, version=options.version, id=options.id, key=options.key, **given
            )
        return await shown(client, options, ref.id, f"claw workflow run {options.name}")

    return with_client(options, work)


def _schema() -> int:
    from clawactors.systems.workflows.definition import schema

    sys.stdout.write(msgspec.json.format(msgspec.json.encode(schema()), indent=2).decode() + "\n")
    return 0
