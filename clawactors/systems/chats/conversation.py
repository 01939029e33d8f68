"""The state of a conversation: as little as deciding needs."""

import msgspec

__all__ = ["RECENT", "Conversation"]

RECENT = 256
"""So many message ids are remembered against repeats; a client that retries does so long before that."""


class Conversation(msgspec.Struct, frozen=True):
    """How many messages it has, the ids of the newest, for which of them memories were asked, and whose it is.

    `user` is the user of the newest message that names one.
    """

    messages: int = 0
    recent: tuple[str, ...] = ()
    requested: tuple[str, ...] = ()
    updated_ns: int = 0
    user: str = ""
