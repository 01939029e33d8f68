"""How much one web process bears at a time: streams and calls have limits of their own, so neither shuts the other out.

All of them are open sockets, so the system's limit of open files bounds them too.
"""

import resource
from typing import Final

import msgspec

__all__ = ["WebLimits", "web_limits"]

_CONNECTIONS: Final = 16_000
_CALLS: Final = 2_000
_STREAMS_OF_TEN: Final = 7
_OTHER_FILES: Final = 200
"""Left for what this process needs beside: the servers of the cluster, files, who is told to come again."""


class WebLimits(msgspec.Struct, frozen=True):
    """The most connections, and of these the most streams, and the most calls that are answered at a time."""

    connections: int = _CONNECTIONS
    streams: int = _CONNECTIONS * _STREAMS_OF_TEN // 10
    calls: int = _CALLS


def web_limits() -> WebLimits:
    """Those of this process, which may open as many files as it needs from now on, or as the system lets it."""
    allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _CONNECTIONS + _OTHER_FILES
    if most != resource.RLIM_INFINITY:
        wanted = min(wanted, most)
    if allowed != resource.RLIM_INFINITY and allowed < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))
    connections = max(wanted - _OTHER_FILES, 100)
    return WebLimits(connections, connections * _STREAMS_OF_TEN // 10)
