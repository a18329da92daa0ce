"""TPC-C's five transactions over its nine tables, as DSQL allows them, against opendsql and PostgreSQL 18.

    python perf/tpcc.py [--warehouses 2] [--minutes 10] [--clients 8] [--peer-minutes 1] [--skip-peer]

Standard mix (45 new-order, 43 payment, 4 order-status, 4 delivery, 4 stock-level), no think time, every client a process
with one connection; PostgreSQL runs at REPEATABLE READ, the isolation DSQL has. A transaction that ends in 40001 is run
again with jittered backoff; any other error stops the run and fails it. Afterwards consistency conditions 1-4 of the
specification (clause 3.3.2) are checked with SQL, and `opendsql verify` walks the stopped directory.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
from peer import Peer, opendsql, postgres

DISTRICTS, CUSTOMERS, ITEMS, ORDERS = 10, 3000, 100_000, 3000
SYLLABLES = "BAR OUGHT ABLE PRI PRES ESE ANTI CALLY ATION EING".split()

SCHEMA = """
CREATE TABLE warehouse (w_id int PRIMARY KEY, w_name varchar(10), w_street_1 varchar(20), w_street_2 varchar(20), w_city varchar(20),
 w_state char(2), w_zip char(9), w_tax numeric(4,4), w_ytd numeric(12,2));
CREATE TABLE district (d_w_id int, d_id int, d_name varchar(10), d_street_1 varchar(20), d_street_2 varchar(20), d_city varchar(20),
 d_state char(2), d_zip char(9), d_tax numeric(4,4), d_ytd numeric(12,2), d_next_o_id int, PRIMARY KEY (d_w_id, d_id));
CREATE TABLE customer (c_w_id int, c_d_id int, c_id int, c_first varchar(16), c_middle char(2), c_last varchar(16), c_street_1 varchar(20),
 c_street_2 varchar(20), c_city varchar(20), c_state char(2), c_zip char(9), c_phone char(16), c_since timestamp, c_credit char(2),
 c_credit_lim numeric(12,2), c_discount numeric(4,4), c_balance numeric(12,2), c_ytd_payment numeric(12,2), c_payment_cnt int,
 c_delivery_cnt int, c_data varchar(500), PRIMARY KEY (c_w_id, c_d_id, c_id));
CREATE TABLE history (h_c_id int, h_c_d_id int, h_c_w_id int, h_d_id int, h_w_id int, h_date timestamp, h_amount numeric(6,2), h_data varchar(24));
CREATE TABLE orders (o_w_id int, o_d_id int, o_id int, o_c_id int, o_entry_d timestamp, o_carrier_id int, o_ol_cnt int, o_all_local int,
 PRIMARY KEY (o_w_id, o_d_id, o_id));
CREATE TABLE new_orders (no_w_id int, no_d_id int, no_o_id int, PRIMARY KEY (no_w_id, no_d_id, no_o_id));
CREATE TABLE order_line (ol_w_id int, ol_d_id int, ol_o_id int, ol_number int, ol_i_id int, ol_supply_w_id int, ol_delivery_d timestamp,
 ol_quantity int, ol_amount numeric(6,2), ol_dist_info char(24), PRIMARY KEY (ol_w_id, ol_d_id, ol_o_id, ol_number));
CREATE TABLE item (i_id int PRIMARY KEY, i_im_id int, i_name varchar(24), i_price numeric(5,2), i_data varchar(50));
CREATE TABLE stock (s_w_id int, s_i_id int, s_quantity int, s_dist_01 char(24), s_dist_02 char(24), s_dist_03 char(24), s_dist_04 char(24),
 s_dist_05 char(24), s_dist_06 char(24), s_dist_07 char(24), s_dist_08 char(24), s_dist_09 char(24), s_dist_10 char(24), s_ytd int,
 s_order_cnt int, s_remote_cnt int, s_data varchar(50), PRIMARY KEY (s_w_id, s_i_id));
