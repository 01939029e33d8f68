"""The test kit: a whole cluster in the event loop of a test, with a clock that jumps (docs/testing.md).

In: skills, and what shall go wrong. Out: a client of a cluster that lives in memory. It is the product itself on
in-memory ports; it never reimplements a rule, and nothing of the product imports it.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from clawactors.testing.cluster import Cluster
    from clawactors.testing.replayer import CodeReplay, NondeterministicCode, replay

__all__ = ["Cluster", "CodeReplay", "NondeterministicCode", "replay"]

_HOMES = {
    "Cluster": "clawactors.testing.cluster",
    "NondeterministicCode": "clawactors.testing.replayer",
    "CodeReplay": "clawactors.testing.replayer",
    "replay": "clawactors.testing.replayer",
}


def __getattr__(name: str) -> Any:
    """The public name, imported now: pytest imports this package wherever it is installed."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(_HOMES[name]), name)
    if not hasattr(value, "__struct_fields__"):  # structs need their module to read their annotations
        value.__module__ = __name__  # people see the name that they import it by
    return value
