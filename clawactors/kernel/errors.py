"""Errors that say whose fault it is: the caller's (`Refused`, `NotFound`); the log has its own errors."""

__all__ = ["Changed", "Exists", "InvalidQuery", "NotFound", "Refused"]


class Refused(Exception):
    """The command is illegal in this state and nothing was written; the text says why and the way out."""


class InvalidQuery(Refused):
    """The question itself is wrong; no state could answer it."""


class NotFound(Refused):
    """Nothing has this id."""


class Changed(Refused):
    """The aggregate is at another version than the one that the command is for."""


class Exists(Refused):
    """Something else has this id; a decider says what differs, and kind and id come before it: `task t1 exists …`."""
