"""What the leader does for triggers: one run each, with its own reader of the log and its own queue.

Rules that notify are triggers with another way out: `notices` gathers what one message tells.

In: commits of triggers, by the fold; events of tasks and nodes, read from the trigger's position on.
Out: tasks by the dispatcher, webhooks and messages; and, at most once a second, how far each trigger has come.
Never here: a queue that grows. What can't be delivered yet stays in the log.
"""

from clawactors.runtime.control.triggers.deliveries import Deliverer
from clawactors.runtime.control.triggers.keeper import TriggerKeeper
from clawactors.runtime.control.triggers.trying import NotifyTestEndpoint

__all__ = ["Deliverer", "NotifyTestEndpoint", "TriggerKeeper"]
