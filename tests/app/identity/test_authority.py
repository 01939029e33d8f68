"""Who is let in by whom: signed credentials, passwords, revoked keys, on a real server."""

import asyncio
import json
import stat
import time
from contextlib import suppress
from pathlib import Path

import pytest
from msgspec.structs import replace

from clawactors.app.datafolder import DataFolder
from clawactors.app.identity.authority import Authority, AuthorityKeys, Login
from clawactors.app.identity.roles import Role
from clawactors.app.identity.tokens import Key, KeyKind, claims_in, credentials, sign, user_claims
from clawactors.app.listening import ask_tailscale, choose_listening, resolve, this_machine
from clawactors.app.server import NatsServer
from clawactors.app.server.accounts import adopt_streams, revoked_users
from clawactors.app.server.identity import User, load_identity
from clawactors.app.server.passwords import judge
from clawactors.eventlog import Misconfigured
from clawactors.eventlog.jetstream import Address, Connection, JetStreamLog
from clawactors.kinds import KINDS

pytestmark = pytest.mark.nats

PRINCIPALS = {Role.CONTROL: "control", Role.MEMORY: "memory", Role.NODE: "node-ada", Role.JOIN: "join.ada"}
"""Under whose inbox each is answered; a client, an observer and a gateway under their names."""


def at(server: NatsServer, text: str = "", password: str = "") -> Address:
    """Where to connect with the text of credentials, or with `user:password`."""
    user = f"{password}@" if password else ""
    return Address((f"nats://{user}127.0.0.1:{server.access.identity.port}",), credentials=text)


async def is_let_in(address: Address, inbox: str = "_INBOX.ada") -> bool:
    try:
        async with await Connection.open(address, "test", inbox=inbox):
            return True
    except Misconfigured:
        return False


def test_a_key_is_known_by_its_public_form() -> None:
    for kind in KeyKind:
        key = Key.new(kind)
        assert key.seed.startswith(f"S{kind.value}")
        assert key.public.startswith(kind.value)
        assert len(key.public) == 56
        assert Key(key.seed).public == key.public != Key.new(kind).public


def test_signed_claims_say_what_was_signed() -> None:
    key, user = Key.new(KeyKind.ACCOUNT), Key.new(KeyKind.USER)
    token = sign(key, user.public, "ada", user_claims(None, account="A1"), at_s=7, expires_s=9)
    said = claims_in(token.encode())
    assert (said["sub"], said["iss"], said["name"], said["iat"], said["exp"]) == (
        user.public,
        key.public,
        "ada",
        7,
        9,
    )
    assert said["nats"] == {"type": "user", "version": 2, "issuer_account": "A1"}
    with pytest.raises(ValueError, match="no signed claims"):
        claims_in(b"garbage")


@pytest.mark.parametrize(
    ("host", "is_local"), [("127.0.0.1", True), ("::1", True), ("10.0.0.7", False), ("", False), ("localhost", False)]
)
def test_a_login_is_of_this_machine_by_its_address(host: str, is_local: bool) -> None:
    assert Login("u", "p", host).is_local is is_local


def test_the_passwords_of_a_server_open_it_from_its_own_machine_alone(tmp_path: Path) -> None:
    known = load_identity(tmp_path / "none.json")
    for user, role in ((known.claw, Role.ADMIN), (known.sys, None)):
        assert judge(Login(user.name, user.password, "127.0.0.1"), known) == (role, user.name, "")
        _, _, reason = judge(Login(user.name, user.password, "10.0.0.7"), known)
        assert reason == "this password is for the machine of the server: ask for an invitation"
        assert judge(Login(user.name, user.password, "127.0.0.1", is_link=True), known)[2], (
            "nor as the link of a mirror"
        )
    mirrored = replace(known, standby=User("mirror", "secret"))
    assert judge(Login("mirror", "secret", "10.0.0.7", is_link=True), mirrored) == (Role.ADMIN, "mirror", "")
    assert judge(Login("mirror", "secret", "127.0.0.1"), mirrored)[2], "the link's password is for the link"
    assert judge(Login("", "", "10.0.0.7", is_link=True), known)[2], "nobody mirrors where none was set up"


async def test_processes_come_in_with_credentials_of_their_role(server: NatsServer) -> None:
    for role in Role:
        inbox = PRINCIPALS.get(role, "ada")
        assert await is_let_in(server.access.address(role, "ada"), f"_INBOX.{inbox}"), role


async def test_passwords_are_for_plain_clients_of_this_machine(server: NatsServer) -> None:
    known = server.access.identity
    assert await is_let_in(at(server, password=f"claw:{known.claw.password}"))
    assert await is_let_in(at(server, password=f"sys:{known.sys.password}"))
    for wrong in ("claw:x", "claw:", "nobody:x", f"sys:{known.claw.password}", f"mirror:{known.claw.password}"):
        assert not await is_let_in(at(server, password=wrong)), wrong
    assert not await is_let_in(at(server)), "a stranger without anything"


