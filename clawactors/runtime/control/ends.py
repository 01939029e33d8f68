"""Tells clients which of the tasks that they await have ended, many in a message.

1. A client registers what it awaits; what has ended already is in the answer.
2. What ends is told once per turn of the loop, numbered per client; every second a heartbeat repeats the number.
3. Nothing here is durable: a client that missed something, or that has another leader now, registers again.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any, Final, override

import msgspec

from clawactors.eventlog import is_id
from clawactors.eventlog.requests import Requests
from clawactors.kernel.errors import Refused
from clawactors.runtime.asking import BLOCKED, Ended, EndNotice, RegisterReply, RegisterRequest
from clawactors.runtime.control.folded import EndedState, FoldedSnapshots
from clawactors.runtime.naming import new_id
from clawactors.runtime.serving import RequestEndpoint, answering
from clawactors.systems.tasks import TaskStatus

__all__ = ["EndNotifier", "ended_of"]

_BEAT_S: Final = 1.0
_SILENT_BEATS: Final = 600
"""A client that asks for nothing in so many heartbeats is taken to be gone."""
_INLINE_MAX_BYTES: Final = 8192
_NOTICE_MAX_BYTES: Final = 400_000
_RECENT: Final = 20_000
"""So many completed tasks are kept as they were told, for those who ask soon after."""
_RECENT_MAX_BYTES: Final = 256

_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(RegisterRequest).decode


class _Client(msgspec.Struct, gc=False):
    """One that awaits: its row of notices, and what goes out with the next one."""

    subject: str
    number: int = 0
    awaited: set[str] = msgspec.field(default_factory=set)
    ended: list[Ended] = msgspec.field(default_factory=list)
    beats: int = 0


def ended_of(id: str, version: int, life: "EndedState | TaskStatus", *, erased: bool = False) -> Ended:
    """The end of a task as it is told; a large result is left out."""
    result: Any = life.result
    large = bool(result) and not isinstance(result, int | float) and len(_encode(result)) > _INLINE_MAX_BYTES
    error = None if life.error is None else msgspec.to_builtins(life.error)
    return Ended(id, version, life.status, None if large else result, large, error, erased=erased)


def _blocked(id: str, version: int, life: TaskStatus) -> Ended:
    return Ended(id, version, BLOCKED, error={"class": BLOCKED, "message": life.blocked_reason})


class EndNotifier(RequestEndpoint):
    """Who awaits what. `opened` while this process leads; `on_ended` is called for each task as it ends.

    `is_open` tells of a task that is surely there, as of what is folded, and is neither blocked nor ended.
    """

    def __init__(self, requests: Requests, snapshots: FoldedSnapshots, is_open: Callable[[str], bool]) -> None:
        super().__init__()
        self._requests, self._snapshots, self._is_open = requests, snapshots, is_open
        self._epoch = new_id()
        self._clients: dict[str, _Client] = {}
        self._by_task: dict[str, list[_Client]] = {}
        self._due: dict[str, _Client] = {}
        self._recent: OrderedDict[str, Ended] = OrderedDict()
        self._beat: asyncio.TimerHandle | None = None

    async def open(self, requests: Requests) -> None:
        """Takes registrations, as a new epoch. Raises: `PermissionDenied`, `Unavailable`."""
        self._epoch = new_id()
        self._clients.clear()
        self._by_task.clear()
        self._serving = [await requests.answer("claw.do.*.await", self._register)]
        self._beat = asyncio.get_running_loop().call_later(_BEAT_S, self._tell_beats)

    @override
    async def aclose(self) -> None:
        """Takes none any longer. Order: idempotent."""
        if self._beat is not None:
            self._beat.cancel()
            self._beat = None
        await super().aclose()

    def awaits(self, client: str, ids: Iterable[str]) -> None:
        """A client wants to hear of these ends, none of which has come yet."""
        entry = self._client(client)
        entry.beats = 0
        for id in ids:
            if id not in entry.awaited:
                entry.awaited.add(id)
                self._by_task.setdefault(id, []).append(entry)

    def on_ended(self, id: str, version: int, life: TaskStatus) -> None:
        """A task has ended."""
        clients = self._by_task.pop(id, None)
        stays = life.status == "completed"
        if not (stays or clients):
            return
        ended = ended_of(id, version, life)
        if stays:
            self._remember(ended)
        if clients:
            self._tell_all(clients, ended)

    def on_blocked(self, id: str, version: int, life: TaskStatus) -> None:
        """A task needs a person: who awaits it is told, and goes on being told of its end."""
        if (clients := self._by_task.get(id)) is not None:
            self._tell_all(clients, _blocked(id, version, life), ends=False)

    def _tell_all(self, clients: list[_Client], ended: Ended, *, ends: bool = True) -> None:
        if not self._due:
            asyncio.get_running_loop().call_soon(self.notify)
        for client in clients:
            if ends:
                client.awaited.discard(ended.id)
            client.ended.append(ended)
            self._due[client.subject] = client

    def on_frozen(self, id: str, version: int, reason: str) -> None:
        """A later release has written to a task: nobody here will learn how it ends."""
        if id in self._by_task:
            self._tell_all(self._by_task.pop(id), Ended(id, version, "", frozen=reason))

    def _remember(self, ended: Ended) -> None:
        if ended.large or (type(ended.result) in (str, dict, list) and len(_encode(ended.result)) > _RECENT_MAX_BYTES):
            return
        self._recent[ended.id] = ended
        if len(self._recent) > _RECENT:
            self._recent.popitem(last=False)

    def forget_results(self) -> None:
        """Tells no result from memory: some were erased."""
        self._recent.clear()

    def _client(self, name: str) -> _Client:
        if (entry := self._clients.get(name)) is None:
            entry = self._clients[name] = _Client(f"claw.ended.{name}")
        return entry

    @answering(_decode, _encode, RegisterReply, "a registration")
    async def _register(self, principal: str, request: RegisterRequest) -> RegisterReply:
        if not is_id(request.client):
            raise Refused("a client is named by letters, digits, '-' or '_'")
        name = f"{principal}.{request.client}"
        client = self._client(name)
        for id in request.forget:
            self._forget(client, id)
        recent = {id: self._recent[id] for id in request.ids if id in self._recent}
        rest = [id for id in request.ids if id not in recent]
        # Registered before they are looked up: what ends in between is told twice, never not at all.
        self.awaits(name, rest)
        told, missing = self._look_up(rest)
        if missing or any(each.status != "completed" for each in told):  # it may be new, or be retried, unseen here
            await self._snapshots.fresh()
            told, missing = self._look_up(rest)
        for id in (*(each.id for each in told if each.status != BLOCKED), *missing):
            self._forget(client, id)
        return RegisterReply(self._epoch, client.number, [*recent.values(), *told], missing)

    def _look_up(self, ids: list[str]) -> tuple[list[Ended], list[str]]:
        """Those that have ended, or are blocked or frozen, and those that do not exist, as of what is folded."""
        unsure = [id for id in ids if not self._is_open(id)]
        ended = self._snapshots.states.ended(unsure)
        told = [ended_of(id, known.version, known, erased=known.erased) for id, known in ended.items()]
        missing: list[str] = []
        for id in unsure:
            if id not in ended:
                known, _ = self._snapshots.states.get("task", id, brief=True)
                if known.frozen:
                    told.append(Ended(id, known.version, "", frozen=known.frozen))
                elif known.state.spec is None:
                    missing.append(id)
                elif known.state.life.status == BLOCKED:
                    told.append(_blocked(id, known.version, known.state.life))
        return told, missing

    def _forget(self, client: _Client, id: str) -> None:
        client.awaited.discard(id)
        if (clients := self._by_task.get(id)) is not None and client in clients:
            clients.remove(client)
            if not clients:
                del self._by_task[id]

    def notify(self) -> None:
        """Sends the notices that are due, which otherwise leaves at the end of this turn of the loop."""
        due, self._due = self._due, {}
        for client in due.values():
            ended, client.ended = client.ended, []
            for part in _parts(ended):
                client.number += 1
                self._requests.publish(client.subject, _encode(EndNotice(self._epoch, client.number, part)))

    def _tell_beats(self) -> None:
        self._beat = asyncio.get_running_loop().call_later(_BEAT_S, self._tell_beats)
        for name, client in list(self._clients.items()):
            client.beats += 1
            if client.beats > _SILENT_BEATS:
                for id in list(client.awaited):
                    self._forget(client, id)
                del self._clients[name]
            elif client.awaited:
                self._requests.publish(client.subject, _encode(EndNotice(self._epoch, client.number)))


def _parts(ended: list[Ended]) -> Iterable[list[Ended]]:
    """Messages of a size that every server takes."""
    part: list[Ended] = []
    size = 0
    for each in ended:
        size += 200 + sum(len(_encode(value)) for value in (each.result, each.error) if value)
        if part and size > _NOTICE_MAX_BYTES:
            yield part
            part, size = [], 0
        part.append(each)
    if part:
        yield part
