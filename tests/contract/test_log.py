"""What every log keeps, on every adapter. Rule numbers are those of the guard in the wire description."""

import asyncio
import time

import pytest

from clawactors.eventlog import (
    Draft,
    EventLog,
    Follower,
    InProcessLog,
    Record,
    TooLarge,
    WrongVersion,
)
from clawactors.eventlog.jetstream import JetStreamLog

BODY = b'{"v":1,"events":[{"type":"task.submitted"}]}'
ALL = ("claw.>",)


def draft(id: str = "a", commit: str = "c1", body: bytes = BODY, to: str = "") -> Draft:
    return Draft("task", id, body, commit, to=to, by="client/test", cause="why", answers=("a1", "a2"))


async def publish(log: EventLog, subject: str, body: bytes, headers: bytes = b"") -> None:
    """A message by hand, as any NATS client could send it."""
    if isinstance(log, InProcessLog):
        log.publish(subject, body, headers)
    else:
        assert isinstance(log, JetStreamLog)
        await log.connection.ask(subject, body, headers)


async def publish_batch(log: EventLog, name: str, subject: str, body: bytes, count: int) -> None:
    """Many messages by hand at once, without any guard."""
    if isinstance(log, JetStreamLog):
        frames = b""
        for number in range(1, count):
            headers = f"NATS/1.0\r\nNats-Batch-Id: {name}\r\nNats-Batch-Sequence: {number}\r\n\r\n".encode()
            sizes = f"{len(headers)} {len(headers) + len(body)}"
            frames += f"HPUB {subject} {sizes}\r\n".encode() + headers + body + b"\r\n"
        log.connection.write(frames)
        last = f"NATS/1.0\r\nNats-Batch-Id: {name}\r\nNats-Batch-Sequence: {count}\r\nNats-Batch-Commit: 1\r\n\r\n"
        await log.connection.ask(subject, body, last.encode())
    else:
        for _ in range(count):
            await publish(log, subject, body)


async def take(follower: Follower, count: int, timeout_s: float = 10) -> list[Record]:
    """The next records, exactly so many."""
    records: list[Record] = []
    async with asyncio.timeout(timeout_s):
        while len(records) < count:
            records += await anext(follower)
    assert len(records) == count
    return records


async def everything(log: EventLog, *patterns: str, **where: int) -> list[Record]:
    return [record async for batch in log.read(patterns or ALL, **where) for record in batch]  # type: ignore[arg-type]


# Appending


async def test_an_append_returns_the_sequence_as_the_new_version(log: EventLog) -> None:
    first = await log.append(draft(commit="c1"), 0)
    other = await log.append(draft("b", "c2"), 0)
    second = await log.append(draft(commit="c3"), first)
    assert (first, other, second) == (1, 2, 3)


async def test_a_record_holds_what_was_appended_and_when(log: EventLog) -> None:
    before = time.time_ns()
    seq = await log.append(draft(to="n1"), 0)
    (record,) = await everything(log)
    assert (record.seq, record.subject, record.body) == (seq, "claw.task.a.to.n1", BODY)
    assert (record.commit, record.by, record.cause, record.answers) == ("c1", "client/test", "why", ("a1", "a2"))
    assert before - 1_000_000_000 <= record.at_ns <= time.time_ns() + 1_000_000_000


async def test_a_commit_of_no_command_and_a_message_by_hand_answer_none(log: EventLog) -> None:
    await log.append(Draft("task", "a", BODY, "c1"), 0)
    await publish(log, "claw.task.b.log", BODY)
    assert [record.answers for record in await everything(log)] == [(), ()]


async def test_a_commit_answers_as_many_commands_as_fit_its_headers(log: EventLog) -> None:
    many = tuple(f"{number:026}" for number in range(2400))
    await log.append(Draft("task", "a", BODY, "c1", answers=many), 0)
    (record,) = await everything(log)
    assert record.answers == many
    with pytest.raises(TooLarge):
        await log.append(Draft("task", "b", BODY, "c2", answers=many * 2), 0)


@pytest.mark.parametrize("ids", [("a b",), ("",), ("a\r\nNats-Rollup: all",), (" a",)])
async def test_an_id_of_a_command_that_could_break_its_header_is_refused(log: EventLog, ids: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r"printable|white space"):
        await log.append(Draft("task", "a", BODY, "c1", answers=ids), 0)


async def test_a_stale_append_names_the_actual_version(log: EventLog) -> None:
    first = await log.append(draft(commit="c1"), 0)
    second = await log.append(draft(commit="c2"), first)
    with pytest.raises(WrongVersion) as caught:
        await log.append(draft(commit="c3"), first)
    assert (caught.value.aggregate, caught.value.expected, caught.value.actual) == ("task/a", first, second)
    assert len(await everything(log)) == 2


