"""The rows of tasks in the archive. See `rows`."""

import msgspec

__all__ = ["ArchivedRow"]


class ArchivedRow(msgspec.Struct, frozen=True, kw_only=True):
    """A task in the archive: what is known of it without its history, which `file` has."""

    id: str
    skill: str
    user: str
    status: str
    ended: str
    submitted_at: str | None
    completed_at: str | None
    archived_at: str | None
    file: str
    version: int
