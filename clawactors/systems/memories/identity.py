"""Ids that follow from what they name, so that the same work done twice makes one memory."""

import hashlib

__all__ = ["memory_id"]


def memory_id(owner: str, key: str) -> str:
    """The id of the memory that `key` (a message, an episode, a pattern …) leads to for this owner."""
    # The length keeps ("a", "bc") and ("ab", "c") apart.
    named = f"{len(owner)}:{owner}{key}".encode("utf-8", "replace")
    return f"m-{hashlib.blake2b(named, digest_size=16).hexdigest()}"
