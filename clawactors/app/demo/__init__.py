"""`claw demo`: the main job on real input, with a node killed in the middle, and a report that can fail.

In: a running cluster of two nodes (see `run.Stage`). Out: two skills that serve as worked examples, `migrate-table`
and `install-package`, a table of all Unicode characters, a small package to install, and the report.
Never here: figures that are assumed. What the report says is counted in the files and in the log.
"""

__all__: list[str] = []
