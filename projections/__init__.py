"""Projections: views of the log, as rows that answer questions. All of them can be deleted and built again.

In: records of the log, in order, into a `Projector`, which passes each commit to the view of its kind.
Out: rows, through questions (`claw.query.>`), `snapshots` (single aggregates), `starting` (placement) and the digest.
`cluster.VIEWS` is the one list of views; `engine` keeps rows and knows no view; `live` is what a process runs.
A view folds with the `evolve` that actors use, so a row and an actor's state can't disagree (docs/adr/0002).
Never here: a decision, a write to the log, figures that expire (those are joined when a question is answered).
"""
