"""The only asynchronous code of the actor system: it gives the pure deciders a log, a clock and outside effects.

In: records of the log, by one follower a process. Out: appends, each guarded by the version it was decided on.
`actor` holds one aggregate, `node` runs tasks, `control` places them, `client` is what users and the command line call.
Never here: rules of tasks or nodes; those are in their own folders, and testable without a loop.
"""
