"""Who may ask over HTTP on this machine: the owner of the data folder, by a one-time link or by the token in a file.

Everything is in the folder `web` of the data folder, which only its owner can read: links and sessions by the SHA-256
of their secret, so that the files open no door. A link is used by removing its file, which one request alone can do.
"""

import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from clawactors.app.datafolder import write_private
from clawactors.eventlog import Misconfigured
from clawactors.kernel.digests import digest_of

__all__ = ["LINK_S", "SESSION_S", "WebLogin", "WebSession"]

LINK_S: Final = 3600.0
SESSION_S: Final = 7 * 86_400.0
_SECRET_BYTES: Final = 32
_LONGEST: Final = 200


class WebSession(msgspec.Struct, frozen=True):
    """A browser that has signed in; `csrf` is what it sends with each change."""

    csrf: str
    ends_s: float
    user: str = ""


class WebLogin:
    """Links, sessions and the token of one data folder. `now_s` is the time of day.

    Raises: `Misconfigured` where the folder can't be written.
    """

    def __init__(self, data: Path, now_s: Callable[[], float] = time.time) -> None:
        self._folder, self._now_s = data / "web", now_s
        self._known: dict[str, WebSession] = {}
        try:
            for folder in (self._folder, self._links, self._sessions):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._folder.chmod(0o700)
            self.token = self._read_token()
        except OSError as error:
            raise Misconfigured(f"can't write {self._folder}, which holds who may sign in: {error.strerror}") from None

    @property
    def _links(self) -> Path:
        return self._folder / "links"

    @property
    def _sessions(self) -> Path:
        return self._folder / "sessions"

    @property
    def token_file(self) -> Path:
        """The file of the owner's token."""
        return self._folder / "token"

    def _read_token(self) -> str:
        with suppress(FileNotFoundError, UnicodeDecodeError):  # what is damaged opens nothing, and is made anew
            if len(known := self.token_file.read_text("ascii").strip()) >= _SECRET_BYTES:
                return known
        token = f"claw_{secrets.token_urlsafe(_SECRET_BYTES)}"
        write_private(self.token_file, f"{token}\n".encode())
        return token

    def serve_at(self, url: str) -> None:
        """Notes where the dashboard is served from now on."""
        write_private(self._folder / "address", url.encode())

    def address(self) -> str:
        """Where it was served last, '' for nowhere yet."""
        try:
            return (self._folder / "address").read_text("ascii").strip()
        except (OSError, UnicodeDecodeError):
            return ""

    def link(self, url: str) -> str:
        """A link that signs in once, within an hour."""
        code = secrets.token_urlsafe(_SECRET_BYTES)
        self._sweep(self._links)
        write_private(self._links / digest_of(code), str(self._now_s() + LINK_S).encode())
        return f"{url}/login?code={code}"

    def sign_in(self, code: str, before: str = "") -> tuple[str, WebSession] | None:
        """The secret of a new session and the session, None for a link that is used, over or made up.

        `before` is the secret of a session that the browser had: it ends.
        """
        if not code or len(code) > _LONGEST:
            return None
        file = self._links / digest_of(code)
        try:
            ends_s = float(file.read_text("ascii"))
            file.unlink()  # of two who come at once, one finds it gone
        except (OSError, ValueError):
            return None
        if ends_s < self._now_s():
            return None
        self.sign_out(before)
        self._sweep(self._sessions)
        secret = secrets.token_urlsafe(_SECRET_BYTES)
        made = WebSession(secrets.token_urlsafe(_SECRET_BYTES), self._now_s() + SESSION_S)
        write_private(self._sessions / digest_of(secret), msgspec.json.encode(made))
        return secret, made

    def session(self, secret: str) -> WebSession | None:
        """The session of that secret while it lasts."""
        if not secret or len(secret) > _LONGEST:
            return None
        name = digest_of(secret)
        found = self._known.get(name)
        if found is None:
            try:
                found = msgspec.json.decode((self._sessions / name).read_bytes(), type=WebSession)
            except (OSError, msgspec.DecodeError):
                return None
            self._known[name] = found
        if found.ends_s < self._now_s():
            self.sign_out(secret)
            return None
        return found

    def sign_out(self, secret: str) -> None:
        """Ends the session. Order: idempotent."""
        if secret and len(secret) <= _LONGEST:
            self._known.pop(digest_of(secret), None)
            (self._sessions / digest_of(secret)).unlink(missing_ok=True)

    def is_token(self, given: str) -> bool:
        """True for the owner's token, told apart in constant time."""
        return secrets.compare_digest(given.encode("utf-8", "replace"), self.token.encode())

    def _sweep(self, folder: Path) -> None:
        """Removes what nobody can use any more."""
        before_s = self._now_s() - SESSION_S
        for file in folder.iterdir():
            with suppress(OSError):
                if file.stat().st_mtime < before_s:
                    file.unlink()
