"""What this machine is called where a name is one token: ids of nodes, names of processes."""

import re
import socket
from typing import Final

__all__ = ["machine_name"]

_NOT_NAME: Final = re.compile(r"[^A-Za-z0-9_-]+")


def machine_name() -> str:
    """The host name with a hyphen for all that a subject can't hold; `node` where nothing is left."""
    return _NOT_NAME.sub("-", socket.gethostname()).strip("-") or "node"
