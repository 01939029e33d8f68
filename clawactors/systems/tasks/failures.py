"""What kind of failure it was, and what is best done about it. A policy, pure: symptoms in, verdict out.

1. The rules of the skill come first, then status and exit code, then the type, then the text; what fits first counts.
2. A failure is given up only when it would come back the same however often: the code refuses its input (`Refused`,
   `ValueError` itself, classes named `ValidationError`), is not written (`NotImplementedError`, `NameError`,
   `SyntaxError`), or has a child that used up its own retries (`ChildFailed`). Other `ValueError`s (as of a JSON
   parser), `KeyError`, `TypeError` and their like often stem from what the world answered, so they are `unknown` and
   tried again.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal

import msgspec

__all__ = ["CLASSES", "STRATEGIES", "ErrorRule", "Strategy", "Symptom", "kind_of", "told"]

type Strategy = Literal["here", "elsewhere", "back_off", "ask", "give_up"]

STRATEGIES: Final[Mapping[str, Strategy]] = {
    "timeout": "elsewhere",
    "memory": "elsewhere",
    "permission": "ask",
    "network": "back_off",
    "validation": "give_up",
    "cancelled": "give_up",
    "child": "give_up",
    "unknown": "here",
}
"""What follows by class: tried again wherever there is room, on another node if one fits, after waits that grow by the
policy's `back_off_factor`; held for a person; or not at all."""


