"""Installs a service, looks at it, removes it, by the tools of systemd or launchd."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol

import msgspec

from clawactors.app.daemon.plan import ServicePlan
from clawactors.app.daemon.unitfiles import LABEL_PREFIX, plist_bytes, unit_text
from clawactors.app.datafolder import write_private
from clawactors.app.problem import Problem

__all__ = ["Launchd", "ServiceManager", "ServiceState", "Systemd", "manager_here"]

_ASKED: Final = ("LoadState", "ActiveState", "SubState", "Result", "ExecMainStatus", "NRestarts", "MainPID")
_REASONS: Final = {
    "exit-code": "it exited with code {code}",
    "signal": "a signal ended it",
    "core-dump": "it crashed",
    "watchdog": "its event loop stood still for a minute",
    "timeout": "it took too long to start or to stop",
    "oom-kill": "the kernel killed it for its memory",
    "protocol": "it ended with code {code} before it was ready",
    "start-limit-hit": "it failed too often",
    "resources": "the machine lacks something that it needs",
}


class ServiceState(msgspec.Struct, frozen=True, kw_only=True):
    """How a service is. `state` is running, starting, stopping, failed, stopped or unknown; `why` is the reason."""

    installed: bool
    state: str
    why: str = ""
    pid: int = 0
    restarts: int = 0
    at_boot: bool = False


class ServiceManager(Protocol):
    """What starts services on this machine. `is_system` is for all users; without it they are those of who asks."""

    def file(self, name: str) -> Path:
        """Where the description of this service lies."""
        ...

    def text(self, plan: ServicePlan) -> bytes:
        """The description."""
        ...

    def install(self, plan: ServicePlan, *, starts: bool) -> bool:
        """Writes the description and enables the service; False where that one was there. Raises: `Problem`."""
        ...

    def state(self, name: str) -> ServiceState:
        """How the service is."""
        ...

    def remove(self, name: str) -> bool:
        """Stops and forgets it; False where there was none. Raises: `Problem`."""
        ...

    def logs(self, name: str, lines: int, *, follows: bool) -> Sequence[str]:
        """The command that shows its log; empty where its log is in files alone."""
        ...


def manager_here(*, is_system: bool, any_text: bool = False) -> ServiceManager:
    """That of this machine; `any_text` is content with one that can't be asked. Raises: `Problem`."""
    if sys.platform == "darwin":
        return Launchd(is_system=is_system)
    if not any_text and shutil.which("systemctl") is None:
        raise Problem(
            "misconfigured",
            "this machine has no systemd, so that nothing here starts services",
            "claw service install --dry-run shows the unit; in a container run claw up itself",
        )
    return Systemd(is_system=is_system)


class Systemd:
    """Units of the machine, or of the user's own manager."""

    def __init__(self, *, is_system: bool, env: Mapping[str, str] = os.environ) -> None:
        self._is_system = is_system
        self._scope = [] if is_system else ["--user"]
        home = env.get("XDG_CONFIG_HOME", "")
        config = Path(home) if home.startswith("/") else Path(os.path.expanduser("~/.config"))
        self._folder = Path("/etc/systemd/system") if is_system else config / "systemd" / "user"

    def file(self, name: str) -> Path:
        """The unit file."""
        return self._folder / f"{name}.service"

    def text(self, plan: ServicePlan) -> bytes:
        """The unit."""
        return unit_text(plan).encode()

    def install(self, plan: ServicePlan, *, starts: bool) -> bool:
        """Writes, enables and starts; what runs already with another unit is restarted."""
        is_new = _write(self.file(plan.name), self.text(plan))
        self._ask("daemon-reload")
        self._ask("enable", plan.name)
        if starts:
            self._ask("restart" if is_new else "start", "--no-block", plan.name)
        return is_new

    def state(self, name: str) -> ServiceState:
        """What systemd says of it, in a word and a reason."""
        installed = self.file(name).exists()
        try:
            told = self._ask("show", name, f"--property={','.join((*_ASKED, 'UnitFileState'))}")
        except Problem as problem:
            return ServiceState(installed=installed, state="unknown", why=problem.message)
        facts = dict(line.partition("=")[::2] for line in told.splitlines())
        active, code = facts.get("ActiveState", ""), facts.get("ExecMainStatus", "0")
        words = {"active": "running", "activating": "starting", "deactivating": "stopping", "failed": "failed"}
        result = facts.get("Result", "success")
        why = "" if result == "success" else _REASONS.get(result, result).format(code=code)
        if facts.get("SubState") == "auto-restart":
            why = f"{why or 'it ended'}; it is started again in a moment"
        return ServiceState(
            installed=installed,
            state=words.get(active, "stopped"),
            why=why,
            pid=int(facts.get("MainPID") or 0),
            restarts=int(facts.get("NRestarts") or 0),
            at_boot=facts.get("UnitFileState") == "enabled",
        )

    def remove(self, name: str) -> bool:
        """Stops, disables and deletes the unit."""
        if not self.file(name).exists():
            return False
        self._ask("disable", "--now", name)
        self.file(name).unlink(missing_ok=True)
        self._ask("daemon-reload")
        return True

    def logs(self, name: str, lines: int, *, follows: bool) -> Sequence[str]:
        """By journalctl."""
        if shutil.which("journalctl") is None:
            return ()
        scope = ["--unit"] if self._is_system else ["--user-unit"]
        return ["journalctl", *scope, name, "--lines", str(lines), *(["--follow"] if follows else ["--no-pager"])]

    def _ask(self, *words: str) -> str:
        return _run(["systemctl", *self._scope, *words])


