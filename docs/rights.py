"""Writes the tables of rights as `rights.md` beside this file.

Run `python docs/rights.py` from the repository root after a change of the tables; a test holds that it was done.
"""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

PAGE = Path(__file__).with_suffix(".md")
sys.path.insert(0, str(PAGE.parent.parent))

from clawactors.app.identity.roles import TABLES, Role, RoleTable  # noqa: E402

_ABOUT: Mapping[Role, str] = {
    Role.ADMIN: "A person who runs the cluster: `claw` on its machine, backups, restores.",
    Role.CONTROL: "The control processes, each of which may lead.",
    Role.MEMORY: "The memory process.",
    Role.GATEWAY: "Web, MCP and chat processes: they ask for those who signed in to them.",
    Role.CLIENT: "A person or a program.",
    Role.OBSERVER: "A person or a program that reads, and changes nothing.",
    Role.NODE: "A node, by its id.",
    Role.JOIN: "An invitation, by its id, until it is taken up.",
}


def _rows(verb: str, rights: Mapping[str, str]) -> Iterator[str]:
    for subject, reason in rights.items():
        yield f"| {verb} | `{subject}` | {reason} |"


def _table(table: RoleTable) -> str:
    rows = [
        *_rows("publish", table.publish),
        *_rows("not publish", table.deny_publish),
        *_rows("subscribe", table.subscribe),
        *_rows("not subscribe", table.deny_subscribe),
    ]
    return "\n".join(["| may | subject | because |", "| --- | --- | --- |", *rows])


def page() -> str:
    """The whole of `rights.md`."""
    parts = "\n\n".join(f"## {role.value}\n\n{_ABOUT[role]}\n\n{_table(TABLES[role])}" for role in Role)
    return f"""# Rights

What the server lets each role publish and subscribe to, written by `docs/rights.py` from
`clawactors/app/identity/roles.py`; a test holds that they agree. `<name>` is the principal, or the id of the node.

A cluster whose processes have exactly these rights runs in `tests/scenario/test_rights.py`, and the server refuses
none of them anything. What it refuses is tried in `tests/app/identity/test_attacks.py`.

- A node asks as the principal `node-<id>`, so no person may be called so, nor `control`, `memory` or `asked`.
- A node reads no aggregate and no key: control tells it, and says what became of an append whose guard failed
  ([ADR 80](adr/0080-nodes-ask-for-what-they-may-not-read.md)).
- Nodes answer control under `_INBOX.asked.<id>` and nobody else: where one answer goes tells a node nothing of others.
- Nobody has `allow_responses`, and nobody but `admin` may delete a stream.

What these rights do not hold:

- Triggers publish where their rules say, which the list of `control` can't name.
- A node is told any task, as a client is, and any key that it names.
- A node may overwrite the description of any large value; a read then fails, because the SHA-256 does not fit.
- The server answers a publish to a stream at any subject that the message names. With that a node can store small JSON
  of the server's where it may not write: in the log it counts as a version and is skipped; a key of an owner would be
  lost. Nodes that nobody trusts belong in an account, or a cluster, of their own.
- A node that does not hold a task can write to it; what it writes is not believed, and counted.

{parts}
"""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
