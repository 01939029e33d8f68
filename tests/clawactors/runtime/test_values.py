"""Values that code passes, returns and gets back: by annotation on the first run and on a resume, or refused."""

import functools
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest
from pydantic import BaseModel

from clawactors import Refused, SyncTask, skill, spec_of
from clawactors import Task as Handle
from clawactors.runtime.output import OUT
from clawactors.systems.skills import Skill
from tests.clawactors.runtime.cluster import Cluster, Stage


class Color(Enum):
    RED = "red"


@dataclass
class Point:
    x: int
    y: tuple[int, ...] = ()


class Order(msgspec.Struct):
    id: UUID
    price: Decimal
    at: datetime


class Model(BaseModel):
    name: str


ORDER = Order(UUID(int=7), Decimal("1.10"), datetime(2026, 5, 1, tzinfo=UTC))


def point() -> Point:
    return Point(1, (2, 3))


def order() -> Order:
    return ORDER


def points() -> list[Point]:
    return [point()]


def numbered() -> dict[int, str]:
    return {1: "one", 2: "two"}


def bits() -> bytes:
    return b"\x00\xff"


def names() -> set[str]:
    return {"ada"}


def pair() -> tuple[int, str]:
    return 1, "one"


def model() -> Model:
    return Model(name="ada")


def path() -> Path:
    return Path("/tmp/x")  # noqa: S108


def colour() -> Color | None:
    return Color.RED


def span() -> "timedelta":
    return timedelta(seconds=90)


async def at() -> datetime:
    return ORDER.at


MADE: tuple[tuple[Callable[[], Any], Any], ...] = (
    (point, Point(1, (2, 3))),
    (order, ORDER),
    (points, [Point(1, (2, 3))]),
    (numbered, {1: "one", 2: "two"}),
    (bits, b"\x00\xff"),
    (names, {"ada"}),
    (pair, (1, "one")),
    (model, Model(name="ada")),
    (path, Path("/tmp/x")),  # noqa: S108
    (colour, Color.RED),
    (span, timedelta(seconds=90)),
)


@pytest.mark.parametrize("in_thread", [False, True])
async def test_a_step_gives_what_its_annotation_says_on_the_first_run_and_on_a_resume(
    stage: Stage, in_thread: bool
) -> None:
    got: list[list[Any]] = []

    @skill("makes")
    async def in_loop(task: Handle) -> None:
        got.append([await task.step(each.__name__, each) for each, _ in MADE] + [await task.step("at", at)])
        if task.attempt == 1:
            raise RuntimeError("again")

    @skill("makes")
    def threaded(task: SyncTask) -> None:
        got.append([task.step(each.__name__, each) for each, _ in MADE] + [ORDER.at])
        if task.attempt == 1:
            raise RuntimeError("again")

    code = threaded if in_thread else in_loop
    await stage.run(code)
    assert (await stage.run(code)).life.status == "completed"
    wanted = [value for _, value in MADE] + [ORDER.at]
    assert got == [wanted, wanted]
    assert [list(map(type, each)) for each in got] == [list(map(type, wanted))] * 2


@skill("takes")
async def takes(
    task: Handle,
    point: Point,
    order: Order,
    model: Model,
    when: datetime,
    price: Decimal,
    id: UUID,
    color: Color,
    body: bytes,
    names: set[str],
    pair: tuple[int, str],
    by_number: dict[int, str],
    where: Path,
) -> list[str]:
    assert (point, order, model) == (Point(1, (2, 3)), ORDER, Model(name="ada"))
    assert (body, names, pair, by_number) == (b"\x00\xff", {"ada"}, (1, "one"), {1: "one"})
    return [type(each).__name__ for each in (when, price, id, color, where)]


async def test_parameters_travel_as_objects_and_come_as_the_annotations_say() -> None:
    given = {
        "point": Point(1, (2, 3)),
        "order": ORDER,
        "model": Model(name="ada"),
        "when": ORDER.at,
        "price": Decimal("2.5"),
        "id": ORDER.id,
        "color": Color.RED,
        "body": b"\x00\xff",
        "names": {"ada"},
        "pair": (1, "one"),
        "by_number": {"1": "one"},
        "where": Path("x"),
    }
    async with Cluster() as cluster:
        await cluster.control()
        await cluster.node("n1", [takes])
        client = cluster.client()
        client.skills.add([takes.offer])
        assert await client.run("takes", given, wait_s=10) == ["datetime", "Decimal", "UUID", "Color", "PosixPath"]
        with pytest.raises(Refused, match="'when' takes string, not integer"):
            await client.submit("takes", given | {"when": 5})


def by_key() -> Any:
    return {1: "a", "1": "b"}


def deep_key() -> Any:
    return [{"rows": ({2: "a"},)}]


