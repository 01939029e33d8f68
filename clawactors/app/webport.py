"""Sockets of what is served over HTTP: on loopback only."""

import socket
from typing import Final

from clawactors.eventlog import Misconfigured

__all__ = ["bound", "free_port", "hosts_at", "url_at"]

_HOST: Final = "127.0.0.1"
_PORT: Final = 8420


def bound(port: int | None, option: str = "--http-port") -> socket.socket:
    """A socket on loopback at this port, 0 for any free one; None for 8420, or a free one where that is taken.

    Raises: `Misconfigured` that names the option.
    """
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((_HOST, _PORT if port is None else port))
    except OSError as error:
        made.close()
        if port is None:
            return bound(0)
        raise Misconfigured(f"{option} {port} can't be used: {error.strerror}") from None
    return made


def url_at(port: int) -> str:
    """The address of what is served at that port."""
    return f"http://{_HOST}:{port}"


def hosts_at(port: int) -> frozenset[bytes]:
    """How a request to that port may name its host; another name was pointed here by somebody else (DNS rebinding)."""
    return frozenset(f"{name}:{port}".encode() for name in (_HOST, "localhost", "[::1]"))


def free_port(port: int | None) -> int:
    """The port that `bound` finds, for a process to come: it listens there again whenever it is started.

    Raises: `Misconfigured`.
    """
    with bound(port) as made:
        number: int = made.getsockname()[1]
        return number
