"""A bridge as people and scripts read it. The keys are promises: extend freely, drop none."""

from typing import Any

import msgspec

from clawactors.kernel.time import iso
from clawactors.systems.bridges.decider import BridgeState

__all__ = ["row"]


def row(name: str, version: int, bridge: BridgeState) -> dict[str, Any]:
    """The row of a bridge. Times are ISO 8601 with zone or None."""
    return {
        "name": name,
        "members": [msgspec.structs.asdict(each) for each in bridge.members],
        "ignored": bridge.ignored,
        "strangers": [msgspec.structs.asdict(each) for each in bridge.strangers],
        "place": bridge.place,
        "numbered": bridge.numbered,
        "updated_at": iso(bridge.updated_ns),
        "version": version,
    }
