"""How many placements a second one pass after the other makes, by how many tasks are pending; and what a task takes.

    python -m benchmarks.placement [--nodes 100] [--users 10] [--skills 5] [--order priority] [PENDING …]

No I/O: the pure placement as control runs it, with its settings of the garbage collector. Nodes of 50 slots have all
skills and complete at once what a pass gave them. Times are of the CPU.
"""

import argparse
import gc
import platform
import resource
import sys
import time
from random import Random
from typing import Any

from clawactors.systems.nodes import Node
from clawactors.systems.nodes import events as n
from clawactors.systems.placement import ClusterState, Placement
from clawactors.systems.placement.choice import NodeCapacity
from clawactors.systems.placement.policy import QueuePolicy
from clawactors.systems.placement.preview import preview
from clawactors.systems.tasks import events as e

_SECOND = 1_000_000_000
_PASSES = 20


def _measure(pending: int, options: Any) -> None:
    chance, state = Random(1), ClusterState()
    placement = Placement(state)
    state.tasks.follow(QueuePolicy(options.order))
    before_kb, begun = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    for number in range(pending):
        spec = e.Submitted(
            skill=f"skill-{number % options.skills}",
            priority=chance.randint(1, 4),
            user=f"user-{chance.randrange(options.users)}",
            deadline_ns=chance.choice((0, 2**62 + chance.randrange(_SECOND))),
        )
        state.apply_task(f"task-{number:07}", number + 1, (spec,), number)
    folded_s = time.process_time() - begun
    each_kb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb) / pending
    offers = tuple(n.Offer(f"skill-{number}") for number in range(options.skills))
    for number in range(options.nodes):
        joined = n.NodeJoined(incarnation="i", slots=50, offers=offers)
        state.nodes.by_id[f"n{number}"] = NodeCapacity(f"n{number}", Node(status="online", joined=joined))
    placed, placing_s = 0, 0.0
    for _ in range(_PASSES):
        begun = time.process_time()
        placed += len(placement.orders(_SECOND))
        placing_s += time.process_time() - begun
        for capacity in state.nodes.by_id.values():
            capacity.assigned.clear()
    begun = time.process_time()
    preview(state.tasks.queues, _SECOND, 20)
    preview_ms = (time.process_time() - begun) * 1e3
    begun = time.process_time()
    state.tasks.follow(QueuePolicy("fifo" if options.order != "fifo" else "priority"))
    follow_s = time.process_time() - begun
    print(
        f"{pending:>9,} {placed / placing_s:>13,.0f} {pending / folded_s:>10,.0f} {each_kb:>8.2f}"
        f" {preview_ms:>11.1f} {follow_s:>15.2f}"
    )


def main(arguments: list[str]) -> None:
    """Prints the curve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pending", nargs="*", type=int, default=[1_000, 10_000, 100_000, 1_000_000])
    parser.add_argument("--nodes", type=int, default=100)
    parser.add_argument("--users", type=int, default=10)
    parser.add_argument("--skills", type=int, default=5)
    parser.add_argument("--order", default="priority")
    options = parser.parse_args(arguments)
    gc.freeze()
    gc.set_threshold(200_000, 20, 50)
    print(
        f"{options.nodes} nodes, {options.users} users, {options.skills} skills, order {options.order}, passes of up to"
        f" 1,000; Python {platform.python_version()}, {platform.machine()}"
    )
    print("  pending  placements/s   folded/s  KB/task  20 shown, ms  other order, s")
    for pending in options.pending:
        _measure(pending, options)


if __name__ == "__main__":
    main(sys.argv[1:])
