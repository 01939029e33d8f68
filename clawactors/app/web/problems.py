"""Errors as `application/problem+json` (RFC 9457), with the code and the hint that the command line gives."""

import logging
from typing import Any, Final

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException

from clawactors.app.problem import Problem, problem_of
from clawactors.eventlog import TooLarge

__all__ = ["HELP", "MEDIA_TYPE", "HttpProblem", "ProblemDocument", "answer_problem", "refuse", "told"]

MEDIA_TYPE: Final = "application/problem+json"

HELP: Final = "/openapi/openapi.json has what this path takes"

_STATUS: Final = {
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

_CODES: Final = {
    401: "signed_out",
    403: "forbidden",
    404: "not_found",
    429: "too_many",
    408: "timeout",
    503: "unavailable",
}

_log = logging.getLogger(__name__)


class ProblemDocument(msgspec.Struct, frozen=True, kw_only=True):
    """Why a request failed: `code` is for programs, `detail` says what, `hint` says what to do."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    code: str
    hint: str = ""
    fields: list[dict[str, str]] = []
    """What is wrong with which parameter or field."""
    task: dict[str, Any] | None = None
    """The task that has failed, is blocked, or has not ended."""


class HttpProblem(Exception):
    """A problem with a status of its own; `headers` go with the answer."""

    def __init__(
        self, status: int, code: str, detail: str, hint: str = "", headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail, self.hint, self.headers = status, code, detail, hint, headers or {}

    def document(
        self, fields: list[dict[str, str]] | None = None, task: dict[str, Any] | None = None
    ) -> ProblemDocument:
        """What a caller reads."""
        return ProblemDocument(
            title=self.code,
            status=self.status,
            detail=self.detail,
            code=self.code,
            hint=self.hint,
            fields=fields or [],
            task=task,
        )


def told(problem: Problem) -> HttpProblem:
    """A problem of the command line, with its status; 503 says when to ask again."""
    status = _STATUS[problem.code]
    return HttpProblem(
        status, problem.code, problem.message, problem.hint, {"Retry-After": "1"} if status == 503 else {}
    )


async def refuse(problem: HttpProblem, send: Any) -> None:
    """Answers with it where no application does."""
    body = msgspec.json.encode(problem.document())
    headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in problem.headers.items()]
    headers += [(b"content-type", MEDIA_TYPE.encode()), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": problem.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def answer_problem(_: Request[Any, Any, Any], error: Exception) -> Response[ProblemDocument]:
    """The answer to a request that failed."""
    match error:
        case HttpProblem():
            return _answer(error)
        case ValidationException():
            fields = _fields(error)
            said = "; ".join(f"{each['name']}: {each['message']}" for each in fields) or error.detail
            return _answer(HttpProblem(400, "usage", said, HELP), fields)
        case HTTPException():
            code = _CODES.get(error.status_code, "usage")
            return _answer(HttpProblem(error.status_code, code, error.detail, headers=dict(error.headers or {})))
        case RecursionError():
            return _answer(HttpProblem(400, "usage", "the body is nested too deep"))
        case UnicodeDecodeError():
            return _answer(HttpProblem(400, "usage", "the body is not UTF-8"))
        case TooLarge():
            hint = "store it with PUT /api/v1/files, and pass its reference"
            return _answer(HttpProblem(413, "refused", str(error), hint))
        case _:
            problem = problem_of(error)
            if problem.code == "internal":
                _log.error("a request failed", exc_info=error)
            return _answer(told(problem), task=problem.extra.get("task"))


def _fields(error: ValidationException) -> list[dict[str, str]]:
    """What litestar says of each parameter."""
    said = error.extra if isinstance(error.extra, list) else []
    return [
        {
            "name": str(each.get("key") or "body"),
            "in": str(getattr(each.get("source"), "value", each.get("source") or "")),
            "message": _said(str(each.get("message", ""))),
        }
        for each in said
        if isinstance(each, dict)
    ]


def _said(message: str) -> str:
    """What litestar says where a body is missing is the name of its own parameter."""
    return "it is missing" if message == "'data'" else message


def _answer(
    problem: HttpProblem, fields: list[dict[str, str]] | None = None, task: dict[str, Any] | None = None
) -> Response[ProblemDocument]:
    document = problem.document(fields, task)
    return Response(document, status_code=problem.status, media_type=MEDIA_TYPE, headers=problem.headers)
