"""The server's life: started, watched, started again, stopped."""

import asyncio
import logging
import secrets
import signal
from asyncio.subprocess import Process
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from clawactors.app.datafolder import DataFolder, explained, write_private
from clawactors.app.listening import Listening
from clawactors.app.server.access import ServerAccess
from clawactors.app.server.accounts import adopt_streams, revoked_users, stored_bytes
from clawactors.app.server.binary import find_binary
from clawactors.app.server.config import NOWHERE, ServerLink, render
from clawactors.app.server.health import SILENT, ask_health, ask_name
from clawactors.app.server.identity import User, choose_ports, load_identity, save_identity
from clawactors.app.server.process import end, last_words, spawn
from clawactors.eventlog import Misconfigured, Unavailable

if TYPE_CHECKING:
    from clawactors.app.server.certificate import ServerCertificate

__all__ = ["NatsServer"]

_log = logging.getLogger(__name__)

_ATTEMPTS: Final = 5
_SILENT_S: Final = 30.0
_RECOVERY_S: Final = 600.0  # a large store is read before the first client may come; meanwhile the server says so
_HUNG_S: Final = 60.0
_LONGEST_PATIENCE_S: Final = 3600.0  # doubled every time, because some ills no restart cures
_LOOK_EVERY_S: Final = 5.0
_DISK_WAS_FULL: Final = "no space left on device"
_SLOWEST_RETRY_S: Final = 10.0
_PORT_TAKEN: Final = "address already in use"


