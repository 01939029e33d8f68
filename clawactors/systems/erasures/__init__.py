"""Erasures: that an owner's words are gone for good, on record; pure.

In: commands go into `decide` with the state of one owner's erasures; the id of the aggregate follows from the owner's
name, which is not in it. Out: `claw.erasure.<id>.log`. What was sealed with the keys that an erasure names can't be
read from its end on, by any reader of the log, whenever it reads.
Never here: a key, or a word of what was erased.
"""

from clawactors.systems.erasures.decider import ERASURE, Erasure, ErasureRun
from clawactors.systems.erasures.events import CODEC, Erased

__all__ = ["CODEC", "ERASURE", "Erased", "Erasure", "ErasureRun"]
