"""The random histories reach what they are for; else tests over them would prove little."""

from clawactors.kinds import DECODER
from clawactors.projections.engine.projector import Projector
from clawactors.systems.nodes.events import CODEC as NODES
from clawactors.systems.schedules.events import CODEC as SCHEDULES
from clawactors.systems.tasks import STATUSES
from clawactors.systems.tasks.events import CODEC as TASKS
from tests.projections.histories import random_history


def test_histories_hold_every_event_every_status_and_every_fault(projector: Projector) -> None:
    tags, statuses, faults = set[str](), set[str](), set[str]()
    for seed in range(20):
        history = random_history(seed, 400)
        for record in history.records:
            commit = DECODER.decode(record)
            faults.add(commit.fault)
            tags |= {type(event).__struct_config__.tag for event in commit.events}
        statuses |= {task.life.status for task in history.tasks.values()}
    assert tags == TASKS.tags | NODES.tags | SCHEDULES.tags
    assert statuses == set(STATUSES)
    assert faults == {"", "malformed", "future"}
