"""The secrets that a node holds, by name: code gets those that its skill asks for, and none leaves the node.

1. Errors, output and log lines have `***` in their place, however text spells them (quoted, in JSON, in a URL).
2. A result is never changed: one that holds a secret of its skill is refused.
3. Names are compared without case, and `-` equals `_`, as environment variables need it.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final
from urllib.parse import quote

import msgspec

from clawactors.eventlog import Misconfigured, is_id
from clawactors.kernel.errors import Refused

__all__ = ["HIDDEN", "SHORTEST", "Secrets"]

HIDDEN: Final = "***"
SHORTEST: Final = 8
"""A shorter value can't be distinguished from other text."""


class Secrets:
    """Values by name; `repr` shows none of them. Raises: `Misconfigured` for an invalid name or value."""

    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        self._values = {_key(name): _checked(name, value) for name, value in (values or {}).items()}
        spellings = sorted({each for value in self._values.values() for each in _spellings(value)}, key=len)
        self._pattern = re.compile("|".join(map(re.escape, reversed(spellings)))) if spellings else None

    def __repr__(self) -> str:
        return f"<secrets {', '.join(sorted(self._values))}>"

    def __bool__(self) -> bool:
        return bool(self._values)

    def value(self, name: str) -> str | None:
        """The secret of that name; None where the node does not hold it."""
        return self._values.get(_key(name))

    def lacking(self, names: Iterable[str]) -> tuple[str, ...]:
        """The names that it has no value for."""
        return tuple(name for name in names if _key(name) not in self._values)

    def hide(self, text: str) -> str:
        """The text with `***` for each secret."""
        return text if self._pattern is None else self._pattern.sub(HIDDEN, text)

    def check(self, encoded: bytes, names: Iterable[str], whose: str) -> None:
        """Raises `Refused` where a result, as JSON, holds one of these secrets."""
        for name in names:
            value = self.value(name)
            if value is not None and msgspec.json.encode(value)[1:-1] in encoded:
                raise Refused(
                    f"{whose} returned its secret {name!r}; results are stored as plain text: leave the secret out"
                )


def _key(name: str) -> str:
    return name.lower().replace("-", "_")


def _checked(name: str, value: str) -> str:
    if not is_id(name):
        raise Misconfigured("a secret is named by 1 to 128 letters, digits, '-' or '_'")
    if len(value) < SHORTEST:
        raise Misconfigured(
            f"the secret {name!r} is too short to be distinguished from other text: use {SHORTEST} characters or more"
        )
    return value


def _spellings(value: str) -> Iterator[str]:
    """The value as programs write it: plain, quoted, in JSON, in a URL; and each of its lines."""
    yield value
    yield repr(value)[1:-1]
    yield msgspec.json.encode(value).decode()[1:-1]
    yield quote(value, safe="")
    yield from (line for line in value.splitlines() if len(line) >= SHORTEST)
