"""Records as the server republishes them on `live.>` when they are stored: no consumer, no cost without listeners."""

import re
from collections.abc import Callable

from clawactors.eventlog.errors import PermissionDenied
from clawactors.eventlog.jetstream.connection import Connection
from clawactors.eventlog.jetstream.moments import nanoseconds
from clawactors.eventlog.record import Record

__all__ = ["LiveFeed"]

_LIVE = "live."
_STORED = re.compile(rb"\r\nNats-Sequence: ?(\d{1,19})\r\nNats-Time-Stamp: ?([!-~]+)\r\n").search
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
            if (stored := _STORED(headers)) is None:
                return  # put there by hand: the server says of each when it was stored
            try:
                at_ns = nanoseconds(str(stored[2], "ascii"))
            except ValueError:
                return
            on_record(Record(int(stored[1]), at_ns, str(subject[_PREFIX_CHARS:], "utf-8", "replace"), body, headers))

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
