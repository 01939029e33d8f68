"""The main of a chat process of `claw up --chat`: answers people in a chat."""

from collections.abc import Callable

from clawactors.app.chat.running import run_chat
from clawactors.app.discovery import own_cluster
from clawactors.app.processes.start import ChatStart, main
from clawactors.runtime.notifications.settings import secret_of

__all__ = ["serve"]


async def serve(start: ChatStart, ready: Callable[[], None]) -> None:
    """Answers until cancelled; it is ready before the service was reached, which may be away."""
    found = own_cluster(start.address, start.data)
    await run_chat(found, start.token_file, secret_of, "", begun=ready)


if __name__ == "__main__":
    main(ChatStart, serve)
