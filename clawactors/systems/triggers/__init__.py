"""Triggers: what follows when something happens: a task, a webhook or a message. Pure.

In: `commands` from people, and from the leader what it has worked off.
Out: `events` on `claw.trigger.<name>.log`: the plan, the position up to which the log is worked off, and what failed.
What a trigger makes is named by trigger and event (`delivery_id`), so working an event off twice doubles nothing.
Never here: expressions are evaluated, and messages sent, by `clawactors.runtime.control.triggers`.
"""

from clawactors.systems.triggers.decider import TRIGGER, Trigger, delivery_id

__all__ = ["TRIGGER", "Trigger", "delivery_id"]
