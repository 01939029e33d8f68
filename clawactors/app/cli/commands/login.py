"""`claw login`: prints a link that signs a browser in to the dashboard, once."""

from typing import Any, Final

from clawactors.app.cli.output import Facts, emit
from clawactors.app.problem import Problem
from clawactors.app.settings import data_folder
from clawactors.app.weblogin import WebLogin

__all__ = ["run"]

_START: Final = "claw up --web or claw serve starts one"


def run(options: Any) -> int:
    """Prints the link."""
    path = data_folder(options.data)
    if not (path / "web").is_dir():
        raise Problem("unavailable", f"no dashboard is served from {path}", _START)
    login = WebLogin(path)
    url = login.address()
    if not url:
        raise Problem("unavailable", f"no dashboard is served from {path}", _START)
    document = {"login": login.link(url), "http": url, "token_file": str(login.token_file)}
    emit(options, document, lambda: [Facts([("sign in, once, within an hour", document["login"])])])
    return 0
