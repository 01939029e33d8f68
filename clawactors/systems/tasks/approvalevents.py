"""What a task asks people for, and what they answered: the values and the events."""

from typing import Literal

import msgspec

from clawactors.systems.tasks.spec import Count

__all__ = ["Approval", "ApprovalAnswered", "ApprovalAsked", "ApprovalWithdrawn", "UnansweredAs"]

type UnansweredAs = Literal["approve", "deny"]
"""What counts as the answer when nobody gave one in time."""


class Approval(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, kw_only=True):
    """A question that waits for a person; `by` are the principals that may answer, all of them if empty.

    `until_ns`: when `default` counts as the answer, 0 for never. `reminders`: how often people were reminded.
    """

    name: str
    question: str
    by: tuple[str, ...] = ()
    until_ns: Count = 0
    default: UnansweredAs = "deny"
    asked_ns: Count = 0
    reminders: Count = 0


class ApprovalAsked(Approval, frozen=True, omit_defaults=True, kw_only=True, tag="task.approval_asked"):
    """The code waits for a person; asked again, it is a reminder."""


class ApprovalAnswered(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, tag="task.approval_answered"):
    """A person has answered, or, with `by` empty, the time was up."""

    name: str
    approved: bool
    by: str = ""
    comment: str = ""


class ApprovalWithdrawn(msgspec.Struct, frozen=True, gc=False, tag="task.approval_withdrawn"):
    """The code waits for it no longer: a timeout of its own, or a sibling that failed. A resume asks again."""

    name: str
