"""Machines on this one: a network namespace each, on one bridge, whose links are cut in one direction or in both.

The test itself is a further machine: what is cut between two others leaves its own links whole.
"""

import contextlib
import itertools
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from typing import Final, NamedTuple

__all__ = ["Machine", "Machines", "machines", "why_none"]

_IP: Final = shutil.which("ip") or "/sbin/ip"
_numbers = itertools.count()


class Machine(NamedTuple):
    """One of them; a command that begins with `within` runs there."""

    name: str
    address: str

    @property
    def within(self) -> tuple[str, ...]:
        return (_IP, "netns", "exec", self.name)


class Machines:
    """All of them; `heal` makes every link whole again."""

    def __init__(self, members: list[Machine]) -> None:
        self.members = members
        self._cut: set[tuple[str, str]] = set()

    def silence(self, speaker: Machine, hearer: Machine) -> None:
        """What the one sends does not reach the other any more; the other way it does."""
        if (speaker.name, hearer.address) not in self._cut:
            _ip("-n", speaker.name, "route", "add", "blackhole", hearer.address)
            self._cut.add((speaker.name, hearer.address))

    def part(self, one: Machine, other: Machine) -> None:
        """Neither hears the other."""
        self.silence(one, other)
        self.silence(other, one)

    def isolate(self, one: Machine) -> None:
        """It hears none of the others, nor they it."""
        for other in self.members:
            if other is not one:
                self.part(one, other)

    def heal(self) -> None:
        """All hear each other."""
        for speaker, address in self._cut:
            _ip("-n", speaker, "route", "del", "blackhole", address)
        self._cut.clear()


def why_none() -> str:
    """Why this machine makes no others, '' where it does."""
    if sys.platform != "linux" or os.geteuid():
        return "network namespaces need root on Linux"
    if not shutil.which(_IP):
        return "network namespaces need iproute2"
    name = f"claw-try-{os.getpid()}"
    try:
        _ip("netns", "add", name)
    except RuntimeError as error:
        return f"no network namespace can be made here: {error}"
    _ip("netns", "del", name)
    return ""


@contextlib.contextmanager
def machines(count: int) -> Iterator[Machines]:
    """As many, until the block ends. End what runs on them before."""
    mark = f"{os.getpid() % 65_000:x}{next(_numbers) % 16:x}"
    net = f"10.{77 + os.getpid() % 100}.{next(_numbers) % 200}"
    bridge, members = f"cb{mark}", [Machine(f"claw-{mark}-{n}", f"{net}.{n + 1}") for n in range(count)]
    try:
        _ip("link", "add", bridge, "type", "bridge")
        _ip("addr", "add", f"{net}.254/24", "dev", bridge)
        _ip("link", "set", bridge, "up")
        for number, (name, address) in enumerate(members):
            link = f"cv{mark}{number}"
            _ip("netns", "add", name)
            _ip("link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", name)
            _ip("link", "set", link, "master", bridge, "up")
            for words in (("addr", "add", f"{address}/24", "dev", "eth0"), ("link", "set", "eth0", "up")):
                _ip("-n", name, *words)
            _ip("-n", name, "link", "set", "lo", "up")
        yield Machines(members)
    finally:
        for words in (*(("netns", "del", name) for name, _ in members), ("link", "del", bridge)):
            with contextlib.suppress(RuntimeError):
                _ip(*words)


def _ip(*words: str) -> None:
    done = subprocess.run([_IP, *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"ip {' '.join(words)}: {done.stderr.strip()}")
