"""Where a server listens that other machines reach, and by which names they reach it: what `--listen` says.

`--listen WHERE[:PORT][,NAME[:PORT]]…`: WHERE is an address or a host name of this machine, `0.0.0.0` or `[::]` for all
its addresses, or `tailscale`; the names are what others use where this machine does not know it, as behind NAT.
"""

import ipaddress
import socket
import subprocess
from collections.abc import Callable
from typing import Final

import msgspec
import psutil

from clawactors.app.machinename import machine_name
from clawactors.eventlog import Misconfigured

__all__ = [
    "TAILSCALE",
    "Host",
    "Listening",
    "MachineAddresses",
    "ask_tailscale",
    "choose_listening",
    "resolve",
    "this_machine",
]

TAILSCALE: Final = "tailscale"
_TAILSCALE_NET: Final = ipaddress.ip_network("100.64.0.0/10")
_TAILSCALE_S: Final = 5.0
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
_VIRTUAL: Final = ("br-", "cni", "docker", "flannel", "lxc", "lxd", "podman", "veth", "virbr", "vmnet")
"""Interfaces to what runs on this machine: other machines have the same addresses there."""
_PROBES: Final = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))
_EVERYWHERE: Final = {"0.0.0.0": 4, "::": 6}  # noqa: S104 - a person has asked for it

type _Ip = ipaddress.IPv4Address | ipaddress.IPv6Address


class MachineAddresses(msgspec.Struct, frozen=True):
    """What a machine is called, and its addresses as pairs of interface and address, the most used ones first."""

    name: str
    addresses: tuple[tuple[str, str], ...]

    def reachable(self, version: int) -> tuple[str, ...]:
        """The addresses that other machines may reach; with 6 also those of IPv6."""
        found = (address for interface, address in self.addresses if not interface.startswith(_VIRTUAL))
        ips = [ip for ip in map(_ip_of, found) if ip and not ip.is_loopback and not ip.is_link_local]
        return tuple(str(ip) for ip in sorted(ips, key=lambda ip: ip.version) if ip.version <= version)

    def has(self, ip: _Ip) -> bool:
        """True for an address of this machine."""
        return ip.is_loopback or any(_ip_of(address) == ip for _, address in self.addresses)


class Host(msgspec.Struct, frozen=True):
    """A name or an address by which others reach the server; `port` is 0 for that of the server."""

    name: str
    port: int = 0


class Listening(msgspec.Struct, frozen=True):
    """A place to listen: `bind` is the address, `port` 0 where any will do; others use `hosts`, the best one first."""

    bind: str
    port: int
    hosts: tuple[Host, ...]

    @property
    def is_local(self) -> bool:
        """True where only this machine reaches it."""
        return ipaddress.ip_address(self.bind).is_loopback

    @property
    def own(self) -> str:
        """The address by which this machine reaches it."""
        return {4: "127.0.0.1", 6: "::1"}[_EVERYWHERE[self.bind]] if self.bind in _EVERYWHERE else self.bind

    def listen(self, port: int) -> str:
        """For the server's configuration."""
        return f"{_bracketed(self.bind)}:{port}"

    def urls(self, port: int) -> tuple[str, ...]:
        """What others are told, where the server has this port."""
        return tuple(f"tls://{_bracketed(host.name)}:{host.port or port}" for host in self.hosts)

    def names(self, machine: MachineAddresses) -> tuple[str, ...]:
        """What the certificate is for: what others are told, and all that this machine is called now."""
        here = tuple(address for _, address in machine.addresses) if self.bind in _EVERYWHERE else (self.bind,)
        ips = (str(ip) for ip in map(_ip_of, here) if ip and not ip.is_link_local)
        return tuple(dict.fromkeys((*(host.name for host in self.hosts), *ips, *_LOOPBACK)))


def choose_listening(
    text: str,
    machine: MachineAddresses,
    addresses_of: Callable[[str], tuple[str, ...]],
    tailscale: Callable[[], str],
) -> Listening:
    """Reads the value of `--listen`. Raises: `Misconfigured`, whose text says what to write instead."""
    first, *more = (part.strip() for part in text.split(","))
    where, port = _split(first, text)
    told = tuple(Host(*_split(each, text)) for each in more)
    if where == TAILSCALE:
        where = _on_tailscale(machine, tailscale)
    ip = _ip_of(where)
    if ip is None:
        return _by_name(where, port, told, machine, addresses_of)
    if str(ip) in _EVERYWHERE:
        reachable = machine.reachable(_EVERYWHERE[str(ip)]) or (machine.name,)
        return Listening(str(ip), port, told or tuple(map(Host, reachable)))
    if ip.is_link_local:
        raise Misconfigured(f"--listen {where}: other machines can't name a link-local address: {_choice(machine)}")
    if not machine.has(ip):
        raise Misconfigured(
            f"--listen {where} is not an address of this machine: {_choice(machine)}; where others reach this machine "
            f"by it, write 0.0.0.0,{where}"
        )
    return Listening(str(ip), port, told or (Host(str(ip)),))


