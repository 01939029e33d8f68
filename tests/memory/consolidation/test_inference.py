"""Conclusions: each rule, premises and withdrawal, aliases, and that nothing is concluded twice."""

import pytest

from clawactors.memory.consolidation.inference import conclusions
from clawactors.memory.index import Index
from clawactors.systems.memories import Content, Fact, Memory
from tests.memory.consolidation.test_consolidation import DAY, World, says


@pytest.fixture
def world(index: Index) -> World:
    return World(index)


def inferred(world: World) -> dict[str, str]:
    return {
        text: memory.status
        for text, memory in world.facts().items()
        if memory.content and memory.content.fact and memory.content.fact.inferred
    }


@pytest.mark.parametrize(
    ("told", "follows"),
    [
        (["My wife is Hanna"], "Hanna's spouse is Anna"),
        (["My boss is Tom"], "Tom manages Anna"),
        (["My mother is Ines"], "Ines's child is Anna"),
        (["My mother is Ines"], "Anna's parent is Ines"),
        (["My brother is Ole"], "Ole's sibling is Anna"),
        (["I live in Graz", "Graz is in Austria"], "Anna lives within Austria"),
        (["Styria is part of Austria", "Graz is in Styria"], ""),
    ],
)
def test_each_rule_concludes(world: World, told: list[str], follows: str) -> None:
    for nth, text in enumerate(told):
        says(world, nth, text, (nth + 1) * DAY)
        world.consolidate()
    if follows:
        assert inferred(world).get(follows) == "live"


def test_a_conclusion_names_its_premises_and_is_less_sure(world: World) -> None:
    says(world, 1, "My wife is Hanna", DAY)
    world.consolidate()
    facts = world.facts()
    premise, conclusion = facts["Anna's spouse is Hanna"].content, facts["Hanna's spouse is Anna"].content
    assert premise is not None
    assert conclusion is not None
    assert premise.fact is not None
    assert conclusion.fact is not None
    assert conclusion.fact.confidence < premise.fact.confidence
    assert len(conclusion.parents) == 1
    assert world.memory(conclusion.parents[0]).content == premise
    assert conclusion.sources == premise.sources


def test_a_conclusion_ends_with_its_premise(world: World) -> None:
    says(world, 1, "My wife is Hanna", DAY)
    world.consolidate()
    says(world, 2, "Hanna and I divorced", 2 * DAY)
    world.consolidate()
    assert inferred(world)["Hanna's spouse is Anna"] == "superseded"


def test_a_chain_ends_with_either_premise_and_begins_anew(world: World) -> None:
    says(world, 1, "I live in Graz", DAY)
    says(world, 2, "Graz is in Austria", DAY)
    says(world, 3, "Bonn is in Germany", DAY)
    world.consolidate()
    assert inferred(world) == {"Anna lives within Austria": "live"}
    says(world, 4, "I moved to Bonn", 5 * DAY)
    world.consolidate()
    assert inferred(world) == {"Anna lives within Austria": "superseded", "Anna lives within Germany": "live"}


def test_twice_concludes_nothing_new(world: World) -> None:
    for nth, text in enumerate(("My wife is Hanna", "My boss is Tom", "I live in Graz", "Graz is in Austria")):
        says(world, nth, text, (nth + 1) * DAY)
    world.consolidate()
    world.changes.clear()
    world.consolidate()
    assert world.changes == []


def test_what_contradicts_a_stated_fact_is_not_concluded(world: World) -> None:
    says(world, 1, "Hanna is married to Tom", DAY)
    says(world, 2, "Anna is married to Hanna", 2 * DAY)
    world.consolidate()
    assert "Hanna's spouse is Anna" not in inferred(world)


def test_a_negated_fact_leads_nowhere() -> None:
    fact = Fact(subject="Anna", predicate="spouse", object="Hanna", negated=True)
    memory = Memory("live", Content(text="x", kind="knowledge", fact=fact), count=1)
    assert list(conclusions("m", memory, lambda owner, name: {})) == []


# Names


def test_facts_under_two_names_are_of_one_person(world: World) -> None:
    says(world, 1, "My colleague is 王磊. Her English name is Leo.", DAY)
    says(world, 2, "王磊 lives in Graz", 2 * DAY)
    says(world, 3, "Leo moved to Bonn", 3 * DAY)
    world.consolidate()
    facts = world.facts()
    assert {text: facts[text].status for text in ("王磊住在Graz", "Leo lives in Bonn")} == {
        "王磊住在Graz": "superseded",
        "Leo lives in Bonn": "live",
    }


def test_my_wife_is_the_one_whose_name_was_told(world: World) -> None:
    says(world, 1, "My wife is Hanna", DAY)
    says(world, 2, "My wife works at Bosch", 2 * DAY)
    world.consolidate()
    assert "Hanna works at Bosch" in world.facts()


# Changes that others get wrong


def test_a_dislike_after_a_like_is_the_one_that_holds(world: World) -> None:
    says(world, 1, "I love Chinese food", DAY)
    says(world, 2, "I hate Chinese food", 2 * DAY)
    world.consolidate()
    facts = world.facts()
    assert facts["Anna likes Chinese food"].status == "superseded"
    assert facts["Anna does not like Chinese food"].status == "live"


def test_a_new_name_replaces_the_old_one(world: World) -> None:
    says(world, 1, "My name is Liguoyu", DAY)
    says(world, 2, "My name is Liguosong", 2 * DAY)
    world.consolidate()
    assert world.facts()["Anna is called Liguoyu"].status == "superseded"


def test_quitting_ends_every_job_and_a_new_one_begins(world: World) -> None:
    says(world, 1, "I work at Fiat", DAY)
    says(world, 2, "I quit my job", 2 * DAY)
    world.consolidate()
    assert world.facts()["Anna works at Fiat"].status == "superseded"
    says(world, 3, "I joined Bosch", 3 * DAY)
    world.consolidate()
    held = [text for text, memory in world.facts().items() if memory.status == "live"]
    assert held == ["Anna works at Bosch"]


def test_drinking_something_else_instead_ends_the_old_habit(world: World) -> None:
    says(world, 1, "我喝咖啡", DAY)
    says(world, 2, "我改喝红茶了", 2 * DAY)
    world.consolidate()
    assert {text: memory.status for text, memory in world.facts().items()} == {
        "Anna喝咖啡": "superseded",
        "Anna喝红茶": "live",
    }
