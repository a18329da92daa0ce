"""TLS of the loop: classic and direct, ALPN, SNI, records and slow readers, refusals, and that nothing is left behind."""

from __future__ import annotations

import os
import socket
import ssl
import struct
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from opendsql.endpoint import Endpoint
from opendsql.errors import OperatorError
from opendsql.gateway.certificates import Certificates, local_certificates
from wire_support import SYNC, Client, Running, bind, error_of, execute, kinds, packet, parse, query, row, serving

SSL_REQUEST = struct.pack("!ii", 8, 80877103)
GSS_REQUEST = struct.pack("!ii", 8, 80877104)
ENDPOINT = Endpoint("a" * 26, host_names=("local.dsql.us-east-1.on.aws",))


@dataclass
class Served:
    """A server with TLS and what its clients trust."""

    running: Running
    authority: Path

    def context(self, protocols: tuple[str, ...] = ("postgresql",), **versions: ssl.TLSVersion) -> ssl.SSLContext:
        """A client's context that verifies."""
        found = ssl.create_default_context(cafile=str(self.authority))
        if protocols:
            found.set_alpn_protocols(list(protocols))
        for name, value in versions.items():
            setattr(found, name, value)
        return found

    def connect(self, *, direct: bool = False, host: str = ENDPOINT.host, context: ssl.SSLContext | None = None) -> Client:
        """A client after its handshake, before its startup."""
        client = Client(self.running.port)
        if not direct:
            client.send(SSL_REQUEST)
            assert client.socket.recv(1) == b"S"
        client.socket = (context or self.context()).wrap_socket(client.socket, server_hostname=host)
        return client

    def greeted(self, **options: bool) -> Client:
        """A client after its startup."""
        client = self.connect(**options)
        assert kinds(client.startup())[-1] == "Z"
        return client


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """A local authority and a server certificate."""
    found = local_certificates(tmp_path_factory.mktemp("certificates"), ENDPOINT, make=True)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def served(certificates: Certificates) -> Iterator[Served]:
    """TLS offered, not required."""
    assert certificates.authority is not None
    with serving(tls=certificates.context()) as running:
        yield Served(running, certificates.authority)


@pytest.fixture(scope="module")
def strict(certificates: Certificates) -> Iterator[Served]:
    """TLS and the cluster's name required."""
    assert certificates.authority is not None
    names = {"host_names": ENDPOINT.names, "cluster_id": ENDPOINT.cluster_id}
    with serving(tls=certificates.context(), tls_required=True, **names) as running:
        yield Served(running, certificates.authority)


@pytest.mark.parametrize("direct", [False, True])
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_statements(served: Served, direct: bool, version: ssl.TLSVersion) -> None:
    """A verified session; version, cipher and protocol as observed at the service."""
    client = served.connect(direct=direct, context=served.context(minimum_version=version, maximum_version=version))
    assert client.socket.version() == version.name.replace("_", ".")
    assert client.socket.selected_alpn_protocol() == "postgresql"
    assert client.socket.compression() is None
    if version == ssl.TLSVersion.TLSv1_3:
        assert client.socket.cipher()[0] == "TLS_AES_128_GCM_SHA256"
    client.startup()
    assert row(client.query("select 7")[1][1]) == [b"7"]
    client.send(parse("select $1", oids=(23,)) + bind([b"8"]) + execute() + SYNC)
    assert row(client.until("Z")[2][1]) == [b"8"]
    client.send(packet("X"))
    assert client.socket.recv(1) == b""  # goodbye, not a broken connection
    client.close()


def test_plain_and_gss_still_work(served: Served) -> None:
    """TLS offered: a startup in clear is taken, GSS is 'N', and TLS may follow it."""
    client = Client(served.running.port)
    assert kinds(client.startup())[-1] == "Z"
    client.close()
    client = Client(served.running.port)
    client.send(GSS_REQUEST)
    assert client.socket.recv(1) == b"N"
    client.send(SSL_REQUEST)
    assert client.socket.recv(1) == b"S"
    client.socket = served.context(()).wrap_socket(client.socket, server_hostname=ENDPOINT.host)
    assert client.socket.selected_alpn_protocol() is None
    assert kinds(client.startup())[-1] == "Z"
    client.close()


def test_second_request_inside_tls(served: Served) -> None:
    """Encryption is asked for once."""
    for request in (SSL_REQUEST, GSS_REQUEST):
        client = served.connect()
        client.send(request)
        assert error_of(client.until("E"))["C"] == "0A000"
        assert client.closed()