def _by_name(
    name: str,
    port: int,
    told: tuple[Host, ...],
    machine: MachineAddresses,
    addresses_of: Callable[[str], tuple[str, ...]],
) -> Listening:
    found = [ip for ip in map(_ip_of, addresses_of(name)) if ip]
    ours = sorted((ip for ip in found if machine.has(ip)), key=lambda ip: (ip.is_loopback, ip.version))
    if not found:
        raise Misconfigured(f"--listen {name}: nobody knows this name here: {_choice(machine)}")
    if not ours:
        raise Misconfigured(
            f"--listen {name} is {found[0]}, which is not this machine: {_choice(machine)}; where others reach this "
            f"machine by that name, write 0.0.0.0,{name}"
        )
    if ours[0].is_loopback and name != "localhost":  # as Debian has it in /etc/hosts
        raise Misconfigured(
            f"--listen {name} is {ours[0]} on this machine, where no other machine reaches it: write 0.0.0.0,{name}"
        )
    return Listening(str(ours[0]), port, told or (Host(name), Host(str(ours[0]))))


def _on_tailscale(machine: MachineAddresses, tailscale: Callable[[], str]) -> str:
    """The address in the tailnet: what the program says, else that of an interface."""
    said = tailscale()
    if (ip := _ip_of(said)) is not None:
        return str(ip)
    pairs = sorted(machine.addresses, key=lambda pair: not pair[0].startswith((TAILSCALE, "utun")))
    for _, address in pairs:
        if (ip := _ip_of(address)) is not None and ip in _TAILSCALE_NET:
            return str(ip)
    raise Misconfigured(
        f"--listen tailscale: this machine is in no tailnet ({said}): run `tailscale up`, or {_choice(machine)}"
    )


def _split(part: str, text: str) -> tuple[str, int]:
    """Host and port; 0 where none is named."""
    wrong = Misconfigured(f"--listen {text!r}: write HOST, HOST:PORT, [IPV6]:PORT or tailscale, as in 0.0.0.0:4222")
    if _ip_of(part.strip("[]")) is not None:
        return str(_ip_of(part.strip("[]"))), 0
    host, _, port = part.rpartition(":") if ":" in part else (part, "", "")
    port_number = int(port) if port.isascii() and port.isdigit() else 0
    if (":" in part and not 0 < port_number < 1 << 16) or not host or host.isdigit() or "/" in host or "@" in host:
        raise wrong
    if host.startswith("["):
        if _ip_of(host.strip("[]")) is None:
            raise wrong
        return str(_ip_of(host.strip("[]"))), port_number
    if ":" in host:
        raise wrong
    try:
        return host.encode("idna").decode().lower(), port_number
    except UnicodeError:
        raise wrong from None


def this_machine() -> MachineAddresses:
    """This machine now: addresses change when it moves to another network."""
    first = [address for family, probe in _PROBES if (address := _outgoing(family, probe))]
    found = [
        (interface, each.address.partition("%")[0])
        for interface, addresses in psutil.net_if_addrs().items()
        for each in addresses
        if each.family in (socket.AF_INET, socket.AF_INET6)
    ]
    found.sort(key=lambda pair: pair[1] not in first)
    return MachineAddresses(machine_name(), tuple(found))


def resolve(name: str) -> tuple[str, ...]:
    """The addresses of a host name, () for one that is not known here."""
    try:
        return tuple(dict.fromkeys(str(each[4][0]) for each in socket.getaddrinfo(name, None)))
    except OSError:
        return ()


def ask_tailscale() -> str:
    """This machine's address in its tailnet, or why there is none."""
    command = [TAILSCALE, "ip", "-4"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_TAILSCALE_S, check=False)
    except FileNotFoundError:
        return "there is no program tailscale"
    except (OSError, subprocess.SubprocessError) as error:
        return str(error)
    lines = f"{done.stdout}\n{done.stderr}".split("\n")
    return next((line.strip() for line in lines if line.strip()), f"it ended with {done.returncode}")


def _outgoing(family: int, probe: str) -> str:
    """The address that this machine has towards others; nothing is sent."""
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as asked:
            asked.connect((probe, 9))
            return str(asked.getsockname()[0])
    except OSError:
        return ""


def _choice(machine: MachineAddresses) -> str:
    named = {address: interface for interface, address in machine.addresses}
    known = ", ".join(f"{each} ({named.get(each, '')})" for each in machine.reachable(6)[:4])
    return f"choose {known or '127.0.0.1'}, or 0.0.0.0 for all"


def _ip_of(text: str) -> _Ip | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
