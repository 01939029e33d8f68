"""Facts are read from plain statements only: a labelled set in two languages, and each kind of trap by itself."""
# ruff: noqa: RUF001 - full-width signs on purpose

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.memory_facts import figures, load
from clawactors.memory.consolidation.fact import facts_in
from clawactors.memory.text.date import DateReader, parse_date, zone_named
from clawactors.systems.memories import Content, Fact


def read(text: str, speaker: str = "Mira") -> list[tuple[str, str, str, bool]]:
    facts = facts_in(Content(text=text, speaker=speaker))
    return [(fact.subject, fact.predicate, fact.object, fact.negated) for fact in facts]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_held_out_sentences_are_read_as_people_read_them(language: str) -> None:
    measured = figures(list(load("heldout", language)))
    assert measured.precision >= 0.94
    assert measured.recall >= 0.92
    assert measured.quiet >= 0.94


def test_the_labelled_set_is_as_large_as_it_says_and_half_of_it_states_nothing() -> None:
    labelled = [*load("tuning"), *load("heldout")]
    assert len(labelled) >= 300
    assert 0.4 <= sum(not one.stated for one in labelled) / len(labelled) <= 0.6


@pytest.mark.parametrize(
    "text",
    [
        "I live in fear of the dentist.",
        "After we moved to the new runners, the tests became faster.",
        "Do I live in Paris?",
        "If I lived in Paris, I'd be happy.",
        "He said «I live in Paris».",
        "Translate into French: I live in Paris and my wife is Ana.",
        "In my novel, the hero lives in Paris.",
        "I'm going to move to Paris next year.",
        "Anna thinks that Tom lives in Paris.",
        "We moved to a monorepo.",
        "I joined the call late.",
        "I quit the app and restarted.",
        "My email is broken.",
        "My job is done.",
        "My boss is on vacation.",
        "I work in Python mostly.",
        "For example, Alice works at Acme.",
        "According to Ben, Ana lives in Split.",
        "I lived in Malta until 2020.",
        "我离开了会议室。",
        "我加入了购物车。",
        "我在柏林出差。",
        "我叫小明去买菜。",
        "我没有搬到罗马。",
        "我活在恐惧里。",
        "如果我住在巴黎就好了。",
        "请翻译：我住在巴黎，我妻子叫安娜。",
        "小说里的我住在巴黎。",
        "我打算明年搬到巴黎。",
        "你住在巴黎吗？",
        "他说“我住在巴黎”。",
    ],
)
def test_what_is_asked_supposed_quoted_planned_or_invented_states_nothing(text: str) -> None:
    assert read(text) == []


@pytest.mark.parametrize(
    ("text", "ended"),
    [
        ("I am no longer allergic to nuts", ("Mira", "is allergic to", "nuts", True)),
        ("Turns out I'm not allergic to nuts after all", ("Mira", "is allergic to", "nuts", True)),
        ("I quit Fiat", ("Mira", "works at", "Fiat", True)),
        ("I've left Fiat", ("Mira", "works at", "Fiat", True)),
        ("I moved from Lisbon to Porto", ("Mira", "lives in", "Lisbon", True)),
        ("I don't drink coffee any more", ("Mira", "drinks", "coffee", True)),
        ("Tom is no longer my boss", ("Mira", "boss", "Tom", True)),
        ("我不再对花生过敏了", ("Mira", "is allergic to", "花生", True)),
        ("我从华为辞职了", ("Mira", "works at", "华为", True)),
        ("我不喝咖啡了", ("Mira", "drinks", "咖啡", True)),
        ("我从成都搬家到了武汉", ("Mira", "lives in", "成都", True)),
    ],
)
def test_an_ending_is_a_negated_fact(text: str, ended: tuple[str, str, str, bool]) -> None:
    assert ended in read(text)


@pytest.mark.parametrize(
    ("text", "stated"),
    [
        ("Yesterday Ana moved to Graz.", ("Ana", "lives in", "Graz", False)),
        ("Özlem lives in Izmir.", ("Özlem", "lives in", "Izmir", False)),
        ("Łukasz works at Allegro.", ("Łukasz", "works at", "Allegro", False)),
        ("Will moved to Graz.", ("Will", "lives in", "Graz", False)),
        ("May works at Bosch.", ("May", "works at", "Bosch", False)),
        ("My wife Ana works at Bosch.", ("Ana", "works at", "Bosch", False)),
        ("My sister Ines moved to Graz.", ("Mira", "sister", "Ines", False)),
        ("My colleague is 王磊. Her English name is Leo.", ("王磊", "is also called", "Leo", False)),
        ("王磊（Leo）住在上海。", ("王磊", "is also called", "Leo", False)),
        ("王磊的英文名是Leo。", ("王磊", "is also called", "Leo", False)),
        ("Please call me Mimi.", ("Mira", "is also called", "Mimi", False)),
        ("我妻子安娜在博世工作。", ("安娜", "works at", "博世", False)),
        ("搬家到了武汉", ("Mira", "lives in", "武汉", False)),
        ("改喝红茶", ("Mira", "drinks", "红茶", False)),
    ],
)
def test_whose_fact_it_is(text: str, stated: tuple[str, str, str, bool]) -> None:
    assert stated in read(text)


