"""The skill of a shop, with a test beside it: `pytest examples/testing`."""

from collections.abc import Callable

from clawactors import Retry, Task, skill


class Shop:
    """What the skill calls outside; a test gives it another one."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.pay: Callable[[str], str] = lambda order: f"paid {order}"

    def send(self, order: str) -> str:
        self.sent.append(order)
        return f"parcel for {order}"


shop = Shop()


@skill("order", retry=Retry(max_retries=5, wait_s=60))
async def order(task: Task, order: str) -> str:
    """Pays, waits until the goods are there, two weeks at most, and sends them."""
    await task.step("pay", pay, order)
    try:
        await task.signal("in stock", timeout="14d")
    except TimeoutError:
        return "money back"
    return await task.step("send", send, order)


def pay(order: str) -> str:
    return shop.pay(order)


def send(order: str) -> str:
    return shop.send(order)
