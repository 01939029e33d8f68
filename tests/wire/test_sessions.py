"""Clients of an earlier release are answered as they were: during an upgrade, control goes first and clients last."""

from typing import Any, Final

import msgspec
import pytest

from tests.wire.sessions import SESSIONS_DIR, Exchange, cluster, read_session

EQUAL: Final = frozenset(("id", "status", "code", "changed", "skill", "priority", "type", "name", "attempt"))
"""What a client acts on; of all else the form is compared."""


def named(folder: Any) -> list[str]:
    return sorted(path.stem for path in folder.glob("*.json"))


def decoded(text: str) -> Any:
    body = Exchange.body(text)
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return msgspec.msgpack.decode(body)


def lost(recorded: Any, now: Any, where: str = "") -> list[str]:
    """What an answer had and has no more, or has in another form."""
    name = where.rpartition(".")[2]
    if isinstance(recorded, dict) and isinstance(now, dict):
        gone = [f"{where}.{key} is gone" for key in recorded if key not in now and recorded[key] is not None]
        both = recorded.keys() & now.keys()
        return gone + [text for key in both for text in lost(recorded[key], now[key], f"{where}.{key}")]
    if isinstance(recorded, list) and isinstance(now, list):
        if len(recorded) != len(now):
            return [f"{where} had {len(recorded)} and has {len(now)}"]
        return [text for number, each in enumerate(recorded) for text in lost(each, now[number], f"{where}[{number}]")]
    other = recorded != now if name in EQUAL else form(recorded) != form(now) and None not in (recorded, now)
    return [f"{where} was {recorded!r} and is {now!r}"] if other else []


def form(value: Any) -> type:
    return float if isinstance(value, int) and not isinstance(value, bool) else type(value)


@pytest.mark.parametrize("name", named(SESSIONS_DIR))
async def test_a_recorded_client_is_answered_as_it_was(name: str) -> None:
    async with cluster() as running:
        for number, exchange in enumerate(read_session(name)):
            await running.settle()
            answer = await running.client.requests.request(exchange.subject, Exchange.body(exchange.request), 10)
            told = lost(decoded(exchange.answer), decoded(Exchange.text(answer)))
            assert not told, (number, exchange.subject, exchange.request[:200], told)


def test_what_is_lost_is_found() -> None:
    answer = {"outcomes": [{"version": 7, "changed": True}], "now_ns": 5}
    assert lost(answer, answer | {"more": 1}) == []
    assert lost(answer, {"outcomes": [{"version": 9, "changed": True}], "now_ns": 6}) == []
    assert lost(answer, {"outcomes": [{"version": 9, "changed": False}], "now_ns": 6})
    assert lost(answer, {"outcomes": [{"changed": True}], "now_ns": 6})
    assert lost(answer, {"outcomes": [], "now_ns": 6})
    assert lost(answer, {"outcomes": [{"version": "7", "changed": True}], "now_ns": 6})
