"""`claw top`: the cluster at a glance, refreshed: rates, waits, queue, nodes, running tasks, errors, disk."""

import asyncio
import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any, Final

from clawactors.app.cli.arguments.top import SORTS
from clawactors.app.cli.output import emit, is_terminal
from clawactors.app.cli.screen import Glance, TopView, frame
from clawactors.app.cli.session import with_client
from clawactors.app.cli.watching import until_ended
from clawactors.app.client import Client
from clawactors.eventlog import EventLogError

__all__ = ["on_key", "run"]

_WINDOW_S: Final = 10
_SERIES_S: Final = 60
_TASKS: Final = 200


def run(options: Any) -> int:
    """Shows it until a key or a signal ends it; one frame with `--once` or `--json`, in a pipe, on a dumb terminal."""

    async def show(client: Client) -> int:
        view = TopView(client.found.shown, options.sort, options.filter)
        if options.once or options.json or not is_terminal(sys.stdout) or os.environ.get("TERM") == "dumb":
            glance = await _look(client)
            emit(options, glance, lambda: [line.plain.rstrip() for line in frame(glance, view, 500, 1000)[:-1]])
            return 0
        return await until_ended(_refresh(client, view, options.every))

    return with_client(options, show)


async def _look(client: Client) -> Glance:
    overview, nodes, running = await asyncio.gather(
        client.overview(window_s=_WINDOW_S, series_s=_SERIES_S),
        client.nodes(fresh=False),
        client.tasks(status="running", limit=_TASKS),
    )
    return Glance(overview, nodes, list(running))


async def _refresh(client: Client, view: TopView, every_s: float) -> None:
    from rich.console import Group
    from rich.live import Live

    from clawactors.app.cli.terminal import console_of

    console, changed, over = console_of(sys.stdout), asyncio.Event(), asyncio.Event()

    def on_typed(text: str) -> None:
        for key in text:
            if not on_key(view, key):
                over.set()
        changed.set()

    glance = await _look(client)
    loop = asyncio.get_running_loop()
    next_s = loop.time() + every_s
    with _typed(loop, on_typed), Live(console=console, screen=True, auto_refresh=False) as live:
        while not over.is_set():
            width, height = console.size
            live.update(Group(*frame(glance, view, width, height)), refresh=True)
            changed.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(next_s):
                    await changed.wait()
                    continue  # a key is answered at once, and asks for nothing
            next_s = loop.time() + every_s
            if not view.paused:
                try:
                    glance, view.trouble = await _look(client), ""
                except EventLogError as error:
                    view.trouble = f"no answer: {error}"


def on_key(view: TopView, key: str) -> bool:
    """Changes the view; False where the key ends it."""
    if view.typing:
        if key in "\r\n\x1b":
            view.typing = False
            view.filter = "" if key == "\x1b" else view.filter
        elif key in "\x7f\b":
            view.filter = view.filter[:-1]
        elif key.isprintable():
            view.filter += key
        return True
    match key:
        case "q" | "Q" | "\x03" | "\x04":
            return False
        case "p" | " ":
            view.paused = not view.paused
        case "s":
            view.sort = SORTS[(SORTS.index(view.sort) + 1) % len(SORTS)]
        case "/":
            view.typing, view.filter = True, ""
        case _:
            pass
    return True


@contextlib.contextmanager
def _typed(loop: asyncio.AbstractEventLoop, on_typed: Callable[[str], None]) -> Iterator[None]:
    """Tells what is typed, key by key, unseen; nothing where standard input is no terminal."""
    if not is_terminal(sys.stdin):
        yield
        return
    import termios
    import tty

    stdin = sys.stdin.fileno()
    before = termios.tcgetattr(stdin)
    tty.setcbreak(stdin)
    loop.add_reader(stdin, lambda: on_typed(os.read(stdin, 64).decode(errors="ignore")))
    try:
        yield
    finally:
        loop.remove_reader(stdin)
        termios.tcsetattr(stdin, termios.TCSADRAIN, before)
