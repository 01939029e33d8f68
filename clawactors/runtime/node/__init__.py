"""A node: one process that runs tasks of the skills that it offers.

In: `task.scheduled` on `claw.task.*.to.<node>`, its own log, requests on `claw.live.<node>`.
Out: what the tasks do, appended to their logs under the fence of the attempt; a lease with figures of the machine.
A node holds no state that the log lacks: killed at any moment, its tasks go on elsewhere.
"""
