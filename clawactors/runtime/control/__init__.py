"""The control process: places tasks, recovers those of dead nodes, feeds the views, answers queries.

In: every commit of tasks and nodes, the leases of nodes, queries on `claw.query.>`.
Out: `task.scheduled`, `task.ready`, `task.interrupted`, `node.lost`, each guarded by the version it was decided on.
Any number may run: all fold, the one with the lease appends; a takeover rebuilds nothing.
"""

from clawactors.runtime.control.control import Control

__all__ = ["Control"]
