"""Steady updates beside a reader that holds its snapshot: memory and files must stay flat.

    python perf/steady.py [--minutes 5] [--rows 1000000] [--clients 4]

A reader begins, sums a column, and sums it again to the end of its transaction (DSQL allows 300 s); meanwhile pgbench
updates random rows. Every ten seconds the arena's and the checkpoint file's sizes are printed. The first two fifths are
warm-up: by then a few checkpoints (one per 30 s) have met the reader's pin, which is what sets the high-water mark. Exit
status 1 when the reader's answer changes, or when a later size exceeds the largest of the warm-up by more than 5 %.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg
from compare_postgres import load
from peer import Peer, opendsql, pgbench_path

UPDATE = "\\set aid random(1, :accounts)\nUPDATE pgbench_accounts SET abalance = abalance + 1 WHERE aid = :aid;\n"


def sizes(peer: Peer) -> tuple[float, float]:
    """MiB of arena pages in use (held ones included) and of the checkpoint file."""
    status = json.loads(subprocess.run([sys.executable, "-m", "opendsql", "status", "--data", str(peer.directory / "data"), "--json"],
                                       capture_output=True, text=True, check=True).stdout)
    return status["arena_bytes"] / 2**20, status["checkpoint_bytes"] / 2**20


def main() -> int:
    """Runs the load and prints the sizes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--clients", type=int, default=4)
    options = parser.parse_args()
    seconds = options.minutes * 60
    with tempfile.TemporaryDirectory() as scratch, opendsql() as server:
        script = Path(scratch) / "update"
        script.write_text(UPDATE)
        load(server, options.rows)
        with psycopg.connect(server.dsn) as reader:
            first = reader.execute("SELECT count(*), sum(abalance) FROM pgbench_accounts").fetchone()
            started = time.monotonic()
            load_process = subprocess.Popen([pgbench_path(), "-n", "-f", str(script), "-M", "prepared", "-c", str(options.clients), "-T", str(int(seconds)),
                                             "--max-tries=0", "-D", f"accounts={options.rows}", "-h", "127.0.0.1", "-p", str(server.port), "-U", server.user, "postgres"],
                                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            history = []
            same = True
            while (elapsed := time.monotonic() - started) < seconds - 8:
                history.append((elapsed, *sizes(server)))
                print(f"{elapsed:5.0f} s: arena {history[-1][1]:.0f} MiB, checkpoint file {history[-1][2]:.0f} MiB", flush=True)
                same &= reader.execute("SELECT count(*), sum(abalance) FROM pgbench_accounts").fetchone() == first
                time.sleep(min(10, seconds / 20))
            reader.rollback()
        print((load_process.communicate()[0] or "").strip().splitlines()[-1])
        flat = True
        for column in (1, 2):
            early = max(entry[column] for entry in history if entry[0] <= seconds * 2 / 5)
            late = max(entry[column] for entry in history if entry[0] > seconds * 2 / 5)
            flat &= late <= early * 1.05
        print(f"the reader's answer {'stayed' if same else 'CHANGED'}; sizes {'flat' if flat else 'GROW'} after warm-up")
        return 0 if same and flat else 1


if __name__ == "__main__":
    sys.exit(main())
