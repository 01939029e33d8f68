"""The kinds of aggregates of this release, and the one decoder that all readers of the log share."""

from clawactors.nodes.events import CODEC as NODE_CODEC
from clawactors.schedules.events import CODEC as SCHEDULE_CODEC
from clawactors.tasks.events import CODEC as TASK_CODEC
from eventlog.decoding import Decoder

__all__ = ["DECODER"]

DECODER = Decoder({"task": TASK_CODEC, "node": NODE_CODEC, "schedule": SCHEDULE_CODEC})
