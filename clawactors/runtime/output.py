"""What a task says while it runs, as it lies in its streams: several chunks a message, of one attempt."""

from typing import Any, Final

import msgspec

__all__ = ["LOG", "OUT", "OutputMessage"]

OUT: Final = "out"
"""The stream of what code emits where it names none."""

LOG: Final = "log"
"""The stream of what code prints and logs: chunks are `{"source": stdout | stderr | log | claw, "text": …}`; of a log
line also `level`, `logger`."""


class OutputMessage(msgspec.Struct, frozen=True):
    """One message of a stream."""

    attempt: int
    node: str = ""
    chunks: list[Any] = []
