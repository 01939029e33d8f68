"""The part of the client that tells people, and that hears them."""

from typing import TYPE_CHECKING

from clawactors.runtime.client.making import TaskMaking

if TYPE_CHECKING:
    from clawactors.runtime.client.notifications import Notifications

__all__ = ["ClientNotices"]


class ClientNotices(TaskMaking):
    """Notifications of a cluster."""

    @property
    def notifications(self) -> "Notifications":
        """The notifications of the cluster: rules that tell people what happens."""
        from clawactors.runtime.client.notifications import Notifications

        return Notifications(self._whole)
