"""What `claw ask` takes."""

from clawactors.app.cli.parsing import Parser, duration

__all__ = ["ask"]


def ask(parser: Parser) -> None:
    """What `claw ask` takes."""
    parser.add_argument("id", metavar="ID")
    parser.add_argument("name", metavar="NAME", help="what to ask, as in the code's task.answer(NAME, …)")
    parser.add_argument("--args", metavar="JSON|@FILE|-", help="arguments, a JSON list")
    parser.add_argument("--timeout", type=duration, default=10.0, metavar="D", help="wait at most D (default 10s)")
