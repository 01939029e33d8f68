"""Who may read, change and forget whose memories.

1. The short form of a subject is for the cluster's own account: it sees everything, or says for whom it asks. The form
   that names a principal is for that user, and for nobody else.
2. By default a user sees their own memories and those that nobody owns: these are the shared knowledge of the cluster.
   What repeats memories that somebody owns is none of it.
3. Memories of another owner are read only where the owner shares them, and the question names that owner or asks for
   what others share.
4. Only the owner changes and forgets what is theirs; what nobody owns, the cluster's own account does.
"""

import msgspec

from clawactors.kernel.errors import InvalidQuery, NotFound, Refused
from clawactors.kernel.principals import is_node, may_speak_for, one_spelling, principal_of
from clawactors.memory.index.rows import find, is_restricted
from clawactors.memory.item import Item
from clawactors.memory.process.questions import MemoryQuestion
from clawactors.memory.process.store import MemoryStore
from clawactors.systems.memories import Content, Memory
from clawactors.systems.owners import EVERYONE, Owner

__all__ = ["Access", "access_of", "spelled", "tells"]


class Access(msgspec.Struct, frozen=True):
    """The rights of one question. `user` None is the cluster's own account, '' somebody who owns nothing.

    `skill` is that of the task that asks, `by` who is on record for what it changes.
    """

    user: str | None
    by: str
    skill: str = ""

    def sees(self, owner: str) -> bool:
        """Whether a question that names no owner is answered with memories of this one."""
        return self.user is None or owner in ("", self.user)

    def read(self, store: MemoryStore, owner: str) -> None:
        """Raises `Refused` unless memories of this owner may be read."""
        if not self.sees(owner) and not self._is_shared(store.settings(owner).sharing):
            who = self.user or "a task of no user"
            raise Refused(
                f"{owner[:60]!r} does not share memories with {who[:60]!r}; "
                f"claw memory settings --owner {owner[:60]} --share {who[:60]} lets them"
            )

    def sharing_owners(self, store: MemoryStore) -> tuple[str, ...]:
        """The owners who share their memories with who asks; none for the cluster's own account, which sees all."""
        if self.user is None:
            return ()
        return tuple(sorted(owner.name for owner in store.owners() if self._is_shared(owner.settings.sharing)))

    def visible(self, store: MemoryStore, id: str) -> Item:
        """The memory, where it may be read. Raises: `NotFound`, also where it may not."""
        with store.views.store.snapshot() as reading:
            item = find(reading, id)
            if item is None:
                raise not_found(id)
            if self.user is not None and item.memory.content and is_restricted(reading, item.memory.content):
                raise not_found(id)
        content = item.memory.content
        if content and not self.sees(content.owner) and not self._is_shared(store.settings(content.owner).sharing):
            raise not_found(id)
        if content is None and self.user is not None:
            raise not_found(id)  # whose it was is forgotten too
        return item

    def change(self, owner: str) -> None:
        """Raises `Refused` unless memories of this owner may be changed and forgotten."""
        if self.user is not None and (owner != self.user or not owner):
            whose = f"memories of {owner[:60]!r}" if owner else "what nobody owns"
            raise Refused(f"{self.user[:60] or 'nobody'!r} may not change {whose}")

    def _is_shared(self, sharing: tuple[str, ...]) -> bool:
        names = {EVERYONE, self.user} if self.user else {EVERYONE}
        return any(name in names or (self.skill and name == f"agent:{self.skill}") for name in sharing)


def access_of(question: MemoryQuestion, principal: str) -> Access:
    """The rights of a question; `principal` is '' for the cluster's own account. Raises: `Refused`."""
    if not principal:
        own = f"task/{question.task}" if question.task else f"client/{question.user or ''}".rstrip("/")
        by = question.by or own
        return Access(question.user, by, question.skill)
    if is_node(principal):
        # On behalf of a task, and so for its user alone.
        return Access(question.user or "", f"task/{question.task}", question.skill)
    user = question.user or principal
    if principal_of(user) != principal:
        raise Refused(f"{principal!r} can't ask for {user[:60]!r}")
    return Access(user, f"client/{principal}")


def spelled[Q: MemoryQuestion](question: Q) -> Q:
    """The question with names as they are stored. Raises: `InvalidQuery` where one stands for everybody."""
    named = {name: getattr(question, name, None) for name in ("owner", "user")}
    if EVERYONE in named.values():
        raise InvalidQuery("* stands for all owners: name one, or leave the owner out")
    changes = {name: new for name, old in named.items() if old and (new := one_spelling(old)) != old}
    return msgspec.structs.replace(question, **changes) if changes else question


def tells(principal: str, state: object) -> bool:
    """Whether a principal may know the state: of its own memories and settings, and of no conversation."""
    match state:
        case Memory() if is_node(principal):
            return True  # it records them, and has to know what is there
        case Memory(content=Content(owner=owner)) | Owner(name=owner):
            return bool(owner) and may_speak_for(principal, owner)
        case _:
            return False


def not_found(id: str) -> NotFound:
    """The error for an unknown memory."""
    return NotFound(f"there is no memory {id[:128]!r}")
