"""The approvals that a task's code asks people for.

1. A question is on record before anybody is waited for; a resume waits for the same answer, until the same time.
2. The first answer counts. When the time is up before there is one, the default is recorded as the answer.
3. A question that the code gives up is withdrawn; a resume that comes there again asks again.
"""

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

import msgspec

from clawactors.eventlog import is_id
from clawactors.kernel.errors import Refused
from clawactors.kernel.principals import principal_of
from clawactors.runtime.node.arrivals import arrives
from clawactors.runtime.node.codetasks import outside_run
from clawactors.runtime.node.naming import StepNames
from clawactors.runtime.node.sleep import seconds_of
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks.approvalevents import Approval, UnansweredAs
from clawactors.systems.tasks.approvals import APPROVAL, answer_in
from clawactors.systems.tasks.journal import SIGNAL

if TYPE_CHECKING:
    from clawactors.runtime.node.attempt.attempt import Attempt

__all__ = ["ApprovalAnswer", "TaskApprovals"]

_TEXT_MAX: Final = 2000
_NAME_MAX: Final = 128
_DEFAULTS: Final = ("approve", "deny")
_USERS_MAX: Final = 100
_USER_MAX: Final = 64
_REMIND_MIN_S: Final = 1.0


class ApprovalAnswer(msgspec.Struct, frozen=True):
    """True where it was approved. `by` is who answered, "" where nobody did in time."""

    approved: bool
    by: str = ""
    comment: str = ""

    def __bool__(self) -> bool:
        return self.approved


class TaskApprovals:
    """The approvals of one attempt."""

    def __init__(self, attempt: "Attempt") -> None:
        self._attempt = attempt
        self._names = StepNames()
        self._asked: set[str] = set()

    @outside_run
    async def ask(
        self,
        question: str,
        by: Iterable[str],
        timeout: str | float | None,  # noqa: ASYNC109 # no scope lasts as long
        default: UnansweredAs,
        remind: str | float | None,
        name: str | None,
    ) -> ApprovalAnswer:
        """See `TaskContext.approve`."""
        attempt = self._attempt
        await attempt.parking.at_work("task.approve")
        attempt.check()
        users: Any = by  # anything may be given
        users = users if isinstance(users, str) or not isinstance(users, Iterable) else tuple(users)
        _check(question, users, default)
        name = self._name(name)
        timeout_s = None if timeout is None else seconds_of(timeout)
        remind_s = None if remind is None else seconds_of(remind)
        if remind_s is not None and remind_s < _REMIND_MIN_S:
            raise Refused(f"remind is how often people are reminded, every second at most, not {repr(remind)[:40]}")
        if (answered := answer_in(attempt.journal.ahead, name)) is None:
            approval = self._open(name)
            if approval is None:
                now_ns = attempt.context.time.now_ns()
                until_ns = 0 if timeout_s is None else now_ns + int(timeout_s * 1e9)
                approval = Approval(
                    name=name, question=question, by=users, until_ns=until_ns, default=default, asked_ns=now_ns
                )
                await attempt.record(c.AskApproval(attempt.fence, approval))
            try:
                answered = await self._answer(approval, remind_s)
            except asyncio.CancelledError:
                if not attempt.is_stopping:  # the code itself gives it up: a timeout, or a sibling that failed
                    await attempt.parking.at_work("task.approve")
                    await attempt.record(c.WithdrawApproval(attempt.fence, name))
                raise
        return msgspec.convert(answered, ApprovalAnswer)

    def _name(self, name: object) -> str:
        name = self._names.next("approval", self._attempt.tasks.current().path) if name is None else name
        if not isinstance(name, str) or not 0 < len(name) <= _NAME_MAX or not name.isprintable():
            raise Refused(f"an approval is named by 1 to {_NAME_MAX} printable characters, not {repr(name)[:40]}")
        if name in self._asked:
            raise Refused(f"the code asks for two approvals named {name!r}; names are unique within a task")
        self._asked.add(name)
        self._attempt.journal.used.add(SIGNAL + APPROVAL + name)
        return name

    def _open(self, name: str) -> Approval | None:
        return next((each for each in self._attempt.journal.ahead.life.approvals if each.name == name), None)

    async def _answer(self, approval: Approval, remind_s: float | None) -> Any:
        """The answer on record, once there is one."""
        attempt, name = self._attempt, approval.name
        while (answered := answer_in(attempt.journal.ahead, name)) is None:
            until_ns, reminds = approval.until_ns, False
            every_ns = int((remind_s or 0) * 1e9)
            if every_ns:
                remind_ns = approval.asked_ns + every_ns * (approval.reminders + 1)
                reminds = not until_ns or remind_ns < until_ns
                until_ns = remind_ns if reminds else until_ns
            if await arrives(attempt, APPROVAL + name, until_ns):
                continue
            if reminds:
                passed = (attempt.context.time.now_ns() - approval.asked_ns) // every_ns  # some while no node was there
                approval = msgspec.structs.replace(approval, reminders=max(approval.reminders + 1, passed))
                attempt.values.output().note(f"still waits for an answer to {approval.question!r}", "INFO", "approval")
                await attempt.record(c.AskApproval(attempt.fence, approval))
            else:
                approved = approval.default == "approve"
                await attempt.record(c.AnswerApproval(name, approved, fence=attempt.fence))
        return answered


def _check(question: object, by: object, default: object) -> None:
    if not isinstance(question, str) or not 0 < len(question) <= _TEXT_MAX:
        raise Refused(f"a question is a text of 1 to {_TEXT_MAX} characters, not {repr(question)[:40]}")
    if not isinstance(by, tuple) or not all(isinstance(each, str) for each in by):
        raise Refused(f"by is a list of names, as in ['ops'], not {repr(by)[:40]}")
    for user in by:
        if not is_id(user) or len(user) > _USER_MAX:
            hint = f"; write {principal_of(user)!r}, as this user is known" if user.strip() else ""
            raise Refused(f"by: no user is named {user[:_USER_MAX]!r}: letters, digits, '-' or '_'{hint}")
    if len(by) > _USERS_MAX:
        raise Refused(f"by has {len(by)} names; {_USERS_MAX} are the most: leave it empty and anybody may answer")
    if default not in _DEFAULTS:
        raise Refused(f"default is one of {', '.join(_DEFAULTS)}, not {repr(default)[:40]}")
