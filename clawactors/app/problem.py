"""Errors as users and scripts see them: code, message, hint, exit code."""

from typing import Any, Final

__all__ = ["EXITS", "INTERRUPTED", "Problem", "problem_of"]

EXITS: Final = {
    "failed": 1,
    "usage": 2,
    "not_found": 3,
    "refused": 4,
    "misconfigured": 4,
    "unavailable": 5,
    "timeout": 5,
    "corrupt": 5,
    "blocked": 6,
    "internal": 70,
}
"""1 the awaited task or a check failed, 2 usage, 3 not found, 4 refused, 5 unavailable, 6 the awaited task is blocked.

70 is a bug in claw."""

INTERRUPTED: Final = 130
"""After Ctrl-C, as shells have it."""

_HINTS: Final = {
    "usage": "claw --help lists commands and options",
    "not_found": "claw tasks and claw nodes list all ids",
    "refused": "nothing was changed",
    "misconfigured": "fix this and run the command again",
    "unavailable": "claw up starts a cluster, --nats names a server, claw doctor looks for the cause",
    "timeout": "it may still complete: check again, or wait longer",
    "blocked": "fix the cause, then claw retry ID",
    "corrupt": "do not change the data folder; read its logs",
    "internal": "this is a fault in claw: run it again with --debug and report what it prints",
}


class Problem(Exception):
    """Ends a command: `code` is a key of `EXITS`, `extra` goes beside the error in the JSON document."""

    def __init__(self, code: str, message: str, hint: str = "", extra: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.extra = code, " ".join(message.split()), extra or {}
        self.hint, self._by_default = hint or _HINTS[code], not hint

    @property
    def has_own_hint(self) -> bool:
        """True where the hint is about this very problem."""
        return not self._by_default

    @property
    def exit(self) -> int:
        """The exit code of the program."""
        return EXITS[self.code]

    @property
    def line(self) -> str:
        """The line for standard error."""
        says_it = self.hint in self.message or (self._by_default and "claw " in self.message)
        return f"claw: {self.message}" + ("" if says_it else f" ({self.hint})")

    @property
    def document(self) -> dict[str, Any]:
        """The document for standard output with `--json`."""
        return {"error": {"code": self.code, "message": self.message, "hint": self.hint}, **self.extra}


def problem_of(error: BaseException) -> Problem:
    """Converts an exception of the lower packages."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, BaseExceptionGroup):
        return problem_of(error.exceptions[0])
    # Imported only where something went wrong: they bring half of the event log with them.
    from clawactors import eventlog
    from clawactors.kernel.errors import InvalidQuery, NotFound, Refused

    text = str(error) or type(error).__name__
    match error:
        case NotFound():
            return Problem("not_found", text)
        case InvalidQuery():
            return Problem("usage", text)
        case Refused() | eventlog.WrongVersion() | eventlog.TooLarge():
            return Problem("refused", text)
        case eventlog.Misconfigured() if text.startswith("--"):  # an option names what can't be used
            option = text.partition(" ")[0]
            return Problem("usage", text, f"correct the value of {option}")
        case eventlog.Misconfigured():
            return Problem("misconfigured", text)
        case eventlog.NoSpace():
            return Problem("unavailable", text, "free some space, or raise the limit; claw doctor names it")
        case eventlog.Unavailable():
            return Problem("unavailable", text)
        case eventlog.EventLogError():
            return Problem("corrupt", text)
        case TimeoutError():
            return Problem("timeout", text)
        case OSError():
            return Problem("misconfigured", text, "check the path, its owner and the space on its disk")
        case _:
            return Problem("internal", f"{type(error).__name__}: {text}")
