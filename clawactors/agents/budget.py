"""What a run of an agent may cost, and what it has cost so far; counted from the record, so the same on each resume."""

from typing import Any, Final

import msgspec

from clawactors.agents.failures import BudgetSpent
from clawactors.agents.replies import ModelReply

__all__ = ["Budget", "Price", "Spending"]

_PER_PRICE: Final = 1_000_000


class Price(msgspec.Struct, frozen=True, kw_only=True):
    """What a million tokens cost, in the currency of `Budget.cost`."""

    input: float
    output: float


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """What a run may use up; None is no limit.

    `turns` are calls of the model: in the last one it gets no tools, so that it answers. `tokens` counts what is read
    and written, in all calls. `cost` needs a `Price`, or an endpoint that tells its costs. `seconds` is the time that
    calls of the model and of functions take, and child tasks from their start to their end; the agent's own waits and
    approvals don't count.
    """

    turns: int = 20
    tokens: int | None = None
    cost: float | None = None
    seconds: float | None = None

    def __post_init__(self) -> None:
        if self.turns < 1 or not all(each is None or each > 0 for each in (self.tokens, self.cost, self.seconds)):
            raise ValueError("a budget has 1 turn or more, and more than 0 tokens, cost and seconds")


class Spending:
    """What one run has used up."""

    def __init__(self, budget: Budget, price: Price | None) -> None:
        self._budget, self._price = budget, price
        self.turns, self.tokens, self.cost, self.seconds = 0, 0, 0.0, 0.0

    def add(self, reply: ModelReply) -> None:
        """Counts a call of the model."""
        usage = reply.usage
        self.turns += 1
        self.tokens += usage.input + usage.output
        self.seconds += reply.seconds
        if self._price is not None:
            self.cost += (usage.input * self._price.input + usage.output * self._price.output) / _PER_PRICE
        elif usage.cost is not None:
            self.cost += usage.cost
        elif self._budget.cost is not None:
            raise BudgetSpent("the budget has a cost, but the endpoint tells none: give agent(…, price=Price(…))")

    def check(self, prompt_tokens: int) -> None:
        """Raises `BudgetSpent` where one more call, which reads so many tokens, would be too much."""
        budget = self._budget
        limits: tuple[tuple[str, float, float | None], ...] = (
            ("turns", self.turns + 1, budget.turns),
            ("tokens", self.tokens + prompt_tokens, budget.tokens),
        )
        for what, used, limit in limits:
            if limit is not None and used > limit:
                raise BudgetSpent(self._told(f"{limit:,} {what}"))
        if budget.cost is not None and self.cost + self._least(prompt_tokens) > budget.cost:
            raise BudgetSpent(self._told(f"a cost of {budget.cost:g}"))
        if budget.seconds is not None and self.seconds >= budget.seconds:
            raise BudgetSpent(self._told(f"{budget.seconds:g} seconds"))

    def _least(self, prompt_tokens: int) -> float:
        return 0.0 if self._price is None else prompt_tokens * self._price.input / _PER_PRICE

    def _told(self, limit: str) -> str:
        used = f"{self.turns} turns, {self.tokens:,} tokens, a cost of {self.cost:.4g} and {self.seconds:.1f} s"
        return f"the budget of {limit} does not allow one more call: used are {used}"

    @property
    def is_last_turn(self) -> bool:
        """True where the next call is the last one."""
        return self.turns + 1 >= self._budget.turns

    @property
    def left_s(self) -> float | None:
        """Seconds that are left, None without a limit."""
        return None if self._budget.seconds is None else max(0.1, self._budget.seconds - self.seconds)

    def row(self) -> dict[str, Any]:
        """What was used, as it is emitted."""
        told = {"turns": self.turns, "tokens": self.tokens, "cost": round(self.cost, 6)}
        return told | {"seconds": round(self.seconds, 3)}
