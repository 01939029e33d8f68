"""The line that a new machine or person is given to paste: where the cluster is, its authority, and a secret."""

import base64
import binascii
import secrets
import zlib
from typing import Final

import msgspec

from clawactors.eventlog import Misconfigured

__all__ = ["JOIN_USER", "JoinLine", "new_secret"]

JOIN_USER: Final = "join"
"""The user as whom an invitation connects; its password is the name and the secret."""
_MARK: Final = "claw1-"
_MOST_BYTES: Final = 20_000


class JoinLine(msgspec.Struct, frozen=True, kw_only=True):
    """What an invitation says; `authority` is the code of who signs the servers' certificates, '' without TLS."""

    urls: tuple[str, ...]
    name: str
    secret: str
    authority: str = ""

    @property
    def text(self) -> str:
        """One word of letters, digits, `-` and `_`."""
        content = zlib.compress(msgspec.json.encode(self), 9)
        return _MARK + base64.urlsafe_b64encode(content).rstrip(b"=").decode()

    @property
    def password(self) -> str:
        """What the invitation signs in with, as the user `join`."""
        return f"{self.name}.{self.secret}"

    @classmethod
    def read(cls, text: str) -> "JoinLine":
        """The invitation in a pasted text, also with the command before it or with line breaks in it.

        Raises: `Misconfigured` for any other text.
        """
        words = "".join(text.removeprefix("claw join").split())
        coded = words.partition(_MARK)[2]
        try:
            if not coded or len(coded) > _MOST_BYTES:
                raise ValueError("no mark, or too long")
            unpacker = zlib.decompressobj()
            content = unpacker.decompress(base64.urlsafe_b64decode(coded + "=" * (-len(coded) % 4)), _MOST_BYTES)
            line = msgspec.json.decode(content, type=cls)
        except (ValueError, binascii.Error, zlib.error, msgspec.MsgspecError):
            raise Misconfigured(
                f"{text[:24]!r}… is no whole invitation: paste the line that `claw invite` has printed, all of it"
            ) from None
        if not line.urls or not line.name or not line.secret:
            raise Misconfigured("this invitation names no server, or nobody: ask for a new one")
        return line


def new_secret() -> str:
    """A secret of 192 bits."""
    return secrets.token_urlsafe(24)
