"""Commands as people and other programs ask for them: checked and made whole, before anything reads the log.

1. A request is what the log will give back, as with a submission: what JSON can't hold is refused.
2. What comes as bytes is decoded to a command or refused with the reason; nothing else can come of it.
"""

from collections.abc import Mapping
from typing import Any, Final, assert_never

import msgspec
from msgspec.structs import replace

from clawactors.eventlog.nesting import is_too_deep
from clawactors.eventlog.numbers import unfit_number
from clawactors.kernel.errors import Refused
from clawactors.kernel.external import ExternalCommand
from clawactors.kernel.time import iso, time_ns
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks.approvals import checked_comment
from clawactors.systems.tasks.events import Spec
from clawactors.systems.tasks.journal import RESERVED
from clawactors.systems.tasks.jsonvalues import encode, to_json, unfit_key, why_unfit
from clawactors.systems.tasks.payload import INLINE_MAX_BYTES, Encoded, is_reference, named_in
from clawactors.systems.tasks.submission import checked_spec, checked_time, spec_of

__all__ = [
    "COMMANDS",
    "ApproveRequest",
    "CancelRequest",
    "DeleteRequest",
    "EditRequest",
    "PauseRequest",
    "ResumeRequest",
    "RetryRequest",
    "SignalRequest",
    "SubmitRequest",
    "command_of",
    "edit_of",
    "request_of",
    "retry_of",
    "signal_of",
]

_NAME_MAX: Final = 256
_LEVELS_AROUND: Final = 10
_NOT_ASKED: Final = ("fork_of", "fork_step", "parent", "depth", "on_parent_cancel", "parent_run", "recalled", "erased")


def signal_of(name: object, payload: Any = None) -> c.Signal:
    """The command that tells a task something; a payload that has to go by reference comes as `Encoded`.

    Raises: `Refused`.
    """
    if not (isinstance(name, str) and 0 < len(name) <= _NAME_MAX and name.isprintable()):
        raise Refused(f"a signal is named by 1 to {_NAME_MAX} printable characters, not {repr(name)[:40]}")
    if name.startswith(RESERVED):
        raise Refused(
            f"signals that begin with {RESERVED!r} are the cluster's own, so {name!r} can't be sent; rename it"
        )
    try:
        encoded = encode(payload)
        signal = c.Signal(name, msgspec.json.decode(encoded))
        unfit = unfit_number(payload, encoded, any_length=True, to_json=to_json) or unfit_key(payload, signal.payload)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:  # of msgspec too
        raise Refused(f"the signal's payload can't be written: {why_unfit(payload, error)}") from None
    if unfit or is_too_deep(b"[" * _LEVELS_AROUND + encoded):
        raise Refused(f"the signal's payload can't be written: {unfit or 'it is nested too deep'}")
    if len(encoded) > INLINE_MAX_BYTES or is_reference(signal.payload):
        return c.Signal(name, Encoded(encoded))
    return signal


def retry_of(by: str, at_ns: int, deadline_ns: object = None) -> c.RetryTask:
    """The command that retries a task, with another deadline if one is given, 0 for none.

    Raises: `Refused`.
    """
    return c.RetryTask(by, at_ns, None if deadline_ns is None else checked_time(deadline_ns, "a deadline"))


def edit_of(spec: Spec, changes: Mapping[str, Any]) -> c.Edit:
    """The command that changes these options, named as those of `spec_of`, and leaves the others. Raises: `Refused`."""
    if unknown := sorted(set(changes) - set(Spec.__struct_fields__)):
        raise Refused(f"a task has no {unknown[0]!r} that could be edited")
    as_it_is = _NOT_ASKED if "params" in changes else (*_NOT_ASKED, "params")  # which may be by reference
    asked = {name: getattr(spec, name) for name in Spec.__struct_fields__ if name not in as_it_is}
    edited = spec_of(**(asked | dict(changes)))
    return c.Edit(replace(edited, **{name: getattr(spec, name) for name in as_it_is}), was=spec)


class CancelRequest(ExternalCommand, frozen=True, kw_only=True, tag="task.cancel"):
    """End the task; with `undo`, undo its steps first; with `now`, its code has no time to clean up."""

    undo: bool = False
    now: bool = False


