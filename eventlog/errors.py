"""Errors of the log. The class tells what helps: retry, catch up, change the configuration, or call a person."""

__all__ = [
    "Closed",
    "Corrupt",
    "EventLogError",
    "FromTheFuture",
    "Malformed",
    "Misconfigured",
    "Missing",
    "NoResponders",
    "NoSpace",
    "NoSuchLog",
    "PermissionDenied",
    "TooLarge",
    "Unavailable",
    "WrongVersion",
]


class EventLogError(Exception):
    """The root of all errors raised by this package."""


class WrongVersion(EventLogError):
    """Another writer appended to the aggregate first: catch up and decide again."""

    def __init__(self, aggregate: str, expected: int, actual: int) -> None:
        super().__init__(f"{aggregate} is at version {actual}, not {expected}")
        self.aggregate, self.expected, self.actual = aggregate, expected, actual


class Unavailable(EventLogError):
    """The log can't be reached or is too busy now: the same call may succeed later."""


class NoSpace(Unavailable):
    """The server has no room: its disk, the store or the account is full. The same call succeeds once there is some."""


class Closed(EventLogError):
    """This program closed it. A retry does not help: open another."""

    def __init__(self) -> None:
        super().__init__("this client is closed: connect another, or keep it open until all that uses it has ended")


class NoResponders(Unavailable):
    """Nobody listens on the subject, and the server says so at once."""


class NoSuchLog(Unavailable):
    """The server has no log yet."""


class Misconfigured(EventLogError):
    """The server or the settings lack something that the log needs. A retry does not help."""


class PermissionDenied(Misconfigured):
    """The server's permissions forbid this subject."""

    def __init__(self, subject: str, action: str = "publish to") -> None:
        super().__init__(f"permission denied: this user may not {action} {subject!r}")
        self.subject, self.action = subject, action


class TooLarge(EventLogError):
    """The message is larger than the server accepts: pass the payload by reference."""

    def __init__(self, size_bytes: int, limit_bytes: int, text: str = "") -> None:
        super().__init__(text or f"a commit of {size_bytes} bytes exceeds the limit of {limit_bytes} bytes")
        self.size_bytes, self.limit_bytes = size_bytes, limit_bytes


class Malformed(EventLogError):
    """A stored message is not a commit: every reader skips it, counts it and copies it to the dead letters."""


class FromTheFuture(EventLogError):
    """A stored commit has an event type or envelope that this release does not know: its aggregate is frozen here."""


class Corrupt(EventLogError):
    """The stored data is inconsistent: stop and let a person look."""


class Missing(Corrupt):
    """A reference names something that does not exist."""
