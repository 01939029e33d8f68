"""The rules of approvals: who may ask, who may answer, and that the first answer counts.

An answer is also a signal with a name of its own, so the code waits for it as for any signal.
"""

from typing import Any, Final

import msgspec

from clawactors.kernel.errors import Refused
from clawactors.systems.tasks.approvalevents import Approval, ApprovalAnswered, ApprovalAsked, ApprovalWithdrawn
from clawactors.systems.tasks.attempt import check_fence
from clawactors.systems.tasks.journal import RESERVED, SIGNAL
from clawactors.systems.tasks.spec import Fence
from clawactors.systems.tasks.task import FINAL, Task

__all__ = [
    "APPROVAL",
    "AnswerApproval",
    "AskApproval",
    "WithdrawApproval",
    "answer_approval",
    "answer_in",
    "ask_or_withdraw",
    "checked_comment",
    "opened",
    "signal_of",
]

APPROVAL: Final = f"{RESERVED}approval:"
"""What the name of the signal begins with; the name of the approval follows."""
_COMMENT_MAX: Final = 2000


class AskApproval(msgspec.Struct, frozen=True, gc=False):
    """The code waits for a person, or reminds them."""

    fence: Fence
    approval: Approval


class AnswerApproval(msgspec.Struct, frozen=True, gc=False):
    """A person answers; with a fence, its time is up and the default counts. `name` "" is the only open one."""

    name: str
    approved: bool
    by: str = ""
    comment: str = ""
    fence: Fence | None = None


class WithdrawApproval(msgspec.Struct, frozen=True, gc=False):
    """The code waits for the answer no longer."""

    fence: Fence
    name: str


def ask_or_withdraw(
    command: AskApproval | WithdrawApproval, task: Task
) -> tuple[ApprovalAsked | ApprovalWithdrawn, ...]:
    """The event, none for a repeat. Raises: `Refused`."""
    check_fence(task, command.fence)
    if isinstance(command, WithdrawApproval):
        event = ApprovalWithdrawn(command.name)
        return (event,) if opened(task, event) is not task.life.approvals else ()
    if task.life.status != "running":
        raise Refused(f"the task is {task.life.status}, not running")
    approval = command.approval
    asked = ApprovalAsked(**msgspec.structs.asdict(approval))
    return (asked,) if opened(task, asked) is not task.life.approvals else ()


def answer_approval(command: AnswerApproval, task: Task) -> ApprovalAnswered | None:
    """The event, None where the time was up but somebody was faster.

    Raises: `Refused` where nothing is asked, somebody else has answered, or the one who asks may not.
    """
    if command.fence is not None:
        check_fence(task, command.fence)
        if answer_in(task, command.name) is not None:
            return None
    approval = _open(command.name, task)
    who = command.by.rpartition("/")[2]
    if command.fence is None and approval.by and who not in approval.by:
        raise Refused(f"approval {approval.name!r} is for {', '.join(approval.by)} to answer, and you are {who!r}")
    return ApprovalAnswered(approval.name, command.approved, command.by, command.comment)


def _open(name: str, task: Task) -> Approval:
    approvals = () if task.life.status in FINAL else task.life.approvals
    found = [each for each in approvals if name in ("", each.name)]
    if len(found) == 1:
        return found[0]
    if found:
        raise Refused(f"it asks for several approvals: name one of {', '.join(each.name for each in approvals)}")
    answered = answer_in(task, name or _last_answered(task))
    if answered is not None:
        verdict = "approved" if answered["approved"] else "denied"
        by = f"by {answered['by']}" if answered["by"] else "by default, as its time was up"
        raise Refused(f"it was {verdict} already {by}; the first answer counts")
    if task.life.status in FINAL:
        raise Refused(f"the task is {task.life.status}, so no approval of it can be answered any more")
    names = ", ".join(each.name for each in approvals)
    raise Refused(f"it asks for no approval {name!r}" + (f"; it asks for {names}" if names else " now"))


def _last_answered(task: Task) -> str:
    """The name of the approval that was answered last."""
    start = SIGNAL + APPROVAL
    return next((each.name[len(start) :] for each in reversed(list(task.journal)) if each.name.startswith(start)), "")


def answer_in(task: Task, name: str) -> dict[str, Any] | None:
    """The answer on record, as its signal carries it; None before there is one."""
    entry = task.journal.last(SIGNAL + APPROVAL + name)
    return entry.result if entry is not None and isinstance(entry.result, dict) else None


def signal_of(event: ApprovalAnswered) -> tuple[str, dict[str, Any]]:
    """Name and payload of the signal that tells the code."""
    return APPROVAL + event.name, {"approved": event.approved, "by": event.by, "comment": event.comment}


def checked_comment(comment: str) -> str:
    """The comment itself. Raises: `Refused` where it is no text, or too long."""
    given: Any = comment  # anything may be given
    if not isinstance(given, str) or given.encode(errors="replace").decode() != given:
        raise Refused(f"a comment is a text, not {repr(given)[:40]}")
    if len(comment) > _COMMENT_MAX:
        raise Refused(f"a comment has at most {_COMMENT_MAX} characters, not {len(comment)}; put the rest elsewhere")
    return comment


def opened(task: Task, event: ApprovalAsked | ApprovalAnswered | ApprovalWithdrawn) -> tuple[Approval, ...]:
    """The open approvals after the event; the very same object where it is illegal."""
    approvals, status = task.life.approvals, task.life.status
    known = next((each for each in approvals if each.name == event.name), None)
    others = tuple(each for each in approvals if each is not known)
    if isinstance(event, ApprovalWithdrawn):
        return others if known is not None and status == "running" else approvals
    if isinstance(event, ApprovalAnswered):
        return others if known is not None else approvals
    fits = status == "running" and answer_in(task, event.name) is None
    if not fits or (known is not None and known.reminders >= event.reminders):
        return approvals
    return (*others, Approval(**msgspec.structs.asdict(event)))
