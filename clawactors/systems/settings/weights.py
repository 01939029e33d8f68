"""Weights of users as people write them: `maya=3 ci=0.5`."""

import re
from typing import Final

__all__ = ["weights_of"]

_LEAST: Final = 0.01
_MOST: Final = 100.0
_USERS: Final = 100
_NUMBER: Final = re.compile(r"[0-9]{1,4}(\.[0-9]{1,6})?", re.ASCII)


def weights_of(text: str) -> dict[str, float]:
    """The weight by user. Raises: `ValueError` with what would do."""
    weights: dict[str, float] = {}
    for each in text.replace(",", " ").split():
        user, _, number = each.rpartition("=")
        weight = float(number) if _NUMBER.fullmatch(number) else 0.0
        if not user or not _LEAST <= weight <= _MOST:
            raise ValueError(f"users, each with a weight from {_LEAST:g} to {_MOST:g}, as in maya=3 ci=0.5")
        if user in weights:
            raise ValueError(f"one weight for user {user[:60]!r}")
        weights[user] = weight
    if text and not weights:
        raise ValueError("users with their weights, as in maya=3 ci=0.5, or '' for none")
    if len(weights) > _USERS:
        raise ValueError(f"weights for {_USERS} users at most")
    return weights
