"""The skills that every node has."""

from collections.abc import Sequence
from typing import Final

from clawactors.app.demo.install import install_package
from clawactors.app.demo.migrate import migrate_table
from clawactors.app.skills.approval import ask_approval
from clawactors.app.skills.extract import extract
from clawactors.app.skills.python import python_skill
from clawactors.app.skills.shell import shell
from clawactors.app.skills.simple import echo, sleep
from clawactors.app.skills.workflow import workflow_skill
from clawactors.systems.skills import Skill

__all__ = ["SHELL", "builtin_skills"]


SHELL: Final = "shell"
"""What `--allow` calls the permission to run any program."""


def builtin_skills(allow: Sequence[str] = (), *, shared: bool = False) -> list[Skill]:
    """All of them; `allow` names the functions that `python` may call, and `shell`. Raises: `Misconfigured`.

    On a server that is `shared`, others than the owner of this machine submit tasks: there, skills that run what a
    task names are left out, unless they are allowed.
    """
    functions = [each for each in allow if each != SHELL]
    return [
        ask_approval,
        echo,
        sleep,
        *([shell] if SHELL in allow or not shared else []),
        *([python_skill(functions)] if functions or not shared else []),
        migrate_table,
        install_package,
        extract,
        workflow_skill,
    ]
