"""Questions about days, first and last times, other names, and facts in two steps."""
# ruff: noqa: RUF001, E501 - full-width signs on purpose, a case a line

import pytest

from clawactors.memory.index import Index
from clawactors.memory.recall import Hit, MemoryFilter, Searcher
from clawactors.memory.text.date import UTC, parse_date, zone_named
from clawactors.systems.memories import Content
from tests.memory.consolidation.test_consolidation import World

NOW = "2026-06-10 12:00"  # a Wednesday


@pytest.fixture
def world(index: Index) -> World:
    return World(index)


def note(world: World, text: str, at: str, owner: str = "mira", tags: tuple[str, ...] = ()) -> None:
    world.remember(text, Content(text=text, owner=owner, happened_ns=parse_date(at), tags=tags))


def ask(world: World, question: str, now: str = NOW, zone: str = "", limit: int = 5) -> list[Hit]:
    searcher = Searcher(world.index)
    return searcher.search(
        question, limit, MemoryFilter(owner="mira"), now_ns=parse_date(now), zone=zone_named(zone) if zone else UTC
    )


def texts(hits: list[Hit]) -> list[str]:
    return [hit.text for hit in hits if not hit.weak]


@pytest.fixture
def diary(world: World) -> World:
    note(world, "Paid the rent for the studio.", "2026-05-20")
    note(world, "The kiln broke, Tom ordered a coil.", "2026-06-05 09:00")
    note(world, "Lunch with Ines at the harbour.", "2026-06-05 13:00")
    note(world, "The coil arrived.", "2026-06-08")
    note(world, "Fired forty bowls.", "2026-06-09 15:00")
    return world


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("What happened last Friday?", {"The kiln broke, Tom ordered a coil.", "Lunch with Ines at the harbour."}),
        ("what did I do yesterday?", {"Fired forty bowls."}),
        ("What happened two days ago?", {"The coil arrived."}),
        ("What happened on 05.06.2026?", {"The kiln broke, Tom ordered a coil.", "Lunch with Ines at the harbour."}),
        ("What happened three weeks ago?", {"Paid the rent for the studio."}),
        ("What happened last week?", {"The kiln broke, Tom ordered a coil.", "Lunch with Ines at the harbour."}),
        ("昨天发生了什么？", {"Fired forty bowls."}),
        ("前天做了什么？", {"The coil arrived."}),
        ("上周五发生了什么事？", {"The kiln broke, Tom ordered a coil.", "Lunch with Ines at the harbour."}),
        ("上个月发生了什么？", {"Paid the rent for the studio."}),
    ],
)
def test_a_question_about_days_finds_what_happened_then(diary: World, question: str, found: set[str]) -> None:
    assert set(texts(ask(diary, question))) == found


def test_yesterday_is_a_day_of_the_zone(world: World) -> None:
    note(world, "Fired forty bowls.", "2026-06-09 20:00")  # already the tenth in Shanghai
    assert texts(ask(world, "what happened yesterday?", "2026-06-10 12:00")) == ["Fired forty bowls."]
    assert texts(ask(world, "what happened yesterday?", "2026-06-10 12:00", "Asia/Shanghai")) == []
    assert texts(ask(world, "what happened today?", "2026-06-10 12:00", "Asia/Shanghai")) == ["Fired forty bowls."]


def test_where_nothing_happened_on_those_days_hits_are_weak(diary: World) -> None:
    assert texts(ask(diary, "What happened on 1 June 2026?")) == []


@pytest.fixture
def failures(world: World) -> World:
    for day, node in ((2, "n3"), (5, "n7"), (8, "n1")):
        note(world, f"The backup failed on node {node} with a timeout.", f"2026-06-0{day}")
    return world


@pytest.mark.parametrize(
    ("question", "node"),
    [
        ("On which node did the backup fail the first time?", "n3"),
        ("When was the last failure of the backup?", "n1"),
        ("What is the most recent failure of the backup?", "n1"),
        ("When did the backup first fail?", "n3"),
    ],
)
def test_first_and_last_go_by_time(failures: World, question: str, node: str) -> None:
    assert f"node {node}" in ask(failures, question)[0].text


