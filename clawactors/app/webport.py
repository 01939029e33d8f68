"""Sockets of what is served over HTTP: on loopback only."""

import socket
from typing import Final

from clawactors.eventlog import Misconfigured

__all__ = ["hosts_at", "listen_at", "port_of", "url_at"]

_HOST: Final = "127.0.0.1"
_PORT: Final = 8420
_BACKLOG: Final = 2048


def listen_at(port: int | None, option: str = "--http-port") -> socket.socket:
    """A socket that listens on loopback at this port, 0 for any free one; None for 8420, or a free one beside it.

    It listens already, because a port that is only bound can be bound again. Raises: `Misconfigured` with the option.
    """
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((_HOST, _PORT if port is None else port))
        made.listen(_BACKLOG)
    except OSError as error:
        made.close()
        if port is None:
            return listen_at(0)
        raise Misconfigured(f"{option} {port} can't be used: {error.strerror}") from None
    return made


def port_of(listening: socket.socket) -> int:
    """Its port."""
    port: int = listening.getsockname()[1]
    return port


def url_at(port: int) -> str:
    """The address of what is served at that port."""
    return f"http://{_HOST}:{port}"


def hosts_at(port: int) -> frozenset[bytes]:
    """How a request to that port may name its host; another name was pointed here by somebody else (DNS rebinding)."""
    return frozenset(f"{name}:{port}".encode() for name in (_HOST, "localhost", "[::1]"))
