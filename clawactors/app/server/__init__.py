"""The nats-server of a cluster on one machine, as a child process with our configuration.

In: a claimed `DataFolder`, which keeps the store, the credentials and the port. Out: `NatsServer.url` to connect with,
and a server that is started again when it dies, stopped cleanly, and never left behind.
Never here: the protocol of clients. Health is asked over HTTP, because only `eventlog/jetstream` speaks NATS; what an
external server lacks is found there too.
"""

from clawactors.app.server.binary import OLDEST, find_binary, read_version
from clawactors.app.server.child import NatsServer

__all__ = ["OLDEST", "NatsServer", "find_binary", "read_version"]
