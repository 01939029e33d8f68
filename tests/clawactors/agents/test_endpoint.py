"""What endpoints do wrong is an error that says so; what they do in ways of their own is read."""

import asyncio
from typing import Any

import pytest

from clawactors import Retry, TaskFailed
from clawactors.agents import agent
from clawactors.agents.endpoint import ask_model
from clawactors.agents.failures import ContextTooLong, ModelQuotaUsed, ModelRefused, ModelUnavailable
from clawactors.agents.replies import ReplyPieces, reply_of
from clawactors.eventlog.errors import Misconfigured
from clawactors.testing import Cluster
from tests.clawactors.agents.model import StubModel, at, call, calls, script

pytest.importorskip("httpx")

BODY = {"model": "m", "messages": [{"role": "user", "content": "Go"}]}


async def ask(stub: Any, **more: Any) -> Any:
    return await ask_model(at(stub, **more), "", BODY, idempotency_key="k")


@pytest.mark.parametrize("stream", [True, False])
async def test_a_reply_is_the_same_whole_and_streamed(stream: bool) -> None:
    heard = list[str]()

    async def hear(text: str) -> None:
        heard.append(text)

    message = {"content": "Line\u2028one \u0085 two"} | calls(call("f", x="\u2028"), call("g"))
    async with StubModel(script(message)) as stub:
        reply = await ask_model(at(stub, stream=stream), "", BODY, idempotency_key="k", on_text=hear)
    assert reply.text == "".join(heard) == "Line\u2028one \u0085 two"
    assert [(each.name, each.arguments) for each in reply.calls] == [("f", '{"x": "\\u2028"}'), ("g", "{}")]
    assert (reply.usage.input, reply.usage.output, reply.finish) == (100, 10, "tool_calls")


@pytest.mark.parametrize(
    ("status", "body", "error", "told"),
    [
        (500, '{"error": {"message": "oops"}}', ModelRefused, "500: oops"),
        (401, '{"error": "bad key"}', ModelRefused, "bad key"),
        (404, "<html>not here</html>", ModelRefused, "404"),
        (402, "{}", ModelQuotaUsed, "402"),
        (429, '{"error": {"message": "x", "code": "insufficient_quota"}}', ModelQuotaUsed, "pay"),
        (400, '{"error": {"message": "maximum context length is 8192"}}', ContextTooLong, "8192"),
        (200, "<html>a login page</html>", ModelUnavailable, "is its URL right"),
        (200, '{"choices": [NaN]}', ModelUnavailable, "no JSON"),
        (200, "{}", ModelUnavailable, "empty reply"),
        (200, '{"error": {"message": "overloaded", "code": 503}}', ModelRefused, "503: overloaded"),
    ],
)
async def test_an_answer_that_is_no_reply_is_an_error(status: int, body: str, error: type, told: str) -> None:
    async with StubModel(lambda _: {"status": status, "body": body}) as stub:
        with pytest.raises(error, match=told):
            await ask(stub)


@pytest.mark.parametrize(
    ("body", "error", "told"),
    [
        ('data: {"choices": [{"delta": {"content": "half"}}]}\n\n', ModelUnavailable, "cut"),
        ("data: nonsense\n\n", ModelUnavailable, "no JSON"),
        ('data: {"error": {"message": "overloaded"}}\n\n', ModelRefused, "overloaded"),
        ("data: [1]\n\n", ModelUnavailable, "instead of pieces"),
        ("", ModelUnavailable, "cut"),
    ],
)
async def test_a_broken_stream_is_an_error(body: str, error: type, told: str) -> None:
    async with StubModel(lambda _: {"status": 200, "type": "text/event-stream", "body": body}) as stub:
        with pytest.raises(error, match=told):
            await ask(stub)


async def test_comments_and_lines_of_any_end_are_read() -> None:
    body = ': wait\r\n\r\ndata:{"choices":[{"delta":{"content":"a"}}]}\r\n\r\nevent: x\ndata: [DONE]\n\n'
    async with StubModel(lambda _: {"status": 200, "type": "text/event-stream", "body": body}) as stub:
        reply = await ask(stub)
    assert (reply.text, reply.usage.estimated) == ("a", True)


async def test_an_endpoint_that_hangs_is_given_up() -> None:
    async with StubModel(script("late"), delay_s=5) as stub:
        for limits in ({"timeout_s": 0.05}, {"silence_s": 0.05}):
            with pytest.raises(TimeoutError, match="did not answer in time"):
                await ask(stub, **limits)


async def test_an_endpoint_that_is_not_there_is_unavailable() -> None:
    stub = StubModel(script("x"))
    await stub.start()
    endpoint = at(stub)
    await stub.close()
    with pytest.raises(ModelUnavailable, match="can't be reached"):
        await ask_model(endpoint, "", BODY, idempotency_key="k")