@pytest.mark.parametrize("behind", [b"\0", b"\x16\x03\x01", struct.pack("!i", 8)])
def test_clear_bytes_behind_the_request(served: Served, behind: bytes) -> None:
    """They may have been put there by somebody else: refused in clear (CVE-2021-23222)."""
    client = Client(served.running.port)
    client.send(SSL_REQUEST + behind)
    error = error_of(client.until("E"))
    assert (error["S"], error["C"], error["M"]) == ("FATAL", "08P01", "received unencrypted data after SSL request")
    assert "man-in-the-middle" in error["D"]
    assert client.closed()


@pytest.mark.parametrize("direct", [False, True])
def test_wrong_protocol(served: Served, direct: bool) -> None:
    """An offer of protocols without postgresql ends the handshake."""
    with pytest.raises((ssl.SSLError, ConnectionError)):
        served.connect(direct=direct, context=served.context(("http/1.1", "h2")))
    client = served.connect(direct=direct, context=served.context(("h2", "postgresql")))
    assert client.socket.selected_alpn_protocol() == "postgresql"
    client.close()


def test_direct_needs_a_protocol(served: Served) -> None:
    """Direct TLS without ALPN is closed, as PostgreSQL 17 does."""
    failed = served.running.server.counters["tls_failed"]
    client = served.connect(direct=True, context=served.context(()))
    with pytest.raises((ConnectionError, EOFError)):
        client.startup()
    assert served.running.server.counters["tls_failed"] == failed + 1
    client.close()


def test_old_version(served: Served) -> None:
    """TLS 1.1 is refused with an alert."""
    context = served.context()
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(ssl.SSLError, match="(?i)version|alert"):
        served.connect(context=context)


