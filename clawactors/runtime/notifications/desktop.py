"""Shows a message on the desktop of the machine that control runs on, by the program that the system has for it."""

import asyncio
import contextlib
import shutil
import sys
from html import escape
from typing import Final

from clawactors.runtime.notifications.failure import OutletFailed
from clawactors.runtime.notifications.words import NoticeMessage, plain

__all__ = ["desktop_command", "show_on_desktop"]

_SECONDS: Final = 10.0
_BODY_MAX: Final = 400
_SCRIPT: Final = (
    "on run argv",
    "display notification (item 2 of argv) with title (item 1 of argv)",
    "end run",
)


def desktop_command(message: NoticeMessage) -> list[str]:
    """The command that shows it; the text is an argument of its own, never part of a script or of markup.

    Raises: `OutletFailed` where there is none.
    """
    title, body = plain(f"claw: {message.title}", 120), message.text.strip()[:_BODY_MAX]
    if program := shutil.which("notify-send"):
        return [program, "--app-name=claw", "--", title, escape(body, quote=False)]
    if sys.platform == "darwin" and (program := shutil.which("osascript")):
        lines = [part for line in _SCRIPT for part in ("-e", line)]
        return [program, *lines, title, body]
    raise OutletFailed(
        "there is no desktop to show it on: install notify-send (libnotify) where control runs, or tell it elsewhere",
        final=True,
    )


async def show_on_desktop(message: NoticeMessage) -> None:
    """Shows it. Raises: `OutletFailed`."""
    command = desktop_command(message)
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(_SECONDS):
            _, said = await process.communicate()
    except TimeoutError:
        raise OutletFailed(f"{command[0]} did not end within {_SECONDS:g} s") from None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
    if process.returncode:
        reason = plain(said.decode(errors="replace"), 200) or f"exit code {process.returncode}"
        raise OutletFailed(f"{command[0]} failed: {reason}")
