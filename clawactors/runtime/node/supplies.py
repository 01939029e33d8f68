"""What a node gives to the tasks that it runs, beside the log."""

from clawactors.eventlog.blobs import Blobs
from clawactors.eventlog.outputs import Outputs
from clawactors.runtime.node.secrets import Secrets
from clawactors.runtime.payloads import Payloads

__all__ = ["Supplies"]


class Supplies:
    """Room for what is large, a way out for what is said on the way, and the secrets that the node holds."""

    def __init__(self, blobs: Blobs, outputs: Outputs, secrets: Secrets | None = None) -> None:
        self.payloads, self.outputs, self.secrets = Payloads(blobs), outputs, secrets or Secrets()
