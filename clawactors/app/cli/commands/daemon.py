"""`claw service`: a `claw up` or `claw join` that the machine starts, watches and restarts."""

import getpass
import os
import subprocess
import sys
from collections import deque
from pathlib import Path
from typing import Any

import msgspec

from clawactors.app.cli.arguments import cluster, identities
from clawactors.app.cli.output import Facts, emit, note
from clawactors.app.cli.parsing import Parser, options_of
from clawactors.app.daemon.installing import ServiceManager, manager_here
from clawactors.app.daemon.plan import ServicePlan, service_name
from clawactors.app.machinename import machine_name
from clawactors.app.problem import Problem
from clawactors.app.settings import data_folder, default_folder

__all__ = ["run"]


def run(options: Any) -> int:
    """Does what the verb says."""
    manager = manager_here(is_system=options.system, any_text=options.dry_run)
    if options.rest and options.verb != "install":
        raise Problem("usage", f"claw service {options.verb} takes nothing after --")
    if options.verb == "install":
        return _install(options, manager)
    name = _name(options, options.node)
    match options.verb:
        case "status":
            return _status(options, manager, name)
        case "logs":
            return _logs(options, manager, name)
    removed = manager.remove(name)
    told = {"removed": removed, "service": name, "data": str(data_folder(options.data))}
    said = f"removed {name}; its data stays in {told['data']}" if removed else f"there is no service {name}"
    emit(options, told, lambda: [Facts([("service", said)])])
    return 0


def _install(options: Any, manager: ServiceManager) -> int:
    plan = _plan(options)
    text, file = manager.text(plan), manager.file(plan.name)
    if options.dry_run:
        shown = {"service": plan.name, "file": str(file), "text": text.decode(), "dry_run": True}
        emit(options, shown, lambda: [f"# {file}", text.decode().rstrip("\n")])
        return 0
    if options.system and os.geteuid():
        raise Problem("refused", "a service of the machine is installed by root", "use sudo, or leave --system out")
    is_new = manager.install(plan, starts=options.start)
    told = {"service": plan.name, "file": str(file), "changed": is_new, "data": str(plan.data)}
    said = f"{'installed' if is_new else 'was installed already:'} {plan.name}"
    emit(options, told, lambda: [Facts([("service", said), ("file", str(file)), ("data folder", str(plan.data))])])
    if not options.system and sys.platform == "linux" and not _lingers():
        note(f"it ends when {getpass.getuser()} logs out: `loginctl enable-linger` keeps it, and starts it at boot")
    return 0


def _plan(options: Any) -> ServicePlan:
    """What is to run, with every path made absolute. Raises: `Problem` for what `claw up` would not take."""
    kind, *words = options.rest or ["up"]
    if kind not in ("up", "join"):
        raise Problem("usage", f"a service runs claw up or claw join, not {kind[:40]!r}", "claw service install -- up")
    parser = Parser(f"claw {kind}", "")
    (cluster.up if kind == "up" else identities.join)(parser)
    given = options_of(parser, words)
    if kind == "up" and (given.detach or given.context):
        raise Problem("usage", f"a service can't take {'--detach' if given.detach else '--context'}", "leave it out")
    user = _user(options)
    chosen = given.data or options.data
    if options.system and not chosen and "CLAW_DATA" not in os.environ and user != getpass.getuser():
        raise Problem("usage", f"say which data folder {user} is to use", "claw --data DIR service install --system")
    data = data_folder(chosen)
    words = ["--data", str(data), *words] if not given.data else words
    if kind == "join" and options.nats and not given.nats:
        words = ["--nats", options.nats, *words]
    id = ""
    if kind == "join":
        id = given.id or options.node or machine_name()
        words = words if given.id else ["--id", id, *words]  # so that another name of the machine changes nothing
    plan = ServicePlan(
        name=service_name(data, id, is_default=data == default_folder()),
        words=(kind, *words),
        data=data,
        folder=Path.cwd(),
        path=os.environ.get("PATH", os.defpath),
        is_system=options.system,
        user=user,
    )
    return plan.checked()


def _user(options: Any) -> str:
    if options.run_as and not options.system:
        raise Problem("usage", "--run-as is for a service of the machine", "add --system")
    return str(options.run_as or os.environ.get("SUDO_USER") or getpass.getuser()) if options.system else ""


def _name(options: Any, node: str) -> str:
    data = data_folder(options.data)
    return service_name(data, node, is_default=data == default_folder())


def _status(options: Any, manager: ServiceManager, name: str) -> int:
    state = manager.state(name)
    if not state.installed:
        raise Problem("not_found", f"there is no service {name}", "claw service install makes it")
    told = {"service": name, **msgspec.to_builtins(state)}
    facts = [("service", name), ("state", state.state), ("why", state.why), ("pid", state.pid or "")]
    facts += [("restarts", state.restarts or ""), ("starts at boot", "yes" if state.at_boot else "no")]
    emit(options, told, lambda: [Facts(facts)])
    return 0 if state.state in ("running", "starting") else 1


def _logs(options: Any, manager: ServiceManager, name: str) -> int:
    folder = data_folder(options.data) / "logs"
    files = sorted(folder.glob("*.log"))
    command = manager.logs(name, options.lines, follows=options.follow) if manager.file(name).exists() else ()
    if options.json:
        emit(options, {"service": name, "command": list(command), "files": [str(each) for each in files]}, list)
        return 0
    if not command and not files:
        raise Problem("not_found", f"there is no service {name}, and no log in {folder}")
    for file in files:
        with file.open(errors="replace") as lines:
            for line in deque(lines, options.lines):
                print(f"{file.stem}: {line.rstrip()}")
    sys.stdout.flush()
    return subprocess.run(command, check=False).returncode if command else 0


def _lingers() -> bool:
    return Path("/var/lib/systemd/linger", getpass.getuser()).exists()
