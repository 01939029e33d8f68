"""Fetches a page that a model names: bounded in size, time and redirects, and never from a private network.

A name is resolved once, all its addresses are checked, and the connection goes to the checked address: a name can't
point elsewhere a moment later. Each redirect is checked anew.
"""

import asyncio
import ipaddress
import re
import socket
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

import msgspec

from clawactors.agents.endpoint import import_httpx, shared_ssl

__all__ = ["FetchLimits", "FetchRefused", "Fetched", "fetch"]

_AGENT: Final = "Mozilla/5.0 (compatible; clawactors)"
_PORTS: Final = {"http": 80, "https": 443}
_META: Final = re.compile(rb"<meta[^>]{0,100}charset=[\"']?([a-zA-Z0-9_-]+)", re.IGNORECASE)
_META_WITHIN: Final = 4096
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")


class FetchRefused(Exception):
    """The page is not fetched, and why."""


class FetchLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds of one fetch. `private` allows addresses of private networks and of the machine itself."""

    max_bytes: int = 2_000_000
    timeout_s: float = 15.0
    redirects: int = 5
    private: bool = False


class Fetched(msgspec.Struct, frozen=True):
    """What came: the address in the end, its type, its text. `cut`: it was larger than allowed."""

    url: str
    kind: str
    text: str
    cut: bool = False


async def fetch(url: str, limits: FetchLimits | None = None) -> Fetched:
    """The text behind the address. Raises: `FetchRefused`, `TimeoutError`."""
    limits, httpx = limits or FetchLimits(), import_httpx()
    try:
        async with (
            asyncio.timeout(limits.timeout_s),
            httpx.AsyncClient(verify=shared_ssl(), timeout=limits.timeout_s, trust_env=False) as client,
        ):
            for _ in range(limits.redirects + 1):
                found = await _fetch_once(client, httpx, url, limits)
                if isinstance(found, Fetched):
                    return found
                url = found
    except (TimeoutError, httpx.TimeoutException):
        raise TimeoutError(f"{url[:200]} did not answer within {limits.timeout_s:g} s") from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise FetchRefused(f"{url[:200]} can't be fetched: {error or type(error).__name__}") from None
    raise FetchRefused(f"{url[:200]} redirects more than {limits.redirects} times")


async def _fetch_once(client: Any, httpx: Any, url: str, limits: FetchLimits) -> Fetched | str:
    """The page, or where it redirects to."""
    scheme, host, port = _parts(url)
    address = await _address(host, port, private=limits.private)
    pinned = httpx.URL(url).copy_with(host=address, port=port)
    shown = host if port == _PORTS[scheme] else f"{host}:{port}"
    headers = {"Host": shown, "User-Agent": _AGENT, "Accept": "text/html, text/plain, */*;q=0.5"}
    extensions = {"sni_hostname": host} if scheme == "https" else {}
    async with client.stream("GET", pinned, headers=headers, extensions=extensions) as response:
        if response.is_redirect:
            return urljoin(url, str(response.headers["location"]))
        if response.status_code != 200:
            raise FetchRefused(f"{url[:200]} answered {response.status_code}")
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower() or "text/html"
        if not (kind.startswith("text/") or "json" in kind or "xml" in kind):
            raise FetchRefused(f"{url[:200]} is no text but {kind[:60]}")
        raw, cut = bytearray(), False
        async for part in response.aiter_bytes():
            raw += part
            if len(raw) > limits.max_bytes:
                del raw[limits.max_bytes :]
                cut = True
                break
        told = _META.search(raw, 0, _META_WITHIN)
        charset = response.charset_encoding or (told[1].decode("ascii") if told else "utf-8")
        try:
            text = bytes(raw).decode(charset, "replace")
        except LookupError:  # a charset that nobody knows
            text = bytes(raw).decode("utf-8", "replace")
        return Fetched(url, kind, text, cut)


def _parts(url: str) -> tuple[str, str, int]:
    try:
        parts = urlsplit(url)
        scheme, host, port = parts.scheme, parts.hostname or "", parts.port
    except ValueError as error:
        raise FetchRefused(f"{url[:200]} is no address of a page: {error}") from None
    if scheme not in _PORTS or not host:
        raise FetchRefused(f"{url[:200]} is no address of a page: it begins with http:// or https://")
    if parts.username is not None or parts.password is not None:
        raise FetchRefused("an address with a user name or a password is not fetched")
    return scheme, host, port or _PORTS[scheme]


async def _address(host: str, port: int, *, private: bool) -> str:
    """An address of the host. Raises: `FetchRefused` where any of them is private."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise FetchRefused(f"there is no host {host[:100]}") from None
    addresses = [str(each[4][0]) for each in found]
    if not private:
        for each in addresses:
            if not _is_public(each):
                raise FetchRefused(f"{host[:100]} is an address of a private network, which is not fetched")
    return addresses[0]


def _is_public(address: str) -> bool:
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return _is_public(str(inner))
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified)
