"""`claw invite`: the line that a machine or a person pastes to join."""

from datetime import UTC, datetime
from typing import Any

from clawactors.app.cli.output import emit, note
from clawactors.app.cli.session import explained, find, hinted, with_client
from clawactors.app.client import Client
from clawactors.app.identity.joinline import JoinLine, new_secret
from clawactors.app.identity.roles import Role, check_name
from clawactors.app.problem import Problem
from clawactors.app.tls.code import code_of_pem

__all__ = ["run"]


def run(options: Any) -> int:
    """Records the invitation and prints its line."""
    found = find(options)
    if found.run is None or not found.is_own:
        raise Problem(
            "refused",
            f"the server at {found.shown} is not that of the data folder {found.data}, so its operator lets others in",
            "run claw invite on the machine where claw up runs",
        )
    if options.skills and options.role != "node":
        raise Problem("usage", "--skills is for nodes", "claw invite --help")
    check_name(Role(options.role), options.name if options.uses == 1 else f"{options.name}-1")
    check_name(Role.JOIN, options.name)
    run, ca_pem = found.run, found.run.address.ca_pem
    authority = code_of_pem(ca_pem) if ca_pem else ""
    secret = new_secret()

    async def work(client: Client) -> int:
        if options.role == "node" and any(row.id == options.name for row in await client.nodes()):
            known = [row.name for row in await client.identities.list(role="node", status="joined")]
            if options.name not in known:
                raise Problem("refused", f"a node of this cluster is called {options.name!r}", "choose another name")
        expires_ns = await client.now_ns() + int(options.expires * 1e9)
        with hinted("claw who shows who is there"), explained("nobody was invited"):
            row = await client.identities.invite(
                options.role,
                options.name,
                secret=secret,
                expires=datetime.fromtimestamp(expires_ns / 1e9, UTC),
                uses=options.uses,
                skills=options.skills or (),
            )
        line = JoinLine(urls=run.join_urls, name=row.name, secret=secret, authority=authority)
        text = f"claw join {line.text}"
        document = {"line": text, "expires_at": row.expires_at, "name": row.name, "role": row.role}
        emit(options, document, lambda: [text])
        if not ca_pem:
            note("this cluster listens on this machine only: claw up --listen ADDR lets others reach it")
        return 0

    return with_client(options, work)
