"""Ids of owners: names of people are any text, ids are not."""

import hashlib
from typing import Final

from clawactors.kernel.principals import one_spelling

__all__ = ["EVERYONE", "owner_id"]

EVERYONE: Final = "*"
"""Stands for all owners: in `sharing`, and as whose memories of one conversation or time are forgotten."""


def owner_id(owner: str) -> str:
    """The id of the aggregate of this owner; '' is nobody."""
    return f"o-{hashlib.blake2b(one_spelling(owner).encode('utf-8', 'replace'), digest_size=16).hexdigest()}"
