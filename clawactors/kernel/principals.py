"""Who asks, as subjects name them: a principal is one token, a user any text."""

import hashlib
import re
import unicodedata
from typing import Final

__all__ = ["CLIENT", "is_node", "may_speak_for", "node_principal", "one_spelling", "principal_in", "principal_of"]

CLIENT: Final = "client"
_NODE: Final = "node-"
_NOT_NAME: Final = re.compile(r"[^A-Za-z0-9_-]+")
_NAME_LIMIT: Final = 64
_DIGEST_BYTES: Final = 8


def one_spelling(name: str) -> str:
    """The name as all of its spellings are stored: systems type «Zoë» with one character, or with two."""
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def principal_of(user: str) -> str:
    """The principal as which a user asks: the name, or what a subject can hold of it and a digest of all of it.

    So two users are never one principal, as 小雯 and 林可 or a.b and a-b would be by their letters alone.
    """
    user = one_spelling(user)
    name = _NOT_NAME.sub("-", user)
    if name == user and len(name) <= _NAME_LIMIT:
        return name
    digest = hashlib.blake2b(user.encode("utf-8", "replace"), digest_size=_DIGEST_BYTES).hexdigest()
    return f"{name[: _NAME_LIMIT - len(digest) - 1].strip('-')}-{digest}".lstrip("-")


def node_principal(id: str) -> str:
    """The principal as which a node asks."""
    return f"{_NODE}{id}"


def is_node(principal: str) -> bool:
    """Whether a node asks; no person is called so."""
    return principal.startswith(_NODE)


def principal_in(by: str) -> str | None:
    """The principal of `client/<principal>`; None for the cluster's own account, and for its processes."""
    role, _, principal = by.partition("/")
    return principal or None if role == CLIENT else None


def may_speak_for(principal: str | None, user: str) -> bool:
    """Whether what that principal asks for counts as asked by this user; the cluster's own account speaks for all."""
    return principal is None or principal_of(user) == principal
