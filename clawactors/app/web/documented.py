"""Which problems each path may answer with, for the OpenAPI."""

from typing import Final

from litestar import Controller
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec

from clawactors.app.web.problems import MEDIA_TYPE, ProblemDocument

__all__ = ["document_problems"]

_SAID: Final = {
    400: "a parameter or the body is wrong; `fields` says which",
    401: "nobody has signed in, and there is no valid key",
    403: "the key has not the scope that this needs, or the request comes from another site",
    404: "there is no such thing",
    405: "the path has no such method; `Allow` has those that it has",
    408: "the body did not arrive in time",
    409: "it is illegal in this state, and nothing was changed",
    412: "it has another version by now",
    413: "the body is larger than this takes",
    415: "the body is of a type that this does not take",
    429: "too many requests; `Retry-After` says when to ask again",
    500: "this is a fault of the server",
    503: "no process of the cluster answers; `Retry-After` says when to ask again",
    504: "the time for waiting is over",
}
_ALWAYS: Final = (400, 401, 403, 404, 405, 409, 429, 500, 503, 504)
_OF_BODIES: Final = (408, 412, 413, 415)


def document_problems(controllers: "tuple[type[Controller], ...]") -> None:
    """Adds them to every path of the controllers. Order: idempotent."""
    for controller in controllers:
        for handler in vars(controller).values():
            if isinstance(handler, HTTPRouteHandler):
                sends = handler.http_methods != {"GET"}
                handler.responses = {
                    status: _spec(status) for status in (*_ALWAYS, *(_OF_BODIES if sends else ()))
                } | dict(handler.responses or {})


def _spec(status: int) -> ResponseSpec:
    return ResponseSpec(ProblemDocument, description=_SAID[status], media_type=MEDIA_TYPE, generate_examples=False)
