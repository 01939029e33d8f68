"""What users of other products have reported on values and errors, tried here.

Temporal 234 and 322: dataclasses with type parameters came as dicts, and a parameter that was left out made dicts of
the others. Celery 6185 and 6990: an exception with arguments of its own broke the worker when it was retried. Prefect
8433: a reader that is an iterator failed with an error of asyncio.
"""

import csv
import io
from dataclasses import dataclass
from typing import Any

from clawactors import Retry, SyncTask, skill
from clawactors import Task as Handle
from clawactors.systems.tasks import commands as c
from tests.clawactors.runtime.cluster import Stage


@dataclass
class Foo:
    name: str


@dataclass
class Page[T]:
    items: list[T]
    cursor: str = ""


class Picky(Exception):
    """Can't be made again from its text."""

    def __init__(self, code: int, *, why: str) -> None:
        self.code, self.why = code, why  # and no super().__init__


def first(page: Page[Foo]) -> Page[Foo]:
    return Page(page.items[:1], "next")


async def test_dataclasses_with_type_parameters_come_as_they_are_annotated(stage: Stage) -> None:
    got: list[Any] = []

    @skill("pages")
    async def pages(task: Handle, page: Page[Foo], limit: int | None = None) -> Page[Foo]:
        got.extend((page, await task.step(first, page)))
        return page

    assert (await stage.run(pages, {"page": {"items": [{"name": "a"}, {"name": "b"}]}})).life.status == "completed"
    assert got == [Page([Foo("a"), Foo("b")]), Page([Foo("a")], "next")]


async def test_an_exception_with_arguments_of_its_own_is_retried_and_shown(stage: Stage) -> None:
    @skill("picky")
    def picky(task: SyncTask) -> int:
        if task.attempt == 1:
            task.step("s", fails, retry=Retry(1, wait_s=0.001))
        return task.attempt

    def fails() -> None:
        raise Picky(7, why="no luck")

    life = (await stage.run(picky)).life
    assert (life.status, life.error and life.error.kind) == ("waiting", "unknown")
    assert life.error is not None
    assert "Picky" in life.error.traceback
    await stage.tell("t", c.Ready())
    assert (await stage.run(picky)).life.result == 2


async def test_a_reader_that_is_an_iterator_is_refused_with_what_to_return(stage: Stage) -> None:
    @skill("reads")
    async def reads(task: Handle) -> Any:
        return csv.reader(io.StringIO("a,b"))

    error = (await stage.run(reads)).life.error
    assert error is not None
    assert "return list(…) of it" in error.message
