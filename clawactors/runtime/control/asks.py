"""Answers `claw.query.<principal>.ask`: passes a question to the node that has the code of the task in memory.

Any control process may do so. It keeps nothing: a node that is lost meanwhile is told by `again`, and asked for anew.
"""

from typing import Final

import msgspec
from msgspec.structs import replace

from clawactors.eventlog import Unavailable, is_id
from clawactors.eventlog.requests import Requests
from clawactors.kernel.errors import NotFound, Refused
from clawactors.runtime.control.folded import FoldedSnapshots
from clawactors.runtime.serving import RequestEndpoint, answering
from clawactors.runtime.taskasking import ASK, CodeAnswer, CodeQuestion, subject_of_node
from clawactors.systems.tasks import FINAL, TaskStatus
from clawactors.systems.tasks.kind import TASKS
from clawactors.systems.tasks.row import waits_for

__all__ = ["AskEndpoint"]

_LONGEST_S: Final = 3600.0

_decode: Final = msgspec.json.Decoder(CodeQuestion).decode
_decode_answer: Final = msgspec.json.Decoder(CodeAnswer).decode
_encode: Final = msgspec.json.Encoder().encode


class AskEndpoint(RequestEndpoint):
    """Questions to the code of tasks."""

    def __init__(self, snapshots: FoldedSnapshots, requests: Requests) -> None:
        super().__init__()
        self._snapshots, self._requests = snapshots, requests

    async def open(self, requests: Requests, queue: str) -> None:
        """Answers from now on. Raises: `PermissionDenied`, `Unavailable`."""
        self._serving = [await requests.answer(f"claw.query.*.{ASK}", self._answer, queue=queue)]

    @answering(_decode, _encode, CodeAnswer, "a question to a task")
    async def _answer(self, _principal: str, question: CodeQuestion) -> CodeAnswer:
        if not is_id(question.id):
            raise Refused(f"{question.id[:60]!r} is not an id: use 1 to 128 letters, digits, '-' or '_'")
        known = (await self._snapshots.load(TASKS, question.id, at_least=-1, brief=True)).snapshot
        if known.frozen:
            raise Refused(f"task {question.id} needs a newer release: {known.frozen}")
        if not known.state.exists:
            raise NotFound(f"there is no task {question.id!r}")
        life = known.state.life
        if not (life.parked or life.status == "running"):
            return _absent(question.id, life)
        question = replace(question, wait_s=min(max(0.0, question.wait_s), _LONGEST_S))
        try:
            answer = await self._requests.request(subject_of_node(life.node), _encode(question), question.wait_s + 1.0)
            return _decode_answer(answer)
        except Unavailable as error:
            return CodeAnswer(again=f"node {life.node} does not answer: {error}")
        except msgspec.MsgspecError as error:  # of another release
            raise Refused(f"node {life.node} gave no answer that this release can read: {error}") from None


def _absent(id: str, life: TaskStatus) -> CodeAnswer:
    """Why no node has its code in memory. Raises: `Refused` where that lasts."""
    if life.status in ("pending", "scheduled"):
        return CodeAnswer(again=f"the task is {life.status}: its code waits for a slot")
    if life.status in FINAL:
        raise Refused(f"task {id} is {life.status}, so its code can't answer; claw task {id} shows how it ended")
    if life.status == "blocked":
        raise Refused(f"task {id} is blocked, so its code does not run: {life.blocked_reason}")
    if life.status == "paused":
        raise Refused(f"task {id} is paused, so its code does not run: claw resume {id} resumes it")
    whole = f"task {id} waits ({waits_for(life)}), and no node has its code in memory"
    if life.waiting_for in ("signal", "timer"):
        raise Refused(f"{whole}: claw resume {id} runs it up to its wait, then it answers")
    raise Refused(f"{whole}; it answers once it runs")
