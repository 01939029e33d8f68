"""Settings as the view keeps them for people and scripts. The keys are promises: extend freely, drop none."""

from typing import Any

import msgspec

from clawactors.systems.settings.decider import ClusterSettings

__all__ = ["row"]


def row(name: str, version: int, settings: ClusterSettings) -> dict[str, Any]:
    """All that was ever set; `seq` is the sequence of the last change in the log. Times in ns since 1970."""
    return {"name": name, "seq": version, **msgspec.to_builtins(msgspec.structs.asdict(settings))}
