"""One folder per system, each pure: events, commands, the decider, the state and its row.

A system decides and folds; it never reads, writes or waits. `clawactors.runtime` gives it a log and a clock,
`clawactors.projections` and `clawactors.memory` turn its events into views.
"""
