"""Classes for code that is not async, made of those of the async client: the same names, arguments and docstrings.

Nothing is listed here: what the async class has, the other has. `clawactors/app/syncclient.pyi` tells type checkers.
"""

import asyncio
import inspect
import re
from collections.abc import AsyncIterator, Callable, Iterator
from functools import cached_property, partial, wraps
from types import FunctionType, MethodType
from typing import Any, Final

from clawactors.runtime.client.ref import Ref, TypedRef
from clawactors.runtime.client.syncloop import LoopThread, told_to_caller

__all__ = ["HIDDEN", "SyncProxy", "add_methods", "is_asynchronous", "proxy_class", "proxy_of"]

HIDDEN: Final = frozenset(("aclose", "skills"))
"""What only the async client has: how it is closed, and a cache of its own."""

_READ_AHEAD: Final = 256
_ASKS_BACK: Final = re.compile(r"Callable\[.*Awaitable\[")
_TELLS: Final = re.compile(r"Callable\[.*\bNone\]$")


class SyncProxy:
    """Stands for an object of the async client; `make` makes it, again after a fork."""

    def __init__(self, link: Callable[[], LoopThread[Any]], make: Callable[[LoopThread[Any]], Any]) -> None:
        self._link, self._make = link, make
        self._made: tuple[LoopThread[Any] | None, Any] = None, None

    def _target(self, link: LoopThread[Any]) -> Any:
        if self._made[0] is not link:
            self._made = link, self._make(link)
        return self._made[1]

    def __repr__(self) -> str:
        return repr(self._target(self._link())).replace("<", "<sync ", 1)


class _ReadAhead:
    """Hands over many items at a time, where they are there: a turn of two threads costs more than most items."""

    def __init__(self, iterator: AsyncIterator[Any]) -> None:
        self._iterator = iterator
        self._next: asyncio.Future[Any] | None = None

    async def some(self) -> list[Any]:
        """One item or more, none at the end. Raises: what the iterator raises, after the items before it."""
        items: list[Any] = []
        while len(items) < _READ_AHEAD:
            if self._next is None:
                self._next = asyncio.ensure_future(anext(self._iterator))
            if items:
                await asyncio.sleep(0)
                if not self._next.done() or self._next.cancelled() or self._next.exception() is not None:
                    break
            try:
                items.append(await self._next)
            except StopAsyncIteration:
                break
            self._next = None
        return items

    async def aclose(self) -> None:
        """Ends the iterator."""
        if self._next is not None:
            self._next.cancel()
            await asyncio.wait((self._next,))
            if not self._next.cancelled():
                self._next.exception()  # it is known
        close = getattr(self._iterator, "aclose", None)
        if close is not None:
            await close()


def _iterated(link: LoopThread[Any], iterator: AsyncIterator[Any]) -> Iterator[Any]:
    ahead = _ReadAhead(iterator)
    try:
        while items := link.call(ahead.some):
            yield from items
    finally:
        link.post(ahead.aclose)


def proxy_of(value: Any, link: Callable[[], LoopThread[Any]], again: Callable[[LoopThread[Any]], Any]) -> Any:
    """The value, or what stands for it where it is of the async client; `again` makes the value after a fork."""
    if isinstance(value, Ref):
        id, new, returns = value.id, value.new, getattr(value, "_returns", None)
        if returns is None:
            return proxy_class(Ref)(link, lambda link: Ref(link.opened, id, new=new))
        return proxy_class(TypedRef)(link, lambda link: TypedRef(link.opened, id, returns, new=new))
    if isinstance(value, AsyncIterator):
        return _iterated(link(), value)
    if type(value).__module__.startswith("clawactors") and is_asynchronous(type(value)):
        return proxy_class(type(value))(link, again)
    return value


def is_asynchronous(kind: type) -> bool:
    """True for a class with methods that are awaited."""
    known = _asynchronous.get(kind)
    if known is None:
        names = (name for name in dir(kind) if not name.startswith("_"))
        known = _asynchronous[kind] = any(inspect.iscoroutinefunction(getattr(kind, name)) for name in names)
    return known


_asynchronous: dict[type, bool] = {}
_proxies: dict[type, type[SyncProxy]] = {}


def proxy_class(asynchronous: type) -> type[SyncProxy]:
    """The class whose instances stand for those of that one, `Sync` before its name."""
    if (made := _proxies.get(asynchronous)) is not None:
        return made
    base = proxy_class(Ref) if asynchronous is TypedRef else SyncProxy
    made = type(f"Sync{asynchronous.__name__}", (base,), {"__doc__": asynchronous.__doc__})
    add_methods(made, asynchronous)
    if asynchronous is Ref:
        made.id = property(lambda self: self._target(self._link()).id, doc="The id of the task.")  # type: ignore[attr-defined]
    return _proxies.setdefault(asynchronous, made)


def add_methods(proxy: type[SyncProxy], asynchronous: type) -> None:
    """Gives `proxy` each public method and property of `asynchronous` that it does not have."""
    for name in dir(asynchronous):
        if name.startswith("_") or name in HIDDEN or name in proxy.__dict__:
            continue
        found = inspect.getattr_static(asynchronous, name)
        if isinstance(found, FunctionType):
            setattr(proxy, name, _method(name, found))
        elif isinstance(found, property | cached_property):
            setattr(proxy, name, property(partial(_property, name), doc=found.__doc__))


def _property(name: str, proxy: SyncProxy) -> Any:
    return proxy_of(
        getattr(proxy._target(proxy._link()), name),
        proxy._link,
        lambda link: getattr(proxy._target(link), name),
    )


def _method(name: str, function: FunctionType) -> Callable[..., Any]:
    parameters = list(inspect.signature(function).parameters)
    functions = {
        parameter: (parameters.index(parameter) - 1, bool(_ASKS_BACK.search(str(annotation))))
        for parameter, annotation in function.__annotations__.items()
        if parameter != "return" and (_ASKS_BACK.search(str(annotation)) or _TELLS.search(str(annotation)))
    }
    waits = inspect.iscoroutinefunction(function)

    @wraps(function)
    def method(self: SyncProxy, *args: Any, **kwargs: Any) -> Any:
        given = list(args)
        link = self._link()
        target = self._target(link)
        for parameter, (place, asks_back) in functions.items():
            if parameter in kwargs:
                kwargs[parameter] = _for_loop(kwargs[parameter], target, asks_back=asks_back)
            elif place < len(given):
                given[place] = _for_loop(given[place], target, asks_back=asks_back)
        bound = partial(getattr(target, name), *given, **kwargs)
        again = lambda link: getattr(self._target(link), name)(*given, **kwargs)  # noqa: E731
        return proxy_of(link.call(bound) if waits else bound(), self._link, again)

    return method


def _for_loop(function: Any, target: Any, *, asks_back: bool) -> Any:
    """The function as the loop may call it: what tells runs in the caller's thread, what asks back in one of a pool."""
    if not callable(function):
        return function
    if not asks_back:
        return told_to_caller(function)
    if isinstance(function, MethodType) and isinstance(function.__self__, SyncProxy):
        return getattr(target, function.__name__)

    async def ask_back(*args: Any, **kwargs: Any) -> Any:
        return await asyncio.to_thread(function, *args, **kwargs)

    return ask_back
