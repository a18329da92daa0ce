"""How long a plan-cache miss costs: parse, bind, rules, emit, in microseconds per statement (median of rounds).

python perf/bench_plan.py [rounds]
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path
from types import SimpleNamespace

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "query"))

from opendsql.query.params import Params
from opendsql.query.parse import parse
from opendsql.query.planner import Planner
from sample_catalog import CATALOG

STATEMENTS = {
    "pgbench select": "SELECT abalance FROM pgbench_accounts WHERE aid = $1",
    "pgbench update": "UPDATE pgbench_accounts SET abalance = abalance + $1 WHERE aid = $2",
    "pgbench insert": "INSERT INTO pgbench_history (tid, bid, aid, delta, mtime) VALUES ($1, $2, $3, $4, CURRENT_TIMESTAMP)",
    "begin": "BEGIN",
    "tpcc customer": "SELECT c_discount, c_last, c_credit, w_tax FROM customer, warehouse "
    "WHERE w_id = $1 AND c_w_id = w_id AND c_d_id = $2 AND c_id = $3",
    "tpcc stock level": "SELECT count(DISTINCT s_i_id) FROM order_line, stock WHERE ol_w_id = $1 AND ol_d_id = $2 "
    "AND ol_o_id < $3 AND ol_o_id >= $3 - 20 AND s_w_id = $1 AND s_i_id = ol_i_id AND s_quantity < $4",
    "aggregate": "SELECT bid, count(*), sum(abalance) FROM pgbench_accounts GROUP BY bid HAVING sum(abalance) > 10 ORDER BY 2",
}


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    planner = Planner(lambda session: CATALOG, compile_program=lambda ir: None)
    print(f"{'statement':20} {'parse':>8} {'bind':>8} {'plan':>8}   microseconds, median of {rounds}")
    for name, text in STATEMENTS.items():
        request = SimpleNamespace(text=text, normalized=text, param_oids=[], literals=[], session=None)

        def bind(text: str = text) -> None:
            statement = parse(text)[0]
            if statement.kind != "TransactionStmt":
                planner.bind(statement, None, Params())

        steps = [lambda text=text: parse(text), bind, lambda request=request: planner.plan(request)]
        times = []
        for step in steps:
            samples = []
            for _ in range(rounds):
                begun = time.perf_counter()
                step()
                samples.append(time.perf_counter() - begun)
            times.append(statistics.median(samples) * 1e6)
        print(f"{name:20} {times[0]:8.0f} {times[1]:8.0f} {times[2]:8.0f}")


if __name__ == "__main__":
    main()
