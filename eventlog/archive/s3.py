"""Archive files as objects of a bucket in anything that speaks the protocol of S3, with `boto3` (extra `s3`).

Credentials come from where AWS's own tools take them: the environment, `~/.aws`, the machine's role.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any, BinaryIO, Final

from clawactors.eventlog.archive.store import absent
from clawactors.eventlog.errors import Misconfigured, Unavailable

__all__ = ["S3Store"]

_ABSENT: Final = ("404", "NoSuchKey", "NotFound")
_FORBIDDEN: Final = (
    "401", "403", "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "NoSuchBucket", "InvalidBucketName",
)  # fmt: skip
_TRIES: Final = 5
_TIMEOUT_S: Final = 20


class S3Store:
    """Objects under `prefix` of a bucket, which has to exist. `endpoint` '' is Amazon's."""

    def __init__(self, bucket: str, prefix: str = "", *, endpoint: str = "", region: str = "") -> None:
        self._bucket, self._endpoint, self._region = bucket, endpoint, region
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""

    @cached_property
    def _client(self) -> Any:
        try:
            import boto3
            from botocore.config import Config
        except ImportError:
            raise Misconfigured("an archive in S3 needs boto3: pip install 'clawactors[s3]'") from None
        config = Config(
            retries={"max_attempts": _TRIES, "mode": "standard"}, connect_timeout=_TIMEOUT_S, read_timeout=_TIMEOUT_S
        )
        return boto3.client("s3", endpoint_url=self._endpoint or None, region_name=self._region or None, config=config)

    async def put(self, name: str, content: BinaryIO) -> None:
        """Stores what the file holds from its present position on. See `ArchiveStore`."""
        await self._do(
            name, lambda client: client.put_object(Bucket=self._bucket, Key=self._prefix + name, Body=content)
        )

    async def size(self, name: str) -> int:
        """Its size in bytes. Raises: `Missing`, `Unavailable`, `Misconfigured`."""
        found = await self._do(name, lambda client: client.head_object(Bucket=self._bucket, Key=self._prefix + name))
        size: int = found["ContentLength"]
        return size

    async def read(self, name: str, offset: int, size: int) -> bytes:
        """So many bytes from there, fewer at its end. Raises: `Missing`, `Unavailable`, `Misconfigured`."""

        def get(client: Any) -> bytes:
            part = client.get_object(
                Bucket=self._bucket, Key=self._prefix + name, Range=f"bytes={offset}-{offset + size - 1}"
            )
            body: bytes = part["Body"].read()
            return body

        return await self._do(name, get)

    async def names(self) -> list[str]:
        """All files, in the order of their names."""

        def list_all(client: Any) -> list[str]:
            pages = client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=self._prefix)
            return sorted(each["Key"].removeprefix(self._prefix) for page in pages for each in page.get("Contents", ()))

        return await self._do("", list_all)

    async def remove(self, name: str) -> None:
        """Removes it. Order: idempotent."""
        await self._do(name, lambda client: client.delete_object(Bucket=self._bucket, Key=self._prefix + name))

    async def _do[T](self, name: str, work: Callable[[Any], T]) -> T:
        def run() -> T:
            client = self._client
            with self._explained(name):
                return work(client)

        return await asyncio.to_thread(run)

    @contextmanager
    def _explained(self, name: str) -> Iterator[None]:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            yield
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            if code in _ABSENT:
                raise absent(name) from None
            where = f"the archive s3://{self._bucket}/{self._prefix}"
            if code in _FORBIDDEN:
                raise Misconfigured(f"{where} can't be used: {error}") from error
            raise Unavailable(f"{where} does not answer: {error}") from error
        except BotoCoreError as error:
            if type(error).__name__ in ("NoCredentialsError", "PartialCredentialsError", "NoRegionError"):
                raise Misconfigured(f"the archive s3://{self._bucket} can't be used: {error}") from error
            raise Unavailable(f"the archive s3://{self._bucket} does not answer: {error}") from error
