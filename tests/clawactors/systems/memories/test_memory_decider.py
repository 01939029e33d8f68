"""The rules of a memory, by their numbers in `clawactors.systems.memories.decider`."""

from collections.abc import Iterable

import pytest
from hypothesis import given as examples
from hypothesis import strategies as st
from msgspec.structs import replace

from clawactors.kernel.errors import Refused
from clawactors.systems.memories import CODEC, MEMORY, Content, Fact, Memory, memory_id
from clawactors.systems.memories import commands as c
from clawactors.systems.memories import events as e

BERLIN = Content(
    text="Anna lives in Berlin",
    kind="knowledge",
    owner="anna",
    sources=(7,),
    fact=Fact(subject="Anna", predicate="lives in", object="Berlin", valid_from_ns=10),
)
NOTE = Content(text="the bakery closes at six", owner="anna", tags=("errand",))


def folded(*commands: c.MemoryCommand, start: Memory = MEMORY.initial) -> Memory:
    memory = start
    for at_ns, command in enumerate(commands, 100):
        for event in MEMORY.decide(command, memory):
            memory = MEMORY.evolve(memory, event, at_ns)
    return memory


def refused(words: str, command: c.MemoryCommand, memory: Memory) -> None:
    with pytest.raises(Refused, match=words):
        MEMORY.decide(command, memory)


def test_a_recorded_memory_is_live_and_takes_the_time_of_its_commit() -> None:
    memory = folded(c.RecordMemory(NOTE))
    assert memory.status == "live"
    assert memory.count == 1
    assert memory.content == replace(NOTE, happened_ns=100)
    assert memory.level == "episodic"
    assert folded(c.RecordMemory(BERLIN)).level == "semantic"


def test_rule_2_a_repeated_record_is_quiet_and_another_text_is_refused() -> None:
    memory = folded(c.RecordMemory(NOTE))
    assert MEMORY.decide(c.RecordMemory(NOTE), memory) == ()
    refused("exists with different text", c.RecordMemory(replace(NOTE, text="the bakery closes at seven")), memory)
    refused("exists with a different kind, owner", c.RecordMemory(replace(NOTE, owner="bob")), memory)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (replace(NOTE, text=" \n\t "), "has text"),
        (replace(NOTE, text="x" * 70_000), "split it"),
        (replace(NOTE, text="half an emoji \ud83d"), "no valid Unicode"),
        (replace(NOTE, importance=1.5), "importance"),
        (replace(NOTE, importance=float("nan")), "importance"),
        (replace(NOTE, tone=-2.0), "tone"),
        (replace(NOTE, owner="o" * 1000), "owner"),
        (replace(NOTE, tags=tuple(map(str, range(100)))), "tags"),
        (replace(BERLIN, fact=Fact(subject=" ", predicate="is", object="b")), "a subject"),
        (replace(BERLIN, fact=Fact(subject="a", predicate="is", object="b", confidence=2)), "confidence"),
        (replace(BERLIN, fact=Fact(subject="a", predicate="is", object="b", valid_from_ns=9, valid_until_ns=8)), "end"),
    ],
)
def test_rule_3_what_is_recorded_has_text_and_figures_within_their_scales(content: Content, words: str) -> None:
    refused(words, c.RecordMemory(content), MEMORY.initial)


def test_merging_counts_each_occurrence_once_and_keeps_all_sources() -> None:
    merge = c.MergeMemory(occurrence="again", sources=(7, 9), happened_ns=500)
    memory = folded(c.RecordMemory(BERLIN), merge, merge)
    assert memory.count == 2
    assert memory.content is not None
    assert memory.content.sources == (7, 9)
    assert memory.last_met_ns == 500
    refused("occurrence", c.MergeMemory(occurrence=""), memory)


