"""Inboxes for answers of those who may not learn where others answer: each has one for itself.

Who answers sees the reply subject, and may publish under `<inbox>.<its name>` only: so it answers for nobody else.
"""

from collections import OrderedDict
from typing import Final

from clawactors.eventlog.errors import PermissionDenied
from clawactors.eventlog.jetstream.wire.client import RawSubscription
from clawactors.eventlog.jetstream.wire.connection import Connection
from clawactors.eventlog.jetstream.wire.replies import Replies

__all__ = ["ApartReplies"]

_MOST: Final = 4096


class ApartReplies:
    """Answers to requests on `….<name>` come under `<inbox>.<name>`."""

    def __init__(self, connection: Connection, inbox: str) -> None:
        self._connection, self._inbox = connection, inbox
        self._named: OrderedDict[str, tuple[Replies, RawSubscription]] = OrderedDict()
        connection.on_lost.append(self._lose)
        connection.on_denied.append(self._deny)

    def of(self, subject: str) -> Replies:
        """The replies of who answers on that subject."""
        name = subject.rpartition(".")[2]
        known = self._named.pop(name, None)
        if known is None:
            token = self._connection.new_inbox().rpartition(".")[2]
            replies = Replies(f"{self._inbox}.{name}.{token}", self._connection.write)
            known = replies, self._connection.listen(f"{replies.inbox}.*", replies.on_message)
        self._named[name] = known
        while len(self._named) > _MOST:
            _, (_, subscription) = self._named.popitem(last=False)
            self._connection.unlisten(subscription)
        return known[0]

    def _lose(self) -> None:
        for replies, _ in self._named.values():
            replies.lose()

    def _deny(self, error: PermissionDenied) -> None:
        for replies, _ in self._named.values():
            replies.deny(error.subject)
