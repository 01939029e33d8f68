"""Tests of `orders.py`: a good end, a late one, errors, lost processes, and a deploy."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import orders
import pytest

from clawactors.testing import Cluster, replay

pytestmark = pytest.mark.claw(skills=[orders.order], nodes=2)


@pytest.fixture
def cluster(claw_cluster: Callable[..., Cluster]) -> Iterator[Cluster]:
    orders.shop = orders.Shop()
    with claw_cluster() as cluster:
        yield cluster


def test_an_order_is_sent_when_it_is_in_stock(cluster: Cluster) -> None:
    async def story() -> str:
        ref = await cluster.client.submit("order", {"order": "o1"})
        await cluster.sleep("10d")
        await ref.signal("in stock")
        return str(await ref.result())

    assert cluster.run(story()) == "parcel for o1"


def test_after_two_weeks_the_money_goes_back(cluster: Cluster) -> None:
    assert cluster.run(cluster.client.run("order", {"order": "o1"})) == "money back"
    assert orders.shop.sent == []


def test_a_bank_that_is_away_is_asked_again(cluster: Cluster) -> None:
    answers = iter([ConnectionError("no route to host"), ConnectionError("no route to host"), "paid"])

    def pay(_: str) -> str:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    orders.shop.pay = pay
    ref = cluster.run(cluster.client.submit("order", {"order": "o1"}))
    cluster.run(cluster.sleep("1h"))
    assert cluster.run(cluster.client.task(ref.id)).status == "waiting"
    assert [entry.type for entry in cluster.run(cluster.client.history(ref.id))].count("step.failed") == 2


def test_lost_processes_send_nothing_twice(cluster: Cluster) -> None:
    async def story() -> None:
        refs = [await cluster.client.submit("order", {"order": f"o{n}"}) for n in range(10)]
        await cluster.settle()
        cluster.lose_acknowledgements(0.2)
        await cluster.kill_node("n1")
        for ref in refs:
            await ref.signal("in stock")
        await cluster.restart_control()
        await asyncio.gather(*[ref.result() for ref in refs])

    cluster.run(story())
    assert sorted(orders.shop.sent) == sorted(f"o{n}" for n in range(10))


def test_orders_of_before_the_deploy_go_on() -> None:
    replayed = replay(Path(__file__).with_name("order.json"), orders.order)
    assert replayed.used == ("pay", "send")
