"""R-O4: what a worker may say, and what follows when it says something else."""

import asyncio
import shlex
import sys
from pathlib import Path

import pytest

from clawactors.eventlog import Misconfigured
from clawactors.runtime.node.workers import Workers, child, process
from clawactors.runtime.node.workers.lines import TooLong, read_lines
from clawactors.runtime.node.workers.offers import failure_of, skill_of
from clawactors.runtime.node.workers.protocol import CodeError, SkillDeclaration
from tests.clawactors.runtime.cluster import Cluster

RAW = Path(__file__).with_name("raw.py")


def raw(how: str) -> str:
    return shlex.join([sys.executable, str(RAW), how])


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("", "takes a command"),
        ("'", "No closing quotation"),
        ("no-such-program --x", "can't be run: No such file or directory before it said hello"),
        (raw("ends"), "ended with exit code 3 before it said hello"),
        (raw("silent"), "no hello within 0.3 s"),
        (raw("future"), "speaks protocol 99, this release 1"),
        (raw("misdeclared"), "'has spaces' is no skill name"),
    ],
)
async def test_a_worker_that_can_not_be_used_is_told(command: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if "silent" in command:
        monkeypatch.setattr(child, "_HELLO_S", 0.3)
    with pytest.raises(Misconfigured, match=said):
        async with Workers([command], "n1"):
            raise AssertionError("it started")


async def test_two_workers_do_not_share_a_name() -> None:
    async with Workers([raw("fine"), raw("fine")], "n1") as workers:
        with pytest.raises(Misconfigured, match="two workers offer the skill 'odd'"):
            assert workers.skills


async def test_noise_is_counted_and_answered_and_hurts_nothing(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(child, "LINE_MAX_BYTES", 1_000_000)
    async with Workers([raw("noisy")], "n1") as workers:
        assert workers._workers[0].malformed == 11
        await cluster.control()
        await cluster.node("n1", workers.skills)
        client = cluster.client()
        assert await client.run("odd", wait_s=10) == "survived"
        assert await client.run("odd", {"how": "nonsense"}, wait_s=20) == "survived"
        assert await client.run("odd", {"how": "two-ends"}, wait_s=10) == "first"
        assert await client.run("odd", {"how": "unterminated"}, wait_s=10) == "heard"
        assert await client.run("odd", wait_s=10) == "survived"
        assert workers._workers[0].malformed == 17
        assert workers._workers[0].deaths == 0
    assert "print to standard error: standard output has messages" in caplog.text
    assert "it has 3000000 bytes, and 1000000 is the most" in caplog.text
    assert "noise on standard error" in caplog.text


async def test_a_worker_that_hangs_is_killed_and_started_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(child, "_PING_S", 0.05)
    monkeypatch.setattr(process, "_BACK_OFF_S", (0.05, 0.1))
    async with Workers([raw("hangs")], "n1") as workers:
        async with asyncio.timeout(10):
            while workers._workers[0].deaths < 2:  # noqa: ASYNC110 - another process decides
                await asyncio.sleep(0.02)
    assert "answers no ping for 0.3 s: killed" in caplog.text


class Chunks:
    def __init__(self, *chunks: bytes) -> None:
        self._chunks = [*chunks, b""]

    async def read(self, n: int) -> bytes:
        return self._chunks.pop(0)


@pytest.mark.parametrize(
    ("chunks", "lines"),
    [
        ((), []),
        ((b"a\nb\n",), [b"a", b"b"]),
        ((b"a", b"b\nc", b"\n\n"), [b"ab", b"c", b""]),
        ((b"last",), [b"last"]),
        ((b"12345", b"67890\nok\n"), [TooLong(10), b"ok"]),
        ((b"123456789\nok", b"ok"), [TooLong(9), b"okok"]),
    ],
)
async def test_lines_come_in_any_pieces(chunks: tuple[bytes, ...], lines: list[bytes | TooLong]) -> None:
    found = [line async for line in read_lines(Chunks(*chunks), 8)]
    assert found == lines
    assert [type(line) for line in found] == [type(line) for line in lines]


def test_a_json_schema_says_what_a_skill_takes() -> None:
    async def run(*_: object) -> None: ...

    schema = {
        "type": "object",
        "properties": {"from": {"type": "string"}, "count": {"type": ["integer", "null"]}, "any": True},
        "required": ["from", "unsaid"],
    }
    offer = skill_of(SkillDeclaration("s", "Does it.", parameters=schema), run).offer
    assert [(each.name, each.type, each.required) for each in offer.parameters] == [
        ("from", "string", True),
        ("unsaid", "any", True),
        ("count", "integer|null", False),
        ("any", "any", False),
    ]
    assert (offer.open, offer.description) == (False, "Does it.")
    assert skill_of(SkillDeclaration("s"), run).offer.open, "nothing said takes anything"
    for wrong in ({"type": "array"}, {"properties": []}, {"required": "x"}):
        with pytest.raises(Misconfigured, match="JSON Schema of an object"):
            skill_of(SkillDeclaration("s", parameters=wrong), run)
    with pytest.raises(Misconfigured, match="retries are 0 or more"):
        skill_of(SkillDeclaration("s", retry={"max_retries": -1}), run)


@pytest.mark.parametrize(
    ("error", "kind", "strategy"),
    [
        (CodeError("x", "Error"), "unknown", "here"),
        (CodeError("x", "Error", "network"), "network", "back_off"),
        (CodeError("x", "Error", "not a class"), "unknown", "here"),
        (CodeError("x", "Error", "own_class"), "own_class", "here"),
        (CodeError("x", "Error", "validation", True), "validation", "here"),
        (CodeError("x", "Error", "network", False), "network", "give_up"),
        (CodeError("x", "RateLimitError"), "network", "back_off"),
        (CodeError("x", "HttpError", status=403), "permission", "ask"),
        (CodeError("connection refused", "Error"), "network", "back_off"),
    ],
)
def test_an_error_has_its_class_by_what_is_told_of_it(error: CodeError, kind: str, strategy: str) -> None:
    failure = failure_of(error)
    assert (failure.error.kind, failure.strategy) == (kind, strategy)