def test_a_question_under_another_name_finds_the_person(world: World) -> None:
    note(world, "My colleague is 王磊. Her English name is Leo.", "2026-06-01")
    note(world, "王磊 lives in Graz.", "2026-06-02")
    note(world, "Tom lives in Bonn.", "2026-06-02")
    world.consolidate()
    assert "Graz" in ask(world, "Where does Leo live?")[0].text
    note(world, "Leo plays the cello in the town orchestra.", "2026-06-03")
    assert "cello" in ask(world, "What instrument does 王磊 play? The cello?")[0].text
    note(world, "My friend is Ana (安娜).", "2026-06-04")
    note(world, "王磊 met 安娜 at the Bauhaus exhibition.", "2026-06-05")
    world.consolidate()
    both = ask(world, "Where did Leo meet Ana?")[0]
    assert "Bauhaus" in both.text
    assert not both.weak


@pytest.fixture
def town(world: World) -> World:
    for text in (
        "Ana works at Bosch",
        "Tom works at Bosch",
        "Ines works at Siemens",
        "My boss is Ines",
        "Ines lives in Porto",
        "My wife is Ana",
        "Ana's sister is Lea",
        "Lea lives in Ghent",
        "Rui lives in Porto",
    ):
        note(world, text, "2026-06-01")
    world.consolidate()
    return world


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Who works where Ana works?", "Tom works at Bosch"),
        ("Who else works at the same company as Ana?", "Tom works at Bosch"),
        ("Who works with Tom?", "Ana works at Bosch"),
        ("Who lives in the same city as Ines?", "Rui lives in Porto"),
        ("Where does my boss live?", "Ines lives in Porto"),
        ("Where does my wife's sister live?", "Lea lives in Ghent"),
        ("Where does the sister of Ana live?", "Lea lives in Ghent"),
        ("Whose boss works at Siemens?", "mira's boss is Ines"),
    ],
)
def test_questions_in_two_steps(town: World, question: str, answer: str) -> None:
    hits = ask(town, question)
    assert hits[0].text == answer
    assert not hits[0].weak


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("谁和安娜在同一家公司？", "大伟在博世工作"),
        ("谁和安娜在同一家公司上班？", "大伟在博世工作"),
        ("和安娜在同一个公司的人有谁？", "大伟在博世工作"),
        ("我老板住在哪里？", "陈静住在波尔图"),
        ("我妻子的妹妹住在哪里？", "丽丽住在根特"),
    ],
)
def test_questions_in_two_steps_in_chinese(world: World, question: str, answer: str) -> None:
    for text in (
        "安娜在博世工作",
        "大伟在博世工作",
        "李雷在华为工作",
        "我老板是陈静",
        "陈静住在波尔图",
        "我妻子叫安娜",
        "安娜的妹妹是丽丽",
        "丽丽住在根特",
    ):
        note(world, text, "2026-06-01")
    world.consolidate()
    assert ask(world, question)[0].text == answer


def test_a_graph_answer_passes_the_filter_and_ends_with_the_fact(town: World) -> None:
    note(town, "Tom quit Bosch", "2026-06-05")
    town.consolidate()
    facts = [hit for hit in ask(town, "Who works where Ana works?") if hit.parts.get("facts")]
    assert facts == []
    others = Searcher(town.index).search("Who works where Ana works?", 5, MemoryFilter(owner="bob"))
    assert others == []


def test_scores_never_rise_down_the_list(town: World, failures: World) -> None:
    for question in ("Who works where Ana works?", "the last failure of the backup", "what happened last week?"):
        scores = [hit.score for hit in ask(town, question)]
        assert scores == sorted(scores, reverse=True)


def test_facts_of_others_do_not_answer_a_reader(town: World) -> None:
    searcher = Searcher(town.index)
    assert searcher.search("Who works where Ana works?", 5, MemoryFilter(reader="bob")) == []
    assert searcher.search("Who works where Ana works?", 5, MemoryFilter(reader="mira"))[0].text == "Tom works at Bosch"
    assert searcher.search("Who works where Ana works?", 5, MemoryFilter(owner="mira", agent="other")) == []


