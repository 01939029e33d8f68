"""Which server may be stopped, told by what the server says of its streams."""

from typing import Any

from clawactors.eventlog.jetstream.log.peers import copies_of, report_of


def stream(name: str, leader: str, **others: dict[str, Any]) -> Any:
    replicas = [{"name": each, "current": True} | said for each, said in others.items()]
    return copies_of(name, {"leader": leader, "replicas": replicas})


def test_any_may_stop_while_all_are_whole() -> None:
    report = report_of([stream("A", "s1", s2={}, s3={}), stream("B", "s2", s1={}, s3={})])
    assert report.safe_to_stop == ("s1", "s2", "s3")
    assert [(peer.name, peer.leads) for peer in report.servers] == [("s1", ("A",)), ("s2", ("B",)), ("s3", ())]


def test_while_one_is_behind_only_that_one_may_stop() -> None:
    report = report_of([stream("A", "s1", s2={}, s3={"current": False, "lag": 120})])
    assert report.safe_to_stop == ("s3",)
    assert "not s1: it leads A, and s3 is behind by 120; not s2: it stores A" in report.text
    assert [peer.behind for peer in report.servers] == [0, 0, 120]


def test_while_one_is_away_none_may_stop() -> None:
    report = report_of([stream("A", "s1", s2={}, s3={"current": False, "active": 20_000_000_000})])
    assert report.safe_to_stop == ()
    assert [peer.is_away for peer in report.servers] == [False, False, True]
    assert "not s2: it stores A, and s3 is away" in report.text


def test_a_stream_without_leader_is_a_problem() -> None:
    report = report_of([stream("A", ""), stream("B", "s1", s2={}, s3={})], "s1")
    assert report.problem.startswith("nothing can be written to A")
    assert report.safe_to_stop == ()


def test_a_leader_that_was_left_alone_writes_nothing() -> None:
    gone = {"current": False, "active": 20_000_000_000}
    report = report_of([stream("A", "s1", s2=gone, s3=gone)])
    assert report.problem.startswith("nothing can be written to A")
    assert report.safe_to_stop == ()


def test_what_is_stored_once_keeps_its_server() -> None:
    report = report_of([stream("A", "s1"), stream("B", "s1", s2={}, s3={})])
    assert report.safe_to_stop == ("s2", "s3")
    assert "not s1: A is stored there alone" in report.text
