"""A server that speaks as much of the protocol of S3 as an archive needs: one bucket, objects in memory."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

__all__ = ["S3Server", "s3_server"]

BUCKET = "claw-test"
PAGE = 3
"""Keys in a page of a listing: small, so that listings have several."""


class S3Server(ThreadingHTTPServer):
    """`objects` by key; the next `failures` requests are answered with 503."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.objects: dict[str, bytes] = {}
        self.failures = 0
        self.forbids = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


@contextmanager
def s3_server() -> Iterator[S3Server]:
    with S3Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16
    server: S3Server

    def log_message(self, *_: Any) -> None:
        pass

    def handle_expect_100(self) -> bool:
        goes_on = super().handle_expect_100()
        self.wfile.flush()
        return goes_on

    def _answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if "Content_Length" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _fail(self, status: int, code: str) -> None:
        self._answer(status, f"<Error><Code>{code}</Code><Message>{code}</Message></Error>".encode())

    def _body(self) -> bytes:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if "aws-chunked" not in self.headers.get("Content-Encoding", ""):
            return body
        plain, rest = b"", body
        while rest:
            size, _, rest = rest.partition(b"\r\n")
            count = int(size.partition(b";")[0], 16)
            if not count:
                return plain
            plain, rest = plain + rest[:count], rest[count + 2 :]
        return plain

    def _handle(self) -> None:
        parts = urlsplit(self.path)
        bucket, _, key = unquote(parts.path).lstrip("/").partition("/")
        body = self._body()
        objects = self.server.objects
        if self.server.failures:
            self.server.failures -= 1
            self._fail(503, "SlowDown")
        elif self.server.forbids or "Signature=" not in self.headers.get("Authorization", ""):
            self._fail(403, "AccessDenied")
        elif bucket != BUCKET:
            self._fail(404, "NoSuchBucket")
        elif self.command == "PUT":
            objects[key] = body
            self._answer(200, ETag='"e"')
        elif self.command == "DELETE":
            objects.pop(key, None)
            self._answer(204)
        elif not key:
            self._list(parse_qs(parts.query))
        elif key not in objects:
            self._fail(404, "NoSuchKey")
        elif self.command == "HEAD":
            self._answer(200, Content_Length=str(len(objects[key])), ETag='"e"', Last_Modified=formatdate(usegmt=True))
        else:
            first, _, last = self.headers["Range"].removeprefix("bytes=").partition("-")
            part = objects[key][int(first) : int(last) + 1]
            if part:
                self._answer(206, part, ETag='"e"')
            else:
                self._fail(416, "InvalidRange")

    do_GET = do_PUT = do_HEAD = do_DELETE = _handle  # noqa: N815

    def _list(self, query: dict[str, list[str]]) -> None:
        prefix, after = query.get("prefix", [""])[0], query.get("continuation-token", [""])[0]
        keys = sorted(key for key in self.server.objects if key.startswith(prefix) and key > after)
        page, more = keys[:PAGE], len(keys) > PAGE
        told = "".join(f"<Contents><Key>{escape(key)}</Key><Size>1</Size></Contents>" for key in page)
        token = f"<NextContinuationToken>{escape(page[-1])}</NextContinuationToken>" if more else ""
        self._answer(
            200,
            f"<ListBucketResult><IsTruncated>{str(more).lower()}</IsTruncated>{told}{token}</ListBucketResult>".encode(),
        )
