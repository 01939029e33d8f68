"""Settings as a client sees them: read, set, rolled back, watched."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec

from clawactors.eventlog import Record, writer_of
from clawactors.kernel.errors import InvalidQuery, NotFound
from clawactors.kernel.fold import Snapshot
from clawactors.kernel.time import iso
from clawactors.kinds import DECODER
from clawactors.runtime.asking import checked_reply
from clawactors.runtime.client.history import read_records
from clawactors.runtime.client.named import NamedChanges
from clawactors.runtime.client.reader import place_of
from clawactors.runtime.client.settingrows import SettingChange, SettingRow, ValueChange, setting_rows, with_origins
from clawactors.runtime.hedging import ask_until_answered
from clawactors.runtime.settings import (
    AFTER,
    ORIGINS,
    Layer,
    ProcessReport,
    SettingsAfterQuestion,
    SettingsAfterReply,
    SettingsOriginsReply,
    merged,
)
from clawactors.runtime.times import Moment
from clawactors.systems.settings import CLUSTER, REGISTRY, SETTING, ClusterSettings, Settings
from clawactors.systems.settings.events import SettingsChanged
from clawactors.systems.settings.external import ChangeSettingsRequest
from clawactors.systems.settings.kind import SETTINGS
from clawactors.systems.settings.values import checked_name

if TYPE_CHECKING:
    from clawactors.runtime.client.client import ClusterClient

__all__ = ["ClusterConfig", "one_of"]

type SettingRows = list[SettingRow]
type SettingChanges = list[SettingChange]

_ANSWER_S: Final = 3.0
_encode: Final = msgspec.json.Encoder().encode


class ClusterConfig(NamedChanges[ClusterSettings]):
    """The settings of a cluster, as its client sees them. All raise `Unavailable`."""

    def __init__(self, client: "ClusterClient") -> None:
        super().__init__(client, SETTINGS.name, ClusterSettings, str)

    # Reading

    async def list(self, *, origins: bool = False, at_seq: int | None = None, at: Moment | None = None) -> SettingRows:
        """All settings by name, now or at a sequence or time of the log.

        `origins`: with what counts in each process now, and why. Raises: `InvalidQuery` for two of these.
        """
        place = place_of(at_seq, at)
        if place is not None:
            if origins:
                raise InvalidQuery("what a process was given is not on record: ask for its origin now, or for the past")
            return setting_rows(await self._state_at(*place))
        rows = setting_rows((await self._known()).state)
        return with_origins(rows, await self._reports()) if origins else rows

    async def get(
        self, name: str, *, origins: bool = False, at_seq: int | None = None, at: Moment | None = None
    ) -> SettingRow:
        """One setting. Raises: `Refused` for a name that there is not; as `list`."""
        return one_of(await self.list(origins=origins, at_seq=at_seq, at=at), name)

    async def settings(self, given: Sequence[Layer] = ()) -> Settings:
        """What the cluster is set to, with types, under what a program of yours was `given` beside it."""
        return merged((await self._known()).state, given)

    async def version(self) -> int:
        """The version of the settings: how often they were changed."""
        return (await self._known()).state.version

    async def _known(self) -> Snapshot[ClusterSettings]:
        return await self._client.state(SETTINGS.name, CLUSTER, ClusterSettings)

    # Changing

    async def set(self, name: str, value: Any, *, reason: str = "", if_version: int | None = None) -> SettingRow:
        """Sets one; the value is JSON, or text as `claw config set` takes it. To set the same again changes nothing.

        `if_version`: only if it has not changed since that version of the settings.
        Raises: `Refused` (no such setting, a value that it does not take, a secret, changed since), `InvalidQuery`.
        """
        if value is None:
            raise InvalidQuery(f"None is not a value: unset({name!r}) takes a setting back to its default")
        return one_of(await self.change({name: value}, reason=reason, if_version=if_version), name)

    async def unset(self, name: str, *, reason: str = "", if_version: int | None = None) -> SettingRow | None:
        """Takes one back to its default; None for one that only a later release has. Raises: as `set`."""
        rows = await self.change({name: None}, reason=reason, if_version=if_version)
        return next((row for row in rows if row.name == name), None)

    async def change(
        self, changes: Mapping[str, Any], *, reason: str = "", if_version: int | None = None
    ) -> SettingRows:
        """Sets several, all or none, None for the default; returns all settings after it. Raises: as `set`."""
        return await self._changed(changes, reason, if_version)

    async def _changed(
        self, changes: Mapping[str, Any], reason: str, if_version: int | None, rolled_back_to: int = 0
    ) -> SettingRows:
        if if_version is not None and (type(if_version) is not int or if_version < 0):
            raise InvalidQuery(f"{if_version!r} is not a version of the settings: they are 0, 1, 2 …")
        request = ChangeSettingsRequest(
            changes=dict(changes), reason=reason, if_version=if_version, rolled_back_to=rolled_back_to
        )
        return setting_rows((await self._ask(CLUSTER, request)).state)

    async def rollback(self, version: int, *, reason: str = "", if_version: int | None = None) -> SettingRows:
        """Sets all settings back to what they were at that version, 0 for before the first; returns them after it.

        What a later release has set stays. Raises: `NotFound` for a version that there is not, `Refused`.
        """
        then = (await self._version(version)).values
        known = await self._known()
        now = known.state.values
        changes = {name: then.get(name) for name in REGISTRY if then.get(name) != now.get(name)}
        if not changes:
            return setting_rows(known.state)
        guard = known.state.version if if_version is None else if_version
        return await self._changed(changes, reason, guard, version)

    async def difference(self, begin: int, end: int | None = None) -> dict[str, ValueChange]:
        """What differs between two versions of the settings, by default up to now. Raises: `NotFound`."""
        before = (await self._version(begin)).values
        after = ((await self._known()).state if end is None else await self._version(end)).values
        names = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
        return {name: ValueChange(before.get(name), after.get(name)) for name in names}

    async def _version(self, version: int) -> ClusterSettings:
        state: ClusterSettings = SETTING.initial
        if not version:
            return state
        async for _, _, _, state in self._events():
            if state.version == version:
                return state
        raise NotFound(f"there is no version {version} of the settings: they are at {state.version}")

    async def _state_at(self, unit: str, most: int) -> ClusterSettings:
        state: ClusterSettings = SETTING.initial
        async for record, _, _, after in self._events():
            if (record.seq if unit == "seq" else record.at_ns) > most:
                break
            state = after
        return state

    # Their history

    async def history(self, name: str = "") -> SettingChanges:
        """Every change, oldest first; with a name only of that setting. Raises: `Refused` for a name that is none."""
        changes = await self._changes_after(0)
        if not name:
            return changes
        found = [
            msgspec.structs.replace(each, changes={name: each.changes[name]})
            for each in changes
            if name in each.changes
        ]
        if not found:
            checked_name(name)
        return found

    async def watch(self, after: int | None = None) -> AsyncGenerator[SettingChange]:
        """Changes as they are made, without end; those after that version, by default from now on.

        Raises: `InvalidQuery` for a version that there is not yet.
        """
        version = await self.version()
        if after is not None and not 0 <= after <= version:
            raise InvalidQuery(f"the settings are at version {version}: nothing comes after {after} yet")
        version = version if after is None else after
        while True:
            question = _encode(SettingsAfterQuestion(version))
            now = await self._asked(AFTER, question, SettingsAfterReply)
            if now.version > version:
                for change in await self._changes_after(version):
                    version = change.version
                    yield change

    async def _changes_after(self, version: int) -> SettingChanges:
        return [
            _change(record, event, before, after)
            async for record, event, before, after in self._events()
            if after.version > version
        ]

    async def _events(self) -> AsyncGenerator[tuple[Record, SettingsChanged, ClusterSettings, ClusterSettings]]:
        """Each change with the settings before and after it, oldest first, as far as this release understands them."""
        state: ClusterSettings = SETTING.initial
        async for record in read_records(self._client.questions, SETTINGS.name, CLUSTER):
            if writer_of(record.subject):  # settings are control's
                continue
            for event in DECODER.decode(record).events:
                after = SETTING.evolve(state, event, record.at_ns)
                if after is not state:
                    yield record, event, state, after
                state = after

    # What counts where

    async def _reports(self) -> tuple[ProcessReport, ...]:
        return (await self._asked(ORIGINS, b"{}", SettingsOriginsReply)).processes

    async def _asked[T: SettingsAfterReply | SettingsOriginsReply](
        self, name: str, question: bytes, type: type[T]
    ) -> T:
        def read(answer: bytes) -> T:
            return checked_reply(msgspec.json.decode(answer, type=type))

        client = self._client
        subject = f"claw.query.{client.principal}.{name}"
        return await ask_until_answered(
            client.requests, subject, question, read, _ANSWER_S, "this client asks for settings too often at once"
        )


def one_of(rows: SettingRows, name: str) -> SettingRow:
    """The row of that setting. Raises: `Refused` with the nearest name."""
    for row in rows:
        if row.name == name:
            return row
    checked_name(name)
    raise NotFound(f"there is no setting {name!r}")


def _change(record: Record, event: SettingsChanged, before: ClusterSettings, after: ClusterSettings) -> SettingChange:
    return SettingChange(
        version=after.version,
        seq=record.seq,
        at=iso(record.at_ns),
        by=event.by or record.by,
        reason=event.reason,
        rolled_back_to=event.rolled_back_to,
        changes={name: ValueChange(before.value(name), value) for name, value in sorted(event.changes.items())},
    )
