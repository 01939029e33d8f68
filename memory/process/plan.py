"""What a memory process does by itself, as the settings of the cluster want it."""

from typing import Final

import msgspec

from clawactors.systems.settings import DEFAULTS, Settings

__all__ = ["DEFAULT_PLAN", "MemoryPlan", "plan_of"]


class MemoryPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What a memory process does by itself. On request it consolidates in any case.

    `daily_s`: how often it consolidates all of the time since the last run, 0 for never; `incremental`: it consolidates
    new memories as they come; `extracts`: it has memories made of chat messages.
    """

    daily_s: float = DEFAULTS.memory_daily
    incremental: bool = DEFAULTS.memory_incremental
    extracts: bool = DEFAULTS.memory_extracts


DEFAULT_PLAN: Final = MemoryPlan()


def plan_of(settings: Settings) -> MemoryPlan:
    """The plan that the settings make."""
    return MemoryPlan(
        daily_s=settings.memory_daily, incremental=settings.memory_incremental, extracts=settings.memory_extracts
    )
