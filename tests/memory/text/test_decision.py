"""What was decided is told from talk about it, in both languages and in the usual ways of writing it down."""

import pytest

from clawactors.memory.text.decision import asks_decision, states_decision
from clawactors.memory.text.importance import importance


@pytest.mark.parametrize(
    "text",
    [
        "**Decision:** use NATS JetStream",
        "Decision: the picnic is on Saturday",
        "Decided: we keep the old boiler",
        "> __Decision__: no more meetings on Fridays",
        "- [x] DECISION (2024-05-01): Postgres",
        "Item 12. Decision: one repository",
        "Resolution: the fence stays",
        "We decided to paint the hall green.",
        "After two hours we finally agreed on the blue tiles.",
        "It was decided that Tom drives.",
        "The board has settled on Porto.",
        "决定：用 NATS",  # noqa: RUF001
        "**决定**：周六野餐",  # noqa: RUF001
        "最终决定：保留旧锅炉",  # noqa: RUF001
        "结论: 不换供应商",
        "我们决定把大厅刷成绿色。",
        "会上敲定了周五发布。",
        "大家最后决定去波尔图。",
    ],
)
def test_a_decision_is_recognized(text: str) -> None:
    assert states_decision(text)


@pytest.mark.parametrize(
    "text",
    [
        "We talked about the decision for an hour.",
        "We have not decided on the tiles yet.",
        "What did we decide about the tiles?",
        "Have we decided to paint the hall?",
        "We should decide before Friday.",
        "We must decide whether Tom drives.",
        "The decision about Porto is still open.",
        "Nobody knows if they can agree on a date.",
        "Lunch was good.",
        "我们还没决定刷什么颜色。",
        "我们决定去哪里了吗？",  # noqa: RUF001
        "等大家决定以后再说。",
        "讨论了很久，没有决定。",  # noqa: RUF001
        "决定权在团队手里。",
        "午饭很好吃。",
    ],
)
def test_talk_about_it_is_none(text: str) -> None:
    assert not states_decision(text)


def test_a_decision_matters_more_than_talk_about_it() -> None:
    assert importance("**Decision:** use NATS") > importance("We talked about using NATS or Kafka for an hour")
    assert importance("决定：用 NATS") > importance("我们讨论了一个小时用 NATS 还是 Kafka")  # noqa: RUF001


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("what did we decide about the tiles?", True),
        ("which broker was chosen?", True),
        ("我们决定用什么？", True),  # noqa: RUF001
        ("what is the colour of the hall?", False),
        ("大厅是什么颜色？", False),  # noqa: RUF001
    ],
)
def test_a_question_after_a_decision_is_recognized(text: str, asks: bool) -> None:
    assert asks_decision(text) is asks
