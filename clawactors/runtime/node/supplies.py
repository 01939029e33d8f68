"""What a node offers to the tasks that it runs, besides the log."""

from clawactors.eventlog.blobs import Blobs
from clawactors.eventlog.outputs import Outputs
from clawactors.runtime.node.secrets import Secrets
from clawactors.runtime.node.submitter import Submitter
from clawactors.runtime.payloads import Payloads

__all__ = ["Supplies"]


class Supplies:
    """The store for large payloads, the streams for output, the secrets that the node holds, and its way to control."""

    def __init__(self, blobs: Blobs, outputs: Outputs, secrets: Secrets | None = None) -> None:
        self.payloads, self.outputs, self.secrets = Payloads(blobs), outputs, secrets or Secrets()
        self.submitter: Submitter | None = None
