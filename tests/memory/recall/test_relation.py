"""The graph of facts: walked from name to name, by owner, now and at a time."""

import pytest

from clawactors.memory.index import Index
from clawactors.memory.recall.relation import Relations
from clawactors.systems.memories import MEMORY, Content, Fact
from clawactors.systems.memories import events as e
from tests.memory.conftest import put, remembered

FACTS = [
    ("Anna", "lives in", "Munich"),
    ("Bob", "spouse", "Anna"),
    ("Bob", "works at", "Siemens"),
    ("Eve", "works at", "siemens"),
    ("Eve", "lives in", "Rome"),
]


@pytest.fixture
def facts(index: Index) -> Index:
    for nth, (subject, predicate, thing) in enumerate(FACTS):
        fact = Fact(subject=subject, predicate=predicate, object=thing, valid_from_ns=10)
        content = Content(text=f"{subject} {predicate} {thing}", kind="knowledge", owner="o", fact=fact)
        put(index, (f"f{nth}", remembered(content)))
    old = Fact(subject="Anna", predicate="lives in", object="Berlin", valid_from_ns=1)
    state = remembered(Content(text="Anna lives in Berlin", kind="knowledge", owner="o", fact=old))
    put(index, ("old", MEMORY.evolve(state, e.MemorySuperseded("f0", 10), 11)))
    return index


def test_facts_are_found_from_both_ends(facts: Index) -> None:
    with facts.store.snapshot() as reading:
        relations = Relations(reading, "o")
        assert {edge.id for edge in relations.about("anna")} == {"f0", "f1"}
        assert {edge.id for edge in relations.about("SIEMENS")} == {"f2", "f3"}
        assert {edge.id for edge in relations.about("Anna", past=True)} == {"f0", "f1", "old"}
        assert relations.about("nobody") == []
        assert Relations(reading, "stranger").about("Anna") == []


def test_a_walk_goes_as_far_as_it_is_told(facts: Index) -> None:
    with facts.store.snapshot() as reading:
        relations = Relations(reading, "o")
        assert {edge.id for edge in relations.walk("Munich", 1)} == {"f0"}
        assert {edge.id for edge in relations.walk("Munich", 2)} == {"f0", "f1"}
        assert [edge.steps for edge in relations.walk("Munich", 5)] == [1, 2, 3, 4, 5]
        assert len(relations.walk("Munich", 5, limit=2)) == 2
        assert relations.walk("Munich", 0) == []


def test_what_held_at_a_time(facts: Index) -> None:
    with facts.store.snapshot() as reading:
        relations = Relations(reading, "o")
        for time_ns, city in ((5, "Berlin"), (10, "Munich")):
            homes = [edge for edge in relations.at("Anna", time_ns) if edge.fact.predicate == "lives in"]
            assert [edge.fact.object for edge in homes] == [city]
