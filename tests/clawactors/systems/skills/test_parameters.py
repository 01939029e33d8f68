"""What a skill takes is read from its annotations, travels as data, and refuses with the name of what does not fit."""

import dataclasses
import datetime
import decimal
import enum
import fractions
import pathlib
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal, NamedTuple, TypedDict

import msgspec
import pytest

from clawactors.kernel.errors import Refused
from clawactors.systems.nodes.events import CODEC, NodeJoined, Offer, Parameter
from clawactors.systems.skills import Skill, check_params, skill


class Colour(enum.StrEnum):
    RED = "red"


class Level(enum.IntEnum):
    LOW = 1


class Mixed(enum.Enum):
    ONE = 1
    TWO = "two"


class Empty(enum.Enum):
    pass


class Name(str):
    __slots__ = ()


class Point(TypedDict):
    x: int


class Pair(NamedTuple):
    x: int


class Box(msgspec.Struct):
    x: int


@dataclasses.dataclass
class Data:
    x: int


class Own:
    def __init__(self, value: Any) -> None:
        if value == "bad":
            raise ValueError("that is bad")
        self.value = value


type Small = Literal[1, 2] | None


def takes(annotation: Any, **more: Any) -> Skill:
    """A skill with one parameter `x` of that annotation."""

    def code(task: object, x: Any) -> None: ...

    code.__annotations__["x"] = annotation
    return skill("s", **more)(code)


@pytest.mark.parametrize(
    ("annotation", "kind"),
    [
        (str, "string"),
        (bytes, "string"),
        (bytearray, "string"),
        (Name, "string"),
        (bool, "boolean"),
        (int, "integer"),
        (float, "number"),
        (None, "null"),
        (list, "array"),
        (list[int], "array"),
        (tuple[int, ...], "array"),
        (set[str], "array"),
        (frozenset, "array"),
        (Sequence[int], "array"),
        (Pair, "array"),
        (dict, "object"),
        (dict[str, int], "object"),
        (Mapping[str, int], "object"),
        (Point, "object"),
        (Box, "object"),
        (Data, "object"),
        (Any, "any"),
        (object, "any"),
        (Own, "any"),
        (datetime.datetime, "string"),
        (Callable[[], int], "any"),
        (Iterable[int], "any"),
        ("no such name", "any"),
        (5, "any"),
        ([], "any"),
        (int | None, "integer|null"),
        (str | int | float, "integer|number|string"),
        (Small, "integer|null"),
        (int | Any, "any"),
        (Literal["a", 1] | None, "integer|null|string"),
        (Annotated[int, msgspec.Meta(ge=1)], "integer"),
        (Annotated[int, "unit: s"] | None, "integer|null"),
        (Colour, "string"),
        (Level, "integer"),
        (Mixed, "integer|string"),
        (Empty, "any"),
    ],
    ids=str,
)
def test_an_annotation_says_what_json_it_takes(annotation: Any, kind: str) -> None:
    assert takes(annotation).offer.parameters == (Parameter("x", kind),)


@pytest.mark.parametrize(
    ("annotation", "given", "got"),
    [
        (int, 5, 5),
        (float, 5, 5.0),
        (bytes, "YQ==", b"a"),
        (tuple[int, ...], [1, 2], (1, 2)),
        (set[int], [1, 1], {1}),
        (dict[int, str], {"1": "a"}, {1: "a"}),
        (datetime.date, "2030-01-02", datetime.date(2030, 1, 2)),
        (uuid.UUID, "12345678-1234-5678-1234-567812345678", uuid.UUID("12345678-1234-5678-1234-567812345678")),
        (decimal.Decimal, "1.5", decimal.Decimal("1.5")),
        (Box, {"x": 1}, Box(1)),
        (list[Box], [{"x": 1}], [Box(1)]),
        (Data, {"x": 1}, Data(1)),
        (Pair, [1], Pair(1)),
        (Point, {"x": 1}, {"x": 1}),
        (Colour, "red", Colour.RED),
        (Level, 1, Level.LOW),
        (Small, None, None),
        (Small, 2, 2),
        (pathlib.Path, "/a", pathlib.Path("/a")),
        (list[pathlib.Path], ["/a"], [pathlib.Path("/a")]),
        (fractions.Fraction, "1/3", fractions.Fraction(1, 3)),
        (Iterable[int], [1], [1]),
        (object, [1], [1]),
        (Any, {"a": None}, {"a": None}),
        ("no such name", 5, 5),
        (5, 6, 6),
        ([], 6, 6),
        (Box | Data, {"x": 1}, {"x": 1}),  # nobody can tell which
    ],
    ids=str,
)
def test_a_parameter_arrives_as_its_annotation_says(annotation: Any, given: Any, got: Any) -> None:
    arguments = takes(annotation).arguments({"x": given})
    assert arguments == {"x": got}
    assert type(arguments["x"]) is type(got)