class PauseRequest(ExternalCommand, frozen=True, tag="task.pause"):
    """Pause the task."""


class ResumeRequest(ExternalCommand, frozen=True, tag="task.resume"):
    """Resume a paused task."""


class RetryRequest(ExternalCommand, frozen=True, kw_only=True, tag="task.retry"):
    """Retry an ended or blocked task; `deadline` as ISO 8601, "" for none."""

    deadline: str | None = None


class DeleteRequest(ExternalCommand, frozen=True, tag="task.delete"):
    """Delete the task."""


class SignalRequest(ExternalCommand, frozen=True, tag="task.signal"):
    """Send the task a signal."""

    name: str
    payload: Any = None


class SubmitRequest(ExternalCommand, frozen=True, kw_only=True, tag="task.submit"):
    """Make the task."""

    spec: Spec
    delayed: bool = False


class ApproveRequest(ExternalCommand, frozen=True, kw_only=True, tag="task.approve"):
    """Answer an approval that the task asks for; `name` may be left out where there is one only."""

    name: str = ""
    approved: bool = True
    comment: str = ""


class EditRequest(ExternalCommand, frozen=True, kw_only=True, tag="task.edit"):
    """Change what is asked for, while `was` is what is asked for."""

    spec: Spec
    was: Spec | None = None


type _Any = (
    CancelRequest
    | PauseRequest
    | ResumeRequest
    | RetryRequest
    | DeleteRequest
    | SignalRequest
    | SubmitRequest
    | EditRequest
    | ApproveRequest
)

COMMANDS: Final[msgspec.json.Decoder[Any]] = msgspec.json.Decoder(_Any.__value__)
"""What other programs may ask of a task."""


def command_of(command: _Any, by: str, at_ns: int) -> c.TaskCommand:
    """The command that another program asks for, `by` unless it says who asks, at that time. Raises: `Refused`."""
    by = command.by or by
    match command:
        case SubmitRequest():
            return c.Submit(checked_spec(command.spec), command.delayed)
        case CancelRequest():
            return c.Cancel(by, command.undo, command.now)
        case PauseRequest():
            return c.Pause(by)
        case ResumeRequest():
            return c.Resume()
        case RetryRequest():
            return retry_of(by, at_ns, None if command.deadline is None else _time_of(command.deadline))
        case DeleteRequest():
            return c.Delete(by)
        case SignalRequest() if is_reference(command.payload):
            named_in(command.payload)
            return replace(signal_of(command.name), payload=command.payload)
        case SignalRequest():
            return signal_of(command.name, command.payload)
        case ApproveRequest():
            return c.AnswerApproval(command.name, command.approved, by, checked_comment(command.comment))
        case EditRequest():
            return c.Edit(checked_spec(command.spec), command.was)
        case _:
            assert_never(command)


def request_of(command: c.TaskCommand, id: str = "") -> _Any:
    """The command as a client asks for it; `id` names it. Raises: `Refused` for what only control and nodes may say."""
    match command:
        case c.Submit():
            return SubmitRequest(id=id, spec=command.spec, delayed=command.delayed)
        case c.Cancel():
            return CancelRequest(id=id, undo=command.undo, now=command.now)
        case c.Pause():
            return PauseRequest(id=id)
        case c.Resume():
            return ResumeRequest(id=id)
        case c.RetryTask(deadline_ns=deadline_ns):
            return RetryRequest(id=id, deadline=None if deadline_ns is None else iso(deadline_ns) or "")
        case c.Delete():
            return DeleteRequest(id=id)
        case c.Signal():
            return SignalRequest(id=id, name=command.name, payload=command.payload)
        case c.AnswerApproval():
            return ApproveRequest(id=id, name=command.name, approved=command.approved, comment=command.comment)
        case c.Edit():
            return EditRequest(id=id, spec=command.spec, was=command.was)
        case _:
            raise Refused(f"{type(command).__name__} is not a client's to ask for")


def _time_of(text: str) -> int:
    try:
        return time_ns(text) if text else 0
    except ValueError as error:
        raise Refused(f"deadline: {error}") from None
