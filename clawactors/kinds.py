"""The one list of kinds. A new system adds a line here; see docs/adding-a-system.md."""

from typing import Final

from clawactors.kernel.kind import Kinds
from clawactors.systems.alarms.kind import ALARMS
from clawactors.systems.backups.kind import BACKUPS
from clawactors.systems.bridges.kind import BRIDGES
from clawactors.systems.chats.kind import CHATS
from clawactors.systems.erasures.kind import ERASURES
from clawactors.systems.identities.kind import IDENTITIES
from clawactors.systems.keys.kind import KEYS
from clawactors.systems.memories.kind import MEMORIES
from clawactors.systems.nodes.kind import NODES
from clawactors.systems.owners.kind import OWNERS
from clawactors.systems.schedules.kind import SCHEDULES
from clawactors.systems.settings.kind import SETTINGS
from clawactors.systems.tasks.kind import TASKS
from clawactors.systems.triggers.kind import TRIGGERS
from clawactors.systems.workflows.kind import WORKFLOWS

__all__ = ["DECODER", "KINDS"]

KINDS: Final = Kinds(
    (
        TASKS,
        NODES,
        SCHEDULES,
        TRIGGERS,
        WORKFLOWS,
        BACKUPS,
        ALARMS,
        BRIDGES,
        CHATS,
        MEMORIES,
        OWNERS,
        ERASURES,
        SETTINGS,
        KEYS,
        IDENTITIES,
    )
)
DECODER: Final = KINDS.decoder