def test_rule_5_a_superseded_fact_is_kept_and_its_validity_closed_once() -> None:
    close = c.SupersedeMemory("m-munich", 300)
    memory = folded(c.RecordMemory(BERLIN), close)
    assert memory.status == "superseded"
    assert memory.searched
    assert memory.content is not None
    assert memory.content.fact is not None
    assert memory.content.fact.valid_until_ns == 300
    assert MEMORY.decide(close, memory) == ()
    refused("superseded already", c.SupersedeMemory("m-hamburg", 400), memory)
    refused("no fact", close, folded(c.RecordMemory(NOTE)))


def test_a_fact_contradicted_from_before_its_beginning_ends_when_it_began() -> None:
    memory = folded(c.RecordMemory(BERLIN), c.SupersedeMemory("m-munich", 3))
    assert memory.content is not None
    assert memory.content.fact is not None
    assert memory.content.fact.valid_until_ns == 10


def test_belief_importance_and_wording_change_by_events_and_repeats_are_quiet() -> None:
    revise = c.ReviseMemory(text="Anna lives in Berlin since May", tags=("home", "home"), importance=0.9)
    memory = folded(c.RecordMemory(BERLIN), c.BelieveMemory(0.4), c.WeighMemory(0.8), revise)
    assert memory.content is not None
    assert memory.content.fact is not None
    assert memory.content.fact.confidence == 0.4
    assert (memory.content.text, memory.content.tags) == ("Anna lives in Berlin since May", ("home",))
    assert memory.content.importance == 0.9
    for command in (c.BelieveMemory(0.4), c.WeighMemory(0.9), revise):
        assert MEMORY.decide(command, memory) == ()
    refused("confidence", c.BelieveMemory(float("inf")), memory)
    refused("nothing to believe", c.BelieveMemory(0.4), folded(c.RecordMemory(NOTE)))


def test_an_archived_memory_is_not_searched_until_it_is_restored() -> None:
    archived = folded(c.RecordMemory(BERLIN), c.SupersedeMemory("m-x", 300), c.ArchiveMemory())
    assert not archived.searched
    refused("restore it first", c.MergeMemory(occurrence="o"), archived)
    assert folded(c.RestoreMemory(), start=archived).status == "superseded"


def test_rule_6_forgotten_holds_nothing_and_the_same_evidence_does_not_bring_it_back() -> None:
    memory = folded(c.RecordMemory(BERLIN), c.ForgetMemory("asked", upto=9))
    assert memory.content is None
    assert MEMORY.decide(c.ForgetMemory(upto=9), memory) == ()
    assert MEMORY.decide(c.RecordMemory(BERLIN), memory) == ()
    assert MEMORY.decide(c.RecordMemory(replace(BERLIN, sources=(3, 9))), memory) == ()
    for command in (c.WeighMemory(0.1), c.UpdateMemory("Anna lives in Graz"), c.RestoreMemory()):
        refused("was forgotten", command, memory)


def test_rule_6_the_same_said_later_is_new() -> None:
    gone = folded(c.RecordMemory(BERLIN), c.ForgetMemory("asked", upto=9))
    again = folded(c.RecordMemory(replace(BERLIN, sources=(10,))), start=gone)
    assert (again.status, again.count, again.forgotten_upto) == ("live", 1, 9)
    note = folded(c.RecordMemory(NOTE), c.ForgetMemory(upto=9), c.RecordMemory(NOTE))
    assert note.status == "live", "a note is said by the command itself"
    assert folded(c.ForgetMemory(upto=12), start=note).forgotten_upto == 12


def test_rule_6_holds_when_the_forgetting_is_all_that_the_log_still_has() -> None:
    memory = MEMORY.evolve(MEMORY.initial, e.MemoryForgotten(), 5)
    assert memory.status == "forgotten"
    assert MEMORY.decide(c.RecordMemory(BERLIN), memory) == (), "the first release wrote no position"


