"""Errors as `application/problem+json` (RFC 9457), with the code and the hint that the command line gives."""

import logging
from typing import Any, Final

from litestar import Request, Response
from litestar.exceptions import HTTPException

from clawactors.app.problem import Problem, problem_of

__all__ = ["MEDIA_TYPE", "STATUS", "answer_problem"]

MEDIA_TYPE: Final = "application/problem+json"

STATUS: Final = {
    "usage": 400,
    "not_found": 404,
    "refused": 409,
    "blocked": 409,
    "failed": 409,
    "unavailable": 503,
    "timeout": 504,
    "misconfigured": 500,
    "corrupt": 500,
    "internal": 500,
}
"""The status of every code of `clawactors.app.problem.EXITS`."""

_log = logging.getLogger(__name__)


def answer_problem(_: Request[Any, Any, Any], error: Exception) -> Response[dict[str, Any]]:
    """The answer to a request that failed."""
    if isinstance(error, HTTPException):
        return _answer(error.status_code, "usage", error.detail, "", error.headers or {})
    problem: Problem = problem_of(error)
    if problem.code == "internal":
        _log.error("a request failed", exc_info=error)
    return _answer(STATUS[problem.code], problem.code, problem.message, problem.hint, {})


def _answer(status: int, code: str, detail: str, hint: str, headers: dict[str, str]) -> Response[dict[str, Any]]:
    document = {"type": "about:blank", "title": code, "status": status, "detail": detail, "code": code, "hint": hint}
    return Response(document, status_code=status, media_type=MEDIA_TYPE, headers=headers)
