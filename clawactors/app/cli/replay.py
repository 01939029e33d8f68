"""`claw-replay`, also `bin/replay`: builds views from the log alone, and proves that the live ones are equal."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from clawactors.app.cli.parsing import Parser, options_of, place
from clawactors.app.cli.problem import EXITS, Problem
from clawactors.app.cli.shell import execute

if TYPE_CHECKING:
    from pathlib import Path

    from clawactors.app.cli.source import Source

__all__ = ["main"]

type _Tell = Callable[[int, int], None]


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code of `claw-replay` with these arguments."""
    return execute(_program, argv)


def _program(argv: Sequence[str]) -> int:
    import asyncio

    parser = Parser("claw-replay", "build views from the log alone")
    parser.add_argument("--view", action="append", default=[], metavar="NAME", help="only this view in the digest")
    parser.add_argument("--verify", action="store_true", help="compare with the live views; unequal ends with exit 1")
    parser.add_argument("--until", type=place, metavar="SEQ|TIME", help="stop there: the views as they were then")
    parser.add_argument("--into", metavar="DIR", help="keep what was built in this new folder")
    options = options_of(parser, argv)
    if options.verify and (options.until or options.into):
        raise Problem("usage", "--verify compares with the live views as they are", "leave --until and --into away")
    _check_views(options.view)
    return asyncio.run(_replay(options))


def _check_views(wanted: Sequence[str]) -> None:
    from projections.cluster import CLUSTER

    known = [view.name for view in CLUSTER.views()]
    if unknown := [name for name in wanted if name not in known]:
        raise Problem("usage", f"there is no view {unknown[0]!r}", f"use {', '.join(known)}")


async def _replay(options: Any) -> int:
    from clawactors.app.cli.screen import card, emit
    from clawactors.app.cli.source import opened

    async with opened(options) as source:
        with _progress(options) as tell:
            report = await (_verify(source, options, tell) if options.verify else _build(source, options, tell))
    facts = [(name.replace("_", " "), value) for name, value in report.items()]
    emit(options, report, lambda screen: card(screen, facts))
    return EXITS["failed"] if report["equal"] is False else 0


@contextmanager
def _progress(options: Any) -> Iterator[_Tell]:
    from clawactors.app.cli.bar import Bar

    with Bar("replaying", shown=not options.json) as bar:

        def tell(position: int, end: int) -> None:
            bar.total = end
            bar.at(position)

        yield tell


async def _verify(source: "Source", options: Any, tell: _Tell) -> dict[str, Any]:
    from projections.replay import verify

    views = tuple(options.view)
    live = await source.live(views)
    verified = await verify(source.log, live, views=views, progress=tell)
    # What this release can't read is not proved.
    equal = verified.equal and not verified.replayed.incomplete
    return _report(verified.replayed, equal) | {"live_digest": live.digest}


async def _build(source: "Source", options: Any, tell: _Tell) -> dict[str, Any]:
    import tempfile
    from pathlib import Path

    from projections.replay import replay

    unit, until = options.until or ("seq", None)
    bounds: dict[str, Any] = {"until": until} if unit == "seq" else {"until_ns": until}
    with tempfile.TemporaryDirectory(prefix="replay-") as scratch:
        into = _new_folder(options.into) if options.into else Path(scratch)
        replayed = await replay(source.log, into, views=tuple(options.view), progress=tell, **bounds)
    return _report(replayed, None)


def _new_folder(name: str) -> "Path":
    from pathlib import Path

    path = Path(name).expanduser()
    if path.exists() and any(path.iterdir()):
        raise Problem("refused", f"{path} is not empty", "name a new folder with --into")
    return path


def _report(replayed: Any, equal: bool | None) -> dict[str, Any]:
    return {
        "events": replayed.events,
        "seconds": round(replayed.seconds, 3),
        "per_s": round(replayed.per_s),
        "digest": replayed.digest,
        "equal": equal,
        "position": replayed.position,
        "incomplete": replayed.incomplete,
    }


if __name__ == "__main__":
    sys.exit(main())
