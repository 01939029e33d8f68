"""An owner's erasures as people and scripts read them. The keys are promises: extend freely, drop none."""

from typing import Any

import msgspec

from clawactors.kernel.time import iso
from clawactors.systems.erasures.decider import Erasure, ErasureRun

__all__ = ["receipt_of", "row"]


def row(id: str, version: int, erasure: Erasure) -> dict[str, Any]:
    """The row of an owner's erasures, the newest run last."""
    return {
        "id": id,
        "status": erasure.status,
        "times": erasure.times,
        "runs": [receipt_of(run) for run in erasure.runs],
        "version": version,
    }


def receipt_of(run: ErasureRun) -> dict[str, Any]:
    """What one erasure did."""
    erased: dict[str, Any] = {"records": 0, "aggregates": {}, "blobs": 0, "outputs": 0, "unsealed": 0}
    return {
        "request": run.request,
        "keys": list(run.keys),
        "by": run.by,
        "reason": run.reason,
        "begun_at": iso(run.begun_ns),
        "finished_at": iso(run.finished_ns) if run.finished_ns else None,
        **erased,
        **msgspec.to_builtins(run.erased),
    }
