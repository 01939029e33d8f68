"""Endpoints that hang, lie and fail: memory gets right vectors, or an error that says what is wrong."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from clawactors.eventlog import Misconfigured
from clawactors.memory.models.chat import ChatProposer
from clawactors.memory.models.endpoint import ModelEndpoint
from clawactors.memory.models.errors import ModelError
from clawactors.memory.models.remote import RemoteEmbedder, RemoteReranker
from clawactors.memory.models.settings import EndpointSettings
from clawactors.systems.memories import Content
from tests.memory.models.stub import DIM, Stub, embedded, rows, said

pytest.importorskip("httpx")

type Reply = Callable[[str, Any], tuple[int, dict[str, str], bytes] | None]

TEXTS = [f"text number {number}" for number in range(10)]


def unit(text: str) -> Any:
    row = np.array(embedded(text), np.float32)
    return row / np.linalg.norm(row)


def changed(**change: Any) -> Reply:
    """The first row with another field."""

    def reply(path: str, body: Any) -> tuple[int, dict[str, str], bytes]:
        data = rows(body["input"])
        data[0] |= change
        return said({"data": data})

    return reply


def always(answer: Any, status: int = 200, **headers: str) -> Reply:
    return lambda path, body: said(answer, status, **headers)


def test_texts_go_in_batches_with_the_key_and_come_back_as_unit_vectors(stub: Stub, endpoint: ModelEndpoint) -> None:
    found, lengths = RemoteEmbedder(endpoint, "m", DIM).documents([*TEXTS, " "])
    assert np.allclose(found[:10], [unit(text) for text in TEXTS], atol=1e-6)
    assert not found[10].any()
    assert lengths.tolist() == [1] * 11
    assert [len(body["input"]) for _, body in stub.asked] == [4, 4, 2]
    assert {path for path, _ in stub.asked} == {"/v1/embeddings"}
    assert stub.headers[0]["authorization"] == "Bearer secret"


def test_rows_in_another_order_go_to_their_texts(stub: Stub, endpoint: ModelEndpoint) -> None:
    stub.reply = lambda path, body: said({"data": rows(body["input"])[::-1]})
    found, _ = RemoteEmbedder(endpoint, "m", DIM).documents(TEXTS[:4])
    assert np.allclose(found, [unit(text) for text in TEXTS[:4]], atol=1e-6)


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (always({"data": []}), "0 vectors for 3 texts"),
        (changed(index=1), "numbered [1, 1, 2]"),
        (changed(index=7), "numbered [7, 1, 2]"),
        (changed(embedding=[1.0] * 8), "gives 8 dimensions, the settings say 16"),
        (changed(embedding=[0.0] * DIM), "not finite, or zero"),
        (changed(embedding=[1e308] * DIM), "not finite, or zero"),
        (changed(embedding=[float("nan")] * DIM), "not what was asked for"),
        (changed(embedding=["1"] * DIM), "not what was asked for"),
        (changed(embedding=None), "not what was asked for"),
        (always(b"<html><body>Sign in</body></html>"), "<html>"),
        (always(b'{"data": [{"index": 0, "embed'), "not what was asked for"),
        (always(b""), "not what was asked for"),
        (always({"error": {"message": "no such model"}}, 404), "status 404"),
        (always({"error": "bad key"}, 401), "bad key"),
        (always(b"<h1>oops</h1>", 500), "status 500"),
        (always({}, 302, location="http://127.0.0.1:1/"), "status 302"),
        (lambda path, body: None, "Timeout"),
    ],
)
def test_what_can_not_be_right_is_an_error_of_one_line(
    stub: Stub, endpoint: ModelEndpoint, reply: Reply, why: str
) -> None:
    stub.reply = reply
    embedder = RemoteEmbedder(endpoint, "m", DIM)
    with pytest.raises(ModelError) as caught:
        embedder.documents(TEXTS[:3])
    assert why in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)
    assert endpoint.trouble
    with pytest.raises(ModelError, match="rests after a failure"):
        embedder.query("a question", lambda term: 1.0)
    stub.reply, stub.replies = always({}), [lambda path, body: said({"data": rows(body["input"])})]
    embedder.documents(TEXTS[:1])
    assert not endpoint.trouble


def test_what_passes_is_tried_again_after_as_long_as_the_server_asks(
    stub: Stub, endpoint: ModelEndpoint, waits: list[float]
) -> None:
    stub.replies = [always({}, 429, retry_after="7"), always(b"<html>", 503)]
    found, _ = RemoteEmbedder(endpoint, "m", DIM).documents(TEXTS[:2])
    assert np.allclose(found, [unit(text) for text in TEXTS[:2]], atol=1e-6)
    assert waits == [7, 1.0]


def test_a_wait_that_is_too_long_is_left_to_the_caller(stub: Stub, endpoint: ModelEndpoint, waits: list[float]) -> None:
    stub.reply = always({}, 429, retry_after="3600")
    with pytest.raises(ModelError, match="status 429"):
        RemoteEmbedder(endpoint, "m", DIM).documents(TEXTS[:2])
    assert (len(stub.asked), waits) == (1, [])


def test_a_text_that_is_refused_costs_no_other_its_vector(stub: Stub, endpoint: ModelEndpoint) -> None:
    def reply(path: str, body: Any) -> tuple[int, dict[str, str], bytes]:
        return said({"error": "no"}, 400) if TEXTS[2] in body["input"] else said({"data": rows(body["input"])})

    stub.reply = reply
    found, _ = RemoteEmbedder(endpoint, "m", DIM).documents(TEXTS[:4])
    assert [bool(row.any()) for row in found] == [True, True, False, True]


def test_a_rate_is_kept_and_no_question_waits_for_it(stub: Stub, waits: list[float]) -> None:
    settings = EndpointSettings(url=stub.url, requests_per_minute=6, batch=1)
    endpoint = ModelEndpoint("stub", settings, {}, waits.append)
    embedder = RemoteEmbedder(endpoint, "m", DIM)
    embedder.documents(TEXTS[:3])
    assert waits == [pytest.approx(10, abs=1), pytest.approx(20, abs=1)]
    with pytest.raises(ModelError, match="requests a minute are used"):
        embedder.query("a question", lambda term: 1.0)
    endpoint.close()


def test_a_question_is_asked_once(stub: Stub, endpoint: ModelEndpoint) -> None:
    embedder = RemoteEmbedder(endpoint, "m", DIM)
    for _ in range(3):
        assert np.allclose(embedder.query("what broke?", lambda term: 1.0), unit("what broke?"), atol=1e-6)
    assert len(stub.asked) == 1


@pytest.mark.parametrize(
    "results",
    [
        [],
        [{"index": 0, "relevance_score": 1}],
        [{"index": 0, "relevance_score": 1}, {"index": 9, "relevance_score": 1}],
    ],
)
def test_ranks_are_whole_or_an_error(stub: Stub, endpoint: ModelEndpoint, results: Any) -> None:
    reranker = RemoteReranker(endpoint, "m")
    assert reranker.scores("q", ["a", "bcd"]) == [1, 3]
    stub.reply = always({"results": results})
    with pytest.raises(ModelError, match="of 2 texts"):
        reranker.scores("q", ["a", "b"])


def test_wrong_settings_are_told_at_once() -> None:
    with pytest.raises(Misconfigured, match="it must begin with http"):
        ModelEndpoint("e", EndpointSettings(url="ftp://x"), {})
    with pytest.raises(Misconfigured, match="takes its key from NO_KEY, which is not set"):
        ModelEndpoint("e", EndpointSettings(url="http://x", key_env="NO_KEY"), {})
    assert json.dumps(embedded("a")) == json.dumps(embedded("a"))


FACT = {"subject": "speaker", "predicate": "plays", "object": "cello", "quote": "``` play the cello"}


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "```json\n{}\n```",
        "Here are the facts:\n{}\nI hope this helps!",
        '<think>Is {{x}} a fact? {{"facts": []}}</think>\n{}',
        "Sure: ```\n{}\n```\nExplanation: one {{fact}}.",
        "{{not json}} {}",
    ],
)
def test_facts_are_found_whatever_a_model_says_around_them(stub: Stub, endpoint: ModelEndpoint, text: str) -> None:
    facts = json.dumps({"facts": [FACT, {"subject": 7}, "cello", None]})
    stub.reply = always({"choices": [{"message": {"content": text.format(facts)}}]})
    found = ChatProposer(endpoint, "m").propose(Content(text="I play the cello", speaker="Maya"))
    assert [(fact.subject, fact.object, fact.quote) for fact in found] == [("speaker", "cello", FACT["quote"])]


@pytest.mark.parametrize(
    "content", [None, "", "I can't help with that.", "{", '{"facts": "none"}', "[" * 5000, "{" * 5000]
)
def test_an_answer_without_facts_is_an_error(stub: Stub, endpoint: ModelEndpoint, content: str | None) -> None:
    stub.reply = always({"choices": [{"message": {"content": content}}]})
    with pytest.raises(ModelError, match=r"m (gives no facts as JSON|says nothing)"):
        ChatProposer(endpoint, "m").propose(Content(text="I play the cello", speaker="Maya"))
