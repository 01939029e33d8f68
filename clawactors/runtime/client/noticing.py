"""The part of the client that tells people, and that hears them."""

from typing import TYPE_CHECKING

from clawactors.runtime.client.making import TaskMaking

if TYPE_CHECKING:
    from clawactors.runtime.client.bridges import Bridges
    from clawactors.runtime.client.notifications import Notifications

__all__ = ["ClientNotices"]


class ClientNotices(TaskMaking):
    """Notifications of a cluster, and the bridges to its chats."""

    @property
    def bridges(self) -> "Bridges":
        """The bridges to chats: who may talk to the cluster from there."""
        from clawactors.runtime.client.bridges import Bridges

        return Bridges(self._whole)

    @property
    def notifications(self) -> "Notifications":
        """The notifications of the cluster: rules that tell people what happens."""
        from clawactors.runtime.client.notifications import Notifications

        return Notifications(self._whole)
