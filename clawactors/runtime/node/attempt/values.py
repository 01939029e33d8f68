"""The values of an attempt: results and payloads, small or by reference; its secrets, its output, its progress."""

import asyncio
import threading
from collections.abc import Buffer, Callable, Iterable
from typing import TYPE_CHECKING, Any

from clawactors.eventlog import Corrupt
from clawactors.kernel.errors import Refused
from clawactors.runtime.node.codetasks import at_work
from clawactors.runtime.node.heartbeat import share_of
from clawactors.runtime.node.naming import planned
from clawactors.runtime.node.output import TaskOutput
from clawactors.runtime.node.results import encoded_and_decoded, is_large
from clawactors.runtime.node.spawned import Printed, release
from clawactors.systems.owners import owner_id
from clawactors.systems.skills.returns import JSON, Returns
from clawactors.systems.tasks.kind import TASKS
from clawactors.systems.tasks.payload import PAYLOAD_MAX_BYTES, shown_size
from clawactors.systems.tasks.stepevents import Undo

if TYPE_CHECKING:
    from clawactors.runtime.node.attempt.attempt import Attempt

__all__ = ["AttemptValues"]

_making = threading.Lock()


class AttemptValues:
    """What the code of one attempt returns, stores, reads and emits."""

    def __init__(self, attempt: "Attempt", loop: asyncio.AbstractEventLoop) -> None:
        self._attempt, self._loop = attempt, loop
        self._supplies, self._skill = attempt.supplies, attempt.skill
        self._output: TaskOutput | None = None
        self._is_closed = False
        self.progress: float | None = None
        """What the code last reported, or what follows from its plan, 0..1."""
        self._planned = 0
        self._left: set[str] | None = None  # of the plan, what is not done yet

    async def encode_result(self, result: Any, whose: str, returns: Returns = JSON) -> tuple[Any, Any]:
        """A result as JSON has it, and what is recorded: the same, or a reference where it is large.

        Raises: `Refused` where it is not JSON, too large, or holds a secret.
        """
        encoded, decoded = self._encode(result, whose, returns)
        if is_large(encoded, decoded):
            payloads = self._supplies.payloads
            return decoded, await self._attempt.retry_while_unavailable(lambda: payloads.store_blob(encoded, whose))
        return decoded, decoded

    def encode_small(self, result: Any, whose: str) -> Any:
        """What is recorded of it. Raises: as `encode_result`; `Refused` where it is large."""
        encoded, decoded = self._encode(result, whose, JSON)
        if is_large(encoded, decoded):
            raise Refused(f"{whose} is large")
        return decoded

    def _encode(self, result: Any, whose: str, returns: Returns) -> tuple[bytes, Any]:
        encoded, decoded = encoded_and_decoded(result, whose, returns)
        if self._skill is not None and self._skill.secrets:
            self._supplies.secrets.check(encoded, self._skill.secrets, whose)
        return encoded, decoded

    async def load_payload(self, reference: Any, what: str) -> Any:
        """The value behind a reference. Where it is missing, the task is blocked: a person has to decide."""
        try:
            return await self._attempt.retry_while_unavailable(lambda: self._supplies.payloads.load_payload(reference))
        except (Corrupt, Refused) as error:
            await self._attempt.block(f"{what} can't be loaded: {error}")

    @at_work
    async def store_blob(self, body: Buffer) -> dict[str, Any]:
        """See `TaskContext.store`."""
        self._attempt.check()
        if not isinstance(body, Buffer):
            raise Refused(f"task.store takes bytes, not {repr(body)[:40]}: encode a text, as in text.encode()")
        size_bytes = memoryview(body).nbytes
        if size_bytes > PAYLOAD_MAX_BYTES:
            raise Refused(
                f"{shown_size(size_bytes)} are more than the {shown_size(PAYLOAD_MAX_BYTES)} that can be stored"
            )
        blobs = self._supplies.payloads.blobs
        name = await self._attempt.retry_while_unavailable(lambda: blobs.put(body))
        return {"blob": name, "bytes": size_bytes}

    def output(self) -> TaskOutput:
        """Where the code prints and emits. May be called in any thread."""
        with _making:
            if self._output is None:
                attempt = self._attempt
                user = TASKS.owner(attempt.journal.state)
                owner = owner_id(user) if user else ""
                self._output = TaskOutput(self._supplies, attempt.id, attempt.fence, self._loop, owner)
            return self._output

    def take(self, printed: Printed) -> bool:
        """Takes what the code prints or logs; False when its output is closed. May be called in any thread."""
        if self._is_closed:
            return False
        output = self.output()
        if printed.level:
            output.note(printed.text, printed.level, printed.logger)
        elif printed.text:
            output.write(printed.source, printed.text)
        else:
            output.flush(printed.source)
        return True

    def open_output(self) -> None:
        """The task says something after all."""
        self._is_closed = False
        if self._output is not None:
            self._output.reopen()

    async def close_output(self) -> None:
        """Returns when what was printed and emitted is stored, or can't be soon."""
        release(self)
        self._is_closed = True
        if self._output is not None:
            await self._output.aclose()

    def secret(self, name: str) -> str:
        """See `TaskContext.secret`."""
        skill = self._skill
        if skill is None or name not in skill.secrets:
            whose = skill.name if skill else "the skill"
            raise Refused(f"skill {whose!r} asks for no secret {name!r}: name it in @skill(…, secrets=[…])")
        value = self._supplies.secrets.value(name)
        if value is None:
            raise Refused(f"node {self._attempt.fence.node} holds no secret {name!r}")
        return value

    async def undo_record(self, undo: dict[str, Any], step: str) -> Undo:
        """What is recorded of how to undo a step; arguments that are large go by reference."""
        return self.undo_by(undo["function"], (await self.encode_result(undo["call"], f"the undo of step {step!r}"))[1])

    def undo_by(self, function: str, call: Any) -> Undo:
        """What is recorded of the function and the arguments that undo a step."""
        return Undo(function, call, self._skill is not None and self._skill.on_failure == "compensate")

    def plan(self, steps: Iterable[str | Callable[..., Any]]) -> None:
        """See `TaskContext.plan`."""
        if isinstance(steps, str) or not isinstance(steps, Iterable):
            raise Refused(f"task.plan takes a list of steps, as in task.plan([fetch, 'send']), not {repr(steps)[:40]}")
        names = {planned(each) for each in steps}
        entries = self._attempt.journal.entries
        self._planned, self._left = len(names), {each for each in names if not entries.completed(each)}

    def progress_after(self, step: str) -> float | None:
        """What is recorded with a completed step: what the code reported, else the share of the plan that is done."""
        if self._planned and self._left is not None:
            self._left.discard(step)
            self.progress = 1 - len(self._left) / self._planned
        return self.progress

    def report_progress(self, done: float, total: float) -> None:
        """Keeps the progress for the next record; a sign of life. Raises: `Refused` where these are no numbers."""
        self.progress = share_of(done, total)
        self._attempt.heartbeat.beat(self.progress)
