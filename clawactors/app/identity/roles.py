"""What each role may say and hear: the subjects that a server lets its connections publish and subscribe to.

1. A right names its reason; `docs/rights.md` is made of these tables.
2. Nobody is allowed answers in general (`allow_responses`): who answers may publish to the inboxes that it answers to.
3. `<name>` stands for the name of the principal or the id of the node.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Final

import msgspec

from clawactors.eventlog import aggregate_pattern, is_id
from clawactors.eventlog.record import subject_of
from clawactors.kernel.errors import Refused
from clawactors.kernel.kind import Home, to_nobody
from clawactors.kernel.principals import node_principal
from clawactors.kinds import KINDS
from clawactors.systems.memories.kind import MEMORIES
from clawactors.systems.nodes.kind import NODES
from clawactors.systems.settings import CLUSTER
from clawactors.systems.settings.kind import SETTINGS
from clawactors.systems.tasks.kind import TASKS

__all__ = ["TABLES", "Rights", "Role", "RoleTable", "check_name", "rights_of"]


class Role(Enum):
    """What a process or a person may be."""

    ADMIN = "admin"
    CONTROL = "control"
    MEMORY = "memory"
    GATEWAY = "gateway"
    CLIENT = "client"
    OBSERVER = "observer"
    NODE = "node"
    JOIN = "join"


class Rights(msgspec.Struct, frozen=True):
    """Permissions as a server takes them: subjects, in which `*` and `>` stand for others."""

    publish: tuple[str, ...]
    subscribe: tuple[str, ...]
    deny_publish: tuple[str, ...] = ()
    deny_subscribe: tuple[str, ...] = ()


class RoleTable(msgspec.Struct, frozen=True):
    """The rights of a role, each with its reason."""

    publish: Mapping[str, str]
    subscribe: Mapping[str, str]
    deny_publish: Mapping[str, str] = {}
    deny_subscribe: Mapping[str, str] = {}


_CONTROL, _MEMORY, _ASKED, _JOIN = "control", "memory", "asked", "join"
_TAKEN: Final = frozenset((_CONTROL, _MEMORY, _ASKED, _JOIN))
"""Principals that are processes of the cluster, the inbox of control for what nodes answer, and who is invited."""

_NODES: Final = node_principal("")
_API: Final = "$JS.API"
_READ: Final = f"{_API}.CONSUMER.CREATE.CLAW_EVENTS.*"
_LIVE, _KEYS, _BLOBS = "KV_claw-live", "KV_claw-keys", "OBJ_claw-blobs"
_DISCOVERY: Final = {"$SRV.*": "it is listed as a service", "$SRV.*.>": "asked by its name", "claw.leads.*": "leads"}
_ANSWERS: Final = {"_INBOX.*.>": "answers to those who asked", "claw.leads.*": "probes who leads"}
_READING: Final = ("search", "context", "show", "export", "stats", "health", "history", "about", "recent", "working")


def _commits(home: Home) -> dict[str, str]:
    decided = {subject_of(kind.name, "*"): "what it decides" for kind in KINDS.of(home)}
    routed = [kind.name for kind in KINDS.of(home) if kind.route is not to_nobody]
    return decided | {subject_of(name, "*", to="*"): "what a node must hear of" for name in routed}


def _commands(home: Home) -> dict[str, str]:
    return {f"claw.do.{whose}{kind.name}": "commands" for kind in KINDS.of(home) for whose in ("", "*.")}


def _administration() -> dict[str, str]:
    kinds = (kind.name for kind in KINDS if kind.administers)
    both = (each for name in kinds for each in (f"claw.do.<name>.{name}", f"claw.cmd.<name>.{name}.*"))
    return dict.fromkeys(both, "for who runs the cluster")


TABLES: Final[Mapping[Role, RoleTable]] = {
    Role.ADMIN: RoleTable({">": "everything in the account"}, {">": "everything in the account"}),
    Role.CONTROL: RoleTable(
        _commits(Home.CONTROL)
        | {
            "claw.timer.*.*": "sets timers",
            "claw.dead.*": "keeps what no reader can use",
            "claw.ended.*.*": "tells clients of ends",
            "claw.live.*": "probes nodes",
            "claw.ask.*": "passes questions on to the code of a task",
            "claw.settings.>": "asks processes for what they were given",
            "claw.query.memory.*": "has memory forget what is erased",
            "claw.query.control.log": "the time of one that runs already",
            "$KV.claw-live.leader": "the lease of who leads",
            "$KV.claw-keys.*.*": "keys of owners",
            "$O.claw-blobs.C.*": "large values that clients send",
            "$O.claw-blobs.M.*": "their descriptions",
            f"{_API}.INFO": "is JetStream there",
            f"{_API}.STREAM.LIST": "which streams a backup holds",
            f"{_API}.STREAM.CREATE.*": "the streams, and those in memory after each restart of the server",
            f"{_API}.STREAM.UPDATE.*": "upgrades, and replicas",
            f"{_API}.STREAM.INFO.*": "where streams end, and what they hold",
            f"{_API}.STREAM.PURGE.*": "archive, sweeps, timers that are cancelled",
            f"{_API}.STREAM.MSG.GET.*": "single messages from who leads a stream",
            f"{_API}.DIRECT.GET.{_LIVE}.$KV.claw-live.leader": "is the lease its own",
            f"{_API}.STREAM.MSG.DELETE.{_KEYS}": "erases keys",
            f"{_API}.STREAM.MSG.DELETE.CLAW_DEAD": "drops dead letters",
            f"{_API}.STREAM.SNAPSHOT.*": "backups",
            f"{_API}.CONSUMER.CREATE.>": "reads all streams",
            f"{_API}.CONSUMER.DELETE.*.*": "ends what it reads with",
            f"{_API}.CONSUMER.MSG.NEXT.CLAW_COMMANDS.control": "takes commands of other programs",
            "$JS.ACK.CLAW_COMMANDS.control.>": "which are done",
            "$JS.SNAPSHOT.ACK.>": "goes on with a backup",
            "$JS.FC.>": "goes on with a long reading",
        }
        | _ANSWERS,
        {
            "_INBOX.control.>": "answers, and what it reads",
            "_INBOX.asked.>": "answers of nodes",
            "claw.do.>": "commands",
            "claw.query.>": "questions",
            "claw.alive.*.*": "signs of life of tasks",
        }
        | _DISCOVERY,
    ),
    Role.MEMORY: RoleTable(
        _commits(Home.MEMORY)
        | {
            "claw.do.memory.*": "tasks that consolidate",
            "claw.query.memory.*": "questions to control",
            "$KV.claw-live.memory-leader": "the lease of who decides on memories",
            "$KV.claw-keys.*.*": "keys of owners",
            f"{_API}.INFO": "is JetStream there",
            f"{_API}.STREAM.INFO.*": "where the log ends",
            f"{_API}.STREAM.MSG.GET.CLAW_EVENTS": "single aggregates",
            f"{_API}.DIRECT.GET.{_LIVE}.$KV.claw-live.memory-leader": "is the lease its own",
            f"{_API}.STREAM.MSG.*.{_KEYS}": "keys of owners, and their erasure",
            f"{_API}.CONSUMER.CREATE.CLAW_EVENTS.>": "reads the log",
            f"{_API}.CONSUMER.DELETE.CLAW_EVENTS.*": "ends what it reads with",
            "$JS.FC.CLAW_EVENTS.>": "goes on with a long reading",
        }
        | _ANSWERS,
        {
            "_INBOX.memory.>": "answers, and what it reads",
            "claw.query.memory.*": "questions of the cluster's own account",
            "claw.query.*.memory.*": "questions of everybody else",
            "claw.settings.memory": "tells control what it was given",
        }
        | _commands(Home.MEMORY)
        | _DISCOVERY,
    ),
    Role.GATEWAY: RoleTable(
        {
            "claw.do.*.>": "commands of those who signed in to it",
            "claw.query.*.>": "their questions",
            "claw.cmd.*.*.*": "their commands while nobody leads",
            "claw.identities.in_effect": "asks whether who was revoked is out",
            f"{_API}.INFO": "is there a cluster",
            f"{_API}.STREAM.INFO.*": "how the servers are",
        }
        | {f"claw.do.{kind.name}": "of who runs the cluster" for kind in KINDS.of(Home.MEMORY)},
        {"_INBOX.*.>": "answers to those who signed in to it", "claw.ended.*.*": "ends of what they await"},
        deny_subscribe={f"_INBOX.{each}.>": "what is no client's" for each in sorted(_TAKEN)},
    ),
    Role.CLIENT: RoleTable(
        {
            "claw.do.<name>.>": "commands",
            "claw.query.<name>.>": "questions",
            "claw.cmd.<name>.*.*": "commands while nobody leads",
            "claw.join.<name>": "draws a new key",
        },
        {"_INBOX.<name>.>": "answers", "claw.ended.<name>.*": "ends of what it awaits"},
        deny_publish=_administration(),
    ),
    Role.OBSERVER: RoleTable(
        {
            "claw.query.<name>.*": "questions, histories, output, the log as it comes",
            "claw.do.<name>.await": "asks to be told of ends",
            "claw.join.<name>": "draws a new key",
        }
        | {f"claw.query.<name>.memory.{name}": "what memory holds" for name in _READING},
        {"_INBOX.<name>.>": "answers", "claw.ended.<name>.*": "ends of what it awaits"},
        deny_publish={"claw.query.<name>.ask": "it runs code of a task"},
    ),
    Role.NODE: RoleTable(
        {
            subject_of(TASKS.name, "*", writer="<name>"): "what becomes of attempts that it holds",
            subject_of(NODES.name, "<name>", writer="<name>"): "joins and leaves",
            subject_of(MEMORIES.name, "*", writer="<name>"): "new memories of its tasks",
            "claw.output.*.*.from.<name>": "what its tasks print and emit",
            "claw.alive.<name>.*": "signs of life of its tasks",
            "claw.live.<name>": "is another of its id alive",
            f"claw.do.{_NODES}<name>.task": "children of its tasks",
            f"claw.query.{_NODES}<name>.*": "states of tasks, skills, keys",
            f"claw.query.{_NODES}<name>.memory.*": "what its tasks recall",
            "$KV.claw-live.node.<name>.*": "its lease",
            "$O.claw-blobs.C.*": "large values",
            "$O.claw-blobs.M.*": "their descriptions",
            "_INBOX.asked.<name>.>": "answers to control",
            f"_INBOX.{_NODES}<name>.>": "tells another of its id that it is alive",
            f"claw.join.{_NODES}<name>": "draws a new key",
            f"{_API}.INFO": "is JetStream there",
            f"{_API}.STREAM.INFO.CLAW_EVENTS": "where the log ends",
            f"{_API}.STREAM.INFO.{_BLOBS}": "where the large values end",
            f"{_API}.STREAM.MSG.GET.{_BLOBS}": "descriptions of large values",
            f"{_API}.DIRECT.GET.{_LIVE}.$KV.claw-live.node.<name>.*": "is a lease whose answer was lost its own",
            f"{_READ}.{subject_of(TASKS.name, '*', to='<name>')}": "what is addressed to it",
            f"{_READ}.{aggregate_pattern(NODES.name, '<name>')}": "what is decided about it",
            f"{_READ}.{aggregate_pattern(SETTINGS.name, CLUSTER)}": "settings of the cluster",
            f"{_API}.CONSUMER.CREATE.{_BLOBS}.*.$O.claw-blobs.C.*": "large values",
            f"{_API}.CONSUMER.DELETE.CLAW_EVENTS.*": "ends what it reads with; names of others can't be guessed",
            f"{_API}.CONSUMER.DELETE.{_BLOBS}.*": "as above",
            "$JS.FC.CLAW_EVENTS.>": "goes on with a long reading",
            f"$JS.FC.{_BLOBS}.>": "as above",
        },
        {
            f"_INBOX.{_NODES}<name>.>": "answers, and what it reads",
            "claw.live.<name>": "probes",
            "claw.ask.<name>": "questions to the code of its tasks",
            "claw.settings.node.<name>": "tells control what it was given",
        },
    ),
    Role.JOIN: RoleTable({"claw.join.join": "takes up an invitation"}, {"_INBOX.join.<name>.>": "the answer"}),
}


def check_name(role: Role, name: str) -> None:
    """Raises `Refused` for a name that nobody of that role may have: it would stand for others, or be taken for one."""
    if not is_id(name):
        raise Refused(f"{name[:60]!r} is no name: use 1 to 128 letters, digits, '-' or '_'")
    if role in (Role.CLIENT, Role.OBSERVER, Role.JOIN) and (name in _TAKEN or name.startswith(_NODES)):
        raise Refused(f"the name {name!r} is taken by a process of the cluster: choose another one")


def rights_of(role: Role, name: str) -> Rights:
    """The rights of one of that role. `name` has passed `check_name`, or is what the server replaces by such a name."""
    table = TABLES[role]

    def named(subjects: Mapping[str, str]) -> tuple[str, ...]:
        return tuple(subject.replace("<name>", name) for subject in subjects)

    return Rights(named(table.publish), named(table.subscribe), named(table.deny_publish), named(table.deny_subscribe))
