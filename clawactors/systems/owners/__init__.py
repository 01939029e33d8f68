"""Owners of memories: what each wants of memory, and up to where each has been forgotten; pure.

In: commands go into `decide` with the state of one owner. Out: `claw.owner.<id>.log`; the id follows from the name.
A forgetting is a position of the log: whatever was said up to it, and is within it, never becomes a memory again.
Never here: which memories there are; time, randomness, input or output.
"""

from clawactors.systems.owners.decider import OWNER
from clawactors.systems.owners.events import CODEC, Forgetting, OwnerSettings
from clawactors.systems.owners.identity import EVERYONE, owner_id
from clawactors.systems.owners.owner import Owner

__all__ = ["CODEC", "EVERYONE", "OWNER", "Forgetting", "Owner", "OwnerSettings", "owner_id"]