def test_what_tasks_of_the_asking_skill_met_comes_first(world: World) -> None:
    note(world, "backup failed on node n3: timeout", "2026-06-02", tags=("failure", "skill:backup"))
    note(world, "restore failed on node n3: timeout", "2026-06-03", tags=("failure", "skill:restore"))
    searcher = Searcher(world.index)
    for skill in ("backup", "restore"):
        hits = searcher.search("what failed on node n3 with a timeout?", 5, MemoryFilter(owner="mira"), skill=skill)
        assert hits[0].text.startswith(skill)


def test_what_happened_is_told_once_and_not_again_as_facts(town: World) -> None:
    hits = ask(town, "What happened on 1 June 2026?", limit=20)
    assert {hit.kind for hit in hits} == {"raw"}
    assert len(hits) == len({hit.text for hit in hits})


def test_what_was_told_later_of_a_day_is_found_too(diary: World) -> None:
    note(diary, "Ordered glaze on the third.", "2026-06-03")
    note(diary, "On the 3rd of June the pump in the cellar burst.", "2026-06-07")
    found = texts(ask(diary, "What happened on 3 June 2026?"))
    assert found[0] == "Ordered glaze on the third."


@pytest.mark.parametrize(
    ("speaker", "said", "question", "first", "behind"),
    [
        ("Mira", ("My husband Deniz works as a baker.", "I work as a welder."), "What do I work as?", "Mira works as welder", "Deniz works as baker"),
        ("Mira", ("My son Tom lives in Ghent.", "I live in Graz."), "Where do I live?", "Mira lives in Graz", "Tom lives in Ghent"),
        ("何静", ("我女朋友林晓雨是小学老师。", "我是一名律师。"), "我做什么工作？", "律师", "老师"),
    ],
)  # fmt: skip
def test_who_asks_about_themselves_is_told_about_themselves_first(
    world: World, speaker: str, said: tuple[str, ...], question: str, first: str, behind: str
) -> None:
    for day, text in enumerate(said, 1):
        content = Content(
            text=text,
            owner="mira",
            speaker=speaker,
            session="s",
            position=day,
            happened_ns=parse_date(f"2026-06-0{day}"),
        )
        world.remember(text, content)
    world.consolidate()
    facts = [hit.text for hit in ask(world, question, limit=10) if hit.kind == "knowledge"]
    place = {text: next((at for at, fact in enumerate(facts) if text in fact), 99) for text in (first, behind)}
    assert place[first] < place[behind], facts


def test_similar_tasks_are_found_across_skills_where_the_question_is_about_tasks(world: World) -> None:
    text = (
        "push-image t-7 image=forge/kiln-firmware registry=harbor-02 failed at step upload: conflict: tag is immutable"
    )
    note(world, text, "2026-06-02", tags=("failure", "skill:push-image"))
    note(world, "Lunch was good.", "2026-06-03")
    searcher = Searcher(world.index)
    goal = '{"image": "forge/kiln-firmware", "registry": "harbor-02"}'

    def first(question: str, goal: str) -> Hit:
        return searcher.search(question, 5, MemoryFilter(owner="mira"), skill="publish-release", goal=goal)[0]

    found = first("what went wrong before?", goal)
    assert (found.text, found.weak) == (text, False)
    assert first("what went wrong before?", "water the plants").weak
    assert first("which port does the proxy use?", goal).weak, "a like task is no answer to another question"


def test_tasks_of_a_kind_come_before_others(world: World) -> None:
    for skill in ("restore-db", "deploy-api"):
        note(world, f"{skill} failed on node n3: timeout", "2026-06-02", tags=("failure", f"skill:{skill}"))
    hits = Searcher(world.index).search(
        "what failed on node n3 with a timeout?", 5, MemoryFilter(owner="mira"), skill="deploy-web"
    )
    assert hits[0].text.startswith("deploy-api")
