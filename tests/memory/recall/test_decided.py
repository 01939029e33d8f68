"""What was decided outranks talk about it, in both languages, and only what answers."""

from pathlib import Path

import pytest

from clawactors.memory import open_scratch


def answers(folder: Path, question: str, *texts: str) -> list[tuple[str, float]]:
    notes = open_scratch(folder)
    turns = [{"id": str(at), "index": at, "date": "2024-05-01", "text": text} for at, text in enumerate(texts)]
    notes.add_turns({"session": f"s{turn['id']}", "speaker": "", **turn} for turn in turns)
    found = [(hit.text, hit.score) for hit in notes.hits(question, 3)]
    notes.close()
    return found


@pytest.mark.parametrize(
    ("question", "decision", "talk"),
    [
        (
            "what did we decide about the message broker?",
            "**Decision:** the message broker is NATS.",
            "We talked about the message broker and what to decide about the message broker, Kafka or NATS.",
        ),
        (
            "which colour was chosen for the hall?",
            "We decided to paint the hall green.",
            "Tom asked which colour should be chosen for the hall, and all like another colour for the hall.",
        ),
        (
            "what was the decision on the summer trip?",
            "Decided: the summer trip goes to Porto.",
            "Long discussion about the decision on the summer trip, the summer trip could go to Porto or to Graz.",
        ),
        (
            "我们对供应商的决定是什么?",
            "决定: 供应商不换。",
            "今天又讨论了供应商的问题，供应商换不换还没定。",  # noqa: RUF001
        ),
        (
            "发布时间最后怎么决定的?",
            "最终决定: 发布时间是周五上午。",
            "讨论发布时间讨论了很久，发布时间周四还是周五，谁来决定发布时间也没说。",  # noqa: RUF001
        ),
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_a_decision_outranks_talk_about_it(
    tmp_path: Path, question: str, decision: str, talk: str, first: bool
) -> None:
    texts = (decision, talk) if first else (talk, decision)
    found = answers(tmp_path, question, *texts, "Lunch was good.", "The train was late.", "今天下雨了。")
    assert found[0][0] == decision
    assert [score for _, score in found] == sorted((score for _, score in found), reverse=True)


def test_a_decision_about_something_else_does_not(tmp_path: Path) -> None:
    talk = "The build server runs on forge and uses four disks."
    found = answers(tmp_path, "which disks does the build server use?", "Decision: the picnic is on Saturday.", talk)
    assert found[0][0] == talk
