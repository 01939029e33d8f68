"""The machine that a node runs on: its description, and how busy it is."""

import os
import platform
import socket

import msgspec

from clawactors.runtime.node.memorylimit import memory_use_percent
from clawactors.systems.nodes.events import Machine
from clawactors.systems.settings import DEFAULTS

__all__ = ["LEASE_S", "Figures", "Gauge", "this_machine"]

LEASE_S = DEFAULTS.node_lease
"""How long a node may be silent before it counts as lost; a node may choose another time."""


class Figures(msgspec.Struct, frozen=True):
    """One heartbeat: shares in percent of the machine, counts of this node, the node's own wall clock."""

    incarnation: str
    at_ns: int
    running: int = 0
    queued: int = 0
    cpu: float = 0.0
    memory: float = 0.0
    disk: float = 0.0
    lease_s: float = LEASE_S


def this_machine(port: int = 0) -> Machine:
    """The description of the machine, which does not change while the node runs."""
    ip, overlay_ip = _addresses()
    return Machine(
        hostname=socket.gethostname(),
        platform=platform.system().lower(),
        arch=platform.machine(),
        ip=ip,
        overlay_ip=overlay_ip,
        port=port,
        pid=os.getpid(),
    )


def _addresses() -> tuple[str, str]:
    """The first private or public IPv4 address and the Tailscale one (100.64.0.0/10), "" where there is none."""
    import psutil

    plain, overlay = "", ""
    for name, addresses in psutil.net_if_addrs().items():
        for address in addresses:
            if address.family != socket.AF_INET or address.address.startswith("127."):
                continue
            first, second, *_ = (int(part) for part in address.address.split("."))
            if name.startswith("tailscale") or (first == 100 and 64 <= second <= 127):
                overlay = overlay or address.address
            else:
                plain = plain or address.address
    return plain, overlay


class Gauge:
    """Reads how busy the machine is, or the container; the disk is the one of `folder`."""

    def __init__(self, folder: str) -> None:
        import psutil

        self._psutil, self._folder = psutil, folder
        psutil.cpu_percent()  # the first reading only starts the interval
        self._slow: tuple[float, float] = (0.0, 0.0)
        self._reads = 0

    def read(self) -> tuple[float, float, float]:
        """CPU, memory and disk use in percent; the slow ones are read every tenth time."""
        if self._reads % 10 == 0:
            memory = max(self._psutil.virtual_memory().percent, memory_use_percent() or 0.0)
            self._slow = (memory, self._psutil.disk_usage(self._folder).percent)
        self._reads += 1
        return (self._psutil.cpu_percent(), *self._slow)
