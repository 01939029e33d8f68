"""Tells systemd how the service is: ready, alive, stopping (the protocol of `sd_notify`)."""

import asyncio
import contextlib
import os
import socket
from collections.abc import MutableMapping
from typing import Final, Self

__all__ = ["Notifier"]

_PINGS: Final = 3
"""In the time that systemd waits for one."""


class Notifier:
    """Says nothing where no service manager listens. Use it in a `with` around the loop's work.

    The address is taken out of the environment, so that no process of a skill speaks for the service.
    """

    def __init__(self, env: MutableMapping[str, str] = os.environ) -> None:
        address = env.pop("NOTIFY_SOCKET", "")
        watched, pid = env.pop("WATCHDOG_USEC", ""), env.pop("WATCHDOG_PID", "")
        self._beating: asyncio.Task[None] | None = None
        self._every_s = int(watched) / 1e6 / _PINGS if watched.isdigit() and pid in ("", str(os.getpid())) else 0.0
        self._socket: socket.socket | None = None
        if address[:1] in ("/", "@"):
            self._address = "\0" + address[1:] if address[0] == "@" else address  # `@` is Linux' abstract namespace
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
            self._socket.setblocking(False)

    def ready(self, status: str) -> None:
        """The service answers from now on, and is watched; `status` is what `systemctl status` shows."""
        self._send(f"READY=1\nSTATUS={' '.join(status.split())}")
        if self._every_s and self._socket is not None and self._beating is None:
            self._beating = asyncio.ensure_future(self._beat())

    def stopping(self) -> None:
        """It has begun to end."""
        self._send("STOPPING=1\nSTATUS=stopping: nodes hand their work back")

    async def _beat(self) -> None:
        """Shows for as long as the event loop turns that it does."""
        while True:
            self._send("WATCHDOG=1")
            await asyncio.sleep(self._every_s)

    def _send(self, text: str) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):  # a service goes on without its manager
                self._socket.sendto(text.encode(), self._address)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._beating is not None:
            self._beating.cancel()
        if self._socket is not None:
            self._socket.close()
