"""What the log in memory can do beside the contract: its clock and its fault points."""

import pytest

from clawactors.eventlog import Draft, InProcessLog, Record, Unavailable
from clawactors.eventlog.inprocess import FaultPoint, matcher


def draft(commit: str = "c1") -> Draft:
    return Draft("task", "a", b"{}", commit)


async def everything(log: InProcessLog) -> list[Record]:
    return [record async for batch in log.read([">"]) for record in batch]


async def test_time_is_the_given_clock() -> None:
    ticks = iter((5, 7))
    log = InProcessLog(clock=lambda: next(ticks))
    await log.append(draft(), 0)
    await log.append(draft("c2"), 1)
    assert [record.at_ns for record in await everything(log)] == [5, 7]


@pytest.mark.parametrize(("where", "stored"), [("before", 0), ("after", 1)])
async def test_a_fault_before_or_after_storing_looks_the_same_and_the_resend_settles_it(
    where: FaultPoint, stored: int
) -> None:
    log = InProcessLog()

    def fault(point: FaultPoint, _: Draft) -> None:
        if point == where:
            raise Unavailable("the answer is lost")

    log.fault = fault
    with pytest.raises(Unavailable):
        await log.append(draft(), 0)
    assert len(await everything(log)) == stored
    log.fault = None
    assert await log.append(draft(), 0) == 1
    assert len(await everything(log)) == 1


async def test_a_closed_log_is_unavailable() -> None:
    async with InProcessLog() as log:
        follower = await log.follow([">"])
    with pytest.raises(Unavailable):
        await log.append(draft(), 0)
    with pytest.raises(Unavailable):
        await log.follow([">"])
    assert await anext(follower, None) is None


async def test_two_logs_are_not_the_same_log() -> None:
    assert (await InProcessLog().head()).identity != (await InProcessLog().head()).identity


@pytest.mark.parametrize(
    ("pattern", "subject", "fits"),
    [
        ("a.b", "a.b", True),
        ("a.b", "a.b.c", False),
        ("a.*", "a.b", True),
        ("a.*", "a", False),
        ("a.*.c", "a.b.c", True),
        ("a.>", "a.b.c", True),
        ("a.>", "a", False),
        (">", "a", True),
        ("a.b", "axb", False),
    ],
)
def test_patterns_are_those_of_nats(pattern: str, subject: str, fits: bool) -> None:
    assert bool(matcher([pattern])(subject)) is fits
