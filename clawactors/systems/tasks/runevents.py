"""That a task begins anew under its id. Tags are promises, as in `events`."""

from typing import Any

import msgspec

from clawactors.systems.tasks.spec import Count

__all__ = ["Continued"]


class Continued(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="task.continued"):
    """Its code has ended a run, and run number `run` begins with these parameters and an empty journal.

    `taken`: so many signals of each name the code has had; those after them stay. `idle`: nothing that it did is on
    record, so the next run begins a second later.
    """

    run: Count
    params: dict[str, Any] = {}
    taken: dict[str, Count] = {}
    idle: bool = False
