"""Records as the server republishes them on `live.>` when they are stored: no consumer, no cost without listeners."""

from collections.abc import Callable

from eventlog.errors import PermissionDenied
from eventlog.jetstream.connection import Connection
from eventlog.jetstream.moments import nanoseconds
from eventlog.record import Record

__all__ = ["LiveFeed"]

_LIVE = "live."
_PREFIX_CHARS = len(_LIVE)


class LiveFeed:
    """Tails of stored records over one connection; what is stored while it is broken is missed, and that is told."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def tail(
        self,
        pattern: str,
        on_record: Callable[[Record], None],
        on_gap: Callable[[], None],
        on_denied: Callable[[PermissionDenied], None],
    ) -> Callable[[], None]:
        """Calls `on_record` for each record stored from now on, `on_gap` after a reconnect. Returns what ends it.

        `on_denied` is called where this user may not listen: nothing comes then.
        """

        def on_message(subject: bytes, reply: bytes, headers: bytes, body: bytes) -> None:
            try:
                record = _record(str(subject[_PREFIX_CHARS:], "utf-8", "replace"), headers, body)
            except ValueError:
                return  # put there by hand: the server's own headers are well-formed
            on_record(record)

        def on_refused(error: PermissionDenied) -> None:
            if subscription.is_denied:
                on_denied(error)

        subscription = self._connection.listen(f"{_LIVE}{pattern}", on_message)
        self._connection.on_back.append(on_gap)
        self._connection.on_denied.append(on_refused)

        def stop() -> None:
            self._connection.unlisten(subscription)
            self._connection.on_back.remove(on_gap)
            self._connection.on_denied.remove(on_refused)

        return stop


def _record(subject: str, headers: bytes, body: bytes) -> Record:
    stored = Record(0, 0, "", b"", headers)
    return Record(
        int(stored.header("Nats-Sequence") or 0), nanoseconds(stored.header("Nats-Time-Stamp")), subject, body, headers
    )
