"""What is kept of a secret that somebody else holds."""

import hashlib

__all__ = ["digest_of"]


def digest_of(secret: str) -> str:
    """The SHA-256 of a secret, 64 hexadecimal digits; it is random and long, so no salt is needed."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