@pytest.mark.parametrize(
    ("annotation", "given", "words"),
    [
        (int, "5", "skill 's': 'x' takes integer, not string"),
        (int, 5.0, "'x' takes integer, not number"),
        (int, True, "'x' takes integer, not boolean"),
        (bool, 1, "'x' takes boolean, not integer"),
        (str | None, 7, "'x' takes null or string, not integer"),
        (list[int], {"a": 1}, "'x' takes array, not object"),
        (list[int], ["a"], "Expected `int`, got `str`: 'a' - at `$.x[0]`"),
        (Annotated[int, msgspec.Meta(ge=1)], 0, "Expected `int` >= 1"),
        (Literal["a"], "b", "Invalid enum value 'b'"),
        (Colour, "blue", "Invalid enum value 'blue'"),
        (datetime.date, "soon", "Invalid RFC3339"),
        (Box, {"x": "1"}, "Expected `int`, got `str`"),
        (Box, {}, "missing required field `x`"),
        (bytes, "not base64!", "Invalid base64"),
        (Own, "bad", "that is bad"),
        (dict[int, str], {"a": "b"}, "Expected `int`"),
    ],
    ids=str,
)
def test_what_does_not_fit_is_refused_by_name(annotation: Any, given: Any, words: str) -> None:
    with pytest.raises(Refused) as refusal:
        takes(annotation).arguments({"x": given})
    assert words in str(refusal.value)
    assert "skill 's'" in str(refusal.value)


def test_one_strange_annotation_does_not_spoil_the_others() -> None:
    @skill("s")
    def code(task: object, when: datetime.date, odd: "Undefined", *, last: tuple[int, ...] = ()) -> None: ...  # type: ignore[name-defined] # noqa: F821

    code.function.__annotations__.update(when=datetime.date, last=tuple[int, ...])
    got = code.arguments({"when": "2030-01-02", "odd": {"a": 1}, "last": [1]})
    assert got == {"when": datetime.date(2030, 1, 2), "odd": {"a": 1}, "last": (1,)}


def test_defaults_are_the_functions_own() -> None:
    @skill("s")
    def code(task: object, a: int, b: list[int] | None = None, *, c: str = "c") -> None: ...

    assert [(each.name, each.required) for each in code.offer.parameters] == [("a", True), ("b", False), ("c", False)]
    assert code.arguments({"a": 1}) == {"a": 1}
    with pytest.raises(Refused, match="skill 's' needs 'a'"):
        code.arguments({"b": [1]})
    with pytest.raises(Refused, match="skill 's' needs 'a'"):
        code.arguments({})


def test_what_the_skill_does_not_take_is_refused_and_told_what_it_takes() -> None:
    @skill("s")
    def code(task: object, a: int, b: int = 0) -> None: ...

    @skill("nothing")
    def bare(task: object) -> None: ...

    with pytest.raises(Refused, match="skill 's' does not take 'z'; it takes a, b"):
        code.arguments({"a": 1, "z": 2})
    with pytest.raises(Refused, match="skill 'nothing' does not take 'z'; it takes no parameters"):
        bare.arguments({"z": 2})


def test_a_skill_with_kwargs_takes_more_but_checks_what_it_names() -> None:
    @skill("s")
    def code(task: object, a: tuple[int, ...], **more: Any) -> None: ...

    assert code.offer.open
    assert code.arguments({"a": [1], "z": [2]}) == {"a": (1,), "z": [2]}
    with pytest.raises(Refused, match="'a' takes array, not string"):
        code.arguments({"a": "x", "z": 2})


def test_names_that_clash_with_nothing() -> None:
    @skill("s")
    def code(task: object, self: int, type: str, __a: int, kind: str = "") -> None: ...

    given = {name: "v" if name in ("type", "kind") else 1 for name in ("self", "type", "__a", "kind")}
    assert code.arguments(given) == given


def positional_only(task: object, a: int, /) -> None: ...
def many(task: object, *a: int) -> None: ...
def nothing() -> None: ...
def only_named(*, task: object) -> None: ...
def only_more(**more: Any) -> None: ...


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (positional_only, "^positional_only: parameters are passed by name, a: int can't be"),
        (many, "parameters are passed by name"),
        (nothing, "^nothing must take the task's handle as its first parameter"),
        (only_named, "must take the task's handle"),
        (only_more, "must take the task's handle"),
    ],
)
def test_what_can_not_be_a_skill_is_told_at_once(function: Callable[..., Any], words: str) -> None:
    with pytest.raises(TypeError, match=words):
        skill("s")(function)


async def waits(task: object) -> None: ...


def test_code_that_can_not_be_isolated_is_named_with_the_rule() -> None:
    with pytest.raises(ValueError, match="sync function at module level, not async waits"):
        skill("s", isolate=True)(waits)


def test_the_handle_may_be_among_many() -> None:
    @skill("s")
    def code(*handle: object, a: int) -> int:
        return a

    assert code(object(), **code.arguments({"a": 5})) == 5


# The offer: what travels


OFFER = Offer("s", parameters=(Parameter("a", "integer|null"), Parameter("b", "number", required=False)))


def test_an_offer_checks_without_the_function() -> None:
    check_params(OFFER, {"a": 1, "b": 2})
    check_params(OFFER, {"a": None})
    with pytest.raises(Refused, match="'a' takes integer or null, not string"):
        check_params(OFFER, {"a": "1"})
    with pytest.raises(Refused, match="needs 'a'"):
        check_params(OFFER, {"b": 1.5})
    with pytest.raises(Refused, match="does not take 'c'; it takes a, b"):
        check_params(OFFER, {"a": 1, "c": 1})


def test_an_open_offer_takes_more() -> None:
    check_params(Offer("s", parameters=(Parameter("a"),), open=True), {"a": 1, "z": object()})


def test_an_offer_comes_back_from_the_log_as_it_was() -> None:
    offer = takes(int | None, version="2").offer
    (event,) = CODEC.decode(CODEC.encode((NodeJoined(incarnation="i", offers=(offer,)),)))
    assert isinstance(event, NodeJoined)
    assert event.offers == (offer,)