async def test_it_waits_as_long_as_the_endpoint_asks() -> None:
    async with StubModel(lambda _: {"status": 429, "body": "{}", "headers": {"Retry-After": "0.2"}}) as stub:
        began = asyncio.get_running_loop().time()
        with pytest.raises(ModelRefused):
            await ask(stub)
        assert asyncio.get_running_loop().time() - began >= 0.2


@pytest.mark.parametrize("usage", [None, {"prompt_tokens": "many"}, {"prompt_tokens": -1, "completion_tokens": 1}])
def test_usage_that_is_no_number_is_counted_here(usage: Any) -> None:
    reply = reply_of({"choices": [{"message": {"content": "two words"}}], "usage": usage}, 7)
    assert (reply.usage.input, reply.usage.estimated) == (7, True)
    assert reply.usage.output > 1


@pytest.mark.parametrize(
    "pieces",
    [
        [{"name": "f", "arguments": '{"a"'}, {"arguments": ": 1}"}, {"name": "g", "arguments": {"b": 2}}],  # no index
        [
            {"index": 0, "id": "x", "name": "f", "arguments": None},
            {"index": 0, "id": "", "name": "", "arguments": '{"a": 1}'},
            {"index": 1, "id": "y", "name": "g", "arguments": '{"b":2}'},
        ],
        [
            {"index": 0, "id": "x", "name": "f", "arguments": '{"a": 1}'},  # all have the same index
            {"index": 0, "id": "y", "name": "g", "arguments": '{"b":2}'},
        ],
        [
            {"index": 3, "id": "x", "name": "f"},  # arguments have an index of their own
            {"index": 0, "arguments": '{"a": 1}'},
            {"index": 4, "id": "y", "name": "g"},
            {"index": 1, "arguments": '{"b":2}'},
        ],
        [
            {"id": "x", "name": "f"},  # pieces are told by their id
            {"id": "y", "name": "g"},
            {"id": "x", "arguments": '{"a": 1}'},
            {"id": "y", "arguments": '{"b":2}'},
        ],
        [
            {"index": 0, "id": "same", "name": "f", "arguments": '{"a": 1}'},
            {"index": 1, "id": "same", "name": "g", "arguments": '{"b":2}'},
        ],
    ],
)
def test_pieces_of_calls_are_put_together_however_they_are_numbered(pieces: list[dict[str, Any]]) -> None:
    made = ReplyPieces()
    for piece in pieces:
        place = {name: piece[name] for name in ("index", "id") if name in piece}
        function = {name: piece[name] for name in ("name", "arguments") if name in piece}
        made.add({"choices": [{"delta": {"tool_calls": [place | {"function": function}]}}]})
    calls = made.reply(0).calls
    assert [(each.name, each.arguments) for each in calls] == [("f", '{"a": 1}'), ("g", '{"b":2}')]
    assert len({each.id for each in calls}) == 2


@pytest.mark.parametrize("arguments", ["", " ", None])
def test_a_call_without_arguments_is_a_call(arguments: str | None) -> None:
    made = ReplyPieces()
    made.add(
        {"choices": [{"delta": {"tool_calls": [{"index": 0, "function": {"name": "f", "arguments": arguments}}]}}]}
    )
    assert [each.arguments for each in made.reply(0).calls] == ["{}"]


@pytest.mark.parametrize(("status", "requests", "end"), [(503, 3, "dead"), (400, 1, "failed")])
async def test_what_may_pass_is_tried_again_with_the_same_key(status: int, requests: int, end: str) -> None:
    async with StubModel(lambda _: {"status": status, "body": "{}"}) as stub:
        retry = Retry(max_retries=2, wait_s=0.01)
        made = agent("a", model="m", endpoint=at(stub), retry=retry, options={"retry": Retry(max_retries=0)})
        async with Cluster([made]) as cluster:
            with pytest.raises(TaskFailed) as failed:
                await cluster.client.run("a", {"prompt": "Go"})
    assert (failed.value.status, len(stub.requests)) == (end, requests)
    assert len({each["idempotency-key"] for each in stub.headers}) == 1


async def test_an_account_without_money_waits_for_a_person() -> None:
    stub = StubModel(lambda _: {"status": 402, "body": "{}"})
    async with stub:
        made = agent("a", model="m", endpoint=at(stub))
        async with Cluster([made]) as cluster:
            ref = await cluster.client.submit("a", {"prompt": "Go"})
            await cluster.settle()
            assert (await cluster.client.task(ref.id)).status == "blocked"


async def test_without_the_client_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "httpx", None)
    async with StubModel(script("x")) as stub:
        with pytest.raises(Misconfigured, match=r"pip install \"clawactors\[models\]\""):
            await ask(stub)
