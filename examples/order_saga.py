"""An order that is undone when it can't be shipped: `claw up --skills examples/order_saga.py`, then

    claw submit order '{"customer": "ada", "item": "book", "cents": 1200}' --id good --wait
    claw submit order '{"customer": "ada", "item": "piano", "cents": 90000}' --id bad --wait

The second one fails: the charge is refunded and the item is released, the last step first, and `claw task bad` shows
the steps as `compensated`. It holds when nodes are killed meanwhile. `claw cancel ID --undo` undoes an order that is
under way.
"""

from clawactors import Retry, Task, skill, step


def release(reservation: str, item: str, order: str) -> None:
    """Undoes `reserve`: takes what that returned, then its arguments."""
    print(f"{reservation}: {item} is back on the shelf")


@step(undo=release)
def reserve(item: str, order: str) -> str:
    """Takes the item off the shelf; the order's id makes a repeat harmless."""
    return f"reservation {order}"


@step(retry=Retry(max_retries=5, wait_s=0.5), timeout="30s")
def refund(payment: str, customer: str, cents: int, order: str) -> None:
    """Undoes `charge`; as a step, it has a retry policy and a timeout of its own."""
    print(f"{payment}: {cents} cents go back to {customer}")


@step(undo=refund, timeout="30s")
async def charge(customer: str, cents: int, order: str) -> str:
    """Charges the customer."""
    return f"payment {order}"


@step
async def ship(item: str) -> str:
    """Nobody can carry a piano."""
    if item == "piano":
        raise ValueError("a piano is too heavy to ship")
    return f"{item} is on its way"


@skill("order", on_failure="compensate")
async def order(task: Task, customer: str, item: str, cents: int) -> str:
    """Reserves, charges and ships, or undoes what it has done."""
    task.plan([reserve, charge, ship])
    await reserve(task, item, order=task.id)
    await charge(task, customer, cents, order=task.id)
    return await ship(task, item)