async def test_expecting_nothing_of_an_aggregate_that_exists_is_refused(log: EventLog) -> None:
    version = await log.append(draft(commit="c1"), 0)
    with pytest.raises(WrongVersion) as caught:
        await log.append(draft(commit="c2"), 0)
    assert caught.value.actual == version


async def test_expecting_more_than_there_is_is_refused(log: EventLog) -> None:
    with pytest.raises(WrongVersion) as caught:
        await log.append(draft(), 7)
    assert caught.value.actual == 0


async def test_rule_1_every_append_is_guarded_by_the_literal_filter_of_its_aggregate(log: EventLog) -> None:
    version = await log.append(draft("a"), 0)
    await log.append(draft("a", "c2", to="n1"), version)
    for record in await everything(log):
        assert record.header("Nats-Expected-Last-Subject-Sequence-Subject") == "claw.task.a.>"


async def test_rule_1_the_guard_covers_commits_addressed_to_anyone(log: EventLog) -> None:
    version = await log.append(draft(to="n1"), 0)
    with pytest.raises(WrongVersion):
        await log.append(draft(commit="c2"), 0)
    await log.append(draft(commit="c3"), version)


async def test_rule_1_the_guard_covers_messages_published_by_hand(log: EventLog) -> None:
    version = await log.append(draft(), 0)
    await publish(log, "claw.task.a.log", b"garbage")
    with pytest.raises(WrongVersion) as caught:
        await log.append(draft(commit="c2"), version)
    assert caught.value.actual == version + 1


async def test_rule_1_aggregates_whose_ids_begin_alike_are_strangers(log: EventLog) -> None:
    await log.append(draft("a"), 0)
    await log.append(draft("ab"), 0)
    await log.append(draft("a-b"), 0)
    await log.append(Draft("node", "a", BODY, "c1"), 0)


async def test_rule_2_of_two_racing_appends_in_one_tick_one_is_stored(log: EventLog) -> None:
    results = await asyncio.gather(
        log.append(draft(commit="c1"), 0), log.append(draft(commit="c2"), 0), return_exceptions=True
    )
    assert {type(result) for result in results} == {int, WrongVersion}
    assert len(await everything(log)) == 1


async def test_rule_2_holds_in_a_crowd_that_leaves_as_batches(log: EventLog) -> None:
    appends = [log.append(draft(f"t{n % 100}", f"c{n}"), 0) for n in range(300)]
    results = await asyncio.gather(*appends, return_exceptions=True)
    assert sum(isinstance(result, int) for result in results) == 100
    assert sum(isinstance(result, WrongVersion) for result in results) == 200
    assert len({record.subject for record in await everything(log)}) == len(await everything(log)) == 100


async def test_rule_3_a_stored_draft_sent_again_gets_the_version_it_has(log: EventLog) -> None:
    version = await log.append(draft(), 0)
    assert await log.append(draft(), 0) == version
    await log.append(draft(commit="c2"), version)
    assert await log.append(draft(), 0) == version
    assert len(await everything(log)) == 2


async def test_rule_3_holds_for_a_crowd_of_stored_drafts(log: EventLog) -> None:
    drafts = [draft(f"t{n}", f"c{n}") for n in range(60)]
    first = await asyncio.gather(*(log.append(each, 0) for each in drafts))
    again = await asyncio.gather(*(log.append(each, 0) for each in drafts))
    assert first == again
    assert len(await everything(log)) == 60


async def test_rule_4_no_guarded_append_carries_a_message_id(log: EventLog) -> None:
    await asyncio.gather(*(log.append(draft(f"t{n}"), 0) for n in range(40)))
    assert all(record.header("Nats-Msg-Id") == "" for record in await everything(log))


async def test_one_loser_in_a_crowd_does_not_take_the_others_with_it(log: EventLog) -> None:
    await log.append(draft("t50"), 0)
    appends = [log.append(draft(f"t{n}", "new"), 0) for n in range(200)]
    results = await asyncio.gather(*appends, return_exceptions=True)
    assert [n for n, result in enumerate(results) if isinstance(result, WrongVersion)] == [50]
    assert sum(isinstance(result, int) for result in results) == 199


async def test_many_losers_in_a_crowd_each_get_their_own_answer(log: EventLog) -> None:
    versions = [await log.append(draft(f"t{n}"), 0) for n in range(0, 100, 7)]
    results = await asyncio.gather(*(log.append(draft(f"t{n}", "new"), 0) for n in range(100)), return_exceptions=True)
    lost = {n: result.actual for n, result in enumerate(results) if isinstance(result, WrongVersion)}
    assert lost == dict(zip(range(0, 100, 7), versions, strict=True))


