"""Runs a program for a shell: every outcome is an exit code, every error one line, a traceback only with --debug."""

import contextlib
import os
import sys
from collections.abc import Callable, Sequence

from clawactors.app.problem import INTERRUPTED, Problem, problem_of

__all__ = ["execute"]

_BROKEN_PIPE = 141


def execute(program: Callable[[Sequence[str]], int], argv: Sequence[str] | None = None) -> int:
    """Runs the program with these arguments, by default those of the process; returns the exit code."""
    arguments = sys.argv[1:] if argv is None else argv
    given = arguments[: arguments.index("--")] if "--" in arguments else arguments
    with contextlib.suppress(AttributeError, ValueError):  # a stream put in place by a test or an embedding program
        sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
        sys.stderr.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        code = program(arguments)
        sys.stdout.flush()
    except SystemExit as end:  # argparse, after --help
        return end.code if isinstance(end.code, int) else 0
    except BrokenPipeError:
        _forget_output()
        return _BROKEN_PIPE
    except KeyboardInterrupt:
        _say("claw: interrupted")
        return INTERRUPTED
    except Exception as error:
        return _tell(error, as_json="--json" in given, debug="--debug" in given)
    return code


def _tell(error: Exception, *, as_json: bool, debug: bool) -> int:
    if debug and (error.__cause__ is not None or not isinstance(error, Problem)):
        import traceback

        traceback.print_exception(error)
    problem = problem_of(error)
    try:
        if as_json:
            import json

            sys.stdout.write(json.dumps(problem.document) + "\n")
            sys.stdout.flush()
    except BrokenPipeError:
        _forget_output()
    _say(problem.line)
    return problem.exit


def _say(line: str) -> None:
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(line + "\n")
        sys.stderr.flush()


def _forget_output() -> None:
    """The reader is gone; without this Python reports it again when it flushes at the end."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
