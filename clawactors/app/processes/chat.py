"""The main of a chat process of `claw up --chat`: answers people in a chat."""

from collections.abc import Callable
from pathlib import Path

from clawactors.app.chat.running import run_chat
from clawactors.app.discovery import Found
from clawactors.app.processes.start import ChatStart, main
from clawactors.eventlog.jetstream import Address
from clawactors.runtime.notifications.settings import secret_of

__all__ = ["serve"]


async def serve(start: ChatStart, ready: Callable[[], None]) -> None:
    """Answers until cancelled; it is ready before the service was reached, which may be away."""
    found = Found(Address.of(start.nats_url, env={}), "that of its cluster", Path(start.data))
    await run_chat(found, start.token_file, secret_of, "", begun=ready)


if __name__ == "__main__":
    main(ChatStart, serve)