async def test_many_appends_at_once_give_one_outcome_each_in_their_order(log: EventLog) -> None:
    taken = await log.append(draft("t3"), 0)
    outcomes = await log.append_many([
        *((draft(f"t{n}", f"c{n}"), 0) for n in range(40)),
        (draft("large", body=b"x" * (1 << 20)), 0),
        (draft("t3"), 0),
    ])  # fmt: skip
    assert [n for n, outcome in enumerate(outcomes) if isinstance(outcome, WrongVersion)] == [3]
    assert isinstance(outcomes[40], TooLarge)
    assert outcomes[41] == taken
    stored = {record.commit: record.seq for record in await everything(log) if record.commit != "c1" or record.seq > 1}
    assert all(stored[f"c{n}"] == outcome for n, outcome in enumerate(outcomes[:40]) if n not in (1, 3))
    assert await log.append_many([]) == []


async def test_versions_in_a_crowd_are_those_of_the_stored_records(log: EventLog) -> None:
    versions = await asyncio.gather(*(log.append(draft(f"t{n}", f"c{n}"), 0) for n in range(150)))
    stored = {record.commit: record.seq for record in await everything(log)}
    assert stored == {f"c{n}": version for n, version in enumerate(versions)}


async def test_a_commit_that_is_too_large_is_refused_with_both_sizes(log: EventLog) -> None:
    with pytest.raises(TooLarge) as caught:
        await log.append(draft(body=b"x" * (1 << 20)), 0)
    assert caught.value.size_bytes > caught.value.limit_bytes
    await log.append(draft(body=b"x" * 1_000_000), 0)


@pytest.mark.parametrize("id", ["", "a.b", "a b", "*", ">", "a\r\nPUB x", "ü", "x" * 129])
async def test_an_id_that_is_no_single_subject_token_never_reaches_the_log(log: EventLog, id: str) -> None:
    with pytest.raises(ValueError, match="subject"):
        await log.append(draft(id), 0)
    assert (await log.head()).last_seq == 0


@pytest.mark.parametrize("commit", ["", "a\r\nNats-Msg-Id: 1", "a\x00"])
async def test_a_header_can_not_break_out_of_its_line(log: EventLog, commit: str) -> None:
    with pytest.raises(ValueError, match="commit"):
        await log.append(draft(commit=commit), 0)


async def test_an_appender_that_stops_waiting_disturbs_nobody(log: EventLog) -> None:
    waiting = [asyncio.ensure_future(log.append(draft(id, id), 0)) for id in ("a", "b", "c", "b", "b")]
    await asyncio.sleep(0)
    waiting[1].cancel()
    waiting[3].cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert isinstance(waiting[0].result(), int)
    version = await log.append(draft("b", "b"), 0)  # whether it was stored before or is now
    assert waiting[4].result() == version
    assert [record.subject for record in await everything(log, "claw.task.b.>")] == ["claw.task.b.log"]


# Reading


async def test_an_empty_log_reads_as_nothing(log: EventLog) -> None:
    assert await everything(log) == []
    head = await log.head()
    assert (head.last_seq, head.messages) == (0, 0)


async def test_reading_gives_all_in_order_after_a_sequence_and_up_to_one(log: EventLog) -> None:
    for n in range(10):
        await log.append(draft(f"t{n}"), 0)
    assert [record.seq for record in await everything(log)] == list(range(1, 11))
    assert [record.seq for record in await everything(log, after=4, until=7)] == [5, 6, 7]
    assert [record.seq for record in await everything(log, after=8)] == [9, 10]
    assert await everything(log, after=10) == []
    assert await everything(log, until=0) == []


async def test_reading_gives_what_matches_any_pattern(log: EventLog) -> None:
    version = await log.append(draft("a"), 0)
    await log.append(draft("a", "c2", to="n1"), version)
    await log.append(draft("b", to="n2"), 0)
    await log.append(Draft("node", "n1", BODY, "c1"), 0)
    assert [record.seq for record in await everything(log, "claw.task.a.>")] == [1, 2]
    assert [record.seq for record in await everything(log, "claw.task.*.to.n1", "claw.node.n1.>")] == [2, 4]
    assert await everything(log, "claw.task.zz.>") == []


