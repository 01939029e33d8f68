"""Consolidation: episodes, summaries, keywords, facts, contradictions, duplicates, patterns; twice is as once."""
# ruff: noqa: RUF001 - full-width signs on purpose

import itertools
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.memory_set import load
from clawactors.kernel.errors import Refused
from clawactors.memory.consolidation import consolidate, expire
from clawactors.memory.consolidation.consolidate import retention
from clawactors.memory.consolidation.episode import GAP_NS, SIZE, episodes
from clawactors.memory.consolidation.fact import facts_in
from clawactors.memory.consolidation.keyword import keywords
from clawactors.memory.consolidation.likeness import contradicts, likeness
from clawactors.memory.consolidation.predicate import statement
from clawactors.memory.consolidation.summary import SUMMARY_LIMIT, summary
from clawactors.memory.index import Index
from clawactors.memory.index.rows import all_items, find
from clawactors.memory.item import Item, ItemCommand
from clawactors.memory.recall.known import KnownIndex
from clawactors.memory.text.importance import importance, tone
from clawactors.systems.memories import MEMORY, Content, Fact, Memory
from clawactors.systems.memories.commands import ForgetMemory
from tests.memory.conftest import LEXICON, put, remembered

MINUTE = 60 * 1_000_000_000
DAY = 24 * 60 * MINUTE


class World:
    """An index to which commands are applied as the memory process does."""

    def __init__(self, index: Index) -> None:
        self.index = index
        self.version = 0
        self.changes: list[str] = []

    def remember(self, id: str, content: Content) -> None:
        self.version += 1
        put(self.index, (id, remembered(content, at_ns=content.happened_ns or 1)), version=self.version)

    def consolidate(self, now_ns: int = 10**19, *, everything: bool = False) -> list[ItemCommand]:
        with self.index.store.snapshot() as reading:
            items = list(all_items(reading))
            commands = consolidate(items, KnownIndex(self.index, reading), LEXICON, now_ns, everything=everything)
        for command in commands:
            self.apply(command)
        return commands

    def apply(self, command: ItemCommand) -> None:
        memory = self.memory(command.id)
        before = memory
        try:
            events = MEMORY.decide(command.command, memory)
        except Refused as refused:
            self.changes.append(f"refused {refused}")
            return
        self.version += 1
        for event in events:
            memory = MEMORY.evolve(memory, event, self.version)
        if memory is not before:
            self.changes.append(command.id)
            put(self.index, (command.id, memory), version=self.version)

    def memory(self, id: str) -> Memory:
        with self.index.store.snapshot() as reading:
            item = find(reading, id)
        return item.memory if item else MEMORY.initial

    def texts(self, kind: str) -> list[str]:
        with self.index.store.snapshot() as reading:
            return [
                item.content.text
                for item in all_items(reading)
                if item.memory.content and item.content.kind == kind and item.memory.searched
            ]

    def facts(self) -> dict[str, Memory]:
        with self.index.store.snapshot() as reading:
            return {
                item.content.text: item.memory
                for item in all_items(reading)
                if item.memory.content and item.content.fact
            }


@pytest.fixture
def world(index: Index) -> World:
    return World(index)


def item(number: int, text: str, at_ns: int = 1, session: str = "s", owner: str = "") -> Item:
    content = Content(text=text, session=session, position=number, happened_ns=at_ns, owner=owner)
    return Item(number, f"i{number}", number, remembered(content))


# Episodes


def sizes(items: Sequence[Item], now_ns: int = 10**19) -> list[int]:
    return [len(episode.items) for episode in episodes(items, LEXICON.terms, now_ns)]


