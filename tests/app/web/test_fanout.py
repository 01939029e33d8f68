"""Listeners that begin anywhere and at any moment get all that they want, once and in order."""

import asyncio
import random
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

import pytest

from clawactors.app.web import fanout
from clawactors.app.web.fanout import Fanout

PATIENCE_S = 10.0


class Number:
    """A frame of a source that counts."""

    def __init__(self, id: int) -> None:
        self.id, self.topic = id, str(id % 3)
        self.frame = b"<%d>" % id


class Multiples:
    """Those of a number, of one topic or of all."""

    def __init__(self, of: int, topic: str) -> None:
        self.of, self.topic, self.key = of, topic, (of, topic)

    def fits(self, told: Number) -> bool:
        return told.id % self.of == 0 and self.topic in ("", told.topic)


class Counting(Fanout[int, Number, Multiples]):
    """The source has every number up to the newest."""

    def text(self, id: int) -> str:
        return str(id)

    async def earlier(self, wanted: Multiples, after: int, until: int) -> AsyncGenerator[tuple[int, bytes]]:
        for id in range(after + 1, until + 1):
            await asyncio.sleep(0)
            yield id, Number(id).frame if wanted.fits(Number(id)) else b""


LAST: Final = 400


async def heard(counting: Counting, wanted: Multiples, after: int, pauses: random.Random) -> list[int]:
    got = list[int]()
    kept_from = counting.position if pauses.random() < 0.2 else 0
    async with aclosing(counting.stream(wanted, after, kept_from)) as stream:
        async for frames in stream:
            if not frames.startswith(b"retry"):
                got += [int(each) for each in frames.strip(b"<>").split(b"><")]
            if LAST in got[-1:]:
                break
            for _ in range(pauses.choice((0, 0, 1, 5))):
                await asyncio.sleep(0)
    return got


@pytest.mark.parametrize("seed", range(20))
async def test_all_that_is_wanted_comes_once_and_in_order(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(seed)
    monkeypatch.setattr(fanout, "_SLICE", chance.choice((1, 2, 7, 200)))
    counting = Counting(0, chance.choice((3, 20, 1000)), 1 << 20)
    listening: list[tuple[Multiples, int, asyncio.Task[list[int]]]] = []
    async with asyncio.timeout(PATIENCE_S):
        while counting.position < LAST:
            begin = counting.position + 1
            await counting.publish([Number(id) for id in range(begin, min(LAST, begin + chance.randrange(12)) + 1)])
            for _ in range(chance.randrange(3)):
                wanted = Multiples(chance.choice((1, 2, 4)), chance.choice(("", "", str(LAST % 3))))
                after = chance.randrange(min(LAST, counting.position + 10))  # another process may be ahead of this one
                pauses = random.Random(chance.random())
                listening.append((wanted, after, asyncio.create_task(heard(counting, wanted, after, pauses))))
        for wanted, after, each in listening:
            assert await each == [id for id in range(after + 1, LAST + 1) if wanted.fits(Number(id))]
    assert not counting._groups
    counting.close()


async def test_a_comment_says_how_far_the_source_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fanout, "_HEARTBEAT_S", 0.02)
    monkeypatch.setattr(fanout, "_TICK_S", 0.01)
    counting = Counting(0, 10, 1 << 20)
    stream = counting.stream(Multiples(1000, ""), 0, 0)
    assert (await anext(stream)).endswith(b"\nid: 0\n\n")
    await counting.publish([Number(id) for id in range(1, 6)])
    async with asyncio.timeout(PATIENCE_S):
        while (await anext(stream)) != b": alive\nid: 5\n\n":
            pass
    counting.close(b"the end")
    assert [each async for each in stream if not each.startswith(b":")] == [b"the end"]


async def test_who_reads_for_long_without_finding_anything_goes_on_from_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fanout, "_HEARTBEAT_S", 0.0)
    counting = Counting(0, 1, 1 << 20)
    await counting.publish([Number(id) for id in range(1, 6)])
    stream = counting.stream(Multiples(1000, ""), 0, 0)
    assert [await anext(stream) for _ in range(3)][1:] == [b": alive\nid: 1\n\n", b": alive\nid: 2\n\n"]
    await stream.aclose()
    counting.close()


async def test_a_page_for_many_lets_others_have_their_turn() -> None:
    counting, turns = Counting(0, 10, 1 << 20), 0
    wanted = Multiples(1, "")
    streams = [counting.stream(wanted, 0, 0) for _ in range(1000)]
    waiting = []
    for each in streams:
        await anext(each)
        waiting.append(asyncio.ensure_future(anext(each)))
    while len(counting._listeners()) < len(streams):  # noqa: ASYNC110 # it is said nowhere
        await asyncio.sleep(0)
    publishing = asyncio.create_task(counting.publish([Number(1)]))
    while not publishing.done():
        turns += 1
        await asyncio.sleep(0)
    assert turns >= 5
    assert set(await asyncio.gather(*waiting)) == {b"<1>"}
    counting.close()
    for each in streams:
        await each.aclose()
