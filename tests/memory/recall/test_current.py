"""Of two memories that answer alike the newer stands first, and the older names what made it outdated."""

import pytest

from clawactors.memory.index import Index
from clawactors.memory.recall import Hit, MemoryFilter, Searcher
from clawactors.systems.memories import Content
from clawactors.systems.memories.commands import ForgetMemory
from clawactors.systems.memories.decider import MEMORY
from tests.memory.conftest import put, remembered

DAY = 86_400 * 10**9


def say(index: Index, id: str, text: str, day: int, owner: str = "mira") -> None:
    content = Content(text=text, owner=owner, happened_ns=day * DAY)
    put(index, (id, remembered(content)), version=day)


def ask(index: Index, question: str, **filter: object) -> list[Hit]:
    return Searcher(index).search(question, 5, MemoryFilter(owner="mira", **filter), threshold=0.0)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("older", "newer", "question"),
    [
        (
            "The SSH port of the build server is 22, as on every other machine that we run in the office.",
            "The SSH port of the build server is now 49222.",
            "What is the SSH port of the build server?",
        ),
        ("I live in Turin", "I've moved to Graz", "Where do I live?"),
        ("I live in Turin", "I've moved to Graz", "Where does Mira live these days?"),
        ("我住在北京", "我搬家到了武汉", "我住在哪里？"),  # noqa: RUF001
        ("I work at Fiat as a welder", "I quit Fiat", "Do I work at Fiat?"),
        ("I live in Turin", "Moved to Graz", "Where do I live?"),
        ("Our cloud provider is AWS.", "We switched to GCP.", "Which cloud provider do we use?"),
        ("Our database is MySQL.", "We moved from MySQL to PostgreSQL last week.", "Which database do we use?"),
        ("We switched to GCP.", "We switched to Azure.", "Which cloud do we use?"),
        ("我在阿里上班", "现在在拼多多", "我在哪里工作？"),  # noqa: RUF001
        ("周会在周二下午三点。", "周会改到周四了。", "周会在哪天？"),  # noqa: RUF001
    ],
)
def test_the_newer_truth_stands_first_and_the_older_names_it(
    index: Index, older: str, newer: str, question: str
) -> None:
    say(index, "filler", "The kiln in the yard was painted green by Tom.", 1)
    say(index, "old", older, 2)
    say(index, "new", newer, 3)
    hits = ask(index, question)
    ids = [hit.id for hit in hits]
    assert ids.index("new") < ids.index("old")
    assert hits[ids.index("old")].superseded_by == "new"
    assert hits[ids.index("new")].superseded_by == ""
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_the_time_of_the_event_decides_not_the_order_of_arrival(index: Index) -> None:
    say(index, "new", "The SSH port of the build server is now 49222.", 9)
    say(index, "old", "The SSH port of the build server is 22.", 2)
    assert [hit.id for hit in ask(index, "SSH port of the build server?")] == ["new", "old"]


def test_a_successor_that_the_words_did_not_find_is_put_before_what_it_replaced(index: Index) -> None:
    say(index, "old", "I live in Turin, near the river, in a flat with a view of the mountains.", 1)
    for nth in range(4):
        say(index, f"other{nth}", f"The flat number {nth} near the river has a view of the mountains.", 1)
    say(index, "new", "I've moved to Graz.", 3)
    found = Searcher(index).search("flat near the river with a view of the mountains in Turin", 1, threshold=0.0)
    assert [hit.id for hit in found] == ["new"]


def test_what_another_owner_says_makes_nothing_outdated(index: Index) -> None:
    say(index, "mine", "The SSH port of the build server is 22.", 1)
    say(index, "hers", "The SSH port of the build server is 49222.", 2, owner="bob")
    assert [hit.superseded_by for hit in ask(index, "SSH port of the build server")] == [""]


def test_unrelated_notes_do_not_retire_each_other(index: Index) -> None:
    texts = (
        "The SSH port of the build server is 22",
        "The SSH port of the test server is 2222",
        "The HTTP port of the build server is 8080",
    )
    for nth, text in enumerate(texts):
        say(index, f"n{nth}", text, nth + 1)
    assert {hit.superseded_by for hit in ask(index, "ports of the servers")} == {""}


def test_a_note_that_says_more_than_the_outdated_claim_stays_current(index: Index) -> None:
    say(
        index,
        "old",
        "I live in Turin. The kiln there needs a new coil, and Tom ordered it from Stoke for 240 euros.",
        1,
    )
    say(index, "new", "I've moved to Graz", 2)
    assert {hit.id: hit.superseded_by for hit in ask(index, "the kiln in Turin")}["old"] == ""


def test_a_filter_keeps_a_successor_out(index: Index) -> None:
    say(index, "old", "The SSH port of the build server is 22.", 1)
    say(index, "new", "The SSH port of the build server is now 49222.", 3)
    hits = ask(index, "SSH port of the build server", until_ns=2 * DAY)
    assert [(hit.id, hit.superseded_by) for hit in hits] == [("old", "new")]


def test_once_the_successor_is_forgotten_the_older_is_current_again(index: Index) -> None:
    say(index, "old", "The SSH port of the build server is 22.", 1)
    say(index, "new", "The SSH port of the build server is now 49222.", 3)
    memory = remembered(Content(text="The SSH port of the build server is now 49222.", owner="mira"))
    for event in MEMORY.decide(ForgetMemory(), memory):
        memory = MEMORY.evolve(memory, event, 4)
    put(index, ("new", memory), version=4)
    assert [(hit.id, hit.superseded_by) for hit in ask(index, "SSH port of the build server")] == [("old", "")]


@pytest.mark.parametrize(
    ("older", "newer", "question"),
    [
        ("Our cloud provider is AWS.", "We switched to GCP for the demo.", "Which cloud provider do we use?"),
        ("Our cloud provider is AWS.", "We switched to Slack.", "Which cloud provider do we use?"),
        ("I live in Turin", "Moved to Done", "Where do I live?"),
        ("我在阿里上班", "现在在杭州", "我在哪里工作？"),  # noqa: RUF001
    ],
)
def test_what_changes_something_else_leaves_it_current(index: Index, older: str, newer: str, question: str) -> None:
    say(index, "old", older, 2)
    say(index, "new", newer, 3)
    assert [hit.superseded_by for hit in ask(index, question) if hit.id == "old"] == [""]
