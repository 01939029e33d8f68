"""What a control process starts from: of tasks that come after others, how those ended that are not open."""

from clawactors.projections.engine.projector import Projector
from clawactors.projections.starting import starting_point
from clawactors.systems.placement import ClusterState, Placement
from clawactors.systems.tasks import commands as c
from clawactors.systems.tasks import events as e
from tests.projections.histories import History, joined, run


def test_placement_goes_on_from_the_rows_alone(projector: Projector) -> None:
    history = History()
    history.node("n1", joined())
    for id in ("done", "alone"):
        run(history, id)
    history.command("dead", c.Submit(e.Spec(skill="echo")), c.Cancel("ada"))
    history.command("open", c.Submit(e.Spec(skill="nobody-has-it")))
    history.command("t", c.Submit(e.Spec(skill="echo", after=("done",))))
    history.command("u", c.Submit(e.Spec(skill="echo", after=("done", "dead", "open"))))
    history.command("v", c.Submit(e.Spec(skill="echo", after=("done", "open", "absent"))))
    projector.apply(history.records)
    start = starting_point(projector.store)
    assert sorted(start.ended()) == [("dead", "cancelled"), ("done", "completed")]
    placement = Placement(ClusterState())
    placement.state.load(start)
    assert placement.state.asks() == ["absent"]
    assert {order.id: order.command for order in placement.orders(0)} == {
        "t": c.Ready(),
        "u": c.Block("its predecessor dead is cancelled", waits_for="dependency"),
    }
