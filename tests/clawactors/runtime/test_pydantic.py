"""Real models of pydantic as parameters, results of steps and results of tasks: both ways, or refused."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

import pytest
from annotated_types import Gt
from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    Json,
    PrivateAttr,
    RootModel,
    SecretStr,
    computed_field,
    field_validator,
)
from pydantic.dataclasses import dataclass

from clawactors import Refused, SyncTask, skill, step
from clawactors import Task as Handle
from tests.clawactors.runtime.cluster import Cluster, Stage


class Line(BaseModel):
    sku: str
    quantity: int = Field(gt=0)
    price: Decimal


class Order(BaseModel):
    model_config = ConfigDict(extra="forbid")

    order_id: int = Field(alias="orderId")
    lines: list[Line]
    placed: datetime
    due: date | None = None
    note: str | None = Field(default=None, validation_alias=AliasChoices("note", "remark"), serialization_alias="text")
    tags: set[str] = set()
    extra: Json[dict[str, int]] = Field(default="{}", validate_default=True)
    _seen: int = PrivateAttr(default=0)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def total(self) -> Decimal:
        return sum((line.price * line.quantity for line in self.lines), Decimal(0))

    @field_validator("lines")
    @classmethod
    def not_empty(cls, lines: list[Line]) -> list[Line]:
        if not lines:
            raise ValueError("an order has lines")
        return lines


class Page[T](BaseModel):
    items: list[T]


class Numbers(RootModel[list[int]]):
    pass


class Cat(BaseModel):
    kind: Literal["cat"] = "cat"
    lives: int = 9


class Dog(BaseModel):
    kind: Literal["dog"] = "dog"


type Pet = Annotated[Cat | Dog, Field(discriminator="kind")]


@dataclass
class Point:
    x: int = Field(gt=0)


GIVEN = {
    "orderId": 7,
    "lines": [{"sku": "tea", "quantity": 2, "price": "4.50"}],
    "placed": "2026-05-01T12:00:00Z",
    "remark": "fast",
    "extra": '{"a": 1}',
}
ORDER = Order.model_validate(GIVEN)
BY_NAME = {
    "order_id": 7,
    "lines": [{"sku": "tea", "quantity": 2, "price": "4.50"}],
    "placed": "2026-05-01T12:00:00Z",
    "due": None,
    "note": "fast",
    "tags": [],
    "extra": '{"a":1}',
}


def order() -> Order:
    seen = ORDER.model_copy()
    seen._seen = 1
    return seen


def page() -> Page[Line]:
    return Page[Line](items=ORDER.lines)


def numbers() -> Numbers:
    return Numbers([1, 2])


def pet() -> Pet:
    return Dog()


def pets() -> list[Cat | Dog]:
    return [Cat(lives=3), Dog()]


def by_day() -> dict[date, Line]:
    return {date(2026, 5, 1): ORDER.lines[0]}


def point() -> Point:
    return Point(3)


MADE: tuple[tuple[Any, Any], ...] = (
    (order, ORDER),
    (page, Page[Line](items=ORDER.lines)),
    (numbers, Numbers([1, 2])),
    (pet, Dog()),
    (pets, [Cat(lives=3), Dog()]),
    (by_day, {date(2026, 5, 1): ORDER.lines[0]}),
    (point, Point(3)),
)


@pytest.mark.parametrize("in_thread", [False, True])
async def test_a_step_gives_the_model_on_the_first_run_and_on_a_resume(stage: Stage, in_thread: bool) -> None:
    got: list[list[Any]] = []

    @skill("makes")
    async def in_loop(task: Handle) -> Order:
        got.append([await task.step(each) for each, _ in MADE])
        if task.attempt == 1:
            raise RuntimeError("again")
        return ORDER

    @skill("makes")
    def threaded(task: SyncTask) -> Order:
        got.append([task.step(each) for each, _ in MADE])
        if task.attempt == 1:
            raise RuntimeError("again")
        return ORDER

    code = threaded if in_thread else in_loop
    await stage.run(code)
    life = (await stage.run(code)).life
    assert (life.status, life.result) == ("completed", BY_NAME), life.error
    wanted = [value for _, value in MADE]
    assert [each[1:] for each in got] == [wanted[1:], wanted[1:]]
    for each in got:
        assert each[0].model_dump() == ORDER.model_dump()
    assert [list(map(type, each)) for each in got] == [list(map(type, wanted))] * 2


@skill("takes")
async def takes(
    task: Handle,
    order: Order,
    numbers: Numbers,
    pet: Pet,
    count: Annotated[int, Field(gt=0)] = 1,
    least: Annotated[int, Gt(0)] = 1,
    point: Point | None = None,
    pages: list[Page[Line]] | None = None,
) -> Order:
    assert (order, numbers, type(pet)) == (ORDER, Numbers([1, 2]), Cat)
    assert point in (None, Point(3))
    assert all(isinstance(each, Page) for each in pages or ())
    return order


async def test_models_are_parameters_and_results_by_name_and_by_alias() -> None:
    async with Cluster() as cluster:
        await cluster.control()
        await cluster.node("n1", [takes])
        client = cluster.client()
        client.skills.add([takes.offer])
        more = {"numbers": [1, 2], "pet": {"kind": "cat"}}
        assert await client.run("takes", {"order": GIVEN, **more}, wait_s=8) == BY_NAME
        assert await client.run("takes", {"order": BY_NAME, **more}, wait_s=8) == BY_NAME
        call = takes.call(ORDER, Numbers([1, 2]), Cat(), point=Point(3), pages=[Page[Line](items=ORDER.lines)])
        assert await client.run(call, wait_s=8) == ORDER
        with pytest.raises(Refused, match="'numbers' takes array, not object"):
            await client.submit("takes", {"order": GIVEN, **more, "numbers": {}})


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"order": GIVEN | {"lines": []}}, "lines: Value error, an order has lines - at `$.order`"),
        (
            {"order": GIVEN | {"lines": [{"sku": "tea", "quantity": -2, "price": "x"}]}},
            "lines.0.quantity: Input should be greater than 0, not -2; lines.0.price: Input should be a valid decimal",
        ),
        ({"order": GIVEN | {"other": 1}}, "other: Extra inputs are not permitted, not 1"),
        ({"order": {"lines": GIVEN["lines"]}}, "orderId: Field required; placed: Field required"),
        ({"pet": {"kind": "cow"}}, "'cow'"),
        ({"count": 0}, "the parameter 'count' is no"),
        ({"least": 0}, "Input should be greater than 0, not 0"),
        ({"point": {"x": -3}}, "x: Input should be greater than 0, not -3"),
    ],
)
async def test_what_a_model_refuses_fails_with_the_field_and_the_reason_in_one_line(
    stage: Stage, changed: dict[str, Any], text: str
) -> None:
    given: dict[str, Any] = {"order": GIVEN, "numbers": [1, 2], "pet": {"kind": "cat"}}
    life = (await stage.run(takes, given | changed)).life
    assert (life.status, life.error and life.error.kind) == ("failed", "validation")
    assert life.error is not None
    assert text in life.error.message
    assert "errors.pydantic.dev" not in life.error.message
    assert "\n" not in life.error.message


class Login(BaseModel):
    user: str
    password: SecretStr


class Doubled(BaseModel):
    price: int

    @field_validator("price")
    @classmethod
    def double(cls, price: int) -> int:
        return price * 2


class Animal(BaseModel):
    name: str


class Bird(Animal):
    wings: int


class Zoo(BaseModel):
    animal: Animal


class Hidden(BaseModel):
    key: str = Field(exclude=True)


def login() -> Login:
    return Login(user="ada", password=SecretStr("tea"))


def doubled() -> Doubled:
    return Doubled(price=2)


def zoo() -> Zoo:
    return Zoo(animal=Bird(name="owl", wings=2))


def hidden() -> Hidden:
    return Hidden(key="k")


def nan() -> Any:
    return Measured(value=float("nan"))


class Measured(BaseModel):
    value: float


@pytest.mark.parametrize(
    ("function", "text"),
    [
        (login, "it holds a Login with a secret, of which JSON would keep asterisks: pass the secret's name"),
        (doubled, "it holds a Doubled whose 'price' does not come back from JSON as it is"),
        (zoo, "it holds a Zoo whose 'animal' does not come back from JSON as it is"),
        (hidden, "it holds a Hidden that its class does not take back from JSON: key: Field required"),
        (nan, "nan is a number that is not finite"),
    ],
)
async def test_what_would_not_come_back_is_refused_before_it_is_recorded(
    stage: Stage, function: Any, text: str
) -> None:
    @skill("refused")
    async def refused(task: Handle) -> None:
        await task.step(function)

    life = (await stage.run(refused)).life
    assert life.error is not None
    assert text in life.error.message
    assert "step.completed" not in stage.named("t")


undone: list[Any] = []


def put_back(line, count):  # type: ignore[no-untyped-def]
    undone.append((line, count))


@step(undo=put_back)
async def take(count: Decimal) -> Line:
    return ORDER.lines[0]


@skill("shop", on_failure="compensate")
async def shop(task: Handle) -> None:
    await take(task, Decimal("1.5"))
    raise ValueError("sold out")


async def test_an_undo_without_annotations_gets_what_its_step_is_annotated_with(stage: Stage) -> None:
    undone.clear()
    assert (await stage.run(shop)).life.status == "failed"
    assert undone == [(ORDER.lines[0], Decimal("1.5"))]
