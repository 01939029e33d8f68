"""The processes of a cluster: their mains, and the supervisor that starts, watches and stops them.

In: a `Start` as JSON on standard input, so that credentials are on no command line. Out: one line on standard output
when the process is ready, or why it can't be; then its work until SIGTERM. What it logs goes to standard error.
"""

__all__: list[str] = []