def test_she_is_the_person_who_was_named_last_and_nobody_without_one() -> None:
    assert ("Ana", "is allergic to", "nuts", False) in read("My wife is Ana. She is allergic to nuts.")
    assert read("She is allergic to nuts.") == []


def since(text: str, said: str, zone: str = "", locale: str = "") -> str:
    import datetime as dt

    content = Content(text=text, speaker="Mira", happened_ns=parse_date(said))
    dates = DateReader(zone_named(zone), locale)
    fact: Fact = next(fact for fact in facts_in(content, dates) if not fact.negated)
    return str(dt.datetime.fromtimestamp(fact.valid_from_ns / 1e9, zone_named(zone)).date())


def test_a_change_holds_since_the_day_that_the_sentence_tells() -> None:
    assert since("Yesterday I moved to Graz.", "2026-06-10 12:00") == "2026-06-09"
    assert since("I moved to Graz two days ago.", "2026-06-10 12:00") == "2026-06-08"
    assert since("我三天前搬到了武汉。", "2026-06-10 12:00") == "2026-06-07"
    assert since("I moved to Graz.", "2026-06-10 12:00") == "2026-06-10"
    assert since("I moved to Graz on 05.06.2026.", "2026-06-10 12:00") == "2026-06-05"
    assert since("I moved to Graz on 5/6/2026.", "2026-06-10 12:00", locale="en_GB") == "2026-06-05"
    assert since("I moved to Graz on 5/6/2026.", "2026-06-10 12:00", locale="en_US") == "2026-05-06"
    assert since("我2026年6月5日搬到了武汉。", "2026-06-10 12:00") == "2026-06-05"
    assert since("I moved to Graz on 5/6/2026.", "2026-06-10 12:00") == "2026-06-10", "nobody knows which is meant"


def test_what_comes_next_does_not_date_what_has_ended() -> None:
    import datetime as dt

    def ended(text: str) -> str:
        content = Content(text=text, speaker="Mira", happened_ns=parse_date("2026-11-28 12:00"))
        (fact,) = (fact for fact in facts_in(content) if fact.negated)
        return str(dt.datetime.fromtimestamp(fact.valid_from_ns / 1e9, dt.UTC).date())

    assert ended("I quit Fiat and I'm starting at Bosch in January.") == "2026-11-28"
    assert ended("I quit Fiat in March, and I miss it.") == "2026-03-31"
    assert ended("Yesterday I quit Fiat, but we start the new project in January.") == "2026-11-27"


@pytest.mark.parametrize(
    "text", ["岗位是平台架构师。", "目标是当医生。", "职位是后端工程师。", "方案是找老师。", "结果是医生来了。"]
)
def test_a_common_word_is_the_name_of_nobody(text: str) -> None:
    assert read(text) == []


def test_nobody_is_called_by_their_own_name() -> None:
    assert read("Good morning! I'm Mira, I work as a welder.") == [("Mira", "works as", "welder", False)]
    assert ("Mira", "is called", "Mirabel", False) in read("I'm called Mirabel.")


def test_yesterday_is_a_day_of_the_time_zone() -> None:
    assert since("Yesterday I moved to Graz.", "2026-06-10 23:30+00:00", "Asia/Shanghai") == "2026-06-10"


@pytest.mark.parametrize(
    ("text", "stated"),
    [
        ("Moved to Graz.", [("Mira", "lives in", "Graz", False)]),
        ("Just moved to Graz last week", [("Mira", "lives in", "Graz", False)]),
        ("Quit Fiat.", [("Mira", "works at", "Fiat", True)]),
        ("Moved to Done.", []),
        ("Moved to GitHub Actions.", []),
        ("Moved the files to the archive.", []),
        ("Joined the call late.", []),
        ("Started the server.", []),
        ("Left join the tables.", []),
    ],
)
def test_a_change_that_names_nobody_is_the_speakers_own(text: str, stated: list[tuple[str, str, str, bool]]) -> None:
    assert read(text) == stated


@given(st.text(alphabet="I live in Graz.我住在搬到了《》“”'\"?:,no longer Ana's wife is ", max_size=120))
def test_any_text_is_read_without_harm(text: str) -> None:
    for subject, predicate, thing, _ in read(text):
        assert subject.strip()
        assert predicate.strip()
        assert thing.strip()
