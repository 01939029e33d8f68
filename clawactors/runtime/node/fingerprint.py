"""A short fingerprint of a call, function and arguments: it shows whether the journal still fits the code.

`copy_rows:9f3a2b1c`: the function's name and a check sum of the arguments as JSON. Of an argument that JSON can't hold
only the type counts, and of the path of a file of the task what is the same on every run. The same in every process and
release.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from types import CodeType
from typing import Any, Final
from zlib import crc32

import msgspec

from clawactors.runtime.node.filefolder import FOLDER_PREFIX

__all__ = ["difference", "fingerprint", "tells_apart"]

_NAME_MAX: Final = 60
_NAMED_MAX: Final = 45


def _of_type(value: Any) -> str:
    return f"<{type(value).__qualname__}>"


_encode: Final = msgspec.json.Encoder(order="deterministic", enc_hook=_of_type).encode

_FOLDER: Final = FOLDER_PREFIX.encode()
_IN_FOLDER: Final = re.compile(rb'(?:/[^"/\s]+)*/' + _FOLDER + rb'[^"/]+/[^"/]+(?=/)')
"""Up to the folder of an attempt: it is another one on each run."""

_LAMBDA: Final = "<lambda>"
_NO_ARGUMENTS: Final = f":{crc32(_encode(((), {}))):08x}"


def fingerprint(function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
    """Taken before the call: the function may change what it is given."""
    if isinstance(function, partial):  # which flattens itself
        args, kwargs = (*function.args, *args), {**function.keywords, **kwargs}
        function = function.func
    name = getattr(function, "__qualname__", None) or type(function).__qualname__
    if name.endswith(_LAMBDA) and isinstance(code := getattr(function, "__code__", None), CodeType):
        name = f"<lambda {_named_in(code)}>"
    if len(name) > _NAME_MAX or "<" in name:
        name = name.replace("<locals>.", "")[-_NAME_MAX:]
    try:
        encoded = _encode((args, kwargs))
    except (TypeError, ValueError, OverflowError, RecursionError, msgspec.MsgspecError):
        encoded = _encode(([_of_type(each) for each in args], sorted(kwargs)))
    if _FOLDER in encoded:
        encoded = _IN_FOLDER.sub(b"", encoded)
    return f"{name}:{crc32(encoded):08x}"


@cache
def _named_in(code: CodeType) -> str:
    """The names that the code uses: they distinguish lambdas in every release of Python."""
    names, inner = {*code.co_names, *code.co_freevars}, [code]
    while inner:
        for each in inner.pop().co_consts:
            if isinstance(each, CodeType):
                names.update(each.co_names, each.co_freevars)
                inner.append(each)
    return " ".join(sorted(names))[:_NAMED_MAX]


def tells_apart(call: str) -> bool:
    """True where equal fingerprints mean the same call: a nested function may use more than its arguments."""
    return call != "" and "<" not in call and not call.endswith(_NO_ARGUMENTS)


def difference(recorded: str, now: str) -> str:
    """For people: how the recorded call differs from what the code calls now."""
    was, _, _ = recorded.rpartition(":")
    calls, _, _ = now.rpartition(":")
    if was != calls:
        return f"recorded as a call of {was}, but the code now calls {calls}"
    return f"recorded with other arguments for {was} than the code now passes"
