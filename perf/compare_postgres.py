"""The speed table: opendsql beside PostgreSQL 18, same machine, same run, interleaved, medians.

    python perf/compare_postgres.py [--accounts 1000000] [--seconds 4] [--rounds 5] [--cells select/simple/1,...]

Twelve cells: {SELECT by key, simple-update} x {simple, prepared} x {1, 8, 64 clients}, custom scripts with the text of
pgbench's built-ins (simple-update is BEGIN, three statements, END). Both servers are durable (fsync on); each cell
alternates the two and takes the median of its rounds. CPU is the server's process tree, per statement.
"""

from __future__ import annotations

import argparse
import re
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from peer import Peer, opendsql, pgbench_path, postgres

SELECT = "\\set aid random(1, :accounts)\nSELECT abalance FROM pgbench_accounts WHERE aid = :aid;\n"
UPDATE = """\\set aid random(1, :accounts)
\\set bid random(1, :branches)
\\set tid random(1, :tellers)
\\set delta random(-5000, 5000)
BEGIN;
UPDATE pgbench_accounts SET abalance = abalance + :delta WHERE aid = :aid;
SELECT abalance FROM pgbench_accounts WHERE aid = :aid;
INSERT INTO pgbench_history (tid, bid, aid, delta, mtime) VALUES (:tid, :bid, :aid, :delta, CURRENT_TIMESTAMP);
END;
"""
SCRIPTS = {"select": (SELECT, 1), "update": (UPDATE, 5)}
TABLES = (
    "CREATE TABLE pgbench_branches (bid int NOT NULL PRIMARY KEY, bbalance int, filler char(88))",
    "CREATE TABLE pgbench_tellers (tid int NOT NULL PRIMARY KEY, bid int, tbalance int, filler char(84))",
    "CREATE TABLE pgbench_accounts (aid int NOT NULL PRIMARY KEY, bid int, abalance int, filler char(84))",
    "CREATE TABLE pgbench_history (tid int, bid int, aid int, delta int, mtime timestamp, filler char(22))",
)


@dataclass
class Cell:
    script: str
    protocol: str
    clients: int
    tps: dict[str, list[float]] = field(default_factory=dict)
    cpu_us: dict[str, list[float]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.script}/{self.protocol}/{self.clients}"


def load(peer: Peer, accounts: int) -> float:
    """pgbench's four tables, filled by COPY in transactions of at most 2,500 rows. Returns seconds."""
    started = time.monotonic()
    with psycopg.connect(peer.dsn, autocommit=True) as connection:
        for statement in TABLES:
            connection.execute(statement)
        for first in range(1, accounts + 1, 2500):
            with connection.cursor().copy("COPY pgbench_accounts (aid, bid, abalance, filler) FROM STDIN") as copy:
                copy.write("".join(f"{aid}\t{(aid - 1) // 100000 + 1}\t0\t\n"
                                   for aid in range(first, min(first + 2500, accounts + 1))))
        if peer.name.startswith("PostgreSQL"):
            connection.execute("VACUUM ANALYZE")
            connection.execute("CHECKPOINT")
    return time.monotonic() - started


def run(peer: Peer, cell: Cell, path: Path, accounts: int, seconds: float) -> None:
    """One pgbench run of one cell; appends tps and CPU per statement."""
    _, statements = SCRIPTS[cell.script]
    branches = max(1, accounts // 100_000)
    command = [pgbench_path(), "-n", "-f", str(path), "-M", cell.protocol, "-c", str(cell.clients),
               "-j", str(min(cell.clients, 2)), "-T", str(int(seconds)), "--max-tries=0" if cell.script == "update" else "--max-tries=1",
               "-D", f"accounts={accounts}", "-D", f"branches={branches}", "-D", f"tellers={branches * 10}",
               "-h", "127.0.0.1", "-p", str(peer.port), "-U", peer.user, "postgres"]
    cpu = peer.server_cpu()
    result = subprocess.run(command, capture_output=True, text=True)
    cpu = peer.server_cpu() - cpu
    tps = re.search(r"tps = ([0-9.]+) \(without", result.stdout)
    done = re.search(r"number of transactions actually processed: (\d+)", result.stdout)
    failed = re.search(r"number of failed transactions: (\d+)", result.stdout)
    if result.returncode != 0 or tps is None or done is None or (failed and int(failed[1])):
        raise SystemExit(f"{peer.name} {cell.name}: {result.stdout}\n{result.stderr}")
    cell.tps.setdefault(peer.name, []).append(float(tps[1]))
    cell.cpu_us.setdefault(peer.name, []).append(cpu * 1e6 / max(1, int(done[1]) * statements))


def main() -> int:
    """Runs the table and prints it; exit status 1 when a cell is below 1.0x."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--accounts", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cells", default="", help="comma-separated script/protocol/clients; default all twelve")
    parser.add_argument("--serve", default="", help="extra arguments for opendsql serve")
    options = parser.parse_args()
    cells = [Cell(s, p, c) for s in ("select", "update") for p in ("simple", "prepared") for c in (1, 8, 64)]
    if options.cells:
        cells = [cell for cell in cells if cell.name in options.cells.split(",")]
    with tempfile.TemporaryDirectory() as scratch, postgres() as pg, opendsql(*options.serve.split()) as ours:
        paths = {name: Path(scratch) / name for name in SCRIPTS}
        for name, (text, _) in SCRIPTS.items():
            paths[name].write_text(text)
        for peer in (pg, ours):
            print(f"{peer.name}: loaded {options.accounts} accounts in {load(peer, options.accounts):.1f} s", flush=True)
        for peer in (pg, ours):
            run(peer, Cell("update", "prepared", 8), paths["update"], options.accounts, max(5.0, options.seconds))
        print(f"{'cell':22} {'PostgreSQL 18':>14} {'opendsql':>10} {'ratio':>6}   server CPU us/statement: PG, ours", flush=True)
        worst = 99.0
        for cell in cells:
            for _ in range(options.rounds):
                for peer in (pg, ours):
                    run(peer, cell, paths[cell.script], options.accounts, options.seconds)
            theirs, mine = (statistics.median(cell.tps[p.name]) for p in (pg, ours))
            cpu_theirs, cpu_mine = (statistics.median(cell.cpu_us[p.name]) for p in (pg, ours))
            worst = min(worst, mine / theirs)
            print(f"{cell.name:22} {theirs:14.0f} {mine:10.0f} {mine / theirs:5.2f}x   {cpu_theirs:8.1f} {cpu_mine:8.1f}", flush=True)
    print(f"worst cell {worst:.2f}x")
    return 0 if worst >= 1.0 else 1


if __name__ == "__main__":
    sys.exit(main())
