"""The skills that every node has."""

from collections.abc import Sequence

from clawactors.app.demo.install import install_package
from clawactors.app.demo.migrate import migrate_table
from clawactors.app.skills.approval import ask_approval
from clawactors.app.skills.extract import extract
from clawactors.app.skills.python import python_skill
from clawactors.app.skills.shell import shell
from clawactors.app.skills.simple import echo, sleep
from clawactors.app.skills.workflow import workflow_skill
from clawactors.systems.skills import Skill

__all__ = ["builtin_skills"]


def builtin_skills(allow: Sequence[str] = ()) -> list[Skill]:
    """All of them; `allow` names the functions that `python` may call. Raises: `Misconfigured`."""
    return [
        ask_approval,
        echo,
        sleep,
        shell,
        python_skill(allow),
        migrate_table,
        install_package,
        extract,
        workflow_skill,
    ]
