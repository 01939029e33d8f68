"""Random histories with two control processes that both lead: nothing is stuck, doubled, lost or leaked."""

import pytest

from clawactors.systems.tasks import OPEN, TASK, Task
from clawactors.systems.tasks import events as e
from tests.clawactors.systems.placement.world import Control, Store, World

STEPS = 400


def lived(seed: int, steps: int = STEPS) -> World:
    """A world that has seen many things."""
    world = World(seed)
    for _ in range(steps):
        world.step()
    return world


@pytest.fixture(params=range(40))
def world(request: pytest.FixtureRequest) -> World:
    """The seed is the parameter: what fails can be played again."""
    return lived(request.param)


def test_every_task_comes_to_an_end_and_nothing_is_left_behind(world: World) -> None:
    world.settle()
    all_is_over(world)


@pytest.mark.soak
@pytest.mark.parametrize("hundred", range(40))
def test_many_more_worlds_come_to_an_end(hundred: int) -> None:
    for seed in range(100 * hundred, 100 * hundred + 100):
        world = lived(seed, 600)
        world.settle()
        all_is_over(world)


def all_is_over(world: World) -> None:
    """No task is open, no memory of one is kept, and the record is right."""
    now_ns = world.store.now_ns
    stuck = {id: task.life for id, task in world.store.tasks.items() if not TASK.is_final(task)}
    assert not stuck, [(id, control.placement.why(id, now_ns)) for id in stuck for control in world.controls]
    for control in world.controls:
        placement = control.placement
        assert len(placement.state.tasks.by_id) == 0
        assert {id: node.assigned for id, node in placement.state.nodes.by_id.items() if node.assigned} == {}
        assert (placement.state.tasks.pending, len(placement.state.tasks.due), placement.state.tasks.orphans) == (
            {},
            0,
            {},
        )
        assert (placement.state.tasks.awaited, placement.state.tasks.frozen) == ({}, set())
        assert placement.orders(now_ns) == []
    no_two_attempts_live_at_once(world.store)


def test_what_is_held_is_what_is_true_and_counted_once(world: World) -> None:
    for control in world.controls:
        while control.in_flight:
            control.deliver(0.5)
    for control in world.controls:
        control.catch_up()
        control.clockwork.until(world.store.now_ns)
        agrees(control, world.store)


def no_two_attempts_live_at_once(store: Store) -> None:
    """In the record an attempt begins only when none lives; attempts count up by one; steps are completed once."""
    for id in store.tasks:
        task, attempt, completed = Task(), 0, list[str]()
        for kind, of, events, at_ns in store.commits:
            if (kind, of) != ("task", id):
                continue
            for event in events:
                before, task = task, TASK.evolve(task, event, at_ns)  # type: ignore[arg-type]
                if task is before:
                    continue
                if isinstance(event, e.Scheduled):
                    assert before.life.status == "pending"
                    assert event.attempt == attempt + 1
                    attempt = event.attempt
                elif isinstance(event, e.StepCompleted):
                    completed.append(event.step)
        assert len(set(completed)) == len(completed)


def agrees(control: Control, store: Store) -> None:
    """What placement holds is the fold of the log, and each task counts at one node at most."""
    placement = control.placement
    held = {id: (held.version, held.task.life) for id, held in placement.state.tasks.by_id.items()}
    assert held == {
        id: (store.versions["task", id], task.life) for id, task in store.tasks.items() if task.life.status in OPEN
    }
    counted = [id for node in placement.state.nodes.by_id.values() for id in node.assigned]
    assert len(counted) == len(set(counted))
    for id, node in placement.state.nodes.by_id.items():
        assert node.node == store.nodes[id]
        for task_id in node.assigned:
            life = store.tasks[task_id].life
            assert life.status in ("scheduled", "running")
            assert life.node == id
    queued = {id for ranking in placement.state.tasks.pending.values() for id in ranking}
    assert queued == {id for id, task in store.tasks.items() if task.life.status == "pending"}
