"""The commands by name, each with its module and summary.

A new command is one module in `commands`, one function in `arguments` and one line here.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from clawactors.app.cli.parsing import Parser

__all__ = ["COMMANDS", "FOR_SCRIPTS", "CatalogueEntry"]

_HOME: Final = "clawactors.app.cli.commands"
_ARGUMENTS: Final = "clawactors.app.cli.arguments"


class CatalogueEntry(NamedTuple):
    """One line of the overview."""

    group: str
    module: str
    summary: str
    takes_rest: bool = False  # what follows `--` is another command

    def declare(self, parser: "Parser") -> None:
        """Declares what the command takes; imports nothing of what it does."""
        name = self.module.rpartition(".")[2]
        getattr(import_module(f"{_ARGUMENTS}.{_PLACES.get(name) or _PLACES[self.group]}"), name)(parser)


_RUN, _TASKS, _NODES, _MEMORY, _CARE = "a cluster", "tasks", "nodes", "memory", "looking after it"
_PLACES: Final = {
    **dict.fromkeys((_RUN, _NODES, _CARE, ""), "cluster"),
    _TASKS: "tasks",
    **dict.fromkeys(("task", "diff"), "reading"),
    "key": "keys",
    **dict.fromkeys(("invite", "join", "who", "revoke", "rotate", "tenant"), "identities"),
    _MEMORY: "memory",
    **dict.fromkeys(("archive", "cluster", "compact", "erase", "sweep"), "upkeep"),
    "schedule": "schedules",
    "trigger": "triggers",
    "notify": "notify",
    "chat": "chat",
    "workflow": "workflows",
    "ask": "ask",
    "config": "config",
    **dict.fromkeys(("backup", "restore"), "backups"),
    "mcp": "mcp",
    "deadletters": "deadletters",
    "top": "top",
    "queue": "queue",
    "daemon": "daemons",
}
"""The module of `arguments` that has those of a group; or of one command of it."""

COMMANDS: Final[dict[str, CatalogueEntry]] = {
    "up": CatalogueEntry(_RUN, f"{_HOME}.up", "start server, control, memory and nodes on this machine"),
    "down": CatalogueEntry(_RUN, f"{_HOME}.down", "stop the cluster of the data folder"),
    "join": CatalogueEntry(_RUN, f"{_HOME}.join", "run one node for an existing cluster"),
    "service": CatalogueEntry(_RUN, f"{_HOME}.daemon", "let the machine start a cluster or a node at boot", True),
    "serve": CatalogueEntry(_RUN, f"{_HOME}.serve", "serve the HTTP API and the dashboard of a running cluster"),
    "mcp": CatalogueEntry(_RUN, f"{_HOME}.mcp", "serve agents and editors: the Model Context Protocol"),
    "submit": CatalogueEntry(_TASKS, f"{_HOME}.submit", "submit a task, or many with --batch"),
    "task": CatalogueEntry(_TASKS, f"{_HOME}.task", "show a task, its history, or an earlier state"),
    "diff": CatalogueEntry(_TASKS, f"{_HOME}.diff", "show what changed in a task between two moments"),
    "tasks": CatalogueEntry(_TASKS, f"{_HOME}.tasks", "list tasks, newest first"),
    "pending": CatalogueEntry(_TASKS, f"{_HOME}.pending", "list pending tasks by priority, then by age"),
    "queue": CatalogueEntry(_TASKS, f"{_HOME}.queue", "show which pending tasks are next, and why"),
    "cancel": CatalogueEntry(_TASKS, f"{_HOME}.change", "cancel tasks"),
    "pause": CatalogueEntry(_TASKS, f"{_HOME}.change", "pause tasks"),
    "resume": CatalogueEntry(_TASKS, f"{_HOME}.change", "resume a paused task"),
    "retry": CatalogueEntry(_TASKS, f"{_HOME}.change", "retry a finished or blocked task"),
    "redrive": CatalogueEntry(_TASKS, f"{_HOME}.redrive", "retry dead tasks, optionally rate-limited"),
    "signal": CatalogueEntry(_TASKS, f"{_HOME}.signal", "send a signal that a task's code waits for"),
    "ask": CatalogueEntry(_TASKS, f"{_HOME}.ask", "ask the code of a task that runs or waits"),
    "approvals": CatalogueEntry(_TASKS, f"{_HOME}.approvals", "list what tasks ask people for"),
    "approve": CatalogueEntry(_TASKS, f"{_HOME}.approve", "approve what a task asks for"),
    "deny": CatalogueEntry(_TASKS, f"{_HOME}.approve", "deny what a task asks for"),
    "fork": CatalogueEntry(_TASKS, f"{_HOME}.fork", "start a new task from a step of another one"),
    "edit": CatalogueEntry(_TASKS, f"{_HOME}.edit", "change a task before it runs"),
    "delete": CatalogueEntry(_TASKS, f"{_HOME}.change", "delete a task that no node runs"),
    "why": CatalogueEntry(_TASKS, f"{_HOME}.why", "explain why a task is in its state"),
    "logs": CatalogueEntry(_TASKS, f"{_HOME}.logs", "show what a task printed or emitted; -f follows it"),
    "files": CatalogueEntry(_TASKS, f"{_HOME}.files", "list the files of a task, or fetch one"),
    "blob": CatalogueEntry(_TASKS, f"{_HOME}.blob", "fetch a value that a task has stored"),
    "schedule": CatalogueEntry(_TASKS, f"{_HOME}.schedule", "run tasks on a cron schedule"),
    "trigger": CatalogueEntry(_TASKS, f"{_HOME}.trigger", "submit a task or call a webhook when something happens"),
    "notify": CatalogueEntry(_TASKS, f"{_HOME}.notify", "tell people when a task dies, asks, or the disk is full"),
    "chat": CatalogueEntry(_TASKS, f"{_HOME}.chat", "answer people in a chat; say who may talk"),
    "workflow": CatalogueEntry(_TASKS, f"{_HOME}.workflow", "run steps that a YAML, TOML or JSON file describes"),
    "nodes": CatalogueEntry(_NODES, f"{_HOME}.nodes", "list nodes"),
    "node": CatalogueEntry(_NODES, f"{_HOME}.node", "show a node, or set its slots and affinity"),
    "drain": CatalogueEntry(_NODES, f"{_HOME}.presence", "let a node finish its tasks and take no new ones"),
    "cordon": CatalogueEntry(_NODES, f"{_HOME}.presence", "stop placing new tasks on a node"),
    "uncordon": CatalogueEntry(_NODES, f"{_HOME}.presence", "place tasks on a node again"),
    "remove": CatalogueEntry(_NODES, f"{_HOME}.presence", "remove a node that has left"),
    "skills": CatalogueEntry(_NODES, f"{_HOME}.skills", "list the skills that nodes offer"),
    "memory": CatalogueEntry(
        _MEMORY, f"{_HOME}.memory", "search past tasks, chats and notes; add, import, export, forget"
    ),
    "status": CatalogueEntry(_CARE, f"{_HOME}.status", "show the state of the cluster, and which server answers"),
    "cluster": CatalogueEntry(_CARE, f"{_HOME}.cluster", "show the servers, who leads, and which may be stopped now"),
    "top": CatalogueEntry(_CARE, f"{_HOME}.top", "watch rates, queue, nodes and running tasks on a live screen"),
    "dead-letters": CatalogueEntry(
        _CARE, f"{_HOME}.deadletters", "list, redrive or drop what came to nothing: tasks, deliveries, messages"
    ),
    "stats": CatalogueEntry(
        _CARE, f"{_HOME}.stats", "count tasks by skill, node, user, error and hour; durations; sizes"
    ),
    "doctor": CatalogueEntry(_CARE, f"{_HOME}.doctor", "check server, cluster and data folder"),
    "config": CatalogueEntry(_CARE, f"{_HOME}.config", "show, set, roll back and watch settings of the cluster"),
    "archive": CatalogueEntry(_CARE, f"{_HOME}.archive", "move tasks that ended long ago to the archive"),
    "erase": CatalogueEntry(_CARE, f"{_HOME}.erase", "erase all data of a user for good"),
    "compact": CatalogueEntry(_CARE, f"{_HOME}.compact", "give back the space of what is gone"),
    "sweep": CatalogueEntry(_CARE, f"{_HOME}.sweep", "delete large values that no record refers to"),
    "backup": CatalogueEntry(_CARE, f"{_HOME}.backup", "write the whole cluster to one file, while it runs"),
    "restore": CatalogueEntry(_CARE, f"{_HOME}.restore", "make a cluster of a backup, in an empty data folder"),
    "key": CatalogueEntry(_CARE, f"{_HOME}.key", "add, list and revoke keys of programs that ask over HTTP"),
    "invite": CatalogueEntry(_CARE, f"{_HOME}.invite", "print a line by which a machine or a person joins"),
    "who": CatalogueEntry(_CARE, f"{_HOME}.who", "list the machines and people who may connect"),
    "revoke": CatalogueEntry(_CARE, f"{_HOME}.revoke", "end what a machine or a person may, at once"),
    "rotate": CatalogueEntry(_CARE, f"{_HOME}.rotate", "draw a new key for this machine in the cluster that it joined"),
    "tenant": CatalogueEntry(_CARE, f"{_HOME}.tenant", "add, list and remove accounts of their own on this server"),
    "login": CatalogueEntry(_CARE, f"{_HOME}.login", "print a link that signs a browser in to the dashboard, once"),
    "demo": CatalogueEntry(_CARE, f"{_HOME}.demo", "run the main job on real input and report"),
    "completion": CatalogueEntry(_CARE, f"{_HOME}.completion", "print a completion script for bash, zsh or fish"),
    "bench": CatalogueEntry(_CARE, f"{_HOME}.bench", "run benchmarks and print their conditions"),
}

FOR_SCRIPTS: Final[dict[str, CatalogueEntry]] = {
    "__complete": CatalogueEntry("", f"{_HOME}.candidates", "print completions of the last word"),
}
"""Commands that completion scripts call; no overview shows them."""
