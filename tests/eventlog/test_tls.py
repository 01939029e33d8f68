"""TLS on real servers: what is accepted, what is refused at once and with which words, and what a fail-over checks."""

import asyncio
import os
import signal
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from clawactors.eventlog import Misconfigured
from clawactors.eventlog.jetstream import Address, Connection
from tests.eventlog.certificates import DAY, Authority
from tests.servers import HOST, NatsServer, free_port

pytestmark = pytest.mark.nats

type Start = Callable[..., NatsServer]


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def tls(files: tuple[Path, Path], more: str = "") -> str:
    return f'tls {{ cert_file: "{files[0]}", key_file: "{files[1]}", {more} }}'


def secure(server: NatsServer, host: str = HOST) -> str:
    return f"tls://{host}:{server.port}"


async def refused(address: Address) -> str:
    """The words of the refusal, which comes at once."""
    async with asyncio.timeout(5):
        with pytest.raises(Misconfigured) as raised:
            await Connection.open(address, "test")
    return str(raised.value)


async def test_a_known_authority_is_enough(own_server: Start, authority: Authority) -> None:
    server = own_server(tls(authority.issue(HOST)), jetstream=False)
    for url in (secure(server), server.url()):
        async with await Connection.open(Address(urls=(url,), ca=str(authority.ca)), "test") as connection:
            assert connection.online


async def test_an_authority_is_trusted_as_text_too(own_server: Start, authority: Authority) -> None:
    server = own_server(f"{tls(authority.issue(HOST))}\nauthorization {{ token: secret }}", jetstream=False)
    urls = (server.url().replace("nats://", "nats://secret@"),)
    address = Address(urls=urls, ca_pem=authority.ca.read_text())
    assert "ca_pem" not in address.text
    async with await Connection.open(address, "test") as connection:
        assert connection.online
    stranger = authority.ca.with_name("stranger")
    stranger.mkdir()
    other = Address(urls=urls, ca_pem=Authority(stranger).ca.read_text())
    assert "its authority is not trusted" in await refused(other)


