"""Signing in with a one-time link, and out."""

from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, Response, delete, get
from litestar.datastructures import Cookie
from litestar.params import QueryParameter

from clawactors.app.web.guard import Guard, cookie_name
from clawactors.app.web.keyring import Asker
from clawactors.app.web.problems import HttpProblem
from clawactors.app.weblogin import SESSION_S, WebLogin

__all__ = ["SessionRoutes", "login_route"]


class SessionRow(msgspec.Struct, frozen=True):
    """Who has signed in, what they may do, and what a page sends as `X-CSRF-Token` with each change."""

    user: str
    scopes: tuple[str, ...]
    csrf: str


class SessionRoutes(Controller):
    """The session of who asks."""

    path = "/session"
    tags = ["session"]  # noqa: RUF012 # as litestar declares it

    @get(operation_id="session")
    async def session(self, request: Request[Any, Any, Any]) -> SessionRow:
        """Who asks."""
        asker: Asker = request.scope["state"]["asker"]
        return SessionRow(asker.user, tuple(sorted(asker.scopes)), asker.csrf)

    @delete(operation_id="sign_out", status_code=204)
    async def sign_out(self, request: Request[Any, Any, Any]) -> Response[None]:
        """Ends the session; a key goes on."""
        asker: Asker = request.scope["state"]["asker"]
        request.app.state.login.sign_out(asker.session)
        answer = Response(None, status_code=204)
        for name in (cookie_name(request.app.state.port), "claw_csrf"):
            answer.delete_cookie(name)
        return answer


def login_route() -> Any:
    """`GET /login?code=…`: a browser signs in, and comes to the dashboard without the code in its address."""

    @get("/login", include_in_schema=False)
    async def sign_in(
        request: Request[Any, Any, Any], code: Annotated[str, QueryParameter(description="of the link")] = ""
    ) -> Response[None]:
        guard: Guard = request.scope["state"]["guard"]
        login: WebLogin = request.app.state.login
        asker: Asker | None = request.scope["state"]["asker"]
        person = "text/html" in request.headers.get("accept", "")  # whom a page tells what to do
        made = login.sign_in(code, asker.session if asker else "")
        if made is None and asker is not None:  # the link was followed twice
            return Response(None, status_code=303, headers={"Location": "/"})
        if made is None:
            try:
                guard.count_wrong()
            except HttpProblem:
                if not person:
                    raise
                return Response(None, status_code=303, headers={"Location": "/?link=locked"})
            if person:
                return Response(None, status_code=303, headers={"Location": "/?link=stale"})
            raise HttpProblem(
                401,
                "signed_out",
                "this link was used, is older than an hour, or is not whole",
                "claw login prints another",
            )
        secret, session = made
        name, age_s = cookie_name(request.app.state.port), int(SESSION_S)
        cookies = [
            Cookie(name, value=secret, max_age=age_s, path="/", httponly=True, samesite="strict"),
            Cookie("claw_csrf", value=session.csrf, max_age=age_s, path="/", samesite="strict"),
        ]
        return Response(None, status_code=303, headers={"Location": "/"}, cookies=cookies)

    return sign_in
