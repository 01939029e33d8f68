"""Schedules: tasks that are made again and again, by a cron line in a time zone. Pure.

In: `commands` from people, and `Fire` when the server's timer for the next time goes off.
Out: `events` on `claw.schedule.<name>.log`; a task for each time, whose id derives from the name and the time, so that
firing twice makes one task. The next time is part of the record: no reader has to work it out again.
Never here: a clock. What a cron line means is `cron`'s business alone.
"""

from clawactors.systems.schedules.decider import SCHEDULE, Schedule, task_id

__all__ = ["SCHEDULE", "Schedule", "task_id"]
