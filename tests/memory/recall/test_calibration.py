# ruff: noqa: RUF001 - full-width signs on purpose
"""Memory says when it does not hold the answer: names, numbers, dates and attributes of a question must be covered."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from clawactors import memory
from clawactors.memory.scratch import Scratch

type Fill = Callable[..., Scratch]


@pytest.fixture
def fill(tmp_path: Path) -> Iterator[Fill]:
    """A memory of notes."""
    opened: list[Scratch] = []

    def filled(*texts: str, date: str = "2025-05-20") -> Scratch:
        scratch = memory.open_scratch(tmp_path / str(len(opened)))
        opened.append(scratch)
        scratch.add_turns([{"id": str(nth), "text": text, "date": date} for nth, text in enumerate(texts)])
        return scratch

    yield filled
    for scratch in opened:
        scratch.close()


NOTES = {
    "decision": ("We decided to use NATS.", "Lunch was good."),
    "决定": ("我们决定用NATS。", "午饭很好吃。"),
    "port": ("The staging proxy listens on port 8443.", "Redis on cache-02 answers on 6380."),
    "端口": ("预发环境的代理监听8443端口。", "cache-02上的Redis用6380端口。"),
    "people": ("Anna is allergic to nuts.", "Bertil's phone number is 0171 5550134.", "Carla has a son."),
    "人": ("孙倩对花生过敏。", "何涛的电话是13800001111。", "马骁有个儿子。"),
    "incident": ("The billing service failed on 11 May because the disk was full.",),
    "事故": ("五月十一日账单服务中断，因为磁盘满了。",),
    "travel": ("The flight to Helsinki leaves at 07:55 from terminal 2.", "We stay at Hotel Katajanokka."),
    "labels": ("Spectrometer B drifts until it is warm.", "Adeyemi wants the draft of chapter two by Monday."),
    "编号": ("二号光谱仪每小时漂移0.3纳米。", "17号样品被丙酮污染了。"),
    "出行": ("飞昆明的航班早上七点五十五起飞。", "我们住翠湖宾馆。"),
}


@pytest.mark.parametrize(
    ("notes", "question"),
    [
        ("decision", "what did we decide about Kubernetes?"),
        ("decision", "What did we decide on Kafka?"),
        ("决定", "关于Kubernetes我们决定了什么？"),
        ("port", "Which port does the production proxy use?"),
        ("port", "Which port does Memcached use on cache-02?"),
        ("port", "Which port does Redis use on cache-07?"),
        ("端口", "生产环境的代理用哪个端口？"),
        ("端口", "cache-07上的Redis用哪个端口？"),
        ("people", "What is Bertil allergic to?"),
        ("people", "What is Anna's phone number?"),
        ("people", "What is Dmitri's phone number?"),
        ("人", "何涛对什么过敏？"),
        ("人", "孙倩的电话是多少？"),
        ("人", "丁一凡有孩子吗？"),
        ("incident", "Why did the billing service fail in January?"),
        ("incident", "Why did the search service fail?"),
        ("事故", "一月份账单服务为什么中断？"),
        ("事故", "支付服务为什么中断？"),
        ("travel", "When does the flight to Lisbon leave?"),
        ("出行", "飞哈尔滨的航班几点起飞？"),
        ("labels", "Why does spectrometer C drift?"),
        ("labels", "By when does Adeyemi want the draft of chapter five?"),
        ("编号", "一号光谱仪漂移多少？"),
        ("编号", "21号样品被什么污染了？"),
    ],
)
def test_what_memory_does_not_hold_is_weak(fill: Fill, notes: str, question: str) -> None:
    hits = fill(*NOTES[notes]).hits(question)
    assert hits
    assert all(hit.weak and hit.score < 0.7 for hit in hits)


@pytest.mark.parametrize(
    ("notes", "question", "place"),
    [
        ("decision", "What did we decide to use?", 0),
        ("decision", "Did we choose NATS?", 0),
        ("决定", "我们决定用什么？", 0),
        ("决定", "我们选了NATS吗？", 0),
        ("port", "Which port does the staging proxy use?", 0),
        ("port", "Which port does Redis use on cache-02?", 1),
        ("端口", "预发环境的代理用哪个端口？", 0),
        ("端口", "cache-02的Redis用哪个端口？", 1),
        ("people", "What can't Anna eat?", 0),
        ("人", "孙倩不能吃什么？", 0),
        ("incident", "Why was the billing service down in May?", 0),
        ("事故", "五月账单服务为什么挂了？", 0),
        ("travel", "When does the flight to Helsinki depart?", 0),
        ("出行", "飞昆明的航班几点起飞？", 0),
        ("labels", "How fast does spectrometer B drift?", 0),
        ("编号", "17号样品出了什么问题？", 1),
    ],
)
def test_what_memory_holds_comes_first_and_is_not_weak(fill: Fill, notes: str, question: str, place: int) -> None:
    hit = fill(*NOTES[notes]).hits(question)[0]
    assert (hit.text, hit.weak) == (NOTES[notes][place], False)


def test_a_question_of_the_other_language_is_answered(fill: Fill) -> None:
    notes = fill("The backup of the wiki runs at 02:30.", "我的护照2026年8月到期。", "Dana writes the migration guide.")
    assert notes.hits("When does my passport expire?")[0].text.startswith("我的护照")
    assert notes.hits("谁写迁移指南？")[0].text.startswith("Dana")
    assert not notes.hits("When does my passport expire?")[0].weak
    assert all(hit.weak for hit in notes.hits("When does my visa expire?"))


def test_the_date_of_a_memory_covers_a_date_of_the_question(fill: Fill) -> None:
    notes = fill("The router was replaced.", "The oven was repaired.", date="2025-03-04")
    assert not notes.hits("What was replaced on 4 March 2025?")[0].weak
    assert all(hit.weak for hit in notes.hits("What was replaced on 9 October 2024?"))


def test_a_form_or_a_slip_of_a_word_is_not_a_missing_word(fill: Fill) -> None:
    notes = fill("The migration to Kubernetes was decided in the workshop.", "Lunch was good.")
    assert not notes.hits("Where did the decision about Kubernetes fall?", 1)[0].weak
    assert not notes.hits("Who decided the migration to Kubernets?", 1)[0].weak


def test_scores_never_rise_down_the_list(fill: Fill) -> None:
    notes = fill(*(text for texts in NOTES.values() for text in texts))
    for question in ("Which port does Redis use?", "孙倩对什么过敏？", "flight to Helsinki", "who?", "NATS", ""):
        for threshold in (0.0, 0.7):
            scores = [hit.score for hit in notes.searcher.search(question, 10, threshold=threshold)]
            assert scores == sorted(scores, reverse=True)


def test_the_held_out_days_are_told_apart() -> None:
    """The goals are .80, .85 and .95; what a test demands is a little below what is reached."""
    from benchmarks.memory_daily import outcome
    from benchmarks.memory_set import daily

    found = outcome(daily("held-out"))
    assert found.absent >= 30
    assert found.present >= 100
    assert found.disordered == 0
    assert found.told / found.absent >= 0.8
    assert found.weak / found.present <= 0.05
    assert found.first / found.present >= 0.85
    assert found.in_five / found.present >= 0.95


@pytest.mark.parametrize(
    ("texts", "question", "right"),
    [
        (("I like drinking coffee in the morning", "I enjoy reading books at night"), "coffee", 0),
        (("I like drinking coffee in the morning", "I enjoy reading books at night"), "LOLLOLOL", None),
        (("The cart sync of the shop was fixed", "Phenibut acts on GABA"), "Alex Panagis", None),
        (("This memory is a probe", "Tests pass again"), "PHRASE_THAT_DEFINITELY_DOES_NOT_APPEAR_ANYWHERE_QQQQ", None),
        (("The proton bridge needs an app password for IMAP", "The kettle is blue"), "proton bridge", 0),
        (("床前明月光", "疑是地上霜", "举头望明月", "低头思故乡"), "故乡", 3),
        (
            ("当前正在调试 auth 模块的 JWT token 过期问题", "部署流程：先运行 make build，然后 kubectl apply"),
            "how to deploy",
            1,
        ),
        (("config.toml [tools] 禁用了 webfetch 和 websearch", "今天下雨"), "webfetch disabled config.toml tools", 0),
        (("我们配置的 rerank 精排是 bge-reranker 模型", "混合检索很快"), "我们最近配置的 rerank 精排是什么模型", 0),
        (
            ("I work as a security analyst at a fintech company in Taipei.", "I prefer Python over JavaScript."),
            "What is my job?",
            0,
        ),
        (("我每年春天都热爱在优胜美地攀岩。", "我最喜欢的咖啡店是蓝屏咖啡。"), "我喜欢在哪里攀岩？", 0),
        (("A baking plan for dawn", "The well is dry"), "Josiah's General Store location", None),
    ],
)
def test_what_users_of_other_memories_reported(
    fill: Fill, texts: tuple[str, ...], question: str, right: int | None
) -> None:
    """Public reports on mem0, LlamaIndex, Memoria, EverOS and others: wrong order, noise as an answer, lost words."""
    best = fill(*texts).hits(question)[0]
    assert best.weak if right is None else (best.text, best.weak) == (texts[right], False)
