"""`claw mcp`: the cluster as a server of the Model Context Protocol, for agents and editors.

A surface without logic of its own: a call is read, a method of `ClusterClient` is called, its row is returned.

- in: `stdio.py` and `http.py` carry the protocol of the SDK `mcp`; `server.py` has its handlers.
- what is offered: `tools/` (the client's methods), `exports.py` (skills), `resources.py`, `prompts.py`.
- `consent.py`: what destroys something needs a person.
- `link.py`: the client, connected when it is first needed, and again where the cluster has moved.
- out: rows as `claw … --json` prints them, without what is empty, cut to a size that an agent can read (`cutting.py`).

Only this package imports the SDK, so no other command pays for it.
"""
