"""Three properties that later speed needs, each measured in one run.

    python perf/shape.py [--seconds 5] [--rounds 3] [--rows 1000000]

  a  with one busy pure-Python thread in every worker, SELECT by key through a cached plan keeps its throughput
     (DSQL_BUSY_PYTHON=1 makes every serving process start such a thread)
  b  beside a query that scans and aggregates for seconds, SELECT by key at 8 clients keeps its p99
  c  count(*), sum(x) with a two-column filter over a million rows, beside PostgreSQL 18 without parallel workers
Exit status 1 when a falls below 80 %, b rises above 3x, or c is below 2x.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
from compare_postgres import SELECT, load
from peer import Peer, opendsql, pgbench_path, postgres

FILTER = "SELECT count(*), sum(abalance + 3) FROM pgbench_accounts WHERE bid < 8 AND aid % 7 > 2"


def pgbench(peer: Peer, script: Path, accounts: int, seconds: float, log_prefix: Path | None = None) -> float:
    """tps of SELECT by key, prepared, 8 clients; with a log, every latency is written there."""
    command = [pgbench_path(), "-n", "-f", str(script), "-M", "prepared", "-c", "8", "-j", "2", "-T", str(int(seconds)),
               "-D", f"accounts={accounts}", "-h", "127.0.0.1", "-p", str(peer.port), "-U", peer.user, "postgres"]
    if log_prefix is not None:
        command += ["-l", "--log-prefix", str(log_prefix)]
    result = subprocess.run(command, capture_output=True, text=True)
    tps = re.search(r"tps = ([0-9.]+) \(without", result.stdout)
    if result.returncode != 0 or tps is None:
        raise SystemExit(f"{result.stdout}\n{result.stderr}")
    return float(tps[1])


def p99_us(prefix: Path) -> float:
    """The 99th percentile of the third column of pgbench's logs; the logs are removed."""
    latencies = []
    for log in prefix.parent.glob(prefix.name + ".*"):
        latencies += [int(line.split()[2]) for line in log.read_text().splitlines()]
        log.unlink()
    return statistics.quantiles(latencies, n=100)[98]


@contextlib.contextmanager
def long_query(peer: Peer) -> Iterator[list[float]]:
    """A session that scans and aggregates over and over; yields the list of its seconds per query."""
    stop, times = threading.Event(), []

    def scan() -> None:
        with psycopg.connect(peer.dsn, autocommit=True) as connection:
            while not stop.is_set():
                started = time.monotonic()
                connection.execute("SELECT bid, count(*), sum(abalance), min(aid), max(aid), avg(abalance) FROM pgbench_accounts, generate_series(1, 60) "
                                   "GROUP BY bid, aid % 1000 ORDER BY 1 LIMIT 1")
                times.append(time.monotonic() - started)

    thread = threading.Thread(target=scan)
    thread.start()
    try:
        yield times
    finally:
        stop.set()
        thread.join()


def main() -> int:
    """Measures a, b and c and prints one line each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=1_000_000)
    options = parser.parse_args()
    failed = False
    with tempfile.TemporaryDirectory() as scratch:
        script = Path(scratch) / "select"
        script.write_text(SELECT)
        with opendsql() as quiet:
            load(quiet, options.rows)
            os.environ["DSQL_BUSY_PYTHON"] = "1"
            with opendsql() as busy:
                del os.environ["DSQL_BUSY_PYTHON"]
                load(busy, options.rows)
                rates: dict[str, list[float]] = {"quiet": [], "busy": []}
                for _ in range(options.rounds):
                    rates["quiet"].append(pgbench(quiet, script, options.rows, options.seconds))
                    # the busy server competes for two cores only while it is measured
                    rates["busy"].append(pgbench(busy, script, options.rows, options.seconds))
            kept = statistics.median(rates["busy"]) / statistics.median(rates["quiet"])
            print(f"a: SELECT by key {statistics.median(rates['quiet']):.0f} tps, with a busy Python thread {statistics.median(rates['busy']):.0f} tps: keeps {kept:.0%}", flush=True)
            failed |= kept < 0.8
            alone, beside, scans = [], [], []
            for _ in range(options.rounds):
                pgbench(quiet, script, options.rows, options.seconds, Path(scratch) / "log")
                alone.append(p99_us(Path(scratch) / "log"))
                with long_query(quiet) as times:
                    pgbench(quiet, script, options.rows, options.seconds, Path(scratch) / "log")
                beside.append(p99_us(Path(scratch) / "log"))
                scans += times
            ratio = statistics.median(beside) / statistics.median(alone)
            print(f"b: p99 at 8 clients {statistics.median(alone):.0f} us alone, {statistics.median(beside):.0f} us beside a scan of {statistics.median(scans):.1f} s: {ratio:.1f}x", flush=True)
            failed |= ratio > 3
            with postgres() as pg:
                load(pg, options.rows)
                seconds: dict[str, list[float]] = {quiet.name: [], pg.name: []}
                answers = set()
                with psycopg.connect(quiet.dsn, autocommit=True) as ours, psycopg.connect(pg.dsn, autocommit=True) as theirs:
                    for peer, connection in ((quiet, ours), (pg, theirs)) * 7:
                        started = time.monotonic()
                        answers.add(tuple(connection.execute(FILTER).fetchone() or ()))
                        seconds[peer.name].append(time.monotonic() - started)
                mine, other = (statistics.median(seconds[p.name]) * 1000 for p in (quiet, pg))
                print(f"c: {FILTER}: opendsql {mine:.1f} ms, PostgreSQL 18 {other:.1f} ms: {other / mine:.1f}x; same answer: {len(answers) == 1}")
                failed |= other / mine < 2 or len(answers) != 1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
