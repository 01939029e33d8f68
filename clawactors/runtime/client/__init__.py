"""The client: what users and the command line hold.

In: calls with ids. Out: requests to the control process that leads, which decides; questions to the views.
It reads no log and knows no rules: a client in another language is as small.
"""

from clawactors.runtime.client.client import ClusterClient
from clawactors.runtime.client.ref import Ref
from clawactors.runtime.client.waiting import TaskFailed

__all__ = ["ClusterClient", "Ref", "TaskFailed"]
