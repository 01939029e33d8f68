"""`install-package`: a worked example of a task in five named steps that can each fail."""

from pathlib import Path
from typing import Any, Final

from clawactors.app.demo.installation import Installation
from clawactors.runtime.node.synccontext import SyncTaskContext
from clawactors.systems.skills import skill

__all__ = ["PACKAGE", "install_package"]

PACKAGE: Final = Path(__file__).parent / "package"
"""A small package to install."""


@skill("install-package")
def install_package(task: SyncTaskContext, package: str, into: str) -> dict[str, Any]:
    """Installs the package in a folder into another folder: checked first, then at one stroke."""
    installation = Installation(Path(package), Path(into))
    manifest = installation.manifest
    found = task.step("check-dependencies", installation.check_dependencies)
    verified = task.step("verify-files", installation.verify_files)
    statements = task.step("import-sql", installation.import_sql)
    folder = task.step("install", installation.install)
    cleared = task.step("clear-caches", installation.clear_caches)
    return {
        "name": manifest.name,
        "version": manifest.version,
        "found": found,
        **verified,
        "statements": statements,
        "folder": folder,
        "cleared": cleared,
    }
