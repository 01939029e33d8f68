"""Errors that say whose fault it is: the caller's (`Refused`, `NotFound`); the log has its own errors."""

__all__ = ["NotFound", "Refused"]


class Refused(Exception):
    """The command is illegal in this state and nothing was written; the text says why and the way out."""


class NotFound(Refused):
    """Nothing has this id."""