def test_rule_7_an_update_replaces_the_words_and_counts_as_a_revision() -> None:
    memory = folded(c.RecordMemory(NOTE), c.UseMemory(3), c.UpdateMemory("the bakery closes at seven"))
    assert memory.content is not None
    assert (memory.content.text, memory.content.tags, memory.content.owner) == (
        "the bakery closes at seven",
        ("errand",),
        "anna",
    )
    assert (memory.revision, memory.uses, memory.count) == (1, 3, 1)
    assert MEMORY.decide(c.UpdateMemory("the bakery closes at seven"), memory) == ()
    replaced = folded(c.RecordMemory(replace(NOTE, text="it closed down"), replaces=True), start=memory)
    assert (replaced.status, replaced.revision) == ("live", 2)
    refused("has text", c.UpdateMemory(" "), memory)
    derived = folded(c.RecordMemory(replace(BERLIN, origin="consolidation", parents=("m-1", "m-2"))))
    refused("update those: m-1, m-2", c.UpdateMemory("Anna lives in Graz"), derived)


def test_an_update_brings_an_archived_memory_back() -> None:
    archived = folded(c.RecordMemory(NOTE), c.ArchiveMemory("faded"))
    assert folded(c.UpdateMemory("the bakery moved"), start=archived).status == "live"


def test_uses_are_counted_and_begin_the_fading_anew() -> None:
    memory = folded(c.RecordMemory(NOTE), c.UseMemory(2), c.UseMemory(1))
    assert (memory.uses, memory.last_used_ns) == (3, 102)
    refused("1 time or more", c.UseMemory(0), memory)


def test_what_does_not_exist_can_only_be_recorded() -> None:
    for command in (c.WeighMemory(0.1), c.ArchiveMemory(), c.MergeMemory(occurrence="o")):
        refused("no such memory", command, MEMORY.initial)


def test_ids_follow_from_owner_and_key_and_are_safe_on_the_wire() -> None:
    assert memory_id("anna", "chat/1") == memory_id("anna", "chat/1")
    assert memory_id("ann", "achat/1") != memory_id("anna", "chat/1")
    assert len({memory_id("", ""), memory_id("", "ü\ud800"), memory_id("ü", "")}) == 3


TEXTS = st.sampled_from(["a", "b b", " "])
EVENTS: st.SearchStrategy[e.MemoryEvent] = st.one_of(
    st.builds(e.MemoryRecorded, text=TEXTS, fact=st.none() | st.just(Fact(subject="s", predicate="p", object="o"))),
    st.builds(e.MemoryMerged, occurrence=TEXTS, sources=st.tuples(st.integers(0, 3))),
    st.builds(e.MemoryRevised, text=TEXTS),
    st.builds(e.MemorySuperseded, by=TEXTS, until_ns=st.integers(0, 9)),
    st.builds(e.MemoryBelieved, confidence=st.floats(0, 1)),
    st.builds(e.MemoryWeighed, importance=st.floats(0, 1)),
    st.builds(e.MemoryArchived),
    st.builds(e.MemoryRestored),
    st.builds(e.MemoryUpdated, text=TEXTS),
    st.builds(e.MemoryUsed, times=st.integers(0, 3)),
    st.builds(e.MemoryForgotten, upto=st.integers(0, 9)),
)


@examples(st.lists(EVENTS, max_size=12))
def test_any_history_folds_and_survives_the_wire(history: Iterable[e.MemoryEvent]) -> None:
    memory, again = MEMORY.initial, MEMORY.initial
    for at_ns, event in enumerate(history, 1):
        memory = MEMORY.evolve(memory, event, at_ns)
        for read in CODEC.decode(CODEC.encode((event,))):
            again = MEMORY.evolve(again, read, at_ns)
    assert memory == again
    assert (memory.content is None) == (memory.status in ("absent", "forgotten"))


def test_tags_are_promises() -> None:
    assert CODEC.tags == {
        "memory.recorded",
        "memory.merged",
        "memory.revised",
        "memory.superseded",
        "memory.believed",
        "memory.weighed",
        "memory.updated",
        "memory.used",
        "memory.archived",
        "memory.restored",
        "memory.forgotten",
    }
