"""`memory.extract`: makes memories of a message. The job is a task like any other; memory's process does the work.

Six attempts with waits of 1, 2, 4, 8, 16 s, then dead and visible (`claw memory jobs`), to be redriven like every task.
"""

from typing import Final

from clawactors.kernel.errors import Refused
from clawactors.runtime.node.context import TaskContext
from clawactors.systems.chats.events import EXTRACT, EXTRACT_ATTEMPTS
from clawactors.systems.skills import skill
from clawactors.systems.tasks.failures import ErrorRule
from clawactors.systems.tasks.retry import Retry

__all__ = ["extract"]

_RETRY: Final = Retry(max_retries=EXTRACT_ATTEMPTS - 1, wait_s=1.0, factor=2.0, cap_s=32.0, jitter=0.0)
_ERRORS: Final = (
    ErrorRule(kind="validation", exception=Refused, strategy="give_up"),
    ErrorRule(kind="network", exception="Unavailable", strategy="here"),
)


@skill(EXTRACT, retry=_RETRY, errors=_ERRORS, timeout_s=60)
async def extract(task: TaskContext, key: str, user: str, conversation: str, message: str, seq: int) -> list[str]:
    """Returns the ids of the memories that the message became; none where it says nothing."""
    if not (key and user):
        raise Refused("an extraction needs a user and a key")
    job = {"key": key, "user": user, "conversation": conversation, "message": message, "seq": seq}
    ids: list[str] = (await task.ask_memory(EXTRACT, fresh=False, **job))["ids"]
    return ids
