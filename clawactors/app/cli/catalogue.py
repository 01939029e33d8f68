"""The commands by name: where each lives and what it is for. A new command is one module and one line here."""

from typing import Final, NamedTuple

__all__ = ["COMMANDS", "CatalogueEntry"]

_HOME: Final = "clawactors.app.cli.commands"


class CatalogueEntry(NamedTuple):
    """A line of the overview."""

    group: str
    module: str
    summary: str


_RUN, _TASKS, _NODES, _MEMORY, _CARE = "a cluster", "tasks", "nodes", "memory", "looking after it"

COMMANDS: Final[dict[str, CatalogueEntry]] = {
    "up": CatalogueEntry(_RUN, f"{_HOME}.up", "start server, control, memory and nodes on this machine"),
    "down": CatalogueEntry(_RUN, f"{_HOME}.down", "stop the cluster of the data folder"),
    "join": CatalogueEntry(_RUN, f"{_HOME}.join", "run one node for a cluster that is there"),
    "submit": CatalogueEntry(_TASKS, f"{_HOME}.submit", "make a task, or with --batch many"),
    "task": CatalogueEntry(_TASKS, f"{_HOME}.task", "show one task, its history, or how it was"),
    "tasks": CatalogueEntry(_TASKS, f"{_HOME}.tasks", "list tasks, newest first"),
    "cancel": CatalogueEntry(_TASKS, f"{_HOME}.change", "end a task"),
    "pause": CatalogueEntry(_TASKS, f"{_HOME}.change", "hold a task"),
    "resume": CatalogueEntry(_TASKS, f"{_HOME}.change", "hold a task no more"),
    "retry": CatalogueEntry(_TASKS, f"{_HOME}.change", "let an ended or blocked task go once more"),
    "redrive": CatalogueEntry(_TASKS, f"{_HOME}.redrive", "let dead tasks go once more, many at a measured pace"),
    "signal": CatalogueEntry(_TASKS, f"{_HOME}.signal", "tell a task something that its code waits for"),
    "fork": CatalogueEntry(_TASKS, f"{_HOME}.fork", "make a task that goes on from a step of another one"),
    "edit": CatalogueEntry(_TASKS, f"{_HOME}.edit", "change what a task asks for, before it runs"),
    "delete": CatalogueEntry(_TASKS, f"{_HOME}.change", "take away a task that no node has"),
    "why": CatalogueEntry(_TASKS, f"{_HOME}.why", "say why a task is in its state"),
    "logs": CatalogueEntry(_TASKS, f"{_HOME}.logs", "show what a task printed or emitted, with -f as it comes"),
    "blob": CatalogueEntry(_TASKS, f"{_HOME}.blob", "fetch what a task has stored"),
    "schedule": CatalogueEntry(_TASKS, f"{_HOME}.schedule", "make tasks again and again, by a cron line"),
    "nodes": CatalogueEntry(_NODES, f"{_HOME}.nodes", "list nodes"),
    "node": CatalogueEntry(_NODES, f"{_HOME}.node", "show one node, or set its slots and affinity"),
    "drain": CatalogueEntry(_NODES, f"{_HOME}.presence", "let a node finish what it runs and take nothing new"),
    "cordon": CatalogueEntry(_NODES, f"{_HOME}.presence", "let a node take nothing new"),
    "uncordon": CatalogueEntry(_NODES, f"{_HOME}.presence", "let a node take work again"),
    "remove": CatalogueEntry(_NODES, f"{_HOME}.presence", "forget a node that is gone"),
    "skills": CatalogueEntry(_NODES, f"{_HOME}.skills", "list what the nodes can do"),
    "memory": CatalogueEntry(
        _MEMORY, f"{_HOME}.memory", "search what was lived through, add notes, import, export, forget"
    ),
    "status": CatalogueEntry(_CARE, f"{_HOME}.status", "sum up the cluster, and say which server answers"),
    "doctor": CatalogueEntry(_CARE, f"{_HOME}.doctor", "check everything that can be checked from here"),
    "sweep": CatalogueEntry(_CARE, f"{_HOME}.sweep", "take large values away that no record names any more"),
    "demo": CatalogueEntry(_CARE, f"{_HOME}.demo", "run the main job on real input and report"),
    "bench": CatalogueEntry(_CARE, f"{_HOME}.bench", "measure, with the conditions"),
}