def clashing() -> dict[Any, str]:
    return {1: "a", "1": "b"}


def wrong() -> Point:
    return {"x": "one"}  # type: ignore[return-value]


def generator() -> Any:
    return (n for n in range(3))


def own() -> Any:
    return type("Own", (), {})()


async def later() -> Any:
    return 1


def forgotten() -> Any:
    return later()


@pytest.mark.parametrize(
    ("function", "text"),
    [
        (by_key, "a dict with the key 1, which JSON turns into text: make the keys texts, or annotate"),
        (deep_key, "a dict with the key 2"),
        (clashing, "a dict with the key 1"),
        (wrong, "is no Point, as it is annotated"),
        (generator, "it holds a generator: return list(…) of it"),
        (own, "it holds an Own: make it a dataclass, a msgspec.Struct or a pydantic model"),
    ],
)
@pytest.mark.parametrize("in_thread", [False, True])
async def test_what_would_be_changed_or_lost_is_refused_and_not_recorded(
    stage: Stage, function: Callable[[], Any], text: str, in_thread: bool
) -> None:
    @skill("refused")
    async def in_loop(task: Handle) -> None:
        await task.step("s", function)

    @skill("refused")
    def threaded(task: SyncTask) -> None:
        task.step("s", function)

    task = await stage.run(threaded if in_thread else in_loop)
    assert task.life.status == "failed"
    assert task.life.error is not None
    assert text in task.life.error.message
    assert "step.completed" not in stage.named("t")


async def test_a_sync_step_that_forgets_to_await_is_told_so(stage: Stage) -> None:
    @skill("forgets")
    def forgets(task: SyncTask) -> None:
        task.step("s", forgotten)

    error = (await stage.run(forgets)).life.error
    assert error is not None
    assert "await it, or make the function that returns it `async def`" in error.message


@pytest.mark.parametrize("wrapped", [{"params": {"a": {1: "x"}}}, {"metadata": {"a": {1: "x"}}}])
def test_parameters_and_metadata_that_json_would_change_are_refused(wrapped: dict[str, Any]) -> None:
    with pytest.raises(Refused, match="1 is the key of a dict: write the keys as texts"):
        spec_of("echo", **wrapped)


async def test_a_signal_that_json_would_change_is_refused() -> None:
    async with Cluster() as cluster:
        await cluster.control()
        client = cluster.client()
        ref = await client.submit("nobody", id="t")
        with pytest.raises(Refused, match="write the keys as texts"):
            await ref.signal("go", {1: 2})


# What people mark as skills


def logged(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return wrapper


class Greeter:
    def __init__(self, word: str) -> None:
        self.word = word

    async def __call__(self, task: Handle, name: str) -> str:
        """Greets."""
        assert await task.step("s", at) == ORDER.at
        return f"{self.word}, {name}"

    async def greet(self, task: Handle, name: str) -> str:
        """Greets."""
        return await self(task, name)

    def in_thread(self, task: SyncTask, name: str) -> str:
        """Greets."""
        return f"{self.word}, {name}"


async def greet(task: Handle, name: str, word: str = "Hi") -> str:
    """Greets."""
    return await Greeter(word)(task, name)


@pytest.mark.parametrize(
    "code",
    [
        logged(greet),
        logged(logged(greet)),
        functools.partial(greet, word="Hi"),
        functools.partial(logged(greet), word="Hi"),
        Greeter("Hi"),
        Greeter("Hi").greet,
        Greeter("Hi").in_thread,
        logged(Greeter("Hi").greet),
    ],
)
async def test_decorated_functions_partials_methods_and_callables_run(stage: Stage, code: Any) -> None:
    made = skill("greet")(code)
    assert isinstance(made, Skill)
    assert made.offer.description == "Greets."
    assert made.offer.parameters[0].name == "name"
    assert (await stage.run(made, {"name": "Ada"})).life.result == "Hi, Ada"


async def chunks(task: Handle, upto: int) -> AsyncIterator[int]:
    for number in range(upto):
        yield await task.step(f"s-{number}", later) + number


def chunks_in_thread(task: SyncTask, upto: int) -> Iterator[int]:
    for number in range(upto):
        yield number + 1


@pytest.mark.parametrize("code", [chunks, chunks_in_thread])
async def test_each_yield_of_a_generator_is_an_emitted_chunk(code: Any) -> None:
    async with Cluster() as cluster:
        await cluster.control()
        await cluster.node("n1", [skill("chunks")(code)])
        client = cluster.client()
        assert await client.run("chunks", {"upto": 3}, id="t", wait_s=10) is None
        assert [chunk.value async for chunk in client.ref("t").stream(OUT, live=False)] == [1, 2, 3]
