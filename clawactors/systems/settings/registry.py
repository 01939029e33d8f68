"""The registry of settings: the one place that says which there are, and what each takes, means and takes effect on.

1. A setting is a field of `Settings`: its default, and beside the type what people have to know of it.
2. Only what takes effect is a setting, and no secret ever is.
3. A name stays; a setting that is dropped is refused as unknown, and one of a later release is kept in the log.
"""

from typing import Annotated, Any, Final, Literal, get_type_hints

import msgspec

from clawactors.systems.tasks.task import MAX_RETRIES

__all__ = ["DEFAULTS", "REGISTRY", "Applies", "Setting", "SettingType", "Settings", "WhereRead"]

_DAY_S: Final = 86_400.0

type SettingType = Literal["duration", "number", "flag", "choice", "folder", "weights"]
type WhereRead = Literal["control", "memory", "node", "all", "commands"]
"""Which processes read it: control, memory, nodes, all of them, or the commands of `claw`."""
type Applies = Literal["live", "restart"]


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """One setting. Durations are in seconds, as the range; `off`: 0 s is allowed, and means never.

    `read_by` is the kind of process that it concerns. One that `applies` on a restart takes effect when that process
    starts again, each other at once.
    """

    name: str
    type: SettingType
    meaning: str
    read_by: WhereRead
    applies: Applies = "live"
    unit: str = ""
    least: float = 0.0
    most: float = 0.0
    off: bool = False
    choices: tuple[str, ...] = ()
    default: Any = None
    field: str = ""

    @property
    def takes_effect(self) -> str:
        """When a change takes effect, in words."""
        if self.read_by == "commands":
            return "with the next command"
        who = {"all": "each process", "node": "a node"}.get(self.read_by, self.read_by)
        return "at once" if self.applies == "live" else f"when {who} starts again"


def _duration(name: str, meaning: str, read_by: WhereRead, least: float, most: float, **more: Any) -> Setting:
    return Setting(
        name=name, type="duration", meaning=meaning, read_by=read_by, unit="s", least=least, most=most, **more
    )


def _number(name: str, meaning: str, read_by: WhereRead, least: float, most: float, **more: Any) -> Setting:
    return Setting(name=name, type="number", meaning=meaning, read_by=read_by, least=least, most=most, **more)


def _flag(name: str, meaning: str, read_by: WhereRead) -> Setting:
    return Setting(name=name, type="flag", meaning=meaning, read_by=read_by)


_YEARS_S: Final = 100 * 365 * _DAY_S


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings as a process reads them."""

    alarm_disk: Annotated[
        int, _number("alarm.disk", "a disk this full raises the alarm disk", "control", 10, 99, unit="percent")
    ] = 92
    alarm_lag: Annotated[
        int,
        _number(
            "alarm.lag",
            "views so far behind the log raise the alarm lag",
            "control",
            10,
            1_000_000_000,
            unit="commits",
        ),
    ] = 10_000
    archive_after: Annotated[
        float,
        _duration(
            "archive.after", "tasks move to the archive so long after their end", "control", 1, _YEARS_S, off=True
        ),
    ] = 30 * _DAY_S
    backup_folder: Annotated[
        str,
        Setting(
            name="backup.folder",
            type="folder",
            meaning="where the leader makes backups, on its machine; '' for no plan",
            read_by="control",
        ),
    ] = ""
    backup_every: Annotated[
        float, _duration("backup.every", "how often it makes one", "control", 60, 366 * _DAY_S, off=True)
    ] = _DAY_S
    backup_keep: Annotated[
        int, _number("backup.keep", "the newest so many stay", "control", 1, 10_000, unit="backups")
    ] = 7
    log_level: Annotated[
        str,
        Setting(
            name="log.level",
            type="choice",
            meaning="what control, memory and nodes write to their logs, and all that is worse",
            read_by="all",
            choices=("debug", "info", "warning", "error"),
        ),
    ] = "warning"
    memory_daily: Annotated[
        float,
        _duration(
            "memory.daily",
            "how often memory consolidates what is new since the last time",
            "memory",
            1,
            _YEARS_S,
            off=True,
        ),
    ] = _DAY_S
    memory_incremental: Annotated[
        bool, _flag("memory.incremental", "memory consolidates memories as they come", "memory")
    ] = True
    memory_extracts: Annotated[bool, _flag("memory.extracts", "memories are made of chat messages", "memory")] = True
    node_lease: Annotated[
        float,
        _duration(
            "node.lease", "a node counts as dead after so long without a heartbeat", "node", 1, 120, applies="restart"
        ),
    ] = 1.5
    node_parked: Annotated[
        int,
        _number("node.parked", "waiting tasks whose code a node keeps in memory", "node", 0, 10_000_000, unit="tasks"),
    ] = 10_000
    node_slots: Annotated[
        int,
        _number("node.slots", "tasks that a node runs at once", "node", 0, 100_000, unit="tasks", applies="restart"),
    ] = 5
    queue_fair: Annotated[
        bool, _flag("queue.fair", "users share the places of pending tasks, by their weights", "control")
    ] = True
    queue_order: Annotated[
        str,
        Setting(
            name="queue.order",
            type="choice",
            meaning="in which order the pending tasks of a user are placed",
            read_by="control",
            choices=("fifo", "priority", "deadline"),
        ),
    ] = "priority"
    queue_patience: Annotated[
        float,
        _duration(
            "queue.patience",
            "a task that has waited for so long gets every second place of its user",
            "control",
            1,
            _YEARS_S,
            off=True,
        ),
    ] = 600.0
    queue_weights: Annotated[
        str,
        Setting(
            name="queue.weights",
            type="weights",
            meaning="shares of users, as in maya=3 ci=0.5; 1 for others",
            read_by="control",
        ),
    ] = ""
    sweep_older: Annotated[
        float,
        _duration(
            "sweep.older-than",
            "claw sweep and claw compact delete large values that are older",
            "commands",
            _DAY_S,
            _YEARS_S,
        ),
    ] = 7 * _DAY_S
    task_retries: Annotated[
        int,
        _number(
            "task.retries",
            "retries of a task where neither it nor its skill says",
            "node",
            0,
            1_000_000,
            unit="retries",
        ),
    ] = MAX_RETRIES
    task_silence: Annotated[
        float,
        _duration(
            "task.silence", "an attempt that shows no sign of life for so long is ended", "control", 60, _YEARS_S
        ),
    ] = 900.0
    task_timeout: Annotated[
        float,
        _duration(
            "task.timeout",
            "longest attempt of a task where neither it nor its skill says",
            "node",
            0.001,
            _YEARS_S,
            off=True,
        ),
    ] = 0.0


def _registry() -> dict[str, Setting]:
    defaults, found = Settings(), {}
    for field, hint in get_type_hints(Settings, include_extras=True).items():
        setting: Setting = hint.__metadata__[0]
        found[setting.name] = msgspec.structs.replace(setting, field=field, default=getattr(defaults, field))
    return dict(sorted(found.items()))


REGISTRY: Final = _registry()
"""All settings by name, in the order of their names."""
DEFAULTS: Final = Settings()