"""
INDEXES = (("customer_name", "customer (c_w_id, c_d_id, c_last, c_first)"), ("orders_customer", "orders (o_w_id, o_d_id, o_c_id, o_id)"))

CONDITIONS = (
    ("1: W_YTD = sum(D_YTD)",
     "SELECT count(*) FROM warehouse w WHERE w_ytd <> (SELECT sum(d_ytd) FROM district WHERE d_w_id = w.w_id)"),
    ("2: D_NEXT_O_ID - 1 = max(O_ID) = max(NO_O_ID)",
     """SELECT count(*) FROM district d WHERE d_next_o_id - 1 <> (SELECT max(o_id) FROM orders WHERE o_w_id = d_w_id AND o_d_id = d_id)
        OR d_next_o_id - 1 <> (SELECT coalesce(max(no_o_id), d_next_o_id - 1) FROM new_orders WHERE no_w_id = d_w_id AND no_d_id = d_id)"""),
    ("3: max(NO_O_ID) - min(NO_O_ID) + 1 = rows of NEW-ORDER",
     """SELECT count(*) FROM (SELECT no_w_id, no_d_id FROM new_orders GROUP BY no_w_id, no_d_id
        HAVING max(no_o_id) - min(no_o_id) + 1 <> count(*)) AS bad"""),
    ("4: sum(O_OL_CNT) = rows of ORDER-LINE",
     """SELECT count(*) FROM (SELECT o_w_id, o_d_id, sum(o_ol_cnt) AS lines FROM orders GROUP BY o_w_id, o_d_id) AS o
        JOIN (SELECT ol_w_id, ol_d_id, count(*) AS lines FROM order_line GROUP BY ol_w_id, ol_d_id) AS l
        ON o_w_id = ol_w_id AND o_d_id = ol_d_id WHERE o.lines <> l.lines"""),
)


def last_name(number: int) -> str:
    """Clause 4.3.2.3: three syllables from the digits of number."""
    return SYLLABLES[number // 100] + SYLLABLES[number // 10 % 10] + SYLLABLES[number % 10]


def nu_rand(rng: random.Random, a: int, low: int, high: int, c: int = 123) -> int:
    """Clause 2.1.6: the non-uniform random function."""
    return ((rng.randint(0, a) | rng.randint(low, high)) + c) % (high - low + 1) + low


def text(rng: random.Random, low: int, high: int) -> str:
    """A random alphanumeric string of low..high characters."""
    return "".join(rng.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=rng.randint(low, high)))


def rows_of(table: str, warehouses: int, rng: random.Random) -> Iterator[tuple[Any, ...]]:
    """The initial population of one table (clause 4.3.3)."""
    now = "2026-01-01 00:00:00"

    def address() -> tuple[str, ...]:
        return text(rng, 10, 20), text(rng, 10, 20), text(rng, 10, 20), "CA", "123411111"

    places = [(w, d) for w in range(1, warehouses + 1) for d in range(1, DISTRICTS + 1)]
    if table == "item":
        for i in range(1, ITEMS + 1):
            yield i, rng.randint(1, 10000), text(rng, 14, 24), rng.randint(100, 10000) / 100, text(rng, 26, 50)
    elif table == "warehouse":
        for w in range(1, warehouses + 1):
            yield w, text(rng, 6, 10), *address(), rng.randint(0, 2000) / 10000, "300000.00"
    elif table == "stock":
        for w in range(1, warehouses + 1):
            for i in range(1, ITEMS + 1):
                yield w, i, rng.randint(10, 100), *("d" * 24 for _ in range(10)), 0, 0, 0, text(rng, 26, 50)
    elif table == "district":
        for w, d in places:
            yield w, d, text(rng, 6, 10), *address(), rng.randint(0, 2000) / 10000, "30000.00", ORDERS + 1
    elif table == "customer":
        for w, d in places:
            for c in range(1, CUSTOMERS + 1):
                name = last_name(c - 1 if c <= 1000 else nu_rand(rng, 255, 0, 999))
                yield (w, d, c, text(rng, 8, 16), "OE", name, *address(), "1234567890123456", now, "GC" if rng.random() > 0.1 else "BC",
                       "50000.00", rng.randint(0, 5000) / 10000, "-10.00", "10.00", 1, 0, text(rng, 300, 500))
    elif table == "history":
        for w, d in places:
            for c in range(1, CUSTOMERS + 1):
                yield c, d, w, d, w, now, "10.00", text(rng, 12, 24)
    elif table == "new_orders":
        for w, d in places:
            for o in range(ORDERS - 899, ORDERS + 1):
                yield w, d, o
    else:  # orders and order_line share their random choices: one generator each, same seed
        choices = random.Random(7)
        for w, d in places:
            customers = list(range(1, CUSTOMERS + 1))
            choices.shuffle(customers)
            for o, c in enumerate(customers, 1):
                lines = choices.randint(5, 15)
                old = o <= ORDERS - 900
                if table == "orders":
                    yield w, d, o, c, now, rng.randint(1, 10) if old else None, lines, 1
                else:
                    for number in range(1, lines + 1):
                        yield (w, d, o, number, rng.randint(1, ITEMS), w, now if old else None, 5,
                               "0.00" if old else rng.randint(1, 999999) / 100, "d" * 24)


def load(peer: Peer, warehouses: int) -> float:
    """Creates and fills the nine tables by COPY in transactions of at most 2,500 rows. Returns seconds."""
    started = time.monotonic()
    ours = peer.name == "opendsql"
    with psycopg.connect(peer.dsn, autocommit=True) as connection:
        for statement in SCHEMA.split(";"):
            if statement.strip():
                connection.execute(statement.encode())
        for table in ("item", "warehouse", "stock", "district", "customer", "history", "orders", "new_orders", "order_line"):
            rows = rows_of(table, warehouses, random.Random(42))
            pending: list[tuple[Any, ...]] = []
            while True:
                pending = [row for _, row in zip(range(2500), rows, strict=False)]
                if not pending:
                    break
                with connection.cursor().copy(f"COPY {table} FROM STDIN".encode()) as copy:
                    for row in pending:
                        copy.write_row(row)
        for name, target in INDEXES:
            if ours:
                row = connection.execute(f"CREATE INDEX ASYNC {name} ON {target}".encode()).fetchone()
                assert row is not None
                connection.execute(f"CALL sys.wait_for_job('{row[0]}')".encode())
            else:
                connection.execute(f"CREATE INDEX {name} ON {target}".encode())
        if not ours:
            connection.execute("VACUUM ANALYZE")
    return time.monotonic() - started


class Client:
    """One terminal: runs transactions of the mix until the deadline."""

    def __init__(self, dsn: str, warehouses: int, seed: int) -> None:
        self.connection = psycopg.connect(dsn, autocommit=True, prepare_threshold=0)
        self.rng = random.Random(seed)
        self.warehouses = warehouses
        self.counts: Counter[str] = Counter()

    def one(self, sql: str, *args: Any) -> tuple[Any, ...] | None:
        return self.connection.execute(sql, args).fetchone()  # type: ignore[arg-type]

    def run(self, deadline: float) -> Counter[str]:
        kinds: tuple[tuple[int, Callable[..., None]], ...] = (
            (45, self.new_order), (88, self.payment), (92, self.order_status), (96, self.delivery), (100, self.stock_level))
        while time.time() < deadline:
            dice = self.rng.randint(1, 100)
            kind = next(function for bound, function in kinds if dice <= bound)
            state = self.rng.getstate()
            for attempt in range(10_000):
                self.rng.setstate(state)  # the same transaction again
                try:
                    self.connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
                    kind()
                    self.connection.execute("COMMIT")
                    self.counts[kind.__name__] += 1
                    break
                except psycopg.Error as error:
                    if error.sqlstate != "40001":
                        raise
                    self.counts["retries"] += 1
                    if self.connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
                        self.connection.execute("ROLLBACK")
                    time.sleep(random.random() * min(0.05, 0.001 * 2 ** min(attempt, 6)))
                except RolledBack:
                    self.connection.execute("ROLLBACK")
                    self.counts["rolled_back"] += 1
                    break
        self.connection.close()
        return self.counts

    def place(self) -> tuple[int, int]:
        return self.rng.randint(1, self.warehouses), self.rng.randint(1, DISTRICTS)

    def new_order(self) -> None:
        rng = self.rng
        w, d = self.place()
        c = nu_rand(rng, 1023, 1, CUSTOMERS)
        lines = rng.randint(5, 15)
        invalid = rng.randint(1, 100) == 1
        row = self.one("SELECT c_discount, c_last, c_credit, w_tax FROM customer, warehouse WHERE w_id = %s AND c_w_id = w_id AND c_d_id = %s AND c_id = %s", w, d, c)
        assert row is not None
        row = self.one("SELECT d_next_o_id, d_tax FROM district WHERE d_w_id = %s AND d_id = %s FOR UPDATE", w, d)
        assert row is not None
        o = row[0]
        self.connection.execute("UPDATE district SET d_next_o_id = d_next_o_id + 1 WHERE d_w_id = %s AND d_id = %s", (w, d))
        self.connection.execute("INSERT INTO orders (o_id, o_d_id, o_w_id, o_c_id, o_entry_d, o_ol_cnt, o_all_local) VALUES (%s, %s, %s, %s, now()::timestamp, %s, 1)", (o, d, w, c, lines))
        self.connection.execute("INSERT INTO new_orders (no_o_id, no_d_id, no_w_id) VALUES (%s, %s, %s)", (o, d, w))
        for number in range(1, lines + 1):
            i = ITEMS + 1 if invalid and number == lines else nu_rand(rng, 8191, 1, ITEMS)
            supply = w if self.warehouses == 1 or rng.randint(1, 100) > 1 else rng.randint(1, self.warehouses)
            item = self.one("SELECT i_price, i_name, i_data FROM item WHERE i_id = %s", i)
            if item is None:
                raise RolledBack
            quantity = rng.randint(1, 10)
            stock = self.one("SELECT s_quantity, s_data, s_dist_01 FROM stock WHERE s_i_id = %s AND s_w_id = %s FOR UPDATE", i, supply)
            assert stock is not None
            left = stock[0] - quantity if stock[0] >= quantity + 10 else stock[0] - quantity + 91
            self.connection.execute("UPDATE stock SET s_quantity = %s, s_ytd = s_ytd + %s, s_order_cnt = s_order_cnt + 1, s_remote_cnt = s_remote_cnt + %s WHERE s_i_id = %s AND s_w_id = %s",
                                    (left, quantity, int(supply != w), i, supply))
            self.connection.execute("INSERT INTO order_line (ol_o_id, ol_d_id, ol_w_id, ol_number, ol_i_id, ol_supply_w_id, ol_quantity, ol_amount, ol_dist_info) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
                                    (o, d, w, number, i, supply, quantity, quantity * item[0], stock[2]))

    def customer(self, w: int, d: int) -> tuple[int, Any]:
        if self.rng.randint(1, 100) <= 60:
            name = last_name(nu_rand(self.rng, 255, 0, 999))
            found = self.connection.execute("SELECT c_id, c_credit FROM customer WHERE c_w_id = %s AND c_d_id = %s AND c_last = %s ORDER BY c_first", (w, d, name)).fetchall()
            if found:
                return found[len(found) // 2][0], found[len(found) // 2][1]
        c = nu_rand(self.rng, 1023, 1, CUSTOMERS)
        row = self.one("SELECT c_id, c_credit FROM customer WHERE c_w_id = %s AND c_d_id = %s AND c_id = %s", w, d, c)
        assert row is not None
        return row[0], row[1]

    def payment(self) -> None:
        w, d = self.place()
        amount = self.rng.randint(100, 500000) / 100
        self.connection.execute("UPDATE warehouse SET w_ytd = w_ytd + %s WHERE w_id = %s", (str(amount), w))
        self.connection.execute("UPDATE district SET d_ytd = d_ytd + %s WHERE d_w_id = %s AND d_id = %s", (str(amount), w, d))
        c_w, c_d = (w, d) if self.rng.randint(1, 100) <= 85 else self.place()
        c, credit = self.customer(c_w, c_d)
        self.connection.execute("UPDATE customer SET c_balance = c_balance - %s, c_ytd_payment = c_ytd_payment + %s, c_payment_cnt = c_payment_cnt + 1 WHERE c_w_id = %s AND c_d_id = %s AND c_id = %s",
                                (str(amount), str(amount), c_w, c_d, c))
        if credit == "BC":
            self.connection.execute("UPDATE customer SET c_data = substr(%s || c_data, 1, 500) WHERE c_w_id = %s AND c_d_id = %s AND c_id = %s",
                                    (f"{c} {c_d} {c_w} {d} {w} {amount}|", c_w, c_d, c))
        self.connection.execute("INSERT INTO history (h_c_id, h_c_d_id, h_c_w_id, h_d_id, h_w_id, h_date, h_amount, h_data) VALUES (%s, %s, %s, %s, %s, now()::timestamp, %s, %s)",
                                (c, c_d, c_w, d, w, str(amount), "name    name"))

    def order_status(self) -> None:
        w, d = self.place()
        c, _ = self.customer(w, d)
        order = self.one("SELECT o_id, o_carrier_id, o_entry_d FROM orders WHERE o_w_id = %s AND o_d_id = %s AND o_c_id = %s ORDER BY o_id DESC LIMIT 1", w, d, c)
        if order is not None:
            self.connection.execute("SELECT ol_i_id, ol_supply_w_id, ol_quantity, ol_amount, ol_delivery_d FROM order_line WHERE ol_w_id = %s AND ol_d_id = %s AND ol_o_id = %s", (w, d, order[0])).fetchall()

    def delivery(self) -> None:
        w, _ = self.place()
        carrier = self.rng.randint(1, 10)
        for d in range(1, DISTRICTS + 1):
            row = self.one("SELECT no_o_id FROM new_orders WHERE no_w_id = %s AND no_d_id = %s ORDER BY no_o_id LIMIT 1", w, d)
            if row is None:
                continue
            o = row[0]
            self.connection.execute("DELETE FROM new_orders WHERE no_w_id = %s AND no_d_id = %s AND no_o_id = %s", (w, d, o))
            customer = self.one("UPDATE orders SET o_carrier_id = %s WHERE o_w_id = %s AND o_d_id = %s AND o_id = %s RETURNING o_c_id", carrier, w, d, o)
            assert customer is not None
            self.connection.execute("UPDATE order_line SET ol_delivery_d = now()::timestamp WHERE ol_w_id = %s AND ol_d_id = %s AND ol_o_id = %s", (w, d, o))
            total = self.one("SELECT sum(ol_amount) FROM order_line WHERE ol_w_id = %s AND ol_d_id = %s AND ol_o_id = %s", w, d, o)
            assert total is not None
            self.connection.execute("UPDATE customer SET c_balance = c_balance + %s, c_delivery_cnt = c_delivery_cnt + 1 WHERE c_w_id = %s AND c_d_id = %s AND c_id = %s", (total[0], w, d, customer[0]))

    def stock_level(self) -> None:
        w, d = self.place()
        row = self.one("SELECT d_next_o_id FROM district WHERE d_w_id = %s AND d_id = %s", w, d)
        assert row is not None
        self.one("SELECT count(DISTINCT s_i_id) FROM order_line, stock WHERE ol_w_id = %s AND ol_d_id = %s AND ol_o_id < %s AND ol_o_id >= %s AND s_w_id = %s AND s_i_id = ol_i_id AND s_quantity < %s",
                 w, d, row[0], row[0] - 20, w, self.rng.randint(10, 20))


class RolledBack(Exception):
    """The 1 % of new-orders whose last item does not exist."""


def terminal(dsn: str, warehouses: int, seed: int, deadline: float, results: Any) -> None:
    """Body of one client process: reports its counts or the text of the error that stopped it."""
    try:
        results.put((None, Client(dsn, warehouses, seed).run(deadline)))
    except Exception as error:
        results.put((f"{type(error).__name__} {getattr(error, 'sqlstate', '')}: {error}", Counter()))


def measure(peer: Peer, warehouses: int, minutes: float, clients: int) -> tuple[float, list[str]]:
    """Loads, runs and checks one server; returns new-orders per minute and the failures."""
    print(f"{peer.name}: loaded {warehouses} warehouses in {load(peer, warehouses):.1f} s", flush=True)
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    started = time.time()
    workers = [context.Process(target=terminal, args=(peer.dsn, warehouses, seed, started + minutes * 60, results)) for seed in range(clients)]
    for worker in workers:
        worker.start()
    failures, counts = [], Counter[str]()
    for _ in workers:
        failure, part = results.get()
        counts += part
        if failure is not None:
            failures.append(failure)
    for worker in workers:
        worker.join()
    elapsed = time.time() - started
    rate = counts["new_order"] / elapsed * 60
    print(f"{peer.name}: {rate:.0f} new-orders/min over {elapsed:.0f} s; {dict(counts)}", flush=True)
    with psycopg.connect(peer.dsn, autocommit=True) as connection:
        for name, sql in CONDITIONS:
            row = connection.execute(sql.encode()).fetchone()
            assert row is not None
            print(f"{peer.name}: condition {name}: {'holds' if row[0] == 0 else f'BROKEN in {row[0]} places'}", flush=True)
            if row[0]:
                failures.append(f"condition {name}")
    return rate, failures


def main() -> int:
    """Runs opendsql, verifies its directory, then PostgreSQL; exit status 1 on any failure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--warehouses", type=int, default=2)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--peer-minutes", type=float, default=1)
    parser.add_argument("--skip-peer", action="store_true")
    parser.add_argument("--only-peer", action="store_true")
    options = parser.parse_args()
    failures: list[str] = []
    rates = {}
    if not options.only_peer:
        with tempfile.TemporaryDirectory(prefix="tpcc-") as directory:
            with opendsql(directory=Path(directory)) as ours:
                rates["opendsql"], failures = measure(ours, options.warehouses, options.minutes, options.clients)
            verify = subprocess.run([sys.executable, "-m", "opendsql", "verify", str(Path(directory) / "data")], capture_output=True, text=True)
            print(verify.stdout.strip(), verify.stderr.strip())
            if verify.returncode != 0:
                failures.append("opendsql verify")
    if not options.skip_peer:
        with postgres() as pg:
            rates["PostgreSQL 18"], peer_failures = measure(pg, options.warehouses, options.peer_minutes, options.clients)
            failures += [f"PostgreSQL: {failure}" for failure in peer_failures]
    if len(rates) == 2:
        print(f"new-orders/min: opendsql {rates['opendsql']:.0f}, PostgreSQL 18 {rates['PostgreSQL 18']:.0f}, ratio {rates['opendsql'] / rates['PostgreSQL 18']:.2f}x")
    for failure in failures:
        print(f"FAILED: {failure}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
