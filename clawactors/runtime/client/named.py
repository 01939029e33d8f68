"""Changes of aggregates that have names of their own, as schedules and triggers have."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from clawactors.kernel.errors import NotFound
from clawactors.kernel.external import ExternalCommand
from clawactors.kernel.fold import Snapshot

if TYPE_CHECKING:
    from clawactors.runtime.client.client import ClusterClient

__all__ = ["NamedChanges"]


class NamedChanges[S]:
    """`kind` names the aggregates, `state` is their state; `checked` raises `Refused` for what can be no name."""

    def __init__(
        self, client: "ClusterClient", kind: str, state: type[S], checked: Callable[[str], str], noun: str = ""
    ) -> None:
        self._client, self._kind, self._state, self._checked = client, kind, state, checked
        self._noun = noun or kind  # for people

    async def _change(self, name: str, request: ExternalCommand) -> Snapshot[S]:
        known: Snapshot[Any] = await self._client.state(self._kind, self._checked(name), self._state)
        if not known.state.exists and not known.frozen:
            raise NotFound(f"there is no {self._noun} {name!r}")
        return await self._ask(name, request)

    async def _ask(self, name: str, request: ExternalCommand) -> Snapshot[S]:
        named = replace(request, id=self._client.process.names.commit())
        return await self._client.ask_for_change(self._kind, name, named, self._state)
