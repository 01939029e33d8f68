"""Ids that follow from what they name, so that the same work done twice makes one memory."""

import hashlib

from clawactors.kernel.principals import one_spelling
from clawactors.systems.memories.events import Content

__all__ = ["memory_id", "note_key"]


def memory_id(owner: str, key: str) -> str:
    """The id of the memory that `key` (a message, an episode, a pattern …) leads to for this owner."""
    owner = one_spelling(owner)
    # The length keeps ("a", "bc") and ("ab", "c") apart.
    named = f"{len(owner)}:{owner}{key}".encode("utf-8", "replace")
    return f"m-{hashlib.blake2b(named, digest_size=16).hexdigest()}"


def note_key(content: Content) -> str:
    """What names a note that nobody named: its words, who said them, its date, and for which agent and conversation."""
    named = f"{content.kind}\0{content.speaker}\0{content.text}"
    if content.happened_ns:  # the same words of another day are another note
        named += f"\0{content.happened_ns}"
    if content.agent:
        named += f"\0\0{content.agent}"
    if content.session and content.origin == "note":
        named += f"\0\0\0{content.session}"
    return "note/" + hashlib.blake2b(named.encode("utf-8", "replace"), digest_size=16).hexdigest()
