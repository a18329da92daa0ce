"""Kill -9, restart, compare: nothing acknowledged may be missing, nothing half there.

    python tests/crash/kill_rounds.py [--rounds 200] [--clients 8] [--seed N] [--topology auto]

Each round: clients move money between accounts (two UPDATEs and one INSERT into the log of transfers, one transaction)
until a random process is killed: one worker kind, the supervisor, or all at once. When the server answers again:
  K1  every acknowledged transfer is in the log (one whose COMMIT got no answer may or may not be)
  K2  the sum of balances is what it was
  K3  every account's balance is its start plus what the log says of it (no transfer is half applied)
  K4  each index tells the same as its table
Rounds that killed everything also run `opendsql verify` on the directory before the restart.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

import psycopg

# `python -m opendsql` started from the checkout must find the installed package, not the uncompiled sources beside it.
os.environ.setdefault("PYTHONSAFEPATH", "1")

ACCOUNTS = 200
START = 1000
SCHEMA = (
    "CREATE TABLE accounts (id int PRIMARY KEY, branch int NOT NULL, balance bigint NOT NULL)",
    "CREATE TABLE transfers (id text PRIMARY KEY, source int NOT NULL, target int NOT NULL, amount bigint NOT NULL)",
)
INDEXES = ("CREATE INDEX ASYNC accounts_branch ON accounts (branch) INCLUDE (balance)", "CREATE UNIQUE INDEX ASYNC transfers_pair ON transfers (source, id)")


class Violation(Exception):
    """A promise that did not hold."""


class Server:
    """`opendsql serve` as a subprocess, found again after any of its processes died."""

    def __init__(self, data: Path, port: int, topology: str) -> None:
        self.data, self.port, self.topology = data, port, topology
        self.dsn = f"host=127.0.0.1 port={port} user=admin dbname=postgres connect_timeout=5"
        self.log = (data.parent / "server.log").open("ab")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "opendsql", "serve", "--data", str(self.data), "--port", str(self.port), "--topology", self.topology]
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log)

    def wait(self, seconds: float = 30) -> float:
        """Seconds until a connection answers; restarts the command when the supervisor itself is gone."""
        started = time.monotonic()
        while True:
            try:
                with psycopg.connect(self.dsn, autocommit=True) as connection:
                    connection.execute("SELECT 1")
                    return time.monotonic() - started
            except psycopg.Error:
                if time.monotonic() - started > seconds:
                    raise Violation(f"server did not come back within {seconds} s") from None
                time.sleep(0.01)

    def workers(self) -> dict[str, list[int]]:
        """Live processes by kind, from the run file."""
        assert self.process is not None
        kinds: dict[str, list[int]] = {"supervisor": [self.process.pid]}
        for worker in json.loads((self.data / "workers.json").read_text()):
            kinds.setdefault(worker["kind"], []).append(worker["pid"])
        return kinds

    def kill(self, victim: str, rng: random.Random) -> None:
        """SIGKILL to one process of that kind, or to all of them at once."""
        assert self.process is not None
        kinds = self.workers()
        pids = [pid for each in kinds.values() for pid in each] if victim == "all" else [rng.choice(kinds[victim])]
        if victim == "supervisor":
            pids = kinds["supervisor"]
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if victim in ("all", "supervisor"):
            self.process.wait()
            self.wait_gone([pid for each in kinds.values() for pid in each])

    def wait_gone(self, pids: list[int]) -> None:
        """Orphaned workers end by themselves when their supervisor is gone."""
        deadline = time.monotonic() + 10
        while any(Path(f"/proc/{pid}").exists() and "Z" not in Path(f"/proc/{pid}/stat").read_text().split(")")[1][:3] for pid in pids):
            if time.monotonic() > deadline:
                raise Violation("workers outlived their supervisor")
            time.sleep(0.01)

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill("all", random.Random())
                raise Violation("server did not stop on SIGTERM") from None
        self.log.close()


class Client(threading.Thread):
    """Transfers until told to stop or disconnected; remembers which were acknowledged and which are in doubt."""

    def __init__(self, dsn: str, seed: int) -> None:
        super().__init__()
        self.dsn, self.rng = dsn, random.Random(seed)
        self.acknowledged: list[str] = []
        self.in_doubt: list[str] = []
        self.conflicts = 0
        self.unexpected: list[str] = []
        self.stopping = threading.Event()

    def run(self) -> None:
        try:
            with psycopg.connect(self.dsn, autocommit=True) as connection:
                while not self.stopping.is_set():
                    self.transfer(connection)
        except psycopg.OperationalError:
            pass  # the kill
        except psycopg.Error as error:
            self.unexpected.append(f"{error.sqlstate}: {error}")

    def transfer(self, connection: psycopg.Connection[tuple[object, ...]]) -> None:
        source, target = self.rng.sample(range(ACCOUNTS), 2)
        amount = self.rng.randint(1, 20)
        name = f"{self.rng.getrandbits(64):016x}"
        try:
            connection.execute("BEGIN")
            connection.execute("UPDATE accounts SET balance = balance - %s WHERE id = %s", (amount, source))
            connection.execute("UPDATE accounts SET balance = balance + %s WHERE id = %s", (amount, target))
            connection.execute("INSERT INTO transfers VALUES (%s, %s, %s, %s)", (name, source, target, amount))
            self.in_doubt.append(name)
            connection.execute("COMMIT")
            self.in_doubt.pop()
            self.acknowledged.append(name)
        except psycopg.errors.SerializationFailure:
            self.in_doubt = [n for n in self.in_doubt if n != name]
            self.conflicts += 1
            if connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
                connection.execute("ROLLBACK")


def check(dsn: str, acknowledged: set[str]) -> int:
    """K1-K4 at one snapshot (a commit in doubt may still land meanwhile); returns the number of transfers in the log."""
    with psycopg.connect(dsn, autocommit=True) as connection, connection.transaction():
        logged = {row[0] for row in connection.execute("SELECT id FROM transfers").fetchall()}
        if missing := acknowledged - logged:
            raise Violation(f"K1: {len(missing)} acknowledged transfers are gone, e.g. {next(iter(missing))}")
        balances: dict[int, int] = {row[0]: row[1] for row in connection.execute("SELECT id, balance FROM accounts").fetchall()}
        if sum(balances.values()) != ACCOUNTS * START:
            raise Violation(f"K2: the sum of balances is {sum(balances.values())}")
        expected = dict.fromkeys(range(ACCOUNTS), START)
        for source, target, amount in connection.execute("SELECT source, target, amount FROM transfers").fetchall():
            expected[source] -= amount
            expected[target] += amount
        if expected != balances:
            raise Violation(f"K3: half a transfer: {[(i, balances.get(i), expected[i]) for i in expected if expected[i] != balances.get(i)][:3]}")
        by_index: Counter[tuple[int, int]] = Counter()
        for branch in range(10):
            for row in connection.execute("SELECT branch, balance FROM accounts WHERE branch = %s", (branch,)).fetchall():
                by_index[row[0], row[1]] += 1
        by_table = Counter(tuple(row) for row in connection.execute("SELECT branch, balance FROM accounts WHERE branch + 0 >= 0").fetchall())
        if by_index != by_table:
            raise Violation("K4: accounts_branch differs from its table")
        by_unique = connection.execute("SELECT count(*) FROM transfers WHERE source >= 0").fetchone()
        assert by_unique is not None
        if by_unique[0] != len(logged):
            raise Violation(f"K4: transfers_pair has {by_unique[0]} entries, its table {len(logged)}")
    return len(logged)


def rounds(count: int, clients: int, seed: int, directory: Path, port: int, topology: str = "auto", seconds: float = 0.4) -> dict[str, object]:
    """Runs the rounds; raises Violation at the first broken promise. Returns the figures."""
    rng = random.Random(seed)
    server = Server(directory / "data", port, topology)
    kills: Counter[str] = Counter()
    acknowledged: set[str] = set()
    totals: Counter[str] = Counter()
    waits = []
    server.start()
    try:
        server.wait()
        with psycopg.connect(server.dsn, autocommit=True) as connection:
            for statement in SCHEMA:
                connection.execute(statement)
            for statement in INDEXES:
                row = connection.execute(statement).fetchone()
                assert row is not None
                connection.execute(f"CALL sys.wait_for_job('{row[0]}')".encode())
            with connection.transaction():
                for i in range(ACCOUNTS):
                    connection.execute("INSERT INTO accounts VALUES (%s, %s, %s)", (i, i % 10, START))
        for _ in range(count):
            workers = [Client(server.dsn, rng.getrandbits(32)) for _ in range(clients)]
            for client in workers:
                client.start()
            time.sleep(seconds * (0.5 + rng.random()))
            victim = rng.choice([*server.workers(), "all"])
            server.kill(victim, rng)
            kills[victim] += 1
            if victim in ("all", "supervisor"):
                if victim == "all":
                    verify = subprocess.run([sys.executable, "-m", "opendsql", "verify", str(server.data)], capture_output=True, text=True)
                    totals["verified"] += 1
                    if verify.returncode != 0:
                        raise Violation(f"verify: {verify.stdout}{verify.stderr}")
                server.start()
            for client in workers:
                client.stopping.set()
            for client in workers:
                client.join()
                acknowledged.update(client.acknowledged)
                totals["acknowledged"] += len(client.acknowledged)
                totals["in_doubt"] += len(client.in_doubt)
                totals["conflicts"] += client.conflicts
                if client.unexpected:
                    raise Violation(f"unexpected error after killing {victim}: {client.unexpected[0]}")
            waits.append(server.wait())
            totals["in_log"] = check(server.dsn, acknowledged)
    finally:
        server.stop()
    return {"rounds": count, "kills": dict(kills), **totals, "violations": 0, "recovery_s_max": round(max(waits), 3)}


def main() -> int:
    """The command: prints the figures, exit status 1 and the seed when a promise is broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--port", type=int, default=21990)
    parser.add_argument("--topology", default="auto")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kill-rounds-") as directory:
        try:
            print(rounds(options.rounds, options.clients, options.seed, Path(directory), options.port, options.topology))
        except Violation as violation:
            print(f"violations: 1 (seed {options.seed}): {violation}")
            print((Path(directory) / "server.log").read_text()[-4000:])
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