class Launchd:
    """Agents of the user, or daemons of the machine."""

    def __init__(self, *, is_system: bool) -> None:
        library = Path("/Library/LaunchDaemons") if is_system else Path(os.path.expanduser("~/Library/LaunchAgents"))
        self._folder, self._domain = library, "system" if is_system else f"gui/{os.getuid()}"

    def file(self, name: str) -> Path:
        """The property list."""
        return self._folder / f"{LABEL_PREFIX}{name}.plist"

    def text(self, plan: ServicePlan) -> bytes:
        """The property list."""
        return plist_bytes(plan)

    def install(self, plan: ServicePlan, *, starts: bool) -> bool:
        """Writes and loads it; what was loaded with another list is loaded again."""
        is_new = _write(self.file(plan.name), self.text(plan))
        (plan.data / "logs").mkdir(mode=0o700, parents=True, exist_ok=True)
        is_loaded = self.state(plan.name).state != "stopped"
        if starts and is_new and is_loaded:
            self._ask("bootout", f"{self._domain}/{LABEL_PREFIX}{plan.name}")
        if starts and (is_new or not is_loaded):
            self._ask("bootstrap", self._domain, str(self.file(plan.name)))
        return is_new

    def state(self, name: str) -> ServiceState:
        """What launchd says of it."""
        installed = self.file(name).exists()
        try:
            told = self._ask("print", f"{self._domain}/{LABEL_PREFIX}{name}")
        except Problem:
            return ServiceState(installed=installed, state="stopped", at_boot=installed)
        facts = dict(line.strip().partition(" = ")[::2] for line in told.splitlines())
        code = facts.get("last exit code", "0").partition(":")[0]
        running = facts.get("state") == "running"
        failed = not running and code.isdigit() and code != "0"
        return ServiceState(
            installed=installed,
            state="running" if running else "failed" if failed else "starting",
            why=f"it exited with code {code}" if failed else "",
            pid=int(facts.get("pid", "0")),
            at_boot=installed,
        )

    def remove(self, name: str) -> bool:
        """Unloads it and deletes the list."""
        if not self.file(name).exists():
            return False
        if self.state(name).state != "stopped":
            self._ask("bootout", f"{self._domain}/{LABEL_PREFIX}{name}")
        self.file(name).unlink(missing_ok=True)
        return True

    def logs(self, name: str, lines: int, *, follows: bool) -> Sequence[str]:
        """In files of the data folder alone."""
        return ()

    def _ask(self, *words: str) -> str:
        return _run(["launchctl", *words])


def _write(path: Path, content: bytes) -> bool:
    """Puts it there whole; False where it was there."""
    try:
        if path.read_bytes() == content:
            return False
    except FileNotFoundError:
        pass
    path.parent.mkdir(parents=True, exist_ok=True)
    write_private(path, content)  # its command may name a server with a password
    return True


def _run(command: Sequence[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=120, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Problem("unavailable", f"{' '.join(command[:3])} could not be run: {error}") from None
    if done.returncode:
        said = " ".join((done.stderr or done.stdout).split()) or f"exit code {done.returncode}"
        raise Problem(
            "unavailable", f"{command[0]} says: {said[:300]}", "a service of a user needs a session of that user"
        )
    return done.stdout
