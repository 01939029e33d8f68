"""Histories that left the log: whole aggregates in compressed files, in a folder, in S3 or in memory.

In: `ArchiveWriter` writes records in the order of the log into one file, which a store keeps once it is complete.
Out: `Archive` finds one aggregate by the index of its file, and gives all records of all files in the order of the log.
`ArchivedLog` is a log with its archive: it reads as if nothing had been moved.

A file says nothing that the log does not say: the tombstone in the log names the file, so a file that no tombstone
names is never read. The format is described in `docs/operations.md`, the reasons in ADR 62.
"""
