"""Keys of programs that ask over HTTP: what each may do, for whom, how often and how long; pure.

In: `commands` from people. Out: `events` on `claw.apikey.<name>.log`. Never here: a secret, of which only the SHA-256
is known, and counting requests (`clawactors.app.web`).
"""

from clawactors.systems.keys.decider import KEY, SCOPES, ApiKey, is_valid

__all__ = ["KEY", "SCOPES", "ApiKey", "is_valid"]
