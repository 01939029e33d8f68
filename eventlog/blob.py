"""A payload in the object store, as it is listed."""

import msgspec

__all__ = ["Blob"]


class Blob(msgspec.Struct, frozen=True):
    """`put_ns` is when it was put last, by the store's own clock; `version` changes with each put."""

    name: str
    size_bytes: int
    put_ns: int
    version: int
