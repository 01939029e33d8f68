# ruff: noqa: RUF001, E501 - full-width signs on purpose, a case a line
"""What was changed stands above what it was, however the two were put; nothing else moves."""

import pytest

from clawactors.memory.consolidation.changes import changes_in
from clawactors.memory.index import Index
from clawactors.memory.recall import Hit, MemoryFilter, Searcher
from clawactors.systems.memories import Content
from tests.memory.conftest import put, remembered

DAY = 86_400 * 10**9


def say(index: Index, id: str, text: str, day: int, owner: str = "mira", **more: object) -> None:
    content = Content(text=text, owner=owner, happened_ns=day * DAY, **more)  # type: ignore[arg-type]
    put(index, (id, remembered(content)), version=day)


def ask(index: Index, question: str) -> list[Hit]:
    return Searcher(index).search(question, 5, MemoryFilter(owner="mira"))


@pytest.mark.parametrize(
    ("older", "newer", "question"),
    [
        ("My eye test is on 3 May at 14:30 with Dr. Lund.", "The clinic moved my eye test to 17 May.", "When is my eye test?"),
        ("The train to Ghent leaves at 7:12.", "They shifted the train to 8:05.", "When does the train to Ghent leave?"),
        ("The door code at the studio is 4471.", "I changed the door code, it's 9038 now.", "What is the door code at the studio?"),
        ("Choir is on Mondays at 18:00.", "Choir has been moved to Thursdays.", "When is choir?"),
        ("The parking spot costs 70 euros a month.", "They put the parking spot up to 85 euros.", "How much is the parking spot?"),
        ("The supplier of clay is Holt Pottery, we order on Tuesdays.", "We switched clay supplier to Marlow.", "Who is our clay supplier?"),
        ("I take 20 mg of iron every morning.", "The doctor raised my iron to 40 mg.", "How much iron do I take?"),
        ("家里的门禁密码是 2231。", "门禁密码换成 7750 了。", "家里的门禁密码是多少？"),
        ("瑜伽课在每周一晚上七点。", "老师把瑜伽课挪到周四了。", "瑜伽课是星期几？"),
        ("停车位每个月 300 元。", "停车位涨到 360 元了。", "停车位每个月多少钱？"),
        ("眼科复查在5月3日上午九点。", "眼科复查推迟到5月17日下午两点。", "眼科复查是什么时候？"),
    ],
)  # fmt: skip
def test_a_change_stands_above_what_it_changed(index: Index, older: str, newer: str, question: str) -> None:
    say(index, "filler", "The kiln in the yard was painted green by Tom.", 1)
    say(index, "old", older, 2)
    say(index, "sum", f"Mira: {older} The kiln was painted.", 2, kind="summary", parents=("old", "filler"))
    say(index, "new", newer, 3)
    hits = {hit.id: hit for hit in ask(index, question)}
    assert next(iter(hits)) == "new"
    assert hits["old"].superseded_by == "new"
    assert "sum" not in hits or hits["sum"].superseded_by == "new", "a summary that repeats it"


@pytest.mark.parametrize(
    ("first", "later", "question"),
    [
        ("My eye test is on 3 May.", "The clinic moved my hearing test to 17 May.", "When is my eye test?"),
        ("My eye test is on 3 May.", "The clinic moved my eye test to 3 May.", "When is my eye test?"),
        ("My eye test is on 3 May.", "Could you move my eye test to 17 May?", "When is my eye test?"),
        ("My eye test is on 3 May.", "Maybe I should move my eye test to 17 May.", "When is my eye test?"),
        ("My eye test is on 3 May with Dr. Lund.", "The clinic moved my eye test to 17 May.", "Who does my eye test?"),
        ("The parking spot costs 70 euros.", "They extended the parking spot to 5 metres.", "How much is the parking spot?"),
        ("停车位每个月 300 元。", "会议室涨到 360 元了。", "停车位每个月多少钱？"),
        ("眼科复查在5月3日。", "要是眼科复查能推迟到5月17日就好了。", "眼科复查是什么时候？"),
    ],
)  # fmt: skip
def test_what_changes_something_else_or_nothing_outdates_nothing(
    index: Index, first: str, later: str, question: str
) -> None:
    say(index, "first", first, 2)
    say(index, "later", later, 3)
    assert [hit.superseded_by for hit in ask(index, question)].count("later") == 0


def test_a_change_that_may_mean_another_one_outdates_neither(index: Index) -> None:
    say(index, "eye", "The appointment for Tom's eye test is on 3 May.", 1)
    say(index, "car", "The appointment for the car is on 9 May.", 1)
    say(index, "moved", "They moved the appointment to 17 May.", 2)
    hits = {hit.id: hit for hit in ask(index, "When is the appointment for Tom's eye test?")}
    assert next(iter(hits)) == "eye"
    assert hits["eye"].superseded_by == ""


def test_the_change_of_another_owner_outdates_nothing(index: Index) -> None:
    say(index, "old", "My eye test is on 3 May.", 1)
    say(index, "new", "The clinic moved my eye test to 17 May.", 2, owner="tom")
    hits = Searcher(index).search("When is my eye test?")
    assert {hit.superseded_by for hit in hits} == {""}


def test_of_a_note_that_says_more_nothing_is_outdated(index: Index) -> None:
    rest = "We met at the mill, and Ana brought her plans for the roof, the stairs and the garden behind the house."
    say(index, "old", f"My eye test is on 3 May. {rest} {rest}", 1)
    say(index, "new", "The clinic moved my eye test to 17 May.", 2)
    assert {hit.superseded_by for hit in ask(index, "When is my eye test?")} == {""}


def test_a_change_names_the_thing_and_its_new_value() -> None:
    (moved,) = changes_in("Deadline moved from 31 January to 14 March 2027, because the server was down.")
    assert (moved.thing, moved.values) == ("Deadline", {"date": frozenset({"14 march"})})
    for text in ("I moved to Graz in 2019.", "I set the table for ten people.", "我搬到了武汉。", "x " * 200):
        assert not changes_in(text)
