"""The server's address and credentials, from the nats CLI's context files and environment.

Order of precedence: an explicit address, an explicit context, `NATS_URL` (with `NATS_CREDS`), `NATS_CONTEXT`, the CLI's
selected context, and finally a server on this machine.
"""

import json
import logging
import os
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import unquote, urlparse

import msgspec

from clawactors.eventlog.errors import Misconfigured

__all__ = ["DEFAULT_URL", "Address", "context_file"]

_log = logging.getLogger(__name__)

DEFAULT_URL: Final = "nats://127.0.0.1:4222"


class Address(msgspec.Struct, frozen=True):
    """The servers of one cluster and the credentials for it, in the words of the nats CLI's context files.

    `credentials` is the text of a credentials file, `creds` the name of one.
    `ca_pem` is the text of an authority, for who has no file of it; with it or with `ca` no other one is trusted.
    """

    urls: tuple[str, ...] = (DEFAULT_URL,)
    user: str = ""
    password: str = ""
    token: str = ""
    creds: str = ""
    credentials: str = ""
    nkey: str = ""
    cert: str = ""
    key: str = ""
    ca: str = ""
    ca_pem: str = ""
    tls_first: bool = False
    inbox_prefix: str = "_INBOX"
    domain: str = ""

    @classmethod
    def of(cls, url: str | None = None, context: str | None = None, env: Mapping[str, str] = os.environ) -> Self:
        """The address that these arguments, the environment and the context files name.

        Raises: `Misconfigured` (no such context, or not readable).
        """
        if url:
            return cls(urls=_split(url))
        if context:
            return cls.from_context(context, env)
        if env.get("NATS_URL"):
            return cls(urls=_split(env["NATS_URL"]), creds=env.get("NATS_CREDS", ""))
        selected = env.get("NATS_CONTEXT") or _selected(env)
        if selected:
            return cls.from_context(selected, env)
        return cls(creds=env.get("NATS_CREDS", ""))

    @classmethod
    def from_context(cls, name: str, env: Mapping[str, str] = os.environ) -> Self:
        """The address in the CLI's context file of that name."""
        path = context_file(name, env)
        try:
            raw: Any = json.loads(path.read_bytes())
        except (OSError, ValueError) as error:
            raise Misconfigured(f"the NATS context {name!r} can't be read: {error}") from None
        if not isinstance(raw, dict):
            raise Misconfigured(f"the NATS context {name!r} is not a JSON object: {path}")

        def text(key: str) -> str:
            value = raw.get(key)
            return value if isinstance(value, str) else ""

        def file(key: str) -> str:
            return str(Path(text(key)).expanduser()) if text(key) else ""

        if text("user_jwt") or text("nsc"):
            raise Misconfigured(f"the NATS context {name!r} signs in by user_jwt or nsc: use a creds file")
        return cls(
            urls=_split(text("url") or DEFAULT_URL),
            user=text("user"),
            password=text("password"),
            token=text("token"),
            creds=file("creds"),
            nkey=file("nkey"),
            cert=file("cert"),
            key=file("key"),
            ca=file("ca"),
            tls_first=raw.get("tls_first") is True,
            inbox_prefix=text("inbox_prefix") or "_INBOX",
            domain=text("jetstream_domain"),
        )

    @property
    def text(self) -> str:
        """The addresses as one text that any NATS client takes, with password or token; without files."""
        secret = self.token or (f"{self.user}:{self.password}" if self.user else "")
        parts = [url.partition("://") for url in self.urls]
        return ",".join(
            f"{scheme}://{secret}@{rest}" if secret and "@" not in rest else f"{scheme}://{rest}"
            for scheme, _, rest in parts
        )

    @property
    def api(self) -> str:
        """The prefix of the JetStream API."""
        return f"$JS.{self.domain}.API" if self.domain else "$JS.API"

    def check_files(self) -> None:
        """Warns of secrets that others may read. Raises: `Misconfigured` for a file that can't be read."""
        for word in ("creds", "nkey", "ca", "cert", "key"):
            if path := getattr(self, word):
                _check_file(word, path)

    def options(self) -> dict[str, Any]:
        """The options for nats-py's `connect`."""
        options: dict[str, Any] = {"inbox_prefix": self.inbox_prefix}
        user, password, token = self._sign_in()
        if user:
            options |= {"user": user, "password": password}
        if token:
            options["token"] = token
        if self.credentials:
            from nats.aio.client import RawCredentials

            options["user_credentials"] = RawCredentials(self.credentials)
        elif self.creds:
            options["user_credentials"] = self.creds
        if self.nkey:
            options["nkeys_seed"] = self.nkey
        if self.ca or self.ca_pem or self.cert or any(url.startswith("tls:") for url in self.urls):
            options |= {"tls": self._tls(), "tls_handshake_first": self.tls_first}
        return options

    def renewed_tls(self) -> ssl.SSLContext | None:
        """TLS with what the files hold now; None where there are no files, or where they are just being replaced."""
        if not (self.ca or self.cert):
            return None
        try:
            return self._tls()
        except Misconfigured as error:
            _log.warning("%s: trying with what they held before", error)
            return None

    def _sign_in(self) -> tuple[str, str, str]:
        """User, password and token; those in the addresses also apply to servers that the cluster names later."""
        places = {(urlparse(url).username, urlparse(url).password) for url in self.urls}
        if self.user or self.token or len(places) > 1:
            return self.user, self.password, self.token
        ((name, password),) = places
        if name and password is None:
            return "", "", unquote(name)
        return unquote(name or ""), unquote(password or ""), ""

    def _tls(self) -> ssl.SSLContext:
        try:
            context = ssl.create_default_context(cafile=self.ca or None, cadata=self.ca_pem or None)
            if self.cert:
                context.load_cert_chain(self.cert, self.key or None)
        except (OSError, ValueError, TypeError) as error:
            raise Misconfigured(f"the TLS certificates or keys can't be used: {error}") from None
        return context


def context_file(name: str, env: Mapping[str, str] = os.environ) -> Path:
    """Where the nats CLI keeps the context of that name."""
    return _folder(env) / "context" / f"{name}.json"


def _check_file(word: str, path: str) -> None:
    """Says which file can't be read, and warns of a secret that others may read."""
    try:
        with open(path, "rb") as file:
            mode = os.fstat(file.fileno()).st_mode
    except OSError as error:
        raise Misconfigured(f"the file {path!r} ({word}) can't be read: {error.strerror}") from None
    if word in ("creds", "nkey", "key") and mode & 0o077:
        _log.warning("others may read the secret in %s (%s): chmod 600 it", path, word)


def _split(urls: str) -> tuple[str, ...]:
    """Several addresses, separated by commas, each with its scheme."""
    found = tuple(url.strip() for url in urls.split(",") if url.strip())
    if any(url.startswith(("ws:", "wss:")) for url in found):
        raise Misconfigured("websocket addresses are not supported: use nats:// or tls://")
    return tuple(url if "://" in url else f"nats://{url}" for url in found)


def _folder(env: Mapping[str, str]) -> Path:
    home = env.get("XDG_CONFIG_HOME")
    return Path(home or os.path.expanduser("~/.config")) / "nats"  # a user without a home has no contexts


def _selected(env: Mapping[str, str]) -> str:
    try:
        return (_folder(env) / "context.txt").read_text().strip()
    except OSError:
        return ""
