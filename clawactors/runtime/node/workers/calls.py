"""What the code in a worker may call: the methods of `TaskContext`, as JSON."""

import base64
import binascii
import inspect
from typing import TYPE_CHECKING, Any, Final

import msgspec

from clawactors.kernel.errors import Refused
from clawactors.runtime.node.childfailed import ChildFailed
from clawactors.runtime.node.context import TaskContext, children_of
from clawactors.runtime.node.failure import classify
from clawactors.runtime.node.workers.protocol import CodeCall, CodeError

if TYPE_CHECKING:
    from clawactors.runtime.node.attempt.attempt import Attempt

__all__ = ["CALLS", "error_told", "make_call"]

_PLAIN: Final = frozenset(
    (
        *("sleep", "signal", "approve", "emit", "secret", "remember", "recall", "context", "ask_memory"),
        *("results", "plan", "continue_as", "patched", "run"),
    )
)
"""Methods of `TaskContext` whose arguments and results are JSON."""

_CHILDREN: Final = {
    "submit": "submit_child",
    "child_result": "result",
    "gather": "gather",
    "cancel_child": "cancel_child",
}
"""Methods of `TaskChildren`, by the name of their call."""

CALLS: Final = (*sorted(_PLAIN), *_CHILDREN, "store", "file", "save_file", "step", "answer")
"""All of them; `step` and `answer` are of `serving`."""


async def make_call(task: TaskContext, attempt: "Attempt", call: CodeCall, children: set[str]) -> Any:
    """What the call returns, as JSON; `children` are those that the code has submitted, and grows.

    Raises: what the call raises; `Refused` where there is none of that name.
    """
    args, options = call.args, call.options
    try:
        match call.method:
            case "store":
                return await task.store(_bytes_of(*args))
            case "file":
                return await _file(task, *args)
            case "save_file":
                name, path, *more = args
                if more or not isinstance(path, str):
                    raise Refused("save_file takes a name and the path of a file")
                return await attempt.files.save(name, path, bool(options.get("within_step")))
            case "submit":
                skill, params = (*args, None)[:2]
                children.add(id := await children_of(task).submit_child(skill, params, options))
                return id
            case "gather":
                ids = [_known(id, children) for id in args[0]]
                values = await children_of(task).gather(ids, options.get("need"), options.get("on_failure", "cancel"))
                return [_outcome(value) for value in values]
            case method if method in _CHILDREN:
                return await getattr(children_of(task), _CHILDREN[method])(_known(args[0], children))
            case method if method in _PLAIN:
                function = getattr(task, method)
                inspect.signature(function).bind(*args, **options)
                result = function(*args, **options)
                return await result if inspect.isawaitable(result) else result
            case unknown:
                raise Refused(f"a task has no call {unknown!r}; it has {', '.join(CALLS)}")
    except (TypeError, LookupError) as error:
        raise Refused(f"{call.method}: {error}") from None


def _known(id: Any, children: set[str]) -> str:
    if id not in children:
        raise Refused(f"the code has submitted no child {repr(id)[:60]}: submit returns its id")
    return str(id)


def _outcome(value: Any) -> Any:
    if not isinstance(value, ChildFailed):
        return {"value": value}
    return {"error": error_told(value)}


async def _file(task: TaskContext, name: Any) -> dict[str, Any]:
    file = task.file(name)
    facts = {"name": file.name, "bytes": file.size_bytes, "sha256": file.sha256, "path": str(await file.path())}
    return facts | {"reference": msgspec.to_builtins(file.stored)}


def _bytes_of(text: Any) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError, TypeError):
        raise Refused("store takes bytes as base64") from None


def error_told(error: Exception, cancelled: bool = False) -> CodeError:
    """What a call has raised, as the worker is told."""
    told, strategy = classify(error)
    name = type(error).__name__
    data = None
    if isinstance(error, ChildFailed):
        data = {"child": error.id, "status": error.status}
    kind = "cancelled" if cancelled else told.kind
    message = str(error) if isinstance(error, Refused | ChildFailed | TimeoutError) else told.message
    return CodeError(message, name, kind, strategy not in ("give_up", "ask"), data=data)
