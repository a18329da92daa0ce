"""Bytes that no driver sends: the server answers clearly or hangs up, and stays up for everyone else."""

import random
import socket
import struct

import psycopg


def exchange(server, data: bytes, then: bytes = b"") -> bytes:
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        connection.sendall(data)
        if then:
            connection.sendall(then)
        connection.shutdown(socket.SHUT_WR)
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
        return received


def startup(**parameters: str) -> bytes:
    body = struct.pack("!i", 196608) + b"".join(f"{k}\0{v}\0".encode() for k, v in parameters.items()) + b"\0"
    return struct.pack("!i", len(body) + 4) + body


HELLO = startup(user="admin", database="postgres")


def message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!i", len(body) + 4) + body


def alive(server) -> None:
    with psycopg.connect(server.dsn) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_garbage_instead_of_startup(server) -> None:
    for garbage in (b"GET / HTTP/1.1\r\n\r\n", b"\0\0\0\4", b"\xff" * 64, struct.pack("!ii", 2**31 - 1, 196608), b"\0\0\0\x08\0\1\0\0"):
        exchange(server, garbage)
    alive(server)


def test_oversize_message(server) -> None:
    answer = exchange(server, HELLO, b"Q" + struct.pack("!i", 11 * 2**20 + 4) + b"x" * 1000)
    assert b"08P01" not in answer, "the service closes without a word"
    alive(server)


def test_invalid_utf8(server) -> None:
    answer = exchange(server, HELLO, message(b"Q", b"SELECT '\xff\xfe'\0"))
    assert b"22021" in answer
    alive(server)


def test_wrong_database(server) -> None:
    answer = exchange(server, startup(user="admin", database="other"))
    assert b"3D000" in answer
    assert b'database "other" does not exist' in answer


def test_bind_with_wrong_parameter_count(server) -> None:
    parse = message(b"P", b"\0SELECT $1::int + $2::int\0\0\0")
    bind = message(b"B", b"\0\0" + struct.pack("!hhi", 0, 1, 1) + b"1" + struct.pack("!h", 0))
    answer = exchange(server, HELLO, parse + bind + message(b"S", b""))
    assert b"08P01" in answer
    assert b'bind message supplies 1 parameters, but prepared statement "" requires 2' in answer


def test_unknown_statement_and_portal(server) -> None:
    answer = exchange(server, HELLO, message(b"B", b"\0nosuch\0" + struct.pack("!hhh", 0, 0, 0)) + message(b"S", b""))
    assert b"26000" in answer
    answer = exchange(server, HELLO, message(b"E", b"nosuch\0" + struct.pack("!i", 0)) + message(b"S", b""))
    assert b"34000" in answer


def test_mutated_conversations(server) -> None:
    """500 byte-level mutations of a good conversation: answers or hang-ups, never a dead server."""
    rng = random.Random(4)
    good = (message(b"P", b"s\0SELECT $1::int\0\0\1" + struct.pack("!i", 23)) + message(b"B", b"p\0s\0" + struct.pack("!hhi", 0, 1, 1) + b"7" + struct.pack("!h", 0))
            + message(b"D", b"Pp\0") + message(b"E", b"p\0\0\0\0\0") + message(b"S", b"") + message(b"Q", b"SELECT 'a', 1.5; SELECT 2\0"))
    for _ in range(500):
        data = bytearray(good)
        for _ in range(rng.randint(1, 6)):
            at = rng.randrange(len(data))
            action = rng.randrange(3)
            if action == 0:
                data[at] = rng.randrange(256)
            elif action == 1:
                del data[at]
            else:
                data.insert(at, rng.randrange(256))
        try:
            exchange(server, HELLO, bytes(data))
        except (ConnectionResetError, BrokenPipeError, TimeoutError):
            pass
    alive(server)
