"""Projections: what the log says, as rows that can be asked. All of them can be thrown away and built again.

In: records of the log, in order, into a `Projector`; it decodes each once and gives it to the views of its projection.
Out: rows, through `queries` (answers to `claw.query.>`), `starting` (where placement begins) and `digest`.
A view folds with the very `evolve` that actors use, so a row and an actor's state can't disagree (docs/adr/0002).
Never here: a decision, a write to the log, figures that expire (those are joined when a question is asked).
"""
