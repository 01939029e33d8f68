"""The cache of contexts: bounded, compressed, dropped by owner and by time."""

from clawactors.memory.index.writer import Change
from clawactors.memory.item import Item
from clawactors.memory.process.contextcache import ContextCache
from clawactors.systems.memories import Content, Memory

BODY = b'{"text": "' + b"the same words again and again " * 200 + b'"}'


def change(owner: str, before: str | None, after: str | None, importance: float = 0.5) -> Change:
    def item(text: str | None, weight: float) -> Item:
        content = None if text is None else Content(text=text, owner=owner, importance=weight)
        return Item(1, "m-1", 1, Memory("live" if content else "forgotten", content))

    return Change(None if before is None else item(before, 0.5), item(after, importance))


def test_answers_are_kept_compressed_until_they_expire() -> None:
    cache = ContextCache(expires_s=10)
    entry = cache.put(b"q", BODY, frozenset({"maya"}), 0, cache.changes)
    assert len(entry.body) < len(BODY) / 10
    known = cache.get(b"q", 9 * 10**9)
    assert known is not None
    assert known.unpacked() == BODY
    assert cache.get(b"q", 10 * 10**9) is None
    assert cache.get(b"q", 0) is None


def test_a_change_drops_what_depends_on_its_owner() -> None:
    cache = ContextCache()

    def fill() -> None:
        for name, owners in ((b"maya", frozenset({"maya", ""})), (b"bob", frozenset({"bob", ""})), (b"all", None)):
            cache.put(name, BODY, owners, 0, cache.changes)

    def left() -> set[bytes]:
        return {name for name in (b"maya", b"bob", b"all") if cache.get(name, 1)}

    fill()
    cache.changed([change("maya", "old", "new")])
    assert left() == {b"bob"}
    fill()
    cache.changed([change("bob", "old", None)])
    assert left() == {b"maya"}
    fill()
    cache.changed([change("", None, "everybody's")])
    assert left() == set()
    fill()
    cache.changed([change("maya", "same", "same", importance=0.9)])
    assert left() == {b"maya", b"bob", b"all"}
    cache.changed(None)
    assert left() == set()


def test_an_answer_that_a_change_overtook_is_not_kept_and_the_oldest_make_room() -> None:
    cache = ContextCache(bytes_max=400)
    begun = cache.changes
    cache.changed([change("maya", None, "new")])
    cache.put(b"late", BODY, None, 0, begun)
    assert cache.get(b"late", 1) is None
    for number in range(50):
        cache.put(b"%d" % number, BODY, None, 0, cache.changes)
    assert cache.get(b"0", 1) is None
    assert cache.get(b"49", 1) is not None
