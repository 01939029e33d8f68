"""The `skill` decorator: a function with a name, a retry policy and limits. There is no global registry."""

import inspect
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping
from functools import cached_property
from typing import Any, Concatenate, Final, Protocol, cast, overload, override

import msgspec

from clawactors.eventlog import is_id
from clawactors.kernel.errors import Refused
from clawactors.systems.nodes.events import Offer
from clawactors.systems.skills.callables import call_async, is_async, unwrapped
from clawactors.systems.skills.parameters import Conversion, check_params, described, parameters_of
from clawactors.systems.skills.returns import Returns, returns_of
from clawactors.systems.tasks.failures import ErrorRule
from clawactors.systems.tasks.jsonvalues import said_of
from clawactors.systems.tasks.retry import DEFAULT_RETRY, OnFailure, Retry

__all__ = ["Skill", "SkillCall", "TypedSkill", "asked_of", "checked_skills", "skill"]


CANCEL_GRACE_S: Final = 30.0
"""How long the code of a task may clean up after a cancel."""


class Skill:
    """A function that nodes run as tasks. Calling it calls the function, so that it stays easy to test."""

    def __init__(
        self,
        function: Callable[..., Any],
        name: str,
        *,
        version: str,
        retry: Retry,
        timeout_s: float | None,
        heartbeat_s: float | None = None,
        errors: tuple[ErrorRule, ...] = (),
        isolate: bool = False,
        memory_mb: int | None = None,
        secrets: tuple[str, ...] = (),
        concurrency: int | None = None,
        on_failure: OnFailure = "retry",
        cancel_grace_s: float = CANCEL_GRACE_S,
        recover: Callable[..., Any] | None = None,
    ) -> None:
        self.function, self.name, self.version = function, name, version
        self.retry, self.timeout_s, self.heartbeat_s, self.errors = retry, timeout_s, heartbeat_s, errors
        self.cancel_grace_s = cancel_grace_s
        self.isolate, self.memory_mb, self.secrets = isolate, memory_mb, secrets
        self.is_async, self._is_plain = is_async(function), inspect.iscoroutinefunction(function)
        self.on_failure, self.recover = on_failure, recover
        self.in_thread = not (self.is_async or isolate)
        if isolate and (self.is_async or "<locals>" in getattr(function, "__qualname__", "<locals>")):
            raise ValueError(
                f"skill {name!r} with isolate=True must be a sync function at module level, not {described(function)}"
            )
        if recover is not None and is_async(recover) and not self.is_async:
            raise ValueError(f"recover of skill {name!r} must be sync, as the skill is")
        parameters, takes_more = parameters_of(function)
        description = (inspect.getdoc(unwrapped(function)) or "").partition("\n")[0]
        self._required = frozenset(parameter.name for parameter in parameters if parameter.required)
        self.offer = Offer(
            name,
            version,
            description,
            parameters,
            takes_more,
            timeout_s,
            concurrency=concurrency,
            errors=tuple(map(str, errors)),
            recover="" if recover is None else getattr(recover, "__qualname__", type(recover).__qualname__),
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Calls the function itself."""
        return self.function(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<skill {self.name!r}>"

    def coroutine(self, task: Any, arguments: dict[str, Any]) -> Coroutine[Any, Any, Any]:
        """What runs in the event loop, of an async function."""
        return self.function(task, **arguments) if self._is_plain else call_async(self.function, task, arguments)

    @cached_property
    def returns(self) -> Returns:
        """What it returns, as of its annotation."""
        return returns_of(self.function)

    @cached_property
    def _converted(self) -> Conversion:
        return Conversion(self.function)

    def arguments(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Keyword arguments for the function, converted to what its annotations say. Raises `Refused`."""
        if not (params or self._required):
            return {}
        try:
            arguments = self._converted(params)
        except msgspec.ValidationError as error:
            check_params(self.offer, params)  # says it better where it sees it too
            raise Refused(f"skill {self.name!r}: {said_of(error, params)}") from None
        if not self._required <= params.keys():
            check_params(self.offer, params)
        return arguments


class SkillCall[R]:
    """A skill with its parameters, for `Client.run` and `Client.submit`; made by `TypedSkill.call`."""

    def __init__(self, skill: str, params: dict[str, Any], returns: Returns) -> None:
        self.skill, self.params, self.returns = skill, params, returns

    def __repr__(self) -> str:
        return f"<call of skill {self.skill!r}>"


class TypedSkill[**P, R](Skill):
    """A skill whose parameters and result type checkers know."""

    @override
    def __call__(self, task: Any, *args: P.args, **kwargs: P.kwargs) -> Any:
        """Calls the function itself."""
        return self.function(task, *args, **kwargs)

    def call(self, *args: P.args, **kwargs: P.kwargs) -> SkillCall[R]:
        """The skill with these parameters, to be run as a task. Raises: `TypeError` where they don't fit."""
        bound = inspect.signature(self.function).bind(None, *args, **kwargs)
        _, *named = bound.arguments.items()
        params: dict[str, Any] = {}
        for name, value in named:
            params |= value if bound.signature.parameters[name].kind is inspect.Parameter.VAR_KEYWORD else {name: value}
        return SkillCall(self.name, params, self.returns)


def asked_of(
    function: str, skill: "str | Skill | SkillCall[Any]", params: Mapping[str, Any] | None
) -> tuple[str, Mapping[str, Any] | None, Returns | None]:
    """The name of a skill, its parameters, and what it returns where it is at hand.

    Raises: `TypeError` that names the `function` which was called, for parameters beside a call.
    """
    given: Any = skill  # anything may be given
    if isinstance(given, SkillCall):
        if params is not None:
            raise TypeError(f"{function}() takes the parameters in the call of {given.skill!r}, not beside it")
        return given.skill, given.params, given.returns
    return (given.name, params, given.returns) if isinstance(given, Skill) else (given, params, None)


def checked_skills(skills: object) -> tuple[Skill, ...]:
    """The skills themselves. Raises: `TypeError` where they are something else."""
    given = tuple(skills) if isinstance(skills, Iterable) else (skills,)
    found = tuple(each for each in given if isinstance(each, Skill))
    if len(found) < len(given) or not isinstance(skills, Iterable):
        shown = next((each for each in given if not isinstance(each, Skill)), skills)
        raise TypeError(f"skills are a list of functions with @skill, as in [order], not {repr(shown)[:60]}")
    return found


class SkillDecorator(Protocol):
    """What `skill` makes: it keeps the types of the function."""

    @overload
    def __call__[**P, R](
        self, function: Callable[Concatenate[Any, P], Coroutine[Any, Any, R]], /
    ) -> TypedSkill[P, R]: ...

    @overload
    def __call__[**P](self, function: Callable[Concatenate[Any, P], AsyncIterator[Any]], /) -> TypedSkill[P, None]: ...

    @overload
    def __call__[**P, R](self, function: Callable[Concatenate[Any, P], R], /) -> TypedSkill[P, R]: ...


def skill(
    name: str,
    *,
    version: str = "1",
    retry: Retry | None = None,
    timeout_s: float | None = None,
    heartbeat_s: float | None = None,
    errors: Iterable[ErrorRule] = (),
    isolate: bool = False,
    memory_mb: int | None = None,
    secrets: Iterable[str] = (),
    concurrency: int | None = None,
    on_failure: OnFailure = "retry",
    cancel_grace_s: float = CANCEL_GRACE_S,
    recover: Callable[..., Any] | None = None,
) -> SkillDecorator:
    """Makes a function a skill: its first parameter is the task's handle, the others are the task's parameters.

    Without `retry` it is tried again three times, after 1, 2 and 4 s; after network errors 1, 4 and 16 s.
    `timeout_s` bounds one attempt, in seconds; `heartbeat_s` how long its code may be silent: no heartbeat, progress or
    record. `errors` are rules for its failures, taken before the general ones.
    Sync functions run in threads; with `isolate` in a process of their own, which may have `memory_mb` of addresses and
    is killed when its time is over. `secrets` are names of what its node must hold; `task.secret(name)` gives them.
    `on_failure` says what follows when its retries are used up: see `OnFailure`.
    At most `concurrency` of its tasks are under way at once in the whole cluster; those that wait or sleep don't count.
    After a cancel its code may clean up, with recorded steps, for `cancel_grace_s` seconds.
    `recover(task, lost)` is asked before its code goes on after the loss of a node: it returns, or raises; `lost` is a
    `LostWork`. With it, each step is on record before it begins.
    """
    if memory_mb is not None and not (isolate and memory_mb > 0):
        raise ValueError("memory_mb is more than 0, and for isolated code")
    rules, asked = tuple(errors), tuple(secrets)
    if isinstance(secrets, str) or not all(is_id(each) for each in asked):
        raise ValueError("secrets are a list of names: letters, digits, '-' or '_'")
    if not 0 < len(name) <= 128 or not name.isprintable() or any(each.isspace() or each in "*>" for each in name):
        raise ValueError(f"{name!r} is no skill name: 1 to 128 printable characters, no white space, no wildcard")
    if timeout_s is not None and not timeout_s > 0:
        raise ValueError("a timeout is more than 0 s")
    if heartbeat_s is not None and not heartbeat_s > 0:
        raise ValueError("heartbeat_s is more than 0 s")
    if on_failure not in OnFailure.__value__.__args__:
        raise ValueError(f"on_failure is one of {', '.join(OnFailure.__value__.__args__)}, not {on_failure!r}")
    if concurrency is not None and not (type(concurrency) is int and 0 < concurrency < 2**63):
        raise ValueError("concurrency is how many of its tasks may be under way at once: 1 or more")

    if recover is not None and not callable(recover):
        raise ValueError(f"recover is a function of the task and what was lost, not {type(recover).__name__}")
    if not 0 <= cancel_grace_s < 1e6:
        raise ValueError("cancel_grace_s is how many seconds the code may clean up after a cancel: 0 or more")

    def wrap(function: Callable[..., Any]) -> TypedSkill[..., Any]:
        return TypedSkill(
            function,
            name,
            version=version,
            retry=retry or DEFAULT_RETRY,
            timeout_s=timeout_s,
            heartbeat_s=heartbeat_s,
            errors=rules,
            isolate=isolate,
            memory_mb=memory_mb,
            secrets=asked,
            concurrency=concurrency,
            on_failure=on_failure,
            cancel_grace_s=cancel_grace_s,
            recover=recover,
        )

    return cast("SkillDecorator", wrap)
