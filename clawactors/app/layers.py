"""What a process was given beside the settings of the cluster: by files, the environment and the command line.

`settings.toml` of the data folder has any setting, in a table or under its whole name; `CLAW_SETTING_ARCHIVE_AFTER` is
the variable of `archive.after`, and an empty one gives nothing. `archive_after` of `archive.toml` counts as
`archive.after` of a file. None of them may hold what is no setting: a mistake would go unseen.
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from clawactors.app.archive import FILE as ARCHIVE_FILE
from clawactors.eventlog import Misconfigured
from clawactors.runtime.settings import Layer
from clawactors.systems.settings import REGISTRY
from clawactors.systems.settings.values import own_check

__all__ = ["FILE", "PREFIX", "layers_of", "options_given"]

FILE: Final = "settings.toml"
PREFIX: Final = "CLAW_SETTING_"

_VARIABLES: Final = {PREFIX + name.upper().replace(".", "_").replace("-", "_"): name for name in REGISTRY}


def layers_of(data: Path, given: tuple[Layer, ...] = (), env: Mapping[str, str] = os.environ) -> tuple[Layer, ...]:
    """What the data folder, the environment and the command line give. Raises: `Misconfigured`."""
    layers = [*_files(data), *_environment(env), *given]
    for layer in layers:
        for name, value in layer.values.items():
            own_check(name, value, layer.source)
    return tuple(layers)


def options_given(**options: Any) -> tuple[Layer, ...]:
    """The settings that options give, None where one was not: `slots`, `lease`, `memory_daily` and so on."""
    return tuple(
        Layer(origin="command line", source=source, values={name: options[option]})
        for option, (name, source) in _OPTIONS.items()
        if options.get(option) is not None
    )


_OPTIONS: Final = {
    "slots": ("node.slots", "--slots"),
    "lease": ("node.lease", "--lease"),
    "memory_daily": ("memory.daily", "--memory-daily"),
    "memory_incremental": ("memory.incremental", "--no-memory-incremental"),
    "memory_extracts": ("memory.extracts", "--no-memory-extraction"),
}


def _files(data: Path) -> list[Layer]:
    if data == data.parent:  # a node that has no data folder
        return []
    layers = []
    if (after := _read(data / ARCHIVE_FILE).get("archive_after")) is not None:
        layers.append(Layer(origin="file", source=str(data / ARCHIVE_FILE), values={"archive.after": after}))
    if values := _flat(_read(data / FILE)):
        layers.append(Layer(origin="file", source=str(data / FILE), values=values))
    return layers


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise Misconfigured(f"{path} can't be used: {error}") from error


def _flat(table: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, value in table.items():
        name = f"{above}{key}"
        values |= _flat(value, f"{name}.") if isinstance(value, dict) and name not in REGISTRY else {name: value}
    return values


def _environment(env: Mapping[str, str]) -> list[Layer]:
    found = []
    for variable, value in sorted(env.items()):
        if variable.startswith(PREFIX) and value:  # many shells and container files can only empty a variable
            name = _VARIABLES.get(variable)
            if name is None:
                own_check(variable.removeprefix(PREFIX).lower().replace("_", "."), value, variable)
                raise Misconfigured(
                    f"{variable} is not the variable of a setting: they are as {next(iter(_VARIABLES))}"
                )
            found.append(Layer(origin="environment", source=variable, values={name: value}))
    return found
