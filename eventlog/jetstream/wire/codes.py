"""The error codes of JetStream that the log tells apart, by the server's own numbers."""

from typing import Final

__all__ = [
    "BATCH_DISABLED",
    "BUSY",
    "FULL",
    "IN_FLIGHT",
    "NAME_HELD",
    "NAME_IN_USE",
    "NOT_ENABLED",
    "NO_MAJORITY",
    "NO_MESSAGE",
    "NO_PEERS",
    "NO_ROOM",
    "NO_STREAM",
    "TOO_LARGE",
    "TOO_MANY_CONSUMERS",
    "WRONG_LAST_SEQUENCE",
]

NO_PEERS: Final = 10005
NO_MAJORITY: Final = 10008
"""Too few servers of the cluster are up to elect who decides."""
TOO_MANY_CONSUMERS: Final = 10026
NO_MESSAGE: Final = 10037
NOT_ENABLED: Final = frozenset({10039, 10076})
NO_ROOM: Final = 10047
TOO_LARGE: Final = 10054
NAME_IN_USE: Final = 10058
FULL: Final = frozenset({10002, 10023, 10028, 10047})
"""The account, or the server's memory or store, has reached its limit."""
NAME_HELD: Final = 10130
"""A restore of a stream of that name is under way, or was cut off a moment ago."""
NO_STREAM: Final = 10059
WRONG_LAST_SEQUENCE: Final = 10071
IN_FLIGHT: Final = 10164
"""Another append of the same aggregate is being replicated."""
BATCH_DISABLED: Final = 10174
BUSY: Final = frozenset({IN_FLIGHT, 10167, 10176, 10210})
"""The same append may succeed a moment later."""
