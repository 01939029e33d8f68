"""Bridges to chats: who may talk to the cluster from where, how far its messages are answered, short numbers. Pure.

In: `commands` from people, and from the process that runs the bridge. Out: `events` on `claw.bridge.<name>.log`.
Never here: what is said, and what it leads to (`clawactors.app.chat`).
"""

from clawactors.systems.bridges.decider import BRIDGE, BridgeState
from clawactors.systems.bridges.events import Ask, ChatMember

__all__ = ["BRIDGE", "Ask", "BridgeState", "ChatMember"]
