"""What a node offers to the tasks that it runs, besides the log."""

from msgspec.structs import replace

from clawactors.eventlog.blobs import Blobs
from clawactors.eventlog.outputs import Outputs
from clawactors.runtime.node.secrets import Secrets
from clawactors.runtime.node.submitter import Submitter
from clawactors.runtime.payloads import Payloads
from clawactors.systems.settings import DEFAULTS
from clawactors.systems.skills import Skill
from clawactors.systems.tasks.retry import DEFAULT_RETRY, Retry

__all__ = ["Supplies"]


class Supplies:
    """The store for large payloads, the streams for output, the secrets that the node holds, and its way to control."""

    def __init__(self, blobs: Blobs, outputs: Outputs, secrets: Secrets | None = None) -> None:
        self.payloads, self.outputs, self.secrets = Payloads(blobs), outputs, secrets or Secrets()
        self.submitter: Submitter | None = None
        self.settings = DEFAULTS
        """Those of the cluster, as far as this node has not been given others."""

    def retry_of(self, skill: Skill) -> Retry:
        """The policy of the skill; where it names none, with as many retries as the settings say."""
        if skill.retry is not DEFAULT_RETRY:
            return skill.retry
        return replace(DEFAULT_RETRY, max_retries=self.settings.task_retries)

    def timeout_of(self, skill: Skill) -> float | None:
        """The longest attempt of a task that does not say itself, None for no limit."""
        return skill.timeout_s or self.settings.task_timeout or None
