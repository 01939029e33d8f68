"""The settings as one process has them: those of the cluster, followed in the log, under what this process was given.

1. default < cluster setting < file < environment < command line: of two that say something the later one counts.
2. What was given is checked when the process starts; what the log holds and this release can't use changes nothing.
3. A change is applied in the turn of the loop in which its record comes; nothing is polled.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any, Final, Literal

import msgspec

from clawactors.eventlog import EventLog, Follower, PermissionDenied, Unavailable, aggregate_pattern
from clawactors.eventlog.requests import Requests
from clawactors.kernel.fold import Snapshot, fold
from clawactors.runtime.asking import Failure
from clawactors.runtime.serving import RequestEndpoint
from clawactors.systems.settings import CLUSTER, REGISTRY, SETTING, ClusterSettings, Setting, Settings
from clawactors.systems.settings.kind import SETTINGS
from clawactors.systems.settings.values import effective, own_check

__all__ = [
    "AFTER",
    "ORIGINS",
    "Layer",
    "LiveSettings",
    "ProcessReport",
    "ProcessSetting",
    "ReportEndpoint",
    "SettingsAfterQuestion",
    "SettingsAfterReply",
    "SettingsOriginsReply",
    "explained",
    "merged",
    "settings_subject",
]

AFTER: Final = "settings.after"
"""The question for the version of the settings, answered when it is beyond one, or soon."""
ORIGINS: Final = "settings.origins"
"""The question for what counts in each process."""

type Given = Literal["file", "environment", "command line"]

_PATTERN: Final = aggregate_pattern(SETTINGS.name, CLUSTER)
_ORDER: Final = ("file", "environment", "command line")

_NODE_SET: Final = "claw node set"

_log = logging.getLogger(__name__)


class Layer(msgspec.Struct, frozen=True, kw_only=True):
    """Values that a process was given by name; `source` says where: a path, a variable, an option."""

    origin: Given
    source: str
    values: dict[str, Any]


class ProcessSetting(msgspec.Struct, frozen=True, kw_only=True):
    """What counts in a process, and what that hides: values by their origins, the strongest first."""

    value: Any
    origin: str
    source: str = ""
    hides: tuple["ProcessSetting", ...] = ()
    pending: bool = False
    """It has changed since the process was started, and takes effect when that starts again; `value` still counts."""


class ProcessReport(msgspec.Struct, frozen=True, kw_only=True):
    """A process, the version of the settings that it has, and each setting that concerns it."""

    process: str
    version: int
    settings: dict[str, ProcessSetting]


class SettingsAfterQuestion(msgspec.Struct, frozen=True):
    """Is there a version beyond this one?"""

    version: int


class SettingsAfterReply(msgspec.Struct, frozen=True, omit_defaults=True):
    """The version that the settings have."""

    version: int = 0
    error: Failure | None = None


class SettingsOriginsReply(msgspec.Struct, frozen=True, omit_defaults=True):
    """What every process has that answered."""

    processes: tuple[ProcessReport, ...] = ()
    error: Failure | None = None


def settings_subject(process: str) -> str:
    """Where a process answers what it has: `node/n1`, or `memory`."""
    return f"claw.settings.{process.replace('/', '.')}"


def merged(state: ClusterSettings, layers: Sequence[Layer]) -> Settings:
    """What counts, of the settings of the cluster and of what a process was given. Raises: `Misconfigured`."""
    fields: dict[str, Any] = {}
    for layer in sorted(layers, key=_rank):
        fields |= {REGISTRY[name].field: own_check(name, value, layer.source) for name, value in layer.values.items()}
    return msgspec.structs.replace(effective(state.values)[0], **fields)


def explained(
    setting: Setting, state: ClusterSettings, layers: Sequence[Layer], started: Settings | None = None
) -> ProcessSetting:
    """Where the value of a setting comes from; `started` is what counted when the process was started."""
    said = [ProcessSetting(value=setting.default, origin="default")]
    usable, unfit = effective(state.values)
    if state.value(setting.name) is not None and setting.name not in unfit:
        said.insert(0, ProcessSetting(value=getattr(usable, setting.field), origin="setting"))
    for layer in sorted(layers, key=_rank):
        if setting.name in layer.values:
            value = own_check(setting.name, layer.values[setting.name], layer.source)
            said.insert(0, ProcessSetting(value=value, origin=layer.origin, source=layer.source))
    counts, *hidden = said
    has = counts.value
    if started is not None and setting.applies == "restart":
        has = getattr(started, setting.field)
    return msgspec.structs.replace(counts, hides=tuple(hidden), pending=has != counts.value, value=has)


def _rank(layer: Layer) -> int:
    return _ORDER.index(layer.origin)


class LiveSettings:
    """`open`, then `serve` until cancelled. `current` is what counts now, `started` what counted at the start."""

    def __init__(self, log: EventLog, layers: Sequence[Layer] = (), read_by: str = "all") -> None:
        self._log, self._layers, self._read_by = log, layers, read_by
        self.known: Snapshot[ClusterSettings] = Snapshot(SETTING.initial)
        self.current = self.started = merged(self.known.state, layers)
        self._watchers: list[Callable[[Settings], None]] = []
        self._changed = asyncio.Event()
        self._follower: Follower | None = None
        self._is_open = False

    def watch(self, apply: Callable[[Settings], None]) -> None:
        """Calls `apply` with what counts, now and whenever that changes."""
        self._watchers.append(apply)
        apply(self.current)

    async def open(self) -> None:
        """Knows all that is set when it returns, and misses no change. Order: idempotent. Raises: what the log raises.

        A process that may not read the settings goes on with the default, and says so in its log.
        """
        if self._is_open:
            return
        self._is_open = True
        try:
            async for batch in self._log.read([_PATTERN]):
                for record in batch:
                    self.known = fold(SETTINGS, self.known, record)
            self._follower = await self._log.follow([_PATTERN], after=self.known.version, sparse=True)
        except PermissionDenied as error:
            _log.warning("the settings of the cluster can't be read, the default counts: %s", error)
        self._apply()
        self.started = self.current

    async def serve(self) -> None:
        """Applies what changes, until cancelled. Raises: `Unavailable` when the log is followed no longer."""
        if self._follower is None:
            await asyncio.Event().wait()
            return
        async for batch in self._follower:
            for record in batch:
                self.known = fold(SETTINGS, self.known, record)
            self._apply()
        raise Unavailable("the settings are followed no longer")

    async def aclose(self) -> None:
        """Follows no longer. Order: idempotent."""
        if self._follower is not None:
            await self._follower.aclose()

    def _apply(self) -> None:
        before, self.current = self.current, merged(self.known.state, self._layers)
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
        if self.current == before:
            return
        for apply in self._watchers:
            try:
                apply(self.current)
            except Exception:  # one part must not keep the others from what was set
                _log.exception("a setting could not be applied")

    async def after(self, version: int, within_s: float) -> int:
        """The version of the cluster's settings, as soon as it is beyond this one; the same one after `within_s`."""
        try:
            async with asyncio.timeout(within_s):
                while self.known.state.version <= version:
                    await self._changed.wait()
        except TimeoutError:
            pass
        return self.known.state.version

    def report(self, process: str) -> ProcessReport:
        """What counts in this process, and why."""
        concerning = {
            name: explained(setting, self.known.state, self._layers, self.started)
            for name, setting in REGISTRY.items()
            if setting.read_by in (self._read_by, "all")
        }
        return ProcessReport(process=process, version=self.known.state.version, settings=concerning)


class ReportEndpoint(RequestEndpoint):
    """Tells control what counts in this process: a node, or memory. `told` is what it was told apart from settings."""

    def __init__(self, live: LiveSettings, process: str, told: Callable[[], dict[str, Any]] = dict) -> None:
        super().__init__()
        self._live, self._process, self._told = live, process, told

    async def open(self, requests: Requests) -> None:
        """Answers from now on. Raises: `PermissionDenied`, `Unavailable`."""
        self._serving = [await requests.serve(settings_subject(self._process), self._answer)]

    async def _answer(self, _body: bytes) -> bytes:
        report = self._live.report(self._process)
        for name, value in self._told().items():
            said = report.settings[name]
            if value != said.value:
                hidden = msgspec.structs.replace(said, hides=(), pending=False)
                report.settings[name] = ProcessSetting(value=value, origin=_NODE_SET, hides=(hidden, *said.hides))
        return msgspec.json.encode(report)
