"""The composition root: settings, the data folder, the server child, processes, the command line.

In: a command line, or a supervisor that starts a process of the cluster. Out: parts of the lower packages wired
together, and what people see. Never here: rules; deciders have those, and nothing below imports this package.
"""

__all__: list[str] = []
