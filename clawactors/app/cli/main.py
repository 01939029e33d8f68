"""The `claw` command: finds the command, imports it, runs it."""

import gc
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from clawactors.app.cli.catalogue import COMMANDS, FOR_SCRIPTS
from clawactors.app.cli.parsing import Parser, options_of, split
from clawactors.app.cli.shell import execute
from clawactors.app.problem import Problem

__all__ = ["main"]

_HEAD = """\
usage: claw [global options] COMMAND [options]

Durable tasks and memory for AI agents, as one event log on NATS JetStream.
"""

_FOOT = """
global options, before or after the command:
  --data DIR      data folder (CLAW_DATA; default: ~/.local/share/claw)
  --nats URL      URL of the server, with user and password if needed
  --context NAME  nats CLI context of the server
  --json          print one JSON document
  --debug         show tracebacks

`claw COMMAND --help` describes a command. Exit codes: 0 done, 1 the awaited task failed or a check failed, 2 usage,
3 not found, 4 refused, 5 unavailable."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs `claw` with these arguments; returns the exit code."""
    if os.getpid() == 1:
        from clawactors.app.daemon.init import become_init

        become_init()
    return execute(_dispatch, argv)


def _dispatch(argv: Sequence[str]) -> int:
    before, name, after = split(argv)
    if name is None:
        return _without_command(before)
    command = COMMANDS.get(name) or FOR_SCRIPTS.get(name)
    if command is None:
        raise Problem("usage", f"there is no command {name[:40]!r}{_meant(name)}")
    parser = Parser(f"claw {name}", command.summary)
    command.declare(parser)
    words = [*before, *after]
    end = words.index("--") if command.takes_rest and "--" in words else len(words)
    options = options_of(parser, words[:end])
    options.command, options.given, options.rest = name, parser.given, words[end + 1 :]
    gc.disable()  # what is imported stays: to scan it again and again costs a tenth of the time
    module = import_module(command.module)
    gc.enable()
    code: int = module.run(options)
    return code


def _without_command(options: Sequence[str]) -> int:
    if "--version" in options:
        from clawactors.version import VERSION

        print(f"claw {VERSION}")
        return 0
    if "-h" not in options and "--help" not in options:
        raise Problem("usage", "no command given")
    print(_overview())
    return 0


def _overview() -> str:
    lines, group = [_HEAD], ""
    for name, command in COMMANDS.items():
        if command.group != group:
            group = command.group
            lines.append(f"{group}:")
        lines.append(f"  {name:<14}{command.summary}")
    return "\n".join([*lines, _FOOT])


def _meant(name: str) -> str:
    import difflib

    near = difflib.get_close_matches(name, COMMANDS, n=1)
    return f": did you mean {near[0]!r}?" if near else ""


if __name__ == "__main__":
    sys.exit(main())