def test_a_gap_in_time_ends_an_episode() -> None:
    assert sizes([item(nth, "the same kiln", nth // 3 * 2 * GAP_NS + nth) for nth in range(9)]) == [3, 3, 3]


def test_a_full_episode_ends() -> None:
    assert sizes([item(nth, "the same kiln") for nth in range(2 * SIZE + 1)]) == [SIZE, SIZE, 1]


def test_a_shift_of_topic_ends_an_episode() -> None:
    ovens = [item(nth, f"the kiln cracked the glaze of bowl {nth}") for nth in range(8)]
    races = [item(nth, f"marathon training kilometre {nth} along the canal") for nth in range(8, 16)]
    assert sizes([*ovens, *races]) == [8, 8]


def test_sessions_and_owners_are_never_in_one_episode() -> None:
    items = [item(nth, "the same kiln", session=f"s{nth % 2}", owner=f"o{nth % 3}") for nth in range(12)]
    assert sizes(items) == [2] * 6


def test_the_last_episode_is_open_until_the_gap_has_passed() -> None:
    items = [item(0, "hello", 5 * MINUTE)]
    assert [one.open for one in episodes(items, LEXICON.terms, 10 * MINUTE)] == [True]
    assert [one.open for one in episodes(items, LEXICON.terms, 5 * MINUTE + GAP_NS)] == [False]


WORDS = ("kiln glaze bowl", "marathon kilometre", "diary shark", "", "invoice tax")


@given(st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from((1, 5, 40))), max_size=60), st.integers(0, 60))
def test_an_episode_that_has_ended_never_changes(said: list[tuple[str, int]], cut: int) -> None:
    times = itertools.accumulate(minutes * MINUTE for _, minutes in said)
    items = [item(nth, f"{text} x", at_ns) for nth, ((text, _), at_ns) in enumerate(zip(said, times, strict=True))]
    whole = [one.items for one in episodes(items, LEXICON.terms, 10**19)]
    part = [one.items for one in episodes(items[:cut], LEXICON.terms, 10**19)]
    # The last one of the part, and what its few last items may still divide, is not decided yet.
    assert part[:-1] == whole[: len(part[:-1])] or len(part) <= 1


# Summaries and keywords


@pytest.mark.parametrize("one", load("tuning"), ids=lambda one: one.name)
def test_a_summary_is_short_and_says_only_what_was_said(one: "object") -> None:
    turns = one.turns  # type: ignore[attr-defined]
    said = [(turn["speaker"], turn["text"]) for turn in turns]
    for first in range(0, len(said), 12):
        text = summary(said[first : first + 12], LEXICON.terms)
        assert 20 < len(text) <= SUMMARY_LIMIT
        bare = text.replace(" ", "")
        whole = "".join(speaker + ":" + words for speaker, words in said[first : first + 12]).replace(" ", "")
        assert sum(character in whole for character in bare) == len(bare)
    assert summary(said, LEXICON.terms) == summary(said, LEXICON.terms)


def test_a_summary_prefers_what_tells_over_what_asks() -> None:
    said = [
        (
            "Ann",
            "Hi! How are you? What is new? Do you remember the kiln? Really? And what did the supplier say to you?",
        ),
        (
            "Bea",
            "The kiln broke on 3 May. The spare part costs 240 euros. Well, well. The supplier sends it on Monday.",
        ),
        ("Ann", "Oh no! And then? Is the supplier reliable? Who pays for the part of the kiln? Shall I come over now?"),
    ]
    text = summary(said, LEXICON.terms, 120)
    assert "broke on 3 May" in text
    assert "240 euros" in text
    assert "?" not in text


@pytest.mark.parametrize("text", ["", " ", "?", "x" * 5000, "。" * 500, "一" * 1000])
def test_odd_texts_are_summed_up(text: str) -> None:
    assert len(summary([("", text)], LEXICON.terms)) <= SUMMARY_LIMIT
    assert summary([], LEXICON.terms) == ""


def test_keywords_are_what_several_texts_are_about() -> None:
    texts = ["The kiln broke in Lisbon", "We got the kiln's part from Stoke", "the kiln works, said Maya"]
    assert keywords(texts, LEXICON.analyzer)[0] == "kiln"
    assert {"Lisbon", "Stoke"} <= set(keywords(texts, LEXICON.analyzer))
    chinese = ["望远镜的镜片碎了", "老师寄来了新的镜片", "我们用望远镜看土星"]
    assert set(keywords(chinese, LEXICON.analyzer)) >= {"望远镜", "镜片"}
    assert keywords(["", "the and of", "的了吗"], LEXICON.analyzer) == []


# Facts


@pytest.mark.parametrize(
    ("text", "stated"),
    [
        ("I live in Berlin.", ["Anna lives in Berlin"]),
        ("I've just moved to Munich with my dog", ["Anna lives in Munich"]),
        ("I don't live in Berlin anymore", ["Anna does not live in Berlin"]),
        ("I'm a nurse, and I'm allergic to nuts.", ["Anna works as nurse", "Anna is allergic to nuts"]),
        (
            "My wife is Hanna. My favourite colour is blue.",
            ["Anna's favourite colour is blue", "Anna's spouse is Hanna"],
        ),
        ("Peter Berg works at Siemens", ["Peter Berg works at Siemens"]),
        ("我搬到了北京，我对花生过敏。", ["Anna住在北京", "Anna对花生过敏"]),
        ("我是一名物理老师", ["Anna的职业是物理老师"]),
        ("我不喜欢香菜", ["并非Anna喜欢香菜"]),
        ("Do you live in Paris?", []),
        ("If I live in Paris one day", []),
        ("She works at Siemens", []),
        ("I like it", []),
        ("", []),
    ],
)
def test_facts_are_read_from_plain_statements(text: str, stated: list[str]) -> None:
    assert sorted(statement(fact) for fact in facts_in(Content(text=text, speaker="Anna"))) == sorted(stated)


def test_without_anybody_who_speaks_the_first_person_states_nothing() -> None:
    assert list(facts_in(Content(text="I live in Berlin"))) == []


def fact(subject: str, predicate: str, thing: str, negated: bool = False) -> Fact:
    return Fact(subject=subject, predicate=predicate, object=thing, negated=negated)


def test_what_contradicts() -> None:
    berlin = fact("Anna", "lives in", "Berlin")
    assert contradicts(berlin, fact("anna", "lives in", "Munich"))
    assert contradicts(berlin, fact("Anna", "lives in", "BERLIN", negated=True))
    assert not contradicts(berlin, berlin)
    assert not contradicts(berlin, fact("Bob", "lives in", "Munich"))
    assert not contradicts(berlin, fact("Anna", "lives in", "Munich", negated=True))
    assert not contradicts(fact("Anna", "likes", "tea"), fact("Anna", "likes", "coffee"))
    assert contradicts(fact("Anna", "favourite tea", "green"), fact("Anna", "favourite tea", "black"))


def says(world: World, nth: int, text: str, at_ns: int, speaker: str = "Anna", owner: str = "anna") -> None:
    world.remember(
        f"m{nth}",
        Content(
            text=text, speaker=speaker, owner=owner, happened_ns=at_ns, sources=(nth,), origin="chat", session=f"s{nth}"
        ),
    )


def test_a_contradiction_closes_the_older_fact_and_keeps_both(world: World) -> None:
    says(world, 1, "I live in Berlin", 1 * DAY)
    says(world, 2, "I have moved to Munich", 9 * DAY)
    world.consolidate()
    facts = world.facts()
    berlin, munich = facts["Anna lives in Berlin"], facts["Anna lives in Munich"]
    assert berlin.status == "superseded"
    assert munich.status == "live"
    assert berlin.content is not None
    assert berlin.content.fact is not None
    assert (berlin.content.fact.valid_from_ns, berlin.content.fact.valid_until_ns) == (1 * DAY, 9 * DAY)
    assert berlin.content.sources == (1,)


def test_an_older_statement_heard_later_does_not_overturn_what_holds(world: World) -> None:
    says(world, 1, "I have moved to Munich", 9 * DAY)
    world.consolidate()
    says(world, 2, "I live in Berlin", 1 * DAY)
    world.consolidate()
    facts = world.facts()
    assert facts["Anna lives in Munich"].status == "live"
    assert facts["Anna lives in Berlin"].status == "superseded"


def test_a_forgotten_fact_is_not_stated_anew(world: World) -> None:
    says(world, 1, "I live in Berlin", DAY)
    says(world, 2, "I live in Munich", 2 * DAY)
    world.consolidate()
    with world.index.store.snapshot() as reading:
        ids = {one.content.text: one.id for one in all_items(reading) if one.content.fact}
    world.apply(ItemCommand(ids["Anna lives in Munich"], ForgetMemory()))
    world.changes.clear()
    world.consolidate()
    assert world.changes == []
    assert list(world.facts()) == ["Anna lives in Berlin"]


def test_what_was_merged_and_then_overturned_stays_settled(world: World) -> None:
    for nth, city in enumerate(("Berlin", "Berlin", "Munich", "Munich")):
        says(world, nth, f"I live in {city}", (nth + 1) * DAY)
    world.consolidate()
    world.changes.clear()
    world.consolidate()
    assert world.changes == []
    assert {text: memory.count for text, memory in world.facts().items()} == {
        "Anna lives in Berlin": 2,
        "Anna lives in Munich": 2,
    }


def test_going_back_and_forth_leaves_one_that_holds(world: World) -> None:
    for nth, city in enumerate(("Berlin", "Munich", "Berlin", "Rome")):
        says(world, nth, f"I live in {city}", (nth + 1) * DAY)
        world.consolidate()
    with world.index.store.snapshot() as reading:
        items = [one for one in all_items(reading) if one.content.fact]
    assert [one.content.text for one in items if one.memory.status == "live"] == ["Anna lives in Rome"]
    assert len(items) == 4


def test_a_fact_stated_again_is_counted_and_believed_more(world: World) -> None:
    for nth in range(3):
        says(world, nth, "I'm allergic to nuts, you know", (nth + 1) * DAY)
    world.consolidate()
    memory = world.facts()["Anna is allergic to nuts"]
    assert memory.count == 3
    assert memory.content is not None
    assert memory.content.sources == (0, 1, 2)
    assert memory.content.fact is not None
    assert memory.content.fact.confidence == pytest.approx(1 - 0.2**3, abs=0.001)


def test_owners_do_not_share_facts(world: World) -> None:
    says(world, 1, "I live in Berlin", DAY, owner="a")
    says(world, 2, "I live in Munich", 2 * DAY, owner="b")
    world.consolidate()
    assert {memory.status for memory in world.facts().values()} == {"live"}


# Duplicates


@pytest.mark.parametrize(
    ("one", "other", "verdict"),
    [
        ("The kiln broke.", "the KILN  broke", "exact"),
        ("The spare part of the kiln comes from Stoke", "The spare part of the kiln comes from Stoke today", "near"),
        ("We sold 40 plates to the hotel", "We sold 60 plates to the hotel", ""),
        ("The migration is done", "The migration is not done", ""),
        ("她喜欢喝绿茶和红茶", "她不喜欢喝绿茶和红茶", ""),
        ("Is the kiln repaired and ready", "Is the kiln repaired and ready?", "exact"),
        ("apples", "oranges", ""),
    ],
)
def test_likeness_minds_numbers_and_negation(one: str, other: str, verdict: str) -> None:
    assert likeness(Content(text=one), Content(text=other), LEXICON.terms) == verdict
    assert likeness(Content(text=one), Content(text=one, speaker="x"), LEXICON.terms) == ""


def test_notes_that_say_the_same_merge_by_counting(world: World) -> None:
    for nth, text in enumerate(("The kiln broke.", "the kiln broke", "The kiln works", "THE KILN BROKE!")):
        world.remember(f"n{nth}", Content(text=text, owner="a", sources=(nth,)))
    world.consolidate()
    kept = world.memory("n0")
    assert kept.count == 3
    assert kept.content is not None
    assert kept.content.sources == (0, 1, 3)
    assert world.texts("raw") == ["The kiln broke.", "The kiln works"]


# Patterns


def failure(world: World, nth: int, skill: str, error: str, node: str) -> None:
    content = Content(
        text=f"{skill} t{nth} failed on node {node}: {error}",
        session=f"t{nth}",
        happened_ns=nth * DAY,
        sources=(nth,),
        tags=("failure", f"skill:{skill}", f"error:{error}", f"node:{node}"),
        origin="task",
    )
    world.remember(f"f{nth}", content)


def test_failures_that_recur_become_knowledge_and_are_counted_on(world: World) -> None:
    for nth in range(1, 3):
        failure(world, nth, "backup", "timeout", "n1")
    world.consolidate()
    assert world.texts("knowledge") == []
    for nth in range(3, 8):
        failure(world, nth, "backup", "timeout", "n1")
    failure(world, 8, "backup", "timeout", "n2")
    world.consolidate()
    assert set(world.texts("knowledge")) == {
        "backup fails with timeout on node n1: 7 times",
        "backup fails with timeout: 8 times",
    }
    failure(world, 9, "backup", "timeout", "n1")
    world.consolidate()
    assert "backup fails with timeout on node n1: 8 times" in world.texts("knowledge")
    assert len(world.texts("knowledge")) == 2


def test_topics_that_come_up_again_become_knowledge(world: World) -> None:
    for nth in range(4):
        for at in range(3):
            content = Content(
                text=f"the telescope lens {nth} {at} is polished",
                session=f"c{nth}",
                position=at,
                owner="a",
                happened_ns=nth * DAY + at,
            )
            world.remember(f"c{nth}-{at}", content)
    world.consolidate()
    world.consolidate()
    assert "telescope comes up again and again: in 4 episodes" in world.texts("knowledge")


# The whole


@pytest.mark.parametrize("name", ["en_maya_tom", "zh_xiaowen_laozhou", "en_tasks_tuning"])
def test_twice_is_as_once(world: World, tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    one = next(one for one in load() if one.name == name)
    from clawactors.memory.scratch import _content

    for turn in one.turns:
        world.remember(str(turn["id"]), _content(turn))
    assert world.consolidate()
    settled = sorted(world.texts("summary"))
    world.consolidate()  # topics of the summaries
    world.changes.clear()
    world.consolidate()
    assert world.changes == []
    assert sorted(world.texts("summary")) == settled
    assert all(len(text) <= SUMMARY_LIMIT for text in settled)


def test_an_open_episode_is_summed_up_on_demand_and_revised_when_it_goes_on(world: World) -> None:
    def turn(nth: int, text: str) -> None:
        world.remember(
            f"t{nth}", Content(text=text, session="s", position=nth, happened_ns=DAY + nth * MINUTE, sources=(nth,))
        )

    for nth in range(3):
        turn(nth, f"the kiln cracked bowl number {nth}")
    now_ns = DAY + 4 * MINUTE
    assert world.consolidate(now_ns) == []
    world.consolidate(now_ns, everything=True)
    assert len(world.texts("summary")) == 1
    turn(3, "and the glaze of the kiln ran down")
    world.consolidate(now_ns, everything=True)
    summaries = world.texts("summary")
    assert len(summaries) == 1
    assert "glaze" in summaries[0]


def test_episodes_are_linked_and_traced_to_their_events(world: World) -> None:
    for nth in range(6):
        text = f"the kiln cracked bowl number {nth}"
        at_ns = DAY + nth // 3 * 2 * GAP_NS + nth
        world.remember(
            f"t{nth}", Content(text=text, session="s", position=nth, happened_ns=at_ns, sources=(100 + nth,))
        )
    world.consolidate()
    with world.index.store.snapshot() as reading:
        first, second = (one for one in all_items(reading) if one.content.kind == "summary")
    assert second.content.previous == first.id
    assert first.content.sources == (100, 101, 102)
    assert first.content.parents == ("t0", "t1", "t2")


def test_two_consolidations_at_once_are_as_one(world: World) -> None:
    for nth in range(4):
        says(world, nth, f"I live in {('Berlin', 'Munich')[nth % 2]} and I'm allergic to nuts", (nth + 1) * DAY)
    with world.index.store.snapshot() as reading:
        items = list(all_items(reading))
        known = KnownIndex(world.index, reading)
        both = [consolidate(items, known, LEXICON, 10**19) for _ in range(2)]
    for order in (order for pair in zip(*both, strict=True) for order in pair):
        world.apply(order)
    facts = world.facts()
    assert facts["Anna is allergic to nuts"].count == 4
    with world.index.store.snapshot() as reading:
        living = [one.content.text for one in all_items(reading) if one.content.fact and one.memory.status == "live"]
    assert sorted(living) == ["Anna is allergic to nuts", "Anna lives in Munich"]


def test_what_memory_concluded_is_no_evidence(world: World) -> None:
    world.remember("k", Content(text="Anna: I live in Berlin", speaker="Anna", kind="summary", origin="consolidation"))
    world.remember("r", Content(text="I live in Rome", speaker="Anna", origin="consolidation"))
    world.consolidate(everything=True)
    assert world.facts() == {}


# Importance


def test_importance_and_tone_follow_the_words() -> None:
    assert importance("Remember: my birthday is 3 May, I am allergic to nuts") > 0.6
    assert importance("ok?") < 0.2
    assert importance("我住在北京，电话是12345") > importance("好吗？")
    assert tone("I love it, wonderful!") > 0.5
    assert tone("the backup failed, terrible") < -0.5
    assert tone("this is not good") < 0
    assert tone("我不高兴") < 0 < tone("太好了，恭喜")


def test_what_matters_little_fades_and_what_is_met_or_used_fades_later(index: Index) -> None:
    def left(importance: float, age_ns: int, **state: int) -> float:
        memory = Memory("live", Content(text="x", importance=importance), last_met_ns=1, **state)
        return retention(memory, 1 + age_ns)

    assert left(0.1, 0, count=1) == pytest.approx(0.1)
    assert left(0.2, 90 * DAY, count=1) < 0.1 < left(0.9, 90 * DAY, count=1)
    assert left(0.2, 90 * DAY, count=5) == left(0.2, 90 * DAY, count=1, uses=4) > left(0.2, 90 * DAY, count=1)
    assert left(0.2, 90 * DAY, count=1, last_used_ns=89 * DAY) > 0.19, "using it begins the time anew"
    dull = Item(0, "a", 1, remembered(Content(text="ok", importance=0.1, happened_ns=1)))
    keen = Item(1, "b", 1, remembered(Content(text="wedding on 24 June", importance=0.9, happened_ns=1)))
    assert [order.id for order in expire([dull, keen], 100 * DAY)] == ["a"]
