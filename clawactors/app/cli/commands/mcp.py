"""`claw mcp`: serves the Model Context Protocol, on standard input and output or over HTTP."""

import asyncio
import importlib.util
import logging
import os
import secrets
import sys
from typing import Any, Final

import msgspec

from clawactors.app.cli.output import is_terminal, note
from clawactors.app.problem import Problem

__all__ = ["run"]

_TOKEN_ENV: Final = "CLAW_MCP_TOKEN"  # noqa: S105 # the name of a variable
_TOKEN_MIN: Final = 20


def run(options: Any) -> int:
    """Serves until the input ends, or a signal comes."""
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.DEBUG if options.debug else logging.WARNING,
        format="claw mcp: %(levelname)s %(name)s: %(message)s",
    )
    logging.getLogger("clawactors.app.mcp").setLevel(logging.DEBUG if options.debug else logging.INFO)
    from clawactors.app.quietstdout import quiet_stdout

    with quiet_stdout():
        if importlib.util.find_spec("mcp") is None:
            raise Problem("misconfigured", "claw mcp needs the SDK: pip install 'clawactors[mcp]'", "then run it again")
    if options.http:
        return asyncio.run(_serve_http(options))
    if is_terminal(sys.stdin):
        note("an editor or agent starts this and talks to it on standard input; see docs/mcp.md for its configuration")
    with quiet_stdout():
        from clawactors.app.mcp.stdio import serve_stdio

        service, link = _service(options)

    async def serve() -> None:
        try:
            await serve_stdio(service)
        finally:
            await link.aclose()

    asyncio.run(serve())
    return 0


def _service(options: Any) -> Any:
    from clawactors.app.discovery import Found, discover
    from clawactors.app.mcp.link import ClusterLink
    from clawactors.app.mcp.options import DEFAULT_GROUPS, GROUPS, McpOptions
    from clawactors.app.mcp.server import McpService

    chosen = options.tools or DEFAULT_GROUPS
    if unknown := [each for each in chosen if each not in (*GROUPS, "all")]:
        raise Problem("usage", f"--tools has no group {unknown[0]!r}", f"groups: {', '.join(GROUPS)}, all")
    if not options.user.strip():
        raise Problem("usage", "--user is empty", "name whom the agent acts for, as in --user ada")
    made = McpOptions(
        user=options.user,
        groups=tuple(GROUPS) if "all" in chosen else tuple(chosen),
        export=tuple(options.export),
        read_only=options.read_only,
        allow_destructive=options.allow_destructive,
        approve_own=options.approve_own,
        leave_running=options.leave_running,
        wait_s=options.wait,
        limit_chars=max(1000, options.limit),
    )

    def find() -> Found:
        return discover(options.nats, options.data, options.context)

    link = ClusterLink(find, options.user)
    return McpService(link, made), link


async def _serve_http(options: Any) -> int:
    from clawactors.app.mcp.http import serve_http, url_of
    from clawactors.app.webport import listen_at

    token = os.environ.get(_TOKEN_ENV, "")
    if token and len(token) < _TOKEN_MIN:
        raise Problem("usage", f"{_TOKEN_ENV} has fewer than {_TOKEN_MIN} characters", "leave it out to have one made")
    token = token or secrets.token_urlsafe(32)
    service, link = _service(options)
    with listen_at(options.port, "--port") as listening:
        url = url_of(listening.getsockname()[1])

        def ready() -> None:
            if options.json:
                sys.stdout.buffer.write(msgspec.json.encode({"ready": True, "url": url, "token": token}) + b"\n")
            else:
                print(f"claw mcp: {url}\nAuthorization: Bearer {token}")
            sys.stdout.flush()

        try:
            await serve_http(service, listening, token, ready)
        finally:
            await link.aclose()
    return 0
