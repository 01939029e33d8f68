"""A process that listens to events over HTTP with many plain sockets, for `event_streams.py`."""

import array
import json
import re
import resource
import selectors
import socket
import sys
import time
from datetime import datetime

__all__ = ["PATIENCE_S", "allow_sockets"]

PATIENCE_S = 120.0
_EVENT = re.compile(rb'id: (\d+)[^\n]*\nevent: task\.submitted\ndata: [^\n]*?"at":"([^"]+)"[^\n]*\n\n')


def allow_sockets() -> None:
    """Lets this process have as many as the machine does."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


class Listening:
    """One socket, and what has come on it."""

    def __init__(self, port: int, token: str) -> None:
        self.seqs, self.rest, self.is_open = list[int](), b"", False
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
        self.socket.sendall(
            b"GET /api/v1/events?type=task.submitted HTTP/1.1\r\n"
            + f"Host: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
        )

    def begin(self) -> None:
        """Waits until it is listened to. Raises: `SystemExit` where it is refused."""
        while b"retry: " not in self.rest:
            if not (got := self.socket.recv(65536)):
                raise SystemExit(f"refused: {self.rest[:200]!r}")
            self.rest += got
        self.socket.setblocking(False)


def listen(port: int, token: str, number: int, events: int) -> None:
    """The main of a process that listens: says `ready`, and in the end how long each delivery took, in ms."""
    allow_sockets()
    watched = selectors.DefaultSelector()
    listening = list[Listening]()
    for begin in range(0, number, 50):
        some = [Listening(port, token) for _ in range(min(50, number - begin))]
        for each in some:
            each.begin()
            watched.register(each.socket, selectors.EVENT_READ, each)
        listening += some
    print("ready", flush=True)
    took, at_s, missing = array.array("f"), dict[bytes, float](), number * events
    end_s = time.monotonic() + PATIENCE_S
    while missing and time.monotonic() < end_s:
        for key, _ in watched.select(1.0):
            each = key.data
            got, now_s = each.socket.recv(262_144), time.time()
            each.rest += got
            end = 0
            for found in _EVENT.finditer(each.rest):
                end, seq, at = found.end(), int(found[1]), found[2]
                if at not in at_s:
                    at_s[at] = datetime.fromisoformat(at.decode()).timestamp()
                took.append(1000 * (now_s - at_s[at]))
                each.seqs.append(seq)
                missing -= 1
            each.rest = each.rest[end:]
            if not got:
                watched.unregister(key.fileobj)
    heard = max((each.seqs for each in listening), key=len)
    missed = sum(1 for each in listening if each.seqs != heard or sorted(set(heard)) != heard)
    print(json.dumps({"missed": missing + missed}), flush=True)
    sys.stdout.buffer.write(took.tobytes())
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    listen(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
