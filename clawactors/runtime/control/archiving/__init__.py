"""Moves the histories of tasks that ended long ago from the log to the archive, while this process leads.

In: `ArchiveKeeper` moves by itself, and on request on `claw.do.<principal>.archive`.
Out: a file of the archive, then a tombstone in the log for each task in it, then a purge of what the file has.
Never: a history that is in neither place. `mover` says why; ADR 62 has the reasons.
"""
