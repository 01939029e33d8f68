"""The levels of memory that are never stored: what just happened, and what a running task has before it.

In: commits as they come. Out: the newest raw events, and a task's working text cut to a budget. Both are refilled from
the log after a restart. Never here: an event of memory's own; the episodic and the semantic level are the index.
"""

from clawactors.memory.level.sensory import SENSES, Sensory
from clawactors.memory.level.working import Working, tokens

__all__ = ["SENSES", "Sensory", "Working", "tokens"]
