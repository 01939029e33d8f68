"""The body of an edit of a task."""

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from clawactors.app.web.parameters import given_of, moment

__all__ = ["TaskEdit", "changes_of"]


class TaskEdit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The fields that change, named as in a submission; times are ISO 8601, '' for none."""

    params: dict[str, Any] | UnsetType = UNSET
    name: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    user: str | UnsetType = UNSET
    priority: str | int | UnsetType = UNSET
    requires: list[str] | UnsetType = UNSET
    prefers: list[str] | UnsetType = UNSET
    affinity: dict[str, str] | UnsetType = UNSET
    tags: list[str] | UnsetType = UNSET
    metadata: dict[str, Any] | UnsetType = UNSET
    at: str | UnsetType = UNSET
    deadline: str | UnsetType = UNSET
    timeout_s: float | UnsetType | None = UNSET
    max_retries: int | UnsetType | None = UNSET


_NAMES = {"at": "not_before_ns", "deadline": "deadline_ns"}


def changes_of(edit: TaskEdit) -> dict[str, Any]:
    """The changes as `ClusterClient.edit` takes them. Raises: `InvalidQuery` for an invalid time."""
    return {
        _NAMES.get(name, name): (moment(name, value) or 0) if name in _NAMES else value
        for name, value in given_of(edit).items()
    }