async def test_strangers_keys_and_changed_claims_are_refused(server: NatsServer) -> None:
    user, stranger = Key.new(KeyKind.USER), Authority(AuthorityKeys.new())
    right = server.access.authority.admit(Role.CLIENT, "ada", user.public)
    assert await is_let_in(at(server, credentials(right, user)))
    head, claims, signature = right.split(".")
    other = sign(Key.new(KeyKind.ACCOUNT), user.public, "admin", user_claims(None), at_s=1).split(".")[1]
    forged = {
        "signed by another authority": stranger.admit(Role.ADMIN, "ada", user.public),
        "other claims under the old signature": f"{head}.{other}.{signature}",
        "no signature": f"{head}.{claims}.",
        "signed by itself": sign(user, user.public, "ada", user_claims(None), at_s=int(time.time())),
        "expired": sign(
            Key(server.access.identity.keys.roles["client"]),
            user.public,
            "ada",
            user_claims(None, account=server.access.authority.account),
            at_s=int(time.time()) - 10,
            expires_s=int(time.time()) - 1,
        ),
    }
    for how, token in forged.items():
        assert not await is_let_in(at(server, credentials(token, user))), how
    stolen = credentials(right, Key.new(KeyKind.USER))
    assert not await is_let_in(at(server, stolen)), "the claims without the key"


async def test_what_was_stored_under_a_password_is_kept_under_keys(tmp_path: Path) -> None:
    with DataFolder.claim(tmp_path) as folder:
        for _ in range(2):
            server = NatsServer(folder)
            await server.start()
            try:
                async with await JetStreamLog.connect(server.access.address(), "test", kinds=KINDS.names) as log:
                    last = (await log.head()).last_seq
                home, account = folder.server, server.access.authority.account
            finally:
                await server.stop()
            assert last == 0
        # As a release left it that knew no keys.
        (home / "jetstream" / account).rename(home / "jetstream" / "CLAW")
        saved = json.loads((home / "identity.json").read_text())
        del saved["keys"]
        (home / "identity.json").write_text(json.dumps(saved))
        server = NatsServer(folder)
        await server.start()
        try:
            assert (home / "jetstream" / server.access.authority.account / "streams" / "CLAW_EVENTS").is_dir()
            assert server.access.identity.claw.password == saved["claw"]["password"]
            async with await JetStreamLog.connect(server.access.address(), "test", kinds=KINDS.names, create=False):
                pass
        finally:
            await server.stop()
        assert stat.S_IMODE((home / "identity.json").stat().st_mode) == 0o600
        assert load_identity(home / "identity.json").keys == server.access.identity.keys


def test_streams_of_another_account_are_left_alone(tmp_path: Path) -> None:
    for name in ("CLAW", "AKEY"):
        (tmp_path / "jetstream" / name).mkdir(parents=True)
    adopt_streams(tmp_path, "AKEY")
    assert (tmp_path / "jetstream" / "CLAW").is_dir()


@pytest.mark.parametrize("content", [b"", b"a.b.c", b"\xff.\xff.\xff", b"e30.e30.e30"])
def test_accounts_that_cannot_be_read_are_told(
    tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "accounts").mkdir()
    (tmp_path / "accounts" / "A.jwt").write_bytes(content)
    assert revoked_users(tmp_path, "A") == {}
    assert "can't be read" in caplog.text


async def test_a_server_that_is_started_again_asks_about_passwords_again(server: NatsServer) -> None:
    restarted = asyncio.Event()
    watch = asyncio.create_task(server.supervise(restarted.set))
    process = server._process
    assert process is not None
    process.kill()
    async with asyncio.timeout(10):
        await restarted.wait()
    assert await is_let_in(at(server, password=f"claw:{server.access.identity.claw.password}"))
    await server.stop()
    await watch


async def test_a_key_that_was_revoked_stays_out_whatever_the_server_reads_again(server: NatsServer) -> None:
    user = Key.new(KeyKind.USER)
    address = at(server, credentials(server.access.authority.admit(Role.CLIENT, "ada", user.public), user))
    async with await Connection.open(address, "test", inbox="_INBOX.ada") as open_one:
        lost = asyncio.Event()
        open_one.on_lost.append(lost.set)
        await server.access.refuse({user.public: int(time.time())})
        async with asyncio.timeout(5):
            await lost.wait()
    assert not await is_let_in(address)
    log = server._folder.server / "nats.log"
    server._reload()
    async with asyncio.timeout(10):
        while "Reloaded server configuration" not in log.read_text():  # noqa: ASYNC110 - another process writes it
            await asyncio.sleep(0.01)
    assert not await is_let_in(address)
    await server.stop()
    await server.start()
    assert not await is_let_in(address), "it is kept for the next start"
    assert await is_let_in(server.access.address(Role.CLIENT, "ada")), "with another key"


async def test_nobody_speaks_plainly_with_a_server_that_listens_to_others(tmp_path: Path) -> None:
    with DataFolder.claim(tmp_path) as folder:
        listening = choose_listening("127.0.0.1", this_machine(), resolve, ask_tailscale)
        server = NatsServer(folder, listening=listening)
        await server.start()
        try:
            identity = server.access.identity
            assert server.access.url.startswith("tls://claw:")
            async with await Connection.open(server.access.address(), "test") as connection:
                assert connection.online
            # A client without TLS, and one that trusts other authorities.
            reader, writer = await asyncio.open_connection("127.0.0.1", identity.port)
            await reader.readline()
            writer.write(b'CONNECT {"user": "claw", "pass": "%b"}\r\nPING\r\n' % identity.claw.password.encode())
            with suppress(ConnectionError):
                assert b"PONG" not in await reader.read()
            writer.close()
            with pytest.raises(Misconfigured, match="authority is not trusted"):
                await Connection.open(server.access.url, "test")
        finally:
            await server.stop()
