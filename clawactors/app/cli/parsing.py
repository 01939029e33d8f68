"""Argument parsing: global options before or after the command, durations, times, pairs."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple, NoReturn, override

from clawactors.app.problem import Problem
from clawactors.kernel.time import duration_s, place_of, time_ns, time_through

__all__ = [
    "GLOBALS",
    "LIST",
    "Parser",
    "VerbHelp",
    "count",
    "duration",
    "interval",
    "lease",
    "moment",
    "options_of",
    "pair",
    "place",
    "port",
    "rate",
    "share",
    "split",
    "statuses",
    "through",
    "time",
    "worded",
    "words",
]

GLOBALS: Final = ("data", "nats", "context", "json", "debug")
"""What every command knows."""
_VALUED: Final = frozenset(("--data", "--context", "--nats"))
_OPTIONAL: Final = frozenset(("--wait",))
"""Options whose value may be left out; they take the next argument only when that can be a duration."""
_TIMED: Final = frozenset(("--delay", "--timeout", "--older-than", "--at", "--from", "--to", "--until", "--since"))
"""Options whose value must not be taken for an option where it is a negative duration: a time ago, or an error."""
_MISSING: Final = "the following arguments are required: "
_UNITS_S: Final = {"s": 1, "m": 60, "h": 3600}


class VerbHelp(NamedTuple):
    """What one verb of a command takes: words after it, as they are shown, and options by their names."""

    words: str
    options: frozenset[str]


class Parser(argparse.ArgumentParser):
    """A parser that knows the global options and raises `Problem` instead of exiting."""

    def __init__(self, prog: str, summary: str) -> None:
        super().__init__(prog=prog, description=f"{summary[:1].upper()}{summary[1:]}.", allow_abbrev=False)
        self.given: Sequence[str] = ()
        self._verbs: Mapping[str, VerbHelp] = {}
        known = self.add_argument_group("global options")
        known.add_argument("--data", metavar="DIR", help="data folder (CLAW_DATA; default: ~/.local/share/claw)")
        known.add_argument("--nats", metavar="URL", help="URL of the server, with user and password if needed")
        known.add_argument("--context", metavar="NAME", help="nats CLI context of the server")
        known.add_argument("--json", action="store_true", help="print one JSON document")
        known.add_argument("--debug", action="store_true", help="show tracebacks")

    def describe_verbs(self, verbs: Mapping[str, VerbHelp]) -> None:
        """Makes `--help` list the verbs that take each option, and after a verb only what that verb takes."""
        self._verbs = verbs

    @override
    def format_help(self) -> str:
        verb = next((word for word in self.given if word in self._verbs), "")
        for action in self._actions:
            if action.dest in (*GLOBALS, "help") or action.help is None:
                continue
            if not verb:
                takers = [name for name, each in self._verbs.items() if action.dest in each.options]
                action.help = f"{', '.join(takers)}: {action.help}" if takers else action.help
            elif (action.option_strings and action.dest not in self._verbs[verb].options) or not action.option_strings:
                action.help = argparse.SUPPRESS
        if verb:
            usage = f"{self.prog} {verb} {self._verbs[verb].words}".rstrip()
            self.usage, self.description = f"{usage} [options]", None
        return super().format_help()

    @override
    def error(self, message: str) -> NoReturn:
        if message.startswith("unrecognized arguments"):
            ours = (each for each in self._actions if each.dest not in (*GLOBALS, "help"))
            known = [option for each in ours for option in each.option_strings if option.startswith("--")]
            message += f"; it takes {', '.join(known)}" if known else ""
        elif message.startswith(_MISSING):
            verb = next((each for each in self._actions if each.dest == "verb" and each.choices), None)
            if verb and message.removeprefix(_MISSING).split(",")[0] in ("verb", verb.metavar):
                message = f"say what to do: {', '.join(verb.choices or ())}"
        raise Problem("usage", message, f"{self.prog} --help")


def split(argv: Sequence[str]) -> tuple[list[str], str | None, list[str]]:
    """The options before the command, the command (or None), and everything after it."""
    at = 0
    while at < len(argv):
        word = argv[at]
        if not word.startswith("-") or word == "-":
            return list(argv[:at]), word, list(argv[at + 1 :])
        at += 2 if word in _VALUED else 1
    return list(argv), None, []


def options_of(parser: Parser, argv: Sequence[str]) -> Any:
    """The parsed options. Raises: `Problem`."""
    settled = parser.given = _settled(argv)
    # Intermixed, for `submit SKILL --priority high JSON`; but that way can't take what follows `--`.
    return parser.parse_args(settled) if "--" in settled else parser.parse_intermixed_args(settled)


def _settled(argv: Sequence[str]) -> list[str]:
    """Rewrites options whose value is optional or can look like an option, so that argparse reads them right."""
    settled: list[str] = []
    given = iter(enumerate(argv))
    for at, word in given:
        if word == "--":
            return [*settled, *argv[at:]]
        follows = argv[at + 1] if at + 1 < len(argv) else ""
        if word in _TIMED and follows[:1] == "-" and follows[1:2].isdigit():
            settled.append(f"{word}={follows}")
            next(given)
        else:
            settled.append(f"{word}=" if word in _OPTIONAL and not _is_duration(follows) else word)
    return settled


def _is_duration(text: str) -> bool:
    try:
        duration_s(text)
    except ValueError:
        return False
    return True


def worded[T](read: Callable[[str], T]) -> Callable[[str], T]:
    """Wraps a reader as an argparse type, so that argparse shows the text of its `ValueError`."""

    def checked(text: str) -> T:
        try:
            return read(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return checked


def _moment(text: str) -> int:
    if not 0 < (at_ns := time_ns(text)) < 1 << 63:
        raise ValueError(f"{text[:40]!r} is not a valid time: use one between 1970 and 2262")
    return at_ns


def _pair(text: str) -> tuple[str, str]:
    key, sign, value = text.partition("=")
    if not (key and sign):
        raise ValueError(f"{text[:40]!r} is not a valid pair: write KEY=VALUE")
    return key, value


def _rate(text: str) -> float:
    number, _, unit = text.partition("/")
    try:
        per_s = float(number) / _UNITS_S[unit or "s"]
    except (ValueError, KeyError):
        per_s = 0.0
    if not 0 < per_s < 1e9:
        raise ValueError(f"{text[:40]!r} is not a valid rate: write 100/s, 30/m or 500/h")
    return per_s


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise ValueError(f"{text[:40]!r} is not a valid number: write 0, 1, 2 …")
    return int(text)


def _share(text: str) -> float:
    if not 0 <= (value := float(text)) <= 1:
        raise ValueError(f"{text[:40]!r} is not a number from 0 to 1")
    return value


def _port(text: str) -> int:
    if not 0 < (number := _count(text)) < 1 << 16:
        raise ValueError(f"{number} is not a valid port: use 1 to 65535")
    return number


def _lease(text: str) -> float:
    if not 1 <= (seconds := duration_s(text)) <= 120:
        raise ValueError(f"{text!r} is not a valid lease: use 1s to 120s")
    return seconds


def _interval(text: str) -> float:
    if text != "off" and duration_s(text) < 1:
        raise ValueError(f"{text!r} is not a valid interval: use 1s or more, or off")
    return 0.0 if text == "off" else duration_s(text)


def _statuses(text: str) -> list[str]:
    from clawactors.systems.tasks import STATUSES

    for word in (wanted := words(text)):
        if word not in STATUSES:
            raise ValueError(f"there is no status {word[:40]!r}: use {', '.join(STATUSES)}")
    return wanted


port = worded(_port)
"""A TCP port."""
duration = worded(duration_s)
"""Seconds, as in `30s`."""
interval = worded(_interval)
"""The same, at least a second, or 0.0 for `off`."""
lease = worded(_lease)
"""Seconds that a node may be silent."""
time = worded(time_ns)
"""Nanoseconds since 1970 of an ISO 8601 time."""
moment = worded(_moment)
"""The same, where it is kept on record."""
through = worded(time_through)
"""The same for the end of the microsecond: what is shown with that time is within it."""
statuses = worded(_statuses)
"""States of tasks, of `a,b`."""
place = worded(place_of)
"""`("seq", n)`, `("time", ns)` or `("ago", ns)`."""
pair = worded(_pair)
"""`(key, value)` of `K=V`."""
share = worded(_share)
"""A number within 0 and 1."""
rate = worded(_rate)
"""How many a second, of `100/s`, `30/m`."""
count = worded(_count)
"""A number, 0 or more."""


def words(text: str) -> list[str]:
    """The comma-separated words of `a,b`."""
    return [word for word in (part.strip() for part in text.split(",")) if word]


LIST: Final[dict[str, Any]] = {"type": words, "action": "extend"}
"""What an option is declared with that takes `a,b`, and may be given again."""