@pytest.mark.parametrize("length", [1, 2, 24, 25, 60])
async def test_one_aggregate_among_others_is_read_whole_however_long_it_is(log: EventLog, length: int) -> None:
    version, versions = 0, []
    for number in range(length):
        await log.append(draft(f"other-{number}"), 0)
        version = await log.append(draft("a", f"c{number}", to="n1" if number % 3 else ""), version)
        versions.append(version)
    await publish(log, "claw.task.a.log", BODY)
    versions.append((await log.head()).last_seq)
    await log.append(draft("a-b"), 0)
    whole = [record async for batch in log.read(ALL) for record in batch]
    own = [record for record in whole if record.seq in versions]
    assert await everything(log, "claw.task.a.>") == own
    assert await everything(log, "claw.task.a.>", until=versions[-2]) == own[:-1]
    assert await everything(log, "claw.task.a.>", until=versions[-1] - 1) == own[:-1]
    assert await everything(log, "claw.task.a.>", after=versions[0]) == own[1:]
    assert await everything(log, "claw.task.a.>", after=versions[-2]) == own[-1:]
    assert await everything(log, "claw.task.a.>", after=versions[-1]) == []


async def test_a_thousand_readings_at_once_are_all_answered(log: EventLog) -> None:
    """As when a node with a thousand tasks comes back: each reads its own history."""
    await log.append_many([(draft(f"t{number}"), 0) for number in range(1000)])
    read = await asyncio.gather(*(everything(log, f"claw.task.t{number}.>") for number in range(1000)))
    assert [[record.seq for record in records] for records in read] == [[number + 1] for number in range(1000)]


async def test_reading_from_a_time_skips_what_is_older(log: EventLog) -> None:
    await log.append(draft("a"), 0)
    (old,) = await everything(log)
    await log.append(draft("b"), 0)
    assert [record.seq for record in await everything(log, since_ns=old.at_ns + 1)] == [2]
    assert [record.seq for record in await everything(log, since_ns=old.at_ns)] == [1, 2]


async def test_reading_ends_where_the_log_ended_when_it_began(log: EventLog) -> None:
    for n in range(5):
        await log.append(draft(f"t{n}"), 0)
    seen = []
    async for batch in log.read(ALL):
        seen += batch
        await log.append(draft(f"later{len(seen)}"), 0)
    assert [record.seq for record in seen] == [1, 2, 3, 4, 5]


async def test_the_head_tells_the_end_and_which_log_it_is(log: EventLog) -> None:
    before = await log.head()
    await log.append(draft(), 0)
    after = await log.head()
    assert (after.first_seq, after.last_seq, after.messages) == (1, 1, 1)
    assert after.size_bytes > 0
    assert before.identity == after.identity


# Following


async def test_following_gives_each_record_once_and_in_order(log: EventLog) -> None:
    await log.append(draft("before"), 0)
    follower = await log.follow(ALL, after=0)
    await asyncio.gather(*(log.append(draft(f"t{n}", f"c{n}"), 0) for n in range(99)))
    assert [record.seq for record in await take(follower, 100)] == list(range(1, 101))
    assert follower.position == 100
    await follower.aclose()


async def test_following_from_now_on_sees_all_that_is_appended_after_it_returned(log: EventLog) -> None:
    await log.append(draft("before"), 0)
    follower = await log.follow(ALL)
    await log.append(draft("after"), 0)
    assert [record.subject for record in await take(follower, 1)] == ["claw.task.after.log"]
    await follower.aclose()


async def test_following_goes_on_after_a_position(log: EventLog) -> None:
    for n in range(5):
        await log.append(draft(f"t{n}"), 0)
    follower = await log.follow(ALL, after=3)
    assert [record.seq for record in await take(follower, 2)] == [4, 5]
    await follower.aclose()


async def test_what_waits_comes_as_one_batch(log: EventLog) -> None:
    follower = await log.follow(ALL, after=0)
    for n in range(20):
        await log.append(draft(f"t{n}"), 0)
    assert len(await take(follower, 20)) == 20
    await follower.aclose()


async def test_a_follower_sees_only_what_matches(log: EventLog) -> None:
    mine = await log.follow(["claw.task.*.to.n1", "claw.node.n1.>"])
    version = await log.append(draft("a"), 0)
    await log.append(draft("a", "c2", to="n2"), version)
    await log.append(draft("b", to="n1"), 0)
    await log.append(Draft("node", "n1", BODY, "c1"), 0)
    assert [record.subject for record in await take(mine, 2)] == ["claw.task.b.to.n1", "claw.node.n1.log"]
    await mine.aclose()


