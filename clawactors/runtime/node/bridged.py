"""What sync code calls over its bridge, as the node runs it: methods of the task, of its children, of its files."""

import inspect
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from clawactors.runtime.node.attempt.files import FILE_CALLS
from clawactors.runtime.node.context import children_of
from clawactors.runtime.node.syncchildren import CHILD_CALLS

if TYPE_CHECKING:
    from clawactors.runtime.node.attempt.attempt import Attempt
    from clawactors.runtime.node.context import TaskContext

__all__ = ["call_in_node"]


async def call_in_node(
    attempt: "Attempt", context: "TaskContext", method: str, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> Any:
    """What the method returns. Raises: what it raises."""
    holder: Any = context
    if method in CHILD_CALLS:
        holder = children_of(context)
    elif method in FILE_CALLS:
        holder = attempt.files
    result = getattr(holder, method)(*args, **kwargs)
    return await result if inspect.isawaitable(result) else result
