"""The client: what users and the command line hold.

In: wishes and ids. Out: guarded appends to the logs of tasks; states read from those logs; answers of the views.
It decides with the same pure deciders as everybody else, so a submit is one append and asks no server process.
"""

from clawactors.runtime.client.client import Client, Ref, TaskFailed

__all__ = ["Client", "Ref", "TaskFailed"]