async def test_caught_up_returns_when_all_so_far_was_handed_out(log: EventLog) -> None:
    for n in range(50):
        await log.append(draft(f"t{n}"), 0)
    follower = await log.follow(ALL, after=0)
    seen: list[Record] = []

    async def listen() -> None:
        async for batch in follower:
            seen.extend(batch)

    listening = asyncio.ensure_future(listen())
    async with asyncio.timeout(10):
        await follower.caught_up()
    assert len(seen) == 50
    await log.append(draft("more"), 0)
    async with asyncio.timeout(10):
        await follower.caught_up()
    assert len(seen) == 51
    await follower.aclose()
    await listening


async def test_caught_up_does_not_wait_for_what_does_not_match(log: EventLog) -> None:
    follower = await log.follow(["claw.node.>"], after=0)
    await log.append(draft(), 0)
    async with asyncio.timeout(5):
        await follower.caught_up()
    await follower.aclose()


async def test_caught_up_with_several_patterns_does_not_wait_for_what_matches_none(log: EventLog) -> None:
    follower = await log.follow(["claw.task.a.>", "claw.node.>"], after=0)
    await log.append(draft("a"), 0)
    for n in range(20):
        await log.append(draft(f"other{n}"), 0)
    assert [record.seq for record in await take(follower, 1)] == [1]
    async with asyncio.timeout(5):
        await follower.caught_up()
    await log.append(Draft("node", "n1", BODY, "c1"), 0)
    assert [record.seq for record in await take(follower, 1)] == [22]
    assert follower.position == 22
    await follower.aclose()


async def test_closing_ends_a_waiting_iteration(log: EventLog) -> None:
    follower = await log.follow(ALL)
    waiting = asyncio.ensure_future(anext(follower, None))
    await asyncio.sleep(0)
    await follower.aclose()
    await follower.aclose()
    async with asyncio.timeout(5):
        assert await waiting is None


async def test_two_followers_do_not_take_from_each_other(log: EventLog) -> None:
    one, two = await log.follow(ALL), await log.follow(ALL)
    await log.append(draft(), 0)
    assert await take(one, 1) == await take(two, 1)
    await one.aclose()
    await two.aclose()


# Bad input


async def test_a_poison_message_is_a_record_like_any_other(log: EventLog) -> None:
    follower = await log.follow(ALL)
    poison = [b"", b"\x00\xff\xfe", b"{", b'{"v":9,"events":[]}', b"[" * 5000, b"x" * 900_000]
    for body in poison:
        await publish(log, "claw.task.a.log", body)
    await publish(log, "claw.task.a.b.c.d.e.f.g", b"deep", b"NATS/1.0\r\nClaw-Commit\r\nX:\r\n: y\r\n\r\n")
    records = []
    async with asyncio.timeout(10):
        while not records or records[-1].subject != "claw.task.a.b.c.d.e.f.g":
            records += await anext(follower)
    assert [record.body for record in records if record.subject == "claw.task.a.log"] == poison
    assert all(record.commit == "" for record in records)
    await follower.aclose()


async def test_ten_thousand_garbage_messages_do_not_stop_a_follower(log: EventLog) -> None:
    follower = await log.follow(ALL)
    for batch in range(10):
        await publish_batch(log, f"batch-{batch}", "claw.task.g.log", b"\x00garbage", 1000)
    await log.append(draft("good"), 0)
    records = await take(follower, 10_001)
    assert records[-1].subject == "claw.task.good.log"
    await follower.aclose()


# Purging


async def test_a_purge_removes_what_is_before_and_nothing_else(log: EventLog) -> None:
    versions = {"a": 0, "ab": 0}
    for number in range(3):
        for id, version in list(versions.items()):
            versions[id] = await log.append(draft(id, f"c{number}{id}"), version)
    kept = [each for each in await everything(log) if each.subject == "claw.task.ab.log" or each.seq >= 3]
    assert await log.purge("task", "a", 3) == 1
    assert await everything(log) == kept
    assert await log.purge("task", "a", 3) == 0
    assert await log.purge("task", "none", 9) == 0
    assert await log.append(draft(commit="c9"), versions["a"]) == 7, "versions go on"
    assert await log.purge("task", "a", 7) == 2
    assert [each.seq for each in await everything(log, "claw.task.a.>")] == [7]
    assert (await log.head()).messages == 4


@pytest.mark.parametrize(
    ("kind", "id", "before"), [("task", "a.b", 3), ("*", "a", 3), ("task", ">", 3), ("task", "a", 0)]
)
async def test_a_purge_of_more_than_one_aggregate_is_refused(log: EventLog, kind: str, id: str, before: int) -> None:
    await log.append(draft(), 0)
    with pytest.raises(ValueError, match="not an aggregate"):
        await log.purge(kind, id, before)
    assert len(await everything(log)) == 1
