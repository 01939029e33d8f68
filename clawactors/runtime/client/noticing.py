"""The part of the client for people and programs outside: what tells them, what hears them, and who may ask."""

from typing import TYPE_CHECKING

from clawactors.runtime.client.making import TaskMaking

if TYPE_CHECKING:
    from clawactors.runtime.client.bridges import Bridges
    from clawactors.runtime.client.identities import Identities
    from clawactors.runtime.client.keys import ApiKeys
    from clawactors.runtime.client.notifications import Notifications

__all__ = ["ClientNotices"]


class ClientNotices(TaskMaking):
    """Notifications of a cluster, the bridges to its chats, and the keys of programs."""

    @property
    def bridges(self) -> "Bridges":
        """The bridges to chats: who may talk to the cluster from there."""
        from clawactors.runtime.client.bridges import Bridges

        return Bridges(self._whole)

    @property
    def identities(self) -> "Identities":
        """The machines and people who may connect."""
        from clawactors.runtime.client.identities import Identities

        return Identities(self._whole)

    @property
    def keys(self) -> "ApiKeys":
        """The keys of programs that ask over HTTP."""
        from clawactors.runtime.client.keys import ApiKeys

        return ApiKeys(self._whole)

    @property
    def notifications(self) -> "Notifications":
        """The notifications of the cluster: rules that tell people what happens."""
        from clawactors.runtime.client.notifications import Notifications

        return Notifications(self._whole)
