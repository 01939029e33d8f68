"""Skills as a worker declares them, and errors as it tells them: what a node makes of both."""

from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final, override

import msgspec
from msgspec.structs import replace

from clawactors.eventlog import Misconfigured
from clawactors.runtime.node.errortext import MESSAGE_MAX
from clawactors.runtime.node.failure import FailureReport
from clawactors.runtime.node.workers.protocol import CodeError, SkillDeclaration
from clawactors.systems.nodes.events import Parameter
from clawactors.systems.skills import Skill, skill
from clawactors.systems.skills.parameters import check_params
from clawactors.systems.tasks.events import TaskError
from clawactors.systems.tasks.failures import STRATEGIES, ErrorRule, Strategy, Symptom, kind_of
from clawactors.systems.tasks.retry import DEFAULT_RETRY, Retry

__all__ = ["WorkerSkill", "failure_of", "skill_of"]

_TYPES: Final = frozenset(("string", "integer", "number", "boolean", "array", "object", "null"))
_TRACEBACK_MAX: Final = 16_000

type RunCode = Callable[[Any, str, dict[str, Any]], Coroutine[Any, Any, Any]]
"""Runs the code of the skill of that name with the parameters, for a task."""


class WorkerSkill(Skill):
    """A skill whose code runs in a worker; it gets its parameters as they are."""

    @override
    def arguments(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Raises: `Refused` where they don't fit what the worker declares."""
        check_params(self.offer, params)
        return {"params": dict(params)}


def skill_of(declared: SkillDeclaration, run: RunCode) -> WorkerSkill:
    """The skill. Raises: `Misconfigured` for what can't be one, with the reason."""

    async def code(task: Any, params: dict[str, Any]) -> Any:
        return await run(task, declared.name, params)

    try:
        options: dict[str, Any] = {
            "version": declared.version,
            "retry": DEFAULT_RETRY if declared.retry is None else msgspec.convert(declared.retry, Retry),
            "timeout_s": declared.timeout_s,
            "heartbeat_s": declared.heartbeat_s,
            "secrets": declared.secrets,
            "concurrency": declared.concurrency,
            "on_failure": declared.on_failure,
            "cancel_grace_s": declared.cancel_grace_s,
        }
        skill(declared.name, **options)(code)  # checks them
        made = WorkerSkill(code, declared.name, **options)
        parameters, is_open = _parameters_of(declared.parameters)
    except (ValueError, msgspec.ValidationError) as error:
        raise Misconfigured(f"skill {declared.name!r}: {error}") from None
    made.offer = replace(made.offer, description=declared.description, parameters=parameters, open=is_open)
    return made


def _parameters_of(schema: dict[str, Any]) -> tuple[tuple[Parameter, ...], bool]:
    """What a JSON Schema of an object says, as a node offers it. Raises: `ValueError`."""
    properties, required = schema.get("properties", {}), schema.get("required", [])
    if schema.get("type", "object") != "object" or not isinstance(properties, dict) or not isinstance(required, list):
        raise ValueError("parameters are a JSON Schema of an object: type, properties, required")
    named = tuple(
        Parameter(name, _type_of(each), name in required)
        for name, each in {**dict.fromkeys(required), **properties}.items()
    )
    return named, bool(schema.get("additionalProperties", not schema))


def _type_of(schema: Any) -> str:
    given = schema.get("type", "any") if isinstance(schema, dict) else "any"
    kinds = given if isinstance(given, list) else [given]
    return "|".join(sorted(map(str, kinds))) if kinds and all(each in _TYPES for each in kinds) else "any"


def failure_of(error: CodeError, rules: tuple[ErrorRule, ...] = ()) -> FailureReport:
    """What a worker raised, with its class and what follows."""
    if error.kind.isidentifier():
        kind, strategy = error.kind, STRATEGIES.get(error.kind, "here")
    else:
        symptom = Symptom((error.type,), error.message, status=error.status)
        kind, strategy = kind_of((symptom,), rules)
    if error.retryable is not None:
        strategy = _retried(strategy) if error.retryable else "give_up"
    text = f"{error.type}: {error.message}" if error.message else error.type
    return FailureReport(TaskError(kind, text[:MESSAGE_MAX], error.traceback[:_TRACEBACK_MAX]), strategy)


def _retried(strategy: Strategy) -> Strategy:
    return "here" if strategy in ("give_up", "ask") else strategy
