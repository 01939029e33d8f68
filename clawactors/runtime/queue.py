"""The queue of pending tasks, as control is asked for it and tells it: `claw.query.<principal>.queue`."""

import msgspec

__all__ = ["MOST_QUEUED", "QueueQuestion", "QueueReply", "QueuedTask"]

MOST_QUEUED = 1000
"""So many places are told at most."""


class QueueQuestion(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The next `limit` tasks, of one skill or of all."""

    skill: str = ""
    limit: int = 20


class QueuedTask(msgspec.Struct, frozen=True, kw_only=True):
    """A pending task. `because`: why it has this place; `held_back`: what keeps it from a node now, empty for nothing.

    `priority` is 1 (low) to 4 (urgent); `deadline_ns` 0 for none; `waited_s` since it could run.
    """

    id: str
    place: int
    skill: str
    user: str
    priority: int
    deadline_ns: int
    waited_s: float
    because: str
    held_back: tuple[str, ...] = ()


class QueueReply(msgspec.Struct, frozen=True, kw_only=True):
    """The first of all `pending` tasks, in the order in which they are placed; `order` is the setting `queue.order`."""

    order: str
    pending: int
    tasks: tuple[QueuedTask, ...]
    trouble: str = ""