class ErrorRule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule of a skill: a failure that meets all its conditions is of that class, and handled by that strategy.

    `exception` is a class, or its name with or without its module; `text` a regular expression that is searched in the
    message, in any case. A class of the skill's own that has no strategy is retried.
    Raises: `ValueError` for what is no rule.
    """

    kind: str
    exception: type[BaseException] | str = ""
    text: str = ""
    exit_code: int | None = None
    strategy: Strategy | None = None

    def __post_init__(self) -> None:
        if not self.kind.isidentifier():
            raise ValueError(f"{self.kind!r} is no error class: letters, digits and '_'")
        if not (self.exception or self.text or self.exit_code is not None):
            raise ValueError("a rule has a condition: exception, text or exit_code")
        if self.strategy not in (None, *Strategy.__value__.__args__):
            raise ValueError(f"{self.strategy!r} is none of {', '.join(Strategy.__value__.__args__)}")
        try:
            re.compile(self.text)
        except re.error as error:
            raise ValueError(f"{self.text!r} is no regular expression: {error}") from None

    def __str__(self) -> str:
        name = self.exception if isinstance(self.exception, str) else self.exception.__qualname__
        conditions = [
            name,
            f"text {self.text!r}" if self.text else "",
            f"exit code {self.exit_code}" if self.exit_code is not None else "",
        ]
        strategy = self.strategy or STRATEGIES.get(self.kind, "here")
        return f"{' and '.join(filter(None, conditions))}: {self.kind}, {strategy}"

    def fits(self, symptom: "Symptom") -> bool:
        """True when all its conditions are met."""
        wanted = self.exception if isinstance(self.exception, str) else _name(self.exception)
        return (
            (not wanted or any(name == wanted or name.endswith("." + wanted) for name in symptom.types))
            and (not self.text or re.search(self.text, symptom.text, re.IGNORECASE) is not None)
            and (self.exit_code is None or self.exit_code == symptom.exit_code)
        )


class Symptom(msgspec.Struct, frozen=True):
    """What is seen of a failure: the names of the exception's class and its ancestors, the nearest first; its message;
    the exit code of a program, negative for a signal; the status of a web server."""

    types: tuple[str, ...]
    text: str = ""
    exit_code: int | None = None
    status: int | None = None


def _name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def told(error: BaseException) -> Symptom:
    """The symptoms that an exception tells, without its causes."""
    exits = isinstance(error, SystemExit)
    exit_code = _attribute(error, "code" if exits else "returncode")
    statuses = () if exits else (_attribute(error, name) for name in ("status_code", "status", "code"))
    return Symptom(
        types=tuple(_name(kind) for kind in type(error).__mro__),
        text=_text(error),
        exit_code=exit_code if type(exit_code) is int else None,
        status=next((each for each in statuses if type(each) is int and 400 <= each < 600), None),
    )


def _attribute(error: BaseException, name: str) -> Any:
    try:
        return getattr(error, name, None)
    except BaseException:  # a property may raise anything
        return None


def _text(error: BaseException) -> str:
    try:
        return str(error)[:_TEXT_MAX]
    except BaseException:  # what it raises is its own business
        return ""


def kind_of(symptoms: Iterable[Symptom], rules: Iterable[ErrorRule] = ()) -> tuple[str, Strategy]:
    """The class and the strategy of a failure, by its own symptoms and then those of its causes."""
    chain = tuple(symptoms)
    for rule in rules:
        if any(rule.fits(symptom) for symptom in chain):
            return rule.kind, rule.strategy or STRATEGIES.get(rule.kind, "here")
    kind = next((kind for symptom in chain if (kind := _known(symptom)) is not None), "unknown")
    return kind, STRATEGIES[kind]


_EXITS: Final = {  # sysexits.h, timeout(1), the shell; -9 is what the kernel does to a process that takes too much
    64: "validation",
    65: "validation",
    69: "network",
    75: "network",
    77: "permission",
    124: "timeout",
    126: "permission",
    130: "cancelled",
    137: "memory",
    -9: "memory",
    -2: "cancelled",
}
_TYPES: Final = {
    name: kind
    for kind, names in {
        "timeout": "TimeoutError TimeoutExpired TimeoutException Timeout APITimeoutError",
        "memory": "MemoryError OutOfMemoryError",
        "permission": "PermissionError PermissionDenied PermissionDeniedError AuthenticationError AuthorizationError",
        "network": "ConnectionError gaierror herror URLError HTTPException OperationalError InterfaceError "
        "NetworkError TransportError ClientConnectionError APIConnectionError RateLimitError Unavailable",
        "validation": "ValidationError Refused NotImplementedError NameError SyntaxError",
        "cancelled": "CancelledError",
        "child": "ChildFailed",
    }.items()
    for name in names.split()
}
CLASSES: Final[Mapping[str, str]] = {
    kind: ", ".join([*(name for name, its in _TYPES.items() if its == kind), *more])
    for kind in STRATEGIES
    for more in [{"validation": ["ValueError itself"], "unknown": ["all others"]}.get(kind, [])]
}
"""The exceptions of each class, for people; status, exit code and text of an error count too (docs/skills.md)."""

_TEXTS: Final = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in {
        "memory": r"\bout of memory\b|\bcannot allocate memory\b|\boom.?kill",
        "permission": r"\b(permission|access) (is )?denied\b|\bunauthori[sz]ed\b|\b403 forbidden\b|"
        r"\binvalid api key\b",
        "network": r"\bconnection (was )?(refused|reset|aborted|closed|lost)\b|\bno route to host\b|"
        r"\bnetwork is unreachable\b|\bname or service not known\b|\bname resolution\b|"
        r"\btoo many (connections|requests)\b|"
        r"\bdatabase is locked\b|\bdeadlock\b|\bserver has gone away\b|\brate limit|\bservice unavailable\b|"
        r"\bbad gateway\b",
        "timeout": r"\btimed out\b|\btime-?out\b|\bdeadline exceeded\b",
    }.items()
)
_TEXT_MAX: Final = 10_000
"""So much of a message is searched."""


def _known(symptom: Symptom) -> str | None:
    if symptom.status is not None:
        return _of_status(symptom.status)
    if symptom.exit_code in _EXITS:
        return _EXITS[symptom.exit_code]
    if symptom.types and symptom.types[0] == "builtins.ValueError":
        return "validation"
    for name in symptom.types:
        if (kind := _TYPES.get(name.rpartition(".")[2])) is not None:
            return kind
    return next((kind for kind, pattern in _TEXTS if pattern.search(symptom.text)), None)


def _of_status(status: int) -> str:
    if status in (401, 403, 407):
        return "permission"
    if status in (408, 504):
        return "timeout"
    return "network" if status == 429 or status >= 500 else "validation"
