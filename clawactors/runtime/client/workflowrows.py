"""Rows of workflows; as in `rows`, names and meanings are promises."""

from typing import Any

import msgspec

__all__ = ["WorkflowRow"]


class WorkflowRow(msgspec.Struct, frozen=True, kw_only=True):
    """A workflow. `latest` is its newest version, `definition` that version or the one that was asked for.

    `version` counts its records, as in all rows.
    """

    name: str
    status: str
    latest: int
    definition: dict[str, Any]
    by: str | None
    added_at: str | None
    updated_at: str | None
    version: int
