"""The commands by name: where each lives and what it is for. A new command is one module and one line here."""

from typing import Final, NamedTuple

__all__ = ["COMMANDS", "Command"]

_HOME: Final = "clawactors.app.cli.commands"


class Command(NamedTuple):
    """A line of the overview."""

    group: str
    module: str
    summary: str


_RUN, _TASKS, _NODES, _MEMORY, _CARE = "a cluster", "tasks", "nodes", "memory", "looking after it"

COMMANDS: Final[dict[str, Command]] = {
    "up": Command(_RUN, f"{_HOME}.up", "start server, control, memory and nodes on this machine"),
    "down": Command(_RUN, f"{_HOME}.down", "stop the cluster of the data folder"),
    "join": Command(_RUN, f"{_HOME}.join", "run one node for a cluster that is there"),
    "submit": Command(_TASKS, f"{_HOME}.submit", "make a task, or with --batch many"),
    "task": Command(_TASKS, f"{_HOME}.task", "show one task, its history, or how it was"),
    "tasks": Command(_TASKS, f"{_HOME}.tasks", "list tasks, newest first"),
    "cancel": Command(_TASKS, f"{_HOME}.change", "end a task"),
    "pause": Command(_TASKS, f"{_HOME}.change", "hold a task"),
    "resume": Command(_TASKS, f"{_HOME}.change", "hold a task no more"),
    "retry": Command(_TASKS, f"{_HOME}.change", "let an ended or blocked task go once more"),
    "redrive": Command(_TASKS, f"{_HOME}.redrive", "let dead tasks go once more, many at a measured pace"),
    "signal": Command(_TASKS, f"{_HOME}.signal", "tell a task something that its code waits for"),
    "fork": Command(_TASKS, f"{_HOME}.fork", "make a task that goes on from a step of another one"),
    "edit": Command(_TASKS, f"{_HOME}.edit", "change what a task asks for, before it runs"),
    "delete": Command(_TASKS, f"{_HOME}.change", "take away a task that no node has"),
    "why": Command(_TASKS, f"{_HOME}.why", "say why a task is in its state"),
    "logs": Command(_TASKS, f"{_HOME}.logs", "show what a task printed or emitted, with -f as it comes"),
    "blob": Command(_TASKS, f"{_HOME}.blob", "fetch what a task has stored"),
    "schedule": Command(_TASKS, f"{_HOME}.schedule", "make tasks again and again, by a cron line"),
    "nodes": Command(_NODES, f"{_HOME}.nodes", "list nodes"),
    "node": Command(_NODES, f"{_HOME}.node", "show one node, or set its slots and affinity"),
    "drain": Command(_NODES, f"{_HOME}.presence", "let a node finish what it runs and take nothing new"),
    "cordon": Command(_NODES, f"{_HOME}.presence", "let a node take nothing new"),
    "uncordon": Command(_NODES, f"{_HOME}.presence", "let a node take work again"),
    "remove": Command(_NODES, f"{_HOME}.presence", "forget a node that is gone"),
    "skills": Command(_NODES, f"{_HOME}.skills", "list what the nodes can do"),
    "memory": Command(_MEMORY, f"{_HOME}.memory", "search what was lived through, add notes, import, export, forget"),
    "status": Command(_CARE, f"{_HOME}.status", "sum up the cluster, and say which server answers"),
    "doctor": Command(_CARE, f"{_HOME}.doctor", "check everything that can be checked from here"),
    "sweep": Command(_CARE, f"{_HOME}.sweep", "take large values away that no record names any more"),
    "demo": Command(_CARE, f"{_HOME}.demo", "run the main job on real input and report"),
    "bench": Command(_CARE, f"{_HOME}.bench", "measure, with the conditions"),
}
