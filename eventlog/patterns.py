"""Subject patterns as NATS has them: `*` stands for one token, `>` at the end for one or more."""

import re
from collections.abc import Callable, Sequence
from operator import methodcaller

__all__ = ["covering", "matcher"]


def matcher(patterns: Sequence[str]) -> Callable[[str], object]:
    """A test for subjects that fit any of the NATS patterns (`*` one token, `>` one or more at the end)."""
    if all(pattern.endswith(".>") and "*" not in pattern for pattern in patterns):
        return methodcaller("startswith", tuple(pattern.removesuffix(">") for pattern in patterns))
    tokens = {"*": r"[^.]+", ">": r".+"}
    forms = (r"\.".join(tokens.get(token, re.escape(token)) for token in pattern.split(".")) for pattern in patterns)
    return re.compile("|".join(forms)).fullmatch


def covering(patterns: Sequence[str]) -> str:
    """One pattern that matches all subjects of these, and maybe more.

    A server finds the next message for one pattern through an index; for several patterns, one of them rare, it scans
    the stream: reading 45,000 messages took 13 s instead of 0.3 s. Where few messages match in all, it is quick.
    """
    if len(patterns) == 1:
        return patterns[0]
    common: list[str] = []
    for tokens in zip(*(pattern.split(".") for pattern in patterns), strict=False):
        if len(set(tokens)) > 1 or tokens[0] == ">":
            break
        common.append(tokens[0])
    return ".".join([*common, ">"])
