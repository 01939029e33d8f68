"""What a command costs before it does anything: CPU time beside that of the libraries alone, in the same minute."""

import os
import sys
from pathlib import Path

ROOT = str(Path(__file__).parents[2])
ROUNDS = 5
LIBRARIES = ("-c", "import asyncio, msgspec, nats")
HELPS = {" ".join(each): ("-m", "clawactors.app.cli.main", *each) for each in (("--help",), ("submit", "--help"))}
COMMANDS = {name: ("-m", "clawactors.app.cli.main", *name.split()) for name in ("tasks", "task t-1", "cancel t-1")}
MOST_FOR_HELP, MOST_FOR_A_COMMAND = 0.5, 1.75
"""Times what the libraries take: 0.13 to 0.15 s where a command takes 0.08 s more and `--help` 0.04 s in all."""


def cpu_s(arguments: tuple[str, ...], env: dict[str, str]) -> float:
    """Of a Python that runs with these arguments and finds no cluster."""
    null = os.open(os.devnull, os.O_RDWR)
    actions = [(os.POSIX_SPAWN_DUP2, null, stream) for stream in (0, 1, 2)]
    pid = os.posix_spawn(sys.executable, [sys.executable, "-P", *arguments], env, file_actions=actions)
    _, _, used = os.wait4(pid, 0)
    os.close(null)
    return used.ru_utime + used.ru_stime


def test_a_command_costs_little_more_than_the_libraries_and_help_far_less(tmp_path: Path) -> None:
    env = {name: value for name, value in os.environ.items() if not name.startswith(("CLAW_", "NATS_", "PYTHON"))}
    env |= {"PYTHONPATH": ROOT, "CLAW_DATA": str(tmp_path / "data")}
    runs = {"libraries": LIBRARIES, **HELPS, **COMMANDS}
    for arguments in runs.values():
        cpu_s(arguments, env)  # compiles what is imported, where nobody has
    used: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(ROUNDS):
        for name, arguments in runs.items():
            used[name].append(cpu_s(arguments, env))
    least = {name: min(each) for name, each in used.items()}  # what others do on the machine only adds to it
    libraries = least.pop("libraries")
    told = {name: f"{each:.3f} s, {each / libraries:.2f}" for name, each in least.items()}
    print(f"libraries {libraries:.3f} s", told)
    assert max(least.pop(each) for each in HELPS) <= MOST_FOR_HELP * libraries, told
    assert max(least.values()) <= MOST_FOR_A_COMMAND * libraries, told
