"""States of aggregates as JSON, for those who ask another process for one."""

from typing import Any, Final

import msgspec

__all__ = ["decode_state", "encode_state"]


def _plain(value: Any) -> Any:
    """A container of ours as a list; its type says how it is made of one (`from_list`)."""
    if hasattr(type(value), "from_list"):
        return list(value)
    raise NotImplementedError(f"{type(value).__name__} has no JSON form")


def _whole(kind: type, value: Any) -> Any:
    return kind.from_list(value)  # type: ignore[attr-defined]  # `_plain` gave it


_encoder: Final = msgspec.json.Encoder(enc_hook=_plain)


def encode_state(state: Any) -> bytes:
    """The state as JSON."""
    return _encoder.encode(state)


def decode_state[S](kind: type[S], body: bytes | msgspec.Raw) -> S:
    """The state of that type. Raises: `msgspec.ValidationError` for what another release has sent."""
    return msgspec.json.decode(body, type=kind, dec_hook=_whole)