class NatsServer:
    """One nats-server on loopback that belongs to this process and to one data folder.

    It is killed when the thread that runs `start` or `supervise` ends (see `lifeline`): run them in the main one.
    """

    def __init__(
        self,
        folder: DataFolder,
        *,
        port: int | None = None,
        link: ServerLink = NOWHERE,
        listening: Listening | None = None,
    ) -> None:
        """`listening` is where other machines connect too; without it only this one does."""
        self._folder, self._link, self._listening = folder, link, listening
        self._wanted_port = port or (listening.port if listening else None) or None
        self._certificate: ServerCertificate | None = None
        self._access: ServerAccess | None = None
        self._process: Process | None = None
        self._most_bytes, self._patience_s = 0, _HUNG_S
        self._stopping = asyncio.Event()
        self._changing = asyncio.Lock()

    @property
    def pid(self) -> int:
        """The process id of the running server, 0 where none runs."""
        return self._process.pid if self._process and self._process.returncode is None else 0

    @property
    def access(self) -> ServerAccess:
        """How to connect, which stays the same at every start on this data folder; its port where that is free."""
        if self._access is None:
            raise RuntimeError("the server was never started")
        return self._access

    @property
    def standby_url(self) -> str:
        """What another cluster dials to be mirrored here, with credentials; '' where none may."""
        user = self.access.identity.standby
        return f"nats-leaf://{user.name}:{user.password}@{self._link.standby}" if self._link.standby else ""

    async def start(self) -> None:
        """Returns once the server takes appends.

        Raises: `Misconfigured` for what a person must change, `Unavailable` where it did not come up in time.
        """
        self._stopping.clear()
        await self._start()

    async def health(self) -> str:
        """'' for a server that takes appends on all streams, else what it says is wrong, or that it does not answer."""
        return await ask_health(self.access.identity.http_port)

    async def supervise(self, on_restart: Callable[[], None] = lambda: None) -> None:
        """Starts it again whenever it dies or hangs, at the same address, until `stop`."""
        while await self._is_lost():
            wait_s = 0.1
            while not self._stopping.is_set():
                try:
                    await self._start()
                except (Misconfigured, Unavailable) as error:
                    _log.error("nats-server stays away: %s", error)
                    with suppress(TimeoutError):
                        await asyncio.wait_for(self._stopping.wait(), wait_s)
                    wait_s = min(2 * wait_s, _SLOWEST_RETRY_S)
                else:
                    _log.warning("nats-server runs again, pid %d", self.pid)
                    on_restart()
                    break

    async def renew(self) -> None:
        """Keeps its certificate valid until cancelled; nothing without one."""
        if self._certificate is not None:
            await self._certificate.renew_always(self._reload)

    def _reload(self) -> None:
        """Has it read its configuration again, which has to say what it was told meanwhile."""
        home = self._folder.server
        with suppress(ProcessLookupError), explained(home):
            self._configure(home, self.access)
            if self._process:
                self._process.send_signal(signal.SIGHUP)

    async def stop(self) -> None:
        """Ends it: asks, waits, kills. Again is harmless."""
        self._stopping.set()
        async with self._changing:
            if self._access:
                self._access.close()
            if self._process:
                await end(self._process)

    async def _start(self) -> None:
        async with self._changing:
            if self.pid:
                return
            home = self._folder.server
            binary, version = await asyncio.to_thread(find_binary)
            self._folder.check_space()
            self._folder.admit_server(version)
            with explained(home):
                home.mkdir(mode=0o700, exist_ok=True)
            for _ in range(_ATTEMPTS):
                if not (reason := await self._try_start(binary, home, self._access or self._first_access(home))):
                    return
                if _PORT_TAKEN not in reason or self._access or self._wanted_port:
                    break
            raise Unavailable(f"nats-server did not start: {reason} (more in {home / 'nats.log'})")

    def _first_access(self, home: Path) -> ServerAccess:
        known = choose_ports(load_identity(home / "identity.json"), self._wanted_port)
        if self._link.standby and not known.standby.name:
            known = replace(known, standby=User("mirror", secrets.token_urlsafe(24)))
        if self._listening is None:
            return ServerAccess(known)
        from clawactors.app.server.certificate import ServerCertificate

        self._certificate = ServerCertificate.of(self._folder.path, self._listening)
        return ServerAccess(known, self._listening, self._certificate.ca_pem)

    def _configure(self, home: Path, access: ServerAccess) -> Path:
        config, listening, certificate = home / "nats.conf", self._listening, self._certificate
        text = render(
            access.identity,
            access.authority,
            home,
            max_file_store=self._most_bytes,
            revoked=access.revoked,
            link=self._link,
            listen=listening.listen(access.identity.port) if listening else "",
            certificate=certificate.file() if certificate else None,
        )
        write_private(config, text.encode())
        return config

    async def _try_start(self, binary: Path, home: Path, access: ServerAccess) -> str:
        """'' once it is ready, else why it is not."""
        log, account = home / "nats.log", access.authority.account
        self._most_bytes = await asyncio.to_thread(stored_bytes, home) + self._folder.check_space()
        access.revoked = revoked_users(home, account) | access.revoked
        with explained(home):
            adopt_streams(home, account)
            config = self._configure(home, access)
            save_identity(home / "identity.json", access.identity)
            errors = log.open("ab")
        with errors:
            begins = errors.tell()
            try:
                process = await spawn([str(binary), "-c", str(config)], errors=errors, hold=self._folder.lock)
            except OSError as error:
                return str(error)
        try:
            reason = await self._until_ready(process, access) or await access.open()
        except BaseException:
            await end(process)
            raise
        if reason:
            await end(process)
            return last_words(log, begins) or reason
        self._access, self._process = access, process
        return ""

    async def _until_ready(self, process: Process, access: ServerAccess) -> str:
        """'' once it takes appends under its own name, else why it never will."""
        known, clock = access.identity, asyncio.get_running_loop().time
        began = clock()
        while process.returncode is None:
            answer = await ask_health(known.http_port, streams=False)
            if not answer and await ask_name(access.host, known.port) == known.name:
                return ""
            if self._stopping.is_set():
                return "it was stopped meanwhile"
            if clock() - began > (_SILENT_S if answer == SILENT else _RECOVERY_S):
                return answer or "another server answers on its port"
            await asyncio.sleep(0.01)
        return f"it ended with {process.returncode}"

    async def _is_lost(self) -> bool:
        """Waits for the end of the process, and ends one that hangs; False once a stop was asked for."""
        clock = asyncio.get_running_loop().time
        well = clock()
        while self._process and not self._stopping.is_set():
            try:
                async with asyncio.timeout(_LOOK_EVERY_S):
                    code = await self._process.wait()
            except TimeoutError:
                if not (answer := await self.health()):
                    well, self._patience_s = clock(), _HUNG_S
                elif clock() - well > self._patience_with(answer) and self._would_help(answer):
                    _log.warning("nats-server is not well for %d s (%s): ending it", clock() - well, answer)
                    self._patience_s = min(2 * self._patience_s, _LONGEST_PATIENCE_S)
                    with suppress(ProcessLookupError):  # it has just ended, which the next look will see
                        self._process.kill()
            else:
                if not self._stopping.is_set():
                    _log.warning("nats-server ended with %d", code)
                    return True
        return False

    def _patience_with(self, answer: str) -> float:
        """Seconds to wait for it to get well by itself, which one that met a full disk never does."""
        return _LOOK_EVERY_S if _DISK_WAS_FULL in answer else self._patience_s

    def _would_help(self, answer: str) -> bool:
        """True where a restart may cure this; while the disk is full, a server that still reads is better than none."""
        return answer == SILENT or self._folder.has_space
