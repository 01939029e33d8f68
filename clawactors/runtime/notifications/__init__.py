"""Notifications: what happened, said to people, and the ways it goes out.

In: what rules ask for, gathered by `clawactors.runtime.control.triggers.notices`. Out: mail, webhooks, desktop, chats.
Never here: text of tasks as anything but text. It is cut, freed of what is no character, and marked as quoted.
"""

from clawactors.runtime.notifications.outlets import Outlets
from clawactors.runtime.notifications.words import NoticeMessage

__all__ = ["NoticeMessage", "Outlets"]
