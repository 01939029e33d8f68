"""Backup, restore and mirror of a whole cluster: what a person does so that a lost machine loses no work.

In: a connection to a running cluster, or a backup file. Out: one file with all streams, or a data folder or server that
goes on from such a file. A file is whole or not there: `container` names it only once it is on disk.
Never here: what a record means; views are built from the restored log by replay.
Decisions: ADR 61 (backup), ADR 67 (mirror).
"""
