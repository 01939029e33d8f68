"""Which parts memory is made of, by name: a TOML file, `memory.toml` in the data folder unless another is named.

Secrets are not in it: `key_env` names the environment variable that holds the key of an endpoint.
"""

import importlib
import tomllib
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec

from clawactors.eventlog import Misconfigured

__all__ = ["DEFAULT_CONFIG", "EndpointSettings", "MemoryConfig", "PartSettings", "imported", "read_config"]

_NAME: Final = "memory.toml"

type _Positive = Annotated[float, msgspec.Meta(gt=0, le=3600)]
type _Count = Annotated[int, msgspec.Meta(ge=1, le=10_000)]


class PartSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One part: `use` names a built-in part or `module:function`, which gets these settings and makes the part.

    `endpoint` names one of the endpoints, `model` its model; `options` are for parts of your own.
    """

    use: str = ""
    path: str = ""
    endpoint: str = ""
    model: str = ""
    dimensions: Annotated[int, msgspec.Meta(ge=0, le=16_384)] = 0
    options: dict[str, Any] = {}


class EndpointSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A server that speaks the protocol of OpenAI. `url` ends where `/embeddings` or `/chat/completions` follow.

    `timeout_s` limits one request in the background, `question_timeout_s` one that a search waits for.
    """

    url: str
    key_env: str = ""
    timeout_s: _Positive = 60.0
    question_timeout_s: _Positive = 2.0
    attempts: _Count = 4
    batch: _Count = 64
    requests_per_minute: Annotated[float, msgspec.Meta(ge=0)] = 0.0


class MemoryConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All parts. One that is not named is the default, which needs no model and no network.

    `corpus` names readers of files by the end of their names: `org = "module:function"`.
    """

    corpus: dict[str, str] = {}
    chunk: PartSettings = PartSettings()

    embed: PartSettings = PartSettings()
    store: PartSettings = PartSettings()
    retrieve: PartSettings = PartSettings()
    rerank: PartSettings = PartSettings()
    extract: PartSettings = PartSettings()
    summarize: PartSettings = PartSettings()
    endpoints: dict[str, EndpointSettings] = {}


DEFAULT_CONFIG: Final = MemoryConfig()


def imported(port: str, use: str) -> Any:
    """What `module:name` names. Raises: `Misconfigured`."""
    module, _, name = use.partition(":")
    try:
        return getattr(importlib.import_module(module), name)
    except Exception as error:  # whatever code of users raises
        raise Misconfigured(f"{port} names {use!r}, which fails: {type(error).__name__}: {error}") from None


def read_config(data: Path, given: str = "") -> MemoryConfig:
    """The settings in the file that is given, else in the data folder, else the default.

    Raises: `Misconfigured`.
    """
    path = Path(given).expanduser() if given else data / _NAME
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        if not given:
            return DEFAULT_CONFIG
        raise Misconfigured(f"there is no file {path} with settings of memory") from None
    except OSError as error:
        raise Misconfigured(f"the settings of memory can't be read: {error}") from None
    try:
        return msgspec.convert(tomllib.loads(content.decode()), MemoryConfig)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise Misconfigured(f"{path} is wrong: {error}") from None