@pytest.mark.parametrize(
    "text", ["no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "ü"]
)
async def test_what_is_no_authority_is_told(text: str) -> None:
    assert "the TLS certificates or keys can't be used" in await refused(Address(ca_pem=text))


async def test_both_sides_show_certificates(own_server: Start, authority: Authority) -> None:
    more = f'ca_file: "{authority.ca}", verify: true'
    server = own_server(tls(authority.issue(HOST), more), jetstream=False)
    cert, key = map(str, authority.issue("client"))
    address = Address(urls=(secure(server),), ca=str(authority.ca), cert=cert, key=key)
    async with await Connection.open(address, "test") as connection:
        assert connection.online
    assert "client certificate" in await refused(Address(urls=(secure(server),), ca=str(authority.ca)))


@pytest.mark.parametrize(("start", "end"), [(-2 * DAY, -DAY), (DAY, 2 * DAY)])
async def test_a_client_certificate_out_of_its_time_is_told(
    own_server: Start, authority: Authority, start: timedelta, end: timedelta
) -> None:
    server = own_server(tls(authority.issue(HOST), f'ca_file: "{authority.ca}", verify: true'), jetstream=False)
    cert, key = map(str, authority.issue("client", start, end))
    address = Address(urls=(secure(server),), ca=str(authority.ca), cert=cert, key=key)
    assert "the client certificate has expired, or is not valid yet" in await refused(address)


async def test_tls_first(own_server: Start, authority: Authority) -> None:
    server = own_server(tls(authority.issue(HOST), "handshake_first: true"), jetstream=False)
    address = Address(urls=(secure(server),), ca=str(authority.ca), tls_first=True)
    async with await Connection.open(address, "test") as connection:
        assert connection.online


@pytest.mark.parametrize(
    ("name", "start", "end", "words"),
    [
        ("other.test", -DAY, DAY, "it is for another name"),
        (HOST, -2 * DAY, -DAY, "it has expired"),
        (HOST, DAY, 2 * DAY, "it is not valid yet"),
    ],
)
async def test_a_rejected_certificate_is_told_at_once(
    own_server: Start, authority: Authority, name: str, start: timedelta, end: timedelta, words: str
) -> None:
    server = own_server(tls(authority.issue(name, start, end)), jetstream=False)
    assert words in await refused(Address(urls=(secure(server),), ca=str(authority.ca)))


async def test_an_unknown_authority_is_told_at_once(own_server: Start, authority: Authority) -> None:
    server = own_server(tls(authority.issue(HOST)), jetstream=False)
    assert "its authority is not trusted" in await refused(Address(urls=(server.url(),)))


async def test_a_plain_server_gets_nothing_where_tls_is_demanded(own_server: Start, authority: Authority) -> None:
    server = own_server(jetstream=False)
    assert "speaks no TLS" in await refused(Address(urls=(secure(server),), ca=str(authority.ca)))
    first = Address(urls=(secure(server),), ca=str(authority.ca), tls_first=True)
    assert "does not begin with TLS" in await refused(first)


@pytest.fixture
def three(tmp_path: Path, authority: Authority) -> Iterator[Callable[[list[str]], list[NatsServer]]]:
    """Starts a cluster whose servers have certificates for these names."""
    servers: list[NatsServer] = []

    def start(names: list[str]) -> list[NatsServer]:
        routes = [free_port() for _ in names]
        every = ", ".join(f"nats-route://{HOST}:{port}" for port in routes)
        for number, (name, port) in enumerate(zip(names, routes, strict=True)):
            folder = tmp_path / f"n{number}"
            folder.mkdir()
            cluster = f'cluster {{ name: test, listen: "{HOST}:{port}", routes: [{every}] }}'
            more = f"{cluster}\n{tls(authority.issue(name)) if name else ''}"
            servers.append(NatsServer(folder, more, jetstream=False, name=f"n{number}"))
            servers[-1].spawn()
        return [server.wait_ready() for server in servers]

    yield start
    for server in servers:
        server.kill()


async def moved(connection: Connection, leave: Callable[[], None]) -> float:
    """How many seconds the connection was away."""
    lost, back = asyncio.Event(), asyncio.Event()
    connection.on_lost.append(lost.set)
    connection.on_back.append(back.set)
    leave()
    async with asyncio.timeout(10):
        await lost.wait()
        began = time.monotonic()
        await back.wait()
    return time.monotonic() - began


async def test_after_a_fail_over_the_name_is_the_right_one(
    three: Callable[[list[str]], list[NatsServer]], authority: Authority
) -> None:
    servers = three(["localhost", "localhost", "localhost"])
    # One server is named; the cluster tells the addresses of the others, for which the certificates are not.
    address = Address(urls=(secure(servers[0], "localhost"),), ca=str(authority.ca))
    async with await Connection.open(address, "test") as connection:
        async with asyncio.timeout(10):
            while len(connection._client.servers) < 3:
                await connection.confirm(connection.listen("any", lambda *_: None))
        assert await moved(connection, servers[0].kill) < 1


async def test_a_wrong_certificate_is_not_taken_on_a_fail_over_either(
    three: Callable[[list[str]], list[NatsServer]], authority: Authority
) -> None:
    servers = three(["localhost", "wrong.test"])
    urls = tuple(secure(server, "localhost") for server in servers)
    try:
        connection = await Connection.open(Address(urls=urls, ca=str(authority.ca)), "test")
    except Misconfigured:
        connection = await Connection.open(Address(urls=urls[:1], ca=str(authority.ca)), "test")
        connection._client.know(urls)
    async with connection:
        servers[0].kill()
        async with asyncio.timeout(10):
            while "it is for another name" not in await away(connection):
                pass
        assert not connection.online
        await servers[0].restart()
        await connection.wait_online(10)


async def away(connection: Connection) -> str:
    """Why it is not online."""
    try:
        await connection.ask("any", timeout_s=0.1)
    except Exception as error:
        return str(error)
    return ""


async def test_a_lame_server_is_left_at_once(
    three: Callable[[list[str]], list[NatsServer]], authority: Authority
) -> None:
    servers = three(["", "", ""])
    address = Address(urls=tuple(server.url() for server in servers))
    async with await Connection.open(address, "test") as connection:
        name = str(connection._client.server_info["server_name"])
        there = next(server for server in servers if server.name == name)
        assert await moved(connection, lambda: there.signal(signal.SIGUSR2)) < 1
        assert connection._client.server_info["server_name"] != name


async def test_renewed_files_are_read_at_the_next_connect(own_server: Start, tmp_path: Path) -> None:
    ca, pair, other = tmp_path / "ca.pem", tmp_path / "pair.pem", tmp_path / "other"
    other.mkdir()

    def use(authority: Authority) -> None:
        ca.write_bytes(authority.ca.read_bytes())
        pair.write_bytes(authority.issue(HOST)[0].read_bytes())
        pair.chmod(0o600)

    use(Authority(tmp_path))
    server = own_server(tls((pair, pair), f'ca_file: "{ca}", verify: true'), jetstream=False)
    address = Address(urls=(secure(server),), ca=str(ca), cert=str(pair), key=str(pair))
    async with await Connection.open(address, "test") as connection:
        server.kill()
        use(Authority(other))
        await server.restart()
        await connection.wait_online(10)


def test_files_that_are_being_replaced_are_left_alone(authority: Authority) -> None:
    address = Address(ca=str(authority.ca))
    assert address.renewed_tls() is not None
    authority.ca.write_bytes(authority.ca.read_bytes()[:100])
    assert address.renewed_tls() is None
    assert Address(ca_pem="any").renewed_tls() is None


async def test_a_missing_file_is_named() -> None:
    for word in ("creds", "nkey", "ca", "cert"):
        with pytest.raises(Misconfigured, match=rf"'/nowhere' \({word}\) can't be read: No such file"):
            await Connection.open(Address(**{word: "/nowhere"}), "test")  # type: ignore[arg-type]


async def test_refused_credentials_are_tried_again_slowly_and_told(own_server: Start) -> None:
    server = own_server("authorization { user: ada, password: one }", jetstream=False)
    async with await Connection.open(server.url("ada", "one"), "test") as connection:
        server.more = "authorization { user: ada, password: two }"
        server.kill()
        await server.restart()
        async with asyncio.timeout(10):
            while "check the user, password" not in await away(connection):
                pass
        server.kill()
        server.more = "authorization { user: ada, password: one }"
        await server.restart()
        await connection.wait_online(10)


async def test_an_nkey_signs_in(own_server: Start, tmp_path: Path) -> None:
    nkeys = pytest.importorskip("nkeys")
    seed = nkeys.encode_seed(os.urandom(32), nkeys.PREFIX_BYTE_USER)
    file = tmp_path / "user.nk"
    file.write_bytes(seed)
    file.chmod(0o600)
    public = nkeys.from_seed(bytearray(seed)).public_key.decode()
    server = own_server(f"authorization {{ users = [ {{ nkey: {public} }} ] }}", jetstream=False)
    async with await Connection.open(Address(urls=(server.url(),), nkey=str(file)), "test") as connection:
        assert connection.online
    assert "check the user" in await refused(Address(urls=(server.url(),)))