@pytest.mark.parametrize("hello", [b"\x16" * 600, b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03" + b"\xff" * 600, b"\x16\x03\x01\0\0", b"\x15\x03\x01\0\2\2\x28"])
@pytest.mark.parametrize("direct", [False, True])
def test_garbage_for_a_handshake(served: Served, direct: bool, hello: bytes) -> None:
    """Closed, at once or when the client has said all; the next one is served."""
    client = Client(served.running.port)
    if not direct:
        client.send(SSL_REQUEST)
        assert client.socket.recv(1) == b"S"
    client.send(hello)
    client.socket.shutdown(socket.SHUT_WR)
    received = b""
    try:
        while chunk := client.socket.recv(4096):
            received += chunk
    except ConnectionError:
        pass
    assert len(received) < 200
    assert kinds(served.greeted().query("select 1")) == "TDCZ"


def test_handshake_byte_by_byte(served: Served) -> None:
    """However the client's bytes arrive."""
    client = Client(served.running.port)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    session = served.context().wrap_bio(incoming, outgoing, server_hostname=ENDPOINT.host)
    client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def flush() -> None:
        for byte in outgoing.read():
            client.send(bytes([byte]))

    while True:
        try:
            session.do_handshake()
            break
        except ssl.SSLWantReadError:
            flush()
            incoming.write(client.socket.recv(7))
    body = struct.pack("!i", 196608) + b"user\0admin\0database\0postgres\0\0"
    session.write(struct.pack("!i", len(body) + 4) + body)
    flush()
    received = b""
    while not received.endswith(b"Z\0\0\0\5I"):
        incoming.write(client.socket.recv(11))
        try:
            received += session.read(65536)
        except ssl.SSLWantReadError:
            continue
    client.close()


def test_half_open_handshakes_time_out(certificates: Certificates) -> None:
    """Whoever says nothing, half a request or half a hello is closed after the time for a startup."""
    with serving(tls=certificates.context(), startup_s=0.5) as running:
        silent = [Client(running.port) for _ in range(4)]
        silent[1].send(SSL_REQUEST[:5])
        silent[2].send(SSL_REQUEST)
        assert silent[2].socket.recv(1) == b"S"
        silent[3].send(b"\x16\x03\x01\x02\0\x01\0")
        for client in silent:
            assert client.closed()
        assert running.server.counters["connections"] == 0


def test_long_messages(served: Served) -> None:
    """10 MiB go in one message over many records, in pieces of any size; one byte more closes without a word."""
    client = served.greeted()
    text = b"x" * (10 * 1048576 - 4 - len("select text ''") - 1)
    body = b"select '" + text[: len(text) - 20] + b"'"
    data = query(body)
    at, size = 0, 1
    while at < len(data):
        client.send(data[at : at + size])
        at += size
        size = min(size * 3, 1 << 20)
    found = client.until("Z")
    assert kinds(found) == "TDCZ"
    assert len(row(found[1][1])[0]) == len(body) - 9
    client.send(b"Q" + struct.pack("!i", 10485761))
    with pytest.raises(EOFError):
        client.message()


def test_slow_reader(served: Served) -> None:
    """Results far beyond the socket's buffers: the session waits for its reader, the others do not."""
    slow = served.connect()
    slow.startup()
    for _ in range(10):
        slow.send(query("select rows 60000"))
    time.sleep(0.3)
    quick = served.greeted()
    assert kinds(quick.query("select 1")) == "TDCZ"
    quick.close()
    for _ in range(10):
        found = slow.until("Z")
        assert len(found) == 60003 and row(found[-3][1]) == [b"59999", b"row 59999"]
    slow.close()


def test_copy_both_ways(served: Served) -> None:
    """COPY out to a slow reader, COPY in by small and large records."""
    client = served.greeted()
    client.send(query("copy out 200000"))
    time.sleep(0.2)
    assert len(client.until("Z")) == 200004
    client.send(query("copy in"))
    assert client.message()[0] == "G"
    for size in (1, 100, 5000):
        client.send(b"".join(packet("d", b"%d\ttext\n" % i) for i in range(size)))
    client.send(packet("d", b"1\ttext\n" * 100000) + packet("c"))
    found = client.until("Z")
    assert found[0] == ("C", b"COPY 105101\0")
    client.close()


def test_pipelined(served: Served) -> None:
    """Thousands of messages before the first answer is read."""
    client = served.greeted()
    sender = threading.Thread(target=client.send, args=(b"".join(query(f"select {i}") for i in range(5000)),))
    sender.start()
    for i in range(5000):
        assert row(client.until("Z")[1][1]) == [str(i).encode()]
    sender.join()
    client.close()


def test_cancel(served: Served) -> None:
    """A CancelRequest works over TLS and in clear, whatever its session speaks."""
    client = served.greeted()
    for over_tls in (True, False):
        count = served.running.server.counters["cancels"]
        client.send(query("wait 100000"))
        deadline = time.monotonic() + 10
        while served.running.server.counters["cancels"] == count:
            other = served.connect() if over_tls else Client(served.running.port)
            other.send(struct.pack("!iiII", 16, 80877102, *client.key))
            assert other.socket.recv(1) == b""
            assert time.monotonic() < deadline
        assert error_of(client.until("Z"))["C"] == "57014"
    client.close()


# -- DSQL's rule -------------------------------------------------------------------------------------------------------


def test_strict_refuses_clear(strict: Served) -> None:
    """A startup in clear is told why; GSS is 'N'."""
    client = Client(strict.running.port)
    client.send(GSS_REQUEST)
    assert client.socket.recv(1) == b"N"
    error = error_of(client.startup())
    assert (error["S"], error["C"]) == ("FATAL", "08006")
    assert error["M"] == "unable to accept connection, SSL is mandatory. AWS Authentication is required."
    assert client.closed()


def unverified() -> ssl.SSLContext:
    """A client that does not look at the name."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["postgresql"])
    return context


@pytest.mark.parametrize("direct", [False, True])
@pytest.mark.parametrize(
    ("host", "options", "message"),
    [
        (ENDPOINT.host, "", None),
        (ENDPOINT.host.upper(), "", None),
        ("local.dsql.us-east-1.on.aws", "", None),
        (None, "-c amzn-cluster-id=" + ENDPOINT.cluster_id, None),
        (None, "-c TimeZone=UTC  -camzn_cluster_id=" + ENDPOINT.cluster_id, None),
        ("localhost", "--amzn-cluster-id=" + ENDPOINT.cluster_id, None),
        (None, "", "unable to accept connection, sni was not received"),
        (None, "-c search_path=amzn-cluster-id=" + ENDPOINT.cluster_id, "unable to accept connection, sni was not received"),
        (None, "-c amzn-cluster-id=" + "b" * 26, "unable to accept connection, access denied"),
        (None, "-c amzn-cluster-id=" + ENDPOINT.cluster_id + "a", "unable to accept connection, access denied"),
        (None, "-c amzn-cluster-id=", "unable to accept connection, access denied"),
        ("b" * 26 + ".dsql.us-east-1.on.aws", "", "unable to accept connection, access denied"),
        (ENDPOINT.host.replace("us-east-1", "us-east-2"), "", "unable to accept connection, access denied"),
        (ENDPOINT.host + "x", "", "unable to accept connection, access denied"),
        (ENDPOINT.cluster_id, "", "unable to accept connection, access denied"),
        (ENDPOINT.host, "-c amzn-cluster-id=" + "b" * 26, "unable to accept connection, access denied"),
    ],
)
def test_strict_names(strict: Served, direct: bool, host: str | None, options: str, message: str | None) -> None:
    """The cluster is named by SNI or by the option; who names none or another is refused."""
    client = Client(strict.running.port)
    if not direct:
        client.send(SSL_REQUEST)
        assert client.socket.recv(1) == b"S"
    client.socket = unverified().wrap_socket(client.socket, server_hostname=host)
    found = client.startup(**({"options": options} if options else {}))
    if message is None:
        assert found[-1][0] == "Z"
    else:
        error = error_of(found)
        assert (error["S"], error["C"], error["M"]) == ("FATAL", "08006", message)
        assert ("H" in error) == message.endswith("denied")
        assert client.closed()
    client.close()


# -- nothing is left behind --------------------------------------------------------------------------------------------


def resident() -> int:
    """Private and anonymous bytes of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def descriptors() -> int:
    """Open ones."""
    return len(os.listdir("/proc/self/fd"))


def come_and_go(served: Served, rounds: int) -> None:
    context = served.context()
    for i in range(rounds):
        client = served.connect(direct=bool(i & 1), context=context)
        client.startup()
        client.query("select 1")
        client.close()  # without a word
        client = Client(served.running.port)
        client.send(SSL_REQUEST + (b"" if i & 1 else b"\0"))
        client.close()
        client = Client(served.running.port)
        client.send(b"\x16\x03\x01\0\5" + bytes(i & 7))
        client.close()


def test_nothing_leaks(served: Served) -> None:
    """Sessions, broken handshakes and broken connections: descriptors and memory level."""
    come_and_go(served, 50)
    deadline = time.monotonic() + 10
    while served.running.server.counters["connections"]:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    files, memory = descriptors(), resident()
    come_and_go(served, 500)
    while served.running.server.counters["connections"] or descriptors() > files:
        assert time.monotonic() < deadline + 60
        time.sleep(0.01)
    assert resident() - memory < 6 << 20  # 1500 connections: a session left over by each would be some 30 MB


# -- certificates ------------------------------------------------------------------------------------------------------


def test_certificates_are_kept(tmp_path: Path) -> None:
    """Made once; a new server certificate when names change, by the same authority; keys are private."""
    assert local_certificates(tmp_path, ENDPOINT, make=False) is None
    found = local_certificates(tmp_path, ENDPOINT, make=True)
    assert found is not None and found.authority is not None
    before = [path.read_bytes() for path in (found.certificate, found.key, found.authority)]
    local_certificates(tmp_path, ENDPOINT, make=False)
    assert [path.read_bytes() for path in (found.certificate, found.key, found.authority)] == before
    for path in (found.key, found.authority.with_name("ca.key")):
        assert path.stat().st_mode & 0o777 == 0o600
    local_certificates(tmp_path, Endpoint("b" * 26), make=False)
    assert found.authority.read_bytes() == before[2] and found.certificate.read_bytes() != before[0]
    found.key.unlink()
    local_certificates(tmp_path, Endpoint("b" * 26), make=False)
    found.context()


def test_certificates_that_do_not_fit(tmp_path: Path) -> None:
    """One line that names the file."""
    found = local_certificates(tmp_path, ENDPOINT, make=True)
    assert found is not None and found.authority is not None
    with pytest.raises(OperatorError, match="No such file"):
        Certificates(tmp_path / "none", found.key).context()
    with pytest.raises(OperatorError, match=r"server\.pem.*ca\.key.*mismatch"):
        Certificates(found.certificate, found.authority.with_name("ca.key")).context()
    found.certificate.write_text("nothing")
    with pytest.raises(OperatorError, match="is not a certificate"):
        local_certificates(tmp_path, ENDPOINT, make=True)
