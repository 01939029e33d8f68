"""Who gets in with a user and a password: plain NATS clients of this machine, and the link of a mirrored cluster."""

from typing import Final

from clawactors.app.identity.authority import Login
from clawactors.app.identity.logins import Verdict
from clawactors.app.identity.roles import Role
from clawactors.app.server.identity import ServerIdentity

__all__ = ["judge"]

_REFUSED: Final = "wrong user or password"


def judge(login: Login, identity: ServerIdentity) -> Verdict:
    """What somebody may who brings one of the passwords that the data folder keeps."""
    if login.is_link:
        known = identity.standby
        is_right = bool(known.name) and login.user == known.name and login.knows(known.password)
        return (Role.ADMIN, known.name, "") if is_right else (None, "", _REFUSED)
    for role, known in ((Role.ADMIN, identity.claw), (None, identity.sys)):
        if login.user == known.name and login.knows(known.password):
            if not login.is_local:
                return None, "", "this password is for the machine of the server: ask for an invitation"
            return role, known.name, ""
    return None, "", _REFUSED
