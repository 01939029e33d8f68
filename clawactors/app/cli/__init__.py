"""The command line: `claw` (`main`) and `claw-replay` (`replay`).

In: arguments, standard input, the environment. Out: one answer on standard output (with `--json` one document), what
went wrong on standard error, and an exit code; see `problem` for what the codes mean.
A command is one module in `commands` with `run(options)`, which is imported only when it runs, one function in
`arguments`, and one line in `catalogue`; so help costs nothing.
Never here: rules; those are asked of the client and the views.
"""

__all__: list[str] = []
