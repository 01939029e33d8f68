"""Evidence says each thing once: what holds comes first, a summary stands for what it says, differences stay."""

import pytest
from msgspec.structs import replace

from clawactors.memory.item import Item
from clawactors.memory.recall.gathering import ContextCandidate, gathered
from clawactors.memory.recall.hit import hit_of
from clawactors.memory.text.lexicon import Lexicon
from clawactors.systems.memories import Content, Memory

LEXICON = Lexicon()
DAY_NS = 86_400 * 10**9


def candidate(
    number: int, text: str, *, kind: str = "raw", parents: tuple[int, ...] = (), past: bool = False, day: int = 1
) -> ContextCandidate:
    content = Content(
        text=text,
        kind=kind,  # type: ignore[arg-type]
        owner="maya",
        speaker="Maya",
        parents=tuple(f"m-{each}" for each in parents),
        sources=(number,),
        happened_ns=day * DAY_NS,
    )
    memory = Memory("superseded" if past else "live", content, superseded_by="m-1" if past else "")
    item = Item(number, f"m-{number}", number, memory)
    return ContextCandidate(hit_of(item, round(1 - number / 100, 2), False, text[:100], {}), item)


def ids(*candidates: ContextCandidate) -> list[str]:
    return [each.id for each in gathered(candidates, LEXICON.analyzer.terms)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The kiln broke on the 3rd of June.", "the kiln broke on the 3rd of june"),
        ("The kiln broke on the 3rd of June; Tom ordered a coil.", "The kiln broke on the 3rd of June."),
        ("窑炉六月三日坏了，老周订了新的电阻丝。", "窑炉六月三日坏了。"),  # noqa: RUF001
        ("We decided to use NATS for the event log.", "We decided to use NATS for the event log!"),
    ],
)
def test_what_says_the_same_is_there_once_and_names_the_other(one: str, other: str) -> None:
    for first, second in ((one, other), (other, one)):
        (kept,) = gathered([candidate(1, first), candidate(2, second, day=2)], LEXICON.analyzer.terms)
        assert kept.text == (first if abs(len(one) - len(other)) < 2 else max(one, other, key=len))
        assert {kept.id, *kept.also} == {"m-1", "m-2"}
        assert kept.sources == (1, 2)
        assert kept.dates == ("1970-01-02", "1970-01-03")
        assert kept.score == 0.99


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The SSH port is 22.", "The SSH port is 49222."),
        ("Maya is allergic to nuts.", "Maya is not allergic to nuts."),
        ("Tom owes Ana the rent for May.", "Ana owes Tom the rent for May."),
        ("Is the kiln broken?", "The kiln is broken."),
        ("我对坚果过敏。", "我对坚果不过敏。"),
        ("会议在三月五日。", "会议在三月六日。"),
        ("The staging database runs on atlas.", "The production database runs on forge."),
    ],
)
def test_what_differs_in_a_number_a_negation_or_the_order_is_kept(one: str, other: str) -> None:
    assert ids(candidate(1, one), candidate(2, other)) == ["m-1", "m-2"]


def test_a_task_that_was_given_some_words_does_not_say_them() -> None:
    note = candidate(2, "The copper kettle holds nine litres.")
    history = candidate(1, "store t-1 text=The copper kettle holds nine litres failed on node n1: timeout")
    content = replace(history.item.content, origin="task", session="t-1")
    history = replace(history, item=replace(history.item, memory=replace(history.item.memory, content=content)))
    assert ids(history, note) == ["m-1", "m-2"]


def test_a_summary_stands_for_what_it_says_and_comes_before_what_says_more() -> None:
    told = candidate(1, "I moved to Lisbon.")
    more = candidate(2, "My landlord is called Rui, and the rent is 480 euros a month, due on Fridays.")
    both = candidate(3, "Maya: I moved to Lisbon. My landlord is called Rui.", kind="summary", parents=(1, 2))
    assert ids(told, more, both) == ["m-3", "m-2"]
    assert ids(more, told, both) == ["m-2", "m-3"]
    stranger = candidate(4, "It rained all week.")
    assert ids(stranger, told, both) == ["m-4", "m-3"]


def test_what_holds_comes_before_what_held_once() -> None:
    old, new = candidate(1, "The SSH port is 22.", past=True), candidate(2, "The SSH port is 49222.")
    first, second = gathered([old, new], LEXICON.analyzer.terms)
    assert (first.id, first.past, second.id, second.past, second.superseded_by) == ("m-2", False, "m-1", True, "m-1")
    (kept,) = gathered(
        [candidate(1, "I live in Turin.", past=True), candidate(2, "I live in Turin.")], LEXICON.analyzer.terms
    )
    assert (kept.id, kept.past) == ("m-2", False)
