"""Answers with the version of what they hold, and pages that name the next one."""

from collections.abc import AsyncIterator
from typing import Any, Protocol
from urllib.parse import urlencode

import msgspec
from litestar import Request, Response

from clawactors.app.web.problems import HttpProblem
from clawactors.runtime.client.rows import Page, TaskRow

__all__ = ["begun", "check_match", "etag_of", "json_of", "paged", "submitted", "versioned"]


class _Versioned(Protocol):
    @property
    def version(self) -> int: ...


def etag_of(row: _Versioned) -> str:
    """The `ETag` of a row."""
    return f'"{row.version}"'


def _is_named(etag: str, header: str) -> bool:
    return header.strip() == "*" or etag in (each.strip().removeprefix("W/") for each in header.split(","))


def versioned[R: _Versioned](row: R, if_none_match: str = "", status_code: int = 200) -> Response[R]:
    """The row with its `ETag`; 304 without it where the caller has that version."""
    etag = etag_of(row)
    if if_none_match and _is_named(etag, if_none_match):
        return Response(None, status_code=304, headers={"ETag": etag})  # type: ignore[arg-type] # it has no body
    return Response(row, status_code=status_code, headers={"ETag": etag})


def submitted(row: TaskRow, status_code: int = 201) -> Response[TaskRow]:
    """The row of a task that the request has made or found, with its place."""
    answer = versioned(row, status_code=status_code)
    answer.headers["Location"] = f"/api/v1/tasks/{row.id}"
    return answer


def check_match(version: int, if_match: str) -> None:
    """Raises: `HttpProblem` (412) where a caller wants to change another version."""
    if if_match and not _is_named(f'"{version}"', if_match):
        raise HttpProblem(
            412,
            "refused",
            f'If-Match: {if_match[:60]} is not the version that it has now, which is "{version}"',
            "read it again, and decide anew",
        )


def json_of(value: Any) -> Response[Any]:
    """Any value as JSON, a text too, which would be sent as it is."""
    return Response(msgspec.json.encode(value), media_type="application/json")


async def begun[T](items: AsyncIterator[T]) -> AsyncIterator[T]:
    """The items, once the first is there: what fails before it is an answer of its own, and cuts none."""
    first = await anext(items, None)

    async def all_of() -> AsyncIterator[T]:
        if first is not None:
            yield first
            async for item in items:
                yield item

    return all_of()


def paged[R](request: Request[Any, Any, Any], page: Page[R]) -> Response[Page[R]]:
    """The page; a `Link` names the next one."""
    if page.cursor is None:
        return Response(page)
    asked = [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"]
    target = f"{request.url.path}?{urlencode([*asked, ('cursor', page.cursor)])}"
    return Response(page, headers={"Link": f'<{target}>; rel="next"'})
