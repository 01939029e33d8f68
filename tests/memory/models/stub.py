"""A server that speaks the protocol of OpenAI, and misbehaves as told, in a thread of the test."""

import contextlib
import json
import threading
import zlib
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np

DIM = 16


class Stub:
    """Answers as `replies` say, one after the other, then as `reply` says; `asked` has what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.replies: list[Callable[[str, Any], tuple[int, dict[str, str], bytes] | None]] = []
        self.reply: Callable[[str, Any], tuple[int, dict[str, str], bytes] | None] = well
        self.url = ""
        self.released = threading.Event()


def embedded(text: str, dim: int = DIM) -> list[float]:
    """A vector that shares a part with that of a text with the same words."""
    row = np.zeros(dim)
    for word in text.lower().split():
        row += np.random.default_rng(zlib.crc32(word.encode())).normal(size=dim)
    return [float(value) for value in (row if row.any() else row + 1)]


def said(value: Any, status: int = 200, **headers: str) -> tuple[int, dict[str, str], bytes]:
    return status, headers, value if isinstance(value, bytes) else json.dumps(value).encode()


def rows(texts: list[str], dim: int = DIM) -> list[dict[str, Any]]:
    return [{"object": "embedding", "index": at, "embedding": embedded(text, dim)} for at, text in enumerate(texts)]


def well(path: str, body: Any) -> tuple[int, dict[str, str], bytes]:
    """As it should."""
    if path.endswith("/embeddings"):
        return said({"data": rows(body["input"])})
    found = [{"index": at, "relevance_score": float(len(text))} for at, text in enumerate(body["documents"])]
    return said({"results": found})


@contextlib.contextmanager
def serving() -> Iterator[Stub]:
    """A server on a free port of this machine."""
    stub = Stub()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            stub.asked.append((self.path, body))
            stub.headers.append({name.lower(): value for name, value in self.headers.items()})
            answer = (stub.replies.pop(0) if stub.replies else stub.reply)(self.path, body)
            if answer is None:  # hangs
                stub.released.wait(30)
                return
            status, headers, content = answer
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    stub.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield stub
    finally:
        stub.released.set()
        server.shutdown()
        server.server_close()
        thread.join()
