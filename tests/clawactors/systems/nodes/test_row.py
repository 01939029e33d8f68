"""The row of a node: what the log knows, and the pulse of its present incarnation."""

import pytest

from clawactors.systems.nodes import Node
from clawactors.systems.nodes import events as ne
from clawactors.systems.nodes.decider import Presence
from clawactors.systems.nodes.row import Heartbeat, NodeWork, row

JOINED = ne.NodeJoined(
    incarnation="i2",
    slots=2,
    offers=(ne.Offer("echo", version="3"),),
    affinity={"zone": "a"},
    machine=ne.Machine(hostname="host", port=4, pid=77),
)


def node(status: Presence = "online") -> Node:
    return Node(status=status, joined=JOINED, registered_ns=1, updated_ns=2)


def test_the_promised_keys_come_first() -> None:
    assert list(row("n", node(), NodeWork()))[:22] == [
        "id", "hostname", "platform", "arch", "status", "skills", "slots", "running", "cpu", "memory", "disk", "ip",
        "overlay_ip", "port", "affinity", "incarnation", "processed", "succeeded", "failed", "mean_s", "registered_at",
        "last_heartbeat_at",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("status", "running", "shown"),
    [("online", 1, "online"), ("online", 2, "busy"), ("draining", 2, "draining"), ("offline", 0, "offline")],
)
def test_busy_is_an_online_node_without_a_free_slot(status: Presence, running: int, shown: str) -> None:
    assert row("n", node(status), NodeWork(running=running))["status"] == shown


def test_work_is_summed_and_its_time_averaged() -> None:
    read = row("n", node(), NodeWork(succeeded=3, failed=1, busy_ns=6_000_000_000))
    assert (read["processed"], read["succeeded"], read["failed"], read["mean_s"]) == (4, 3, 1, 1.5)
    assert row("n", node(), NodeWork())["mean_s"] == 0.0


def test_only_the_pulse_of_this_incarnation_counts() -> None:
    read = row("n", node(), NodeWork(), Heartbeat("i2", 1_763_720_000_000_000_000, cpu=5.0))
    assert (read["cpu"], read["last_heartbeat_at"]) == (5.0, "2025-11-21T10:13:20.000000+00:00")
    read = row("n", node(), NodeWork(), Heartbeat("i1", 1_763_720_000_000_000_000, cpu=5.0))
    assert (read["cpu"], read["last_heartbeat_at"]) == (None, None)
    assert (read["skills"], read["versions"], read["port"], read["pid"]) == (["echo"], {"echo": "3"}, 4, 77)
