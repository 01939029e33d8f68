"""The words in which specs of tasks are written: one history for each status, and what the nodes in it are called."""

from clawactors.systems.tasks import STATUSES, TASK, Status
from clawactors.systems.tasks import events as e
from tests.spec import SECOND, spec

given = spec(TASK)

SUBMITTED = e.Submitted(skill="echo", params={"text": "hi"}, timeout_s=9.0, max_retries=2)
SPEC = e.Spec(skill="echo", params={"text": "hi"}, timeout_s=9.0, max_retries=2)
FENCE = e.Fence("n1", "i1", 1)
OTHER_FENCES = (
    e.Fence("n2", "i1", 1),
    e.Fence("n1", "i2", 1),
    e.Fence("n1", "i1", 0),
    e.Fence("n1", "i1", 2),
    e.Fence("", "", 1),
)
ERROR = e.TaskError("network", "no route to host")


def scheduled(attempt: int = 1, node: str = "n1", incarnation: str = "i1", **more: int) -> e.Scheduled:
    """What `Schedule` leads to."""
    return e.Scheduled(
        node=node,
        incarnation=incarnation,
        attempt=attempt,
        skill="echo",
        params={"text": "hi"},
        timeout_s=9.0,
        max_retries=2,
        **more,
    )


def failed(then: e.Outcome, retry_at_ns: int = 0) -> e.AttemptFailed:
    """An attempt that failed for a reason of the network."""
    return e.AttemptFailed(error=ERROR, then=then, retry_at_ns=retry_at_ns)


PENDING = (SUBMITTED,)
SCHEDULED = (*PENDING, scheduled())
RUNNING = (*SCHEDULED, e.Started())
ASKED_TO_END = (*RUNNING, e.CancelRequested("ada"))

HISTORIES: dict[Status, tuple[e.TaskEvent, ...]] = {
    "pending": PENDING,
    "waiting": (*RUNNING, e.Waiting("timer", 60 * SECOND)),
    "scheduled": SCHEDULED,
    "running": RUNNING,
    "paused": (*RUNNING, e.Paused("ada")),
    "blocked": (*RUNNING, e.Blocked("its journal does not fit")),
    "completed": (*RUNNING, e.Completed("hi")),
    "failed": (*RUNNING, failed("failed")),
    "cancelled": (*PENDING, e.CancelRequested("ada"), e.Cancelled()),
    "dead": (*RUNNING, failed("dead")),
    "archived": (*RUNNING, e.Completed("hi"), e.TaskArchived()),
}
assert tuple(HISTORIES) == STATUSES
