"""One module a command (or family of commands that differ in a word): `run(options)`.

In: parsed options. Out: an answer by `cli.output`, an exit code; what fails is raised and told by `cli.shell`.
Never here: a decision of its own; commands go through the client, lists come from the views.
"""

__all__: list[str] = []
