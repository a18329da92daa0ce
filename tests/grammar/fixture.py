"""The schema that generated statements speak of, and the names in it.

Tables, views, a sequence, domains, functions, roles and indexes, with a few rows each: enough that most of what the
generator composes means something. TABLES gives every relation's columns with a *kind*, the coarse type the generator
reasons in: bool int num text date ts time iv uuid json arr bytea any.
"""

from __future__ import annotations

SCHEMA = (
    "CREATE ROLE r1 WITH LOGIN",
    "CREATE ROLE r2",
    "CREATE ROLE r3",
    "CREATE SCHEMA s1",
    "CREATE DOMAIN dom AS int CONSTRAINT dom_positive CHECK (value > 0)",
    "CREATE DOMAIN dtext AS text DEFAULT 'x' NOT NULL",
    "CREATE SEQUENCE sq CACHE 1",
    "CREATE SEQUENCE sr CACHE 65536 START 10",
    "CREATE TABLE t (id int PRIMARY KEY, a int, b bigint DEFAULT 7, n numeric(12,2), f float8, s text, v varchar(20), d date,"
    " ts timestamp, tz timestamptz, tm time, iv interval, ok boolean, u uuid, j json, jb jsonb, bin bytea,"
    " CONSTRAINT a_positive CHECK (a > 0))",
    "CREATE TABLE u (id bigint GENERATED ALWAYS AS IDENTITY (CACHE 1) PRIMARY KEY, t_id int, k text UNIQUE, a int NOT NULL, m numeric,"
    " note text DEFAULT 'none', day date, e dom)",
    "CREATE TABLE w (a int, twice int GENERATED ALWAYS AS (a * 2) STORED, s text)",
    "CREATE TABLE s1.x (id int PRIMARY KEY, s text)",
    "CREATE INDEX ASYNC t_s ON t (s)",
    "CREATE UNIQUE INDEX ASYNC u_a ON u (a)",
    "CREATE VIEW vw AS SELECT id, a, s, d FROM t WHERE a > 1",
    "CREATE VIEW va AS SELECT a, count(*) AS c, sum(n) AS total FROM t GROUP BY a",
    "CREATE FUNCTION twice(x int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT x * 2'",
    "CREATE FUNCTION pair(x int, OUT y int, OUT z text) LANGUAGE sql AS 'SELECT x, x::text'",
    "CREATE FUNCTION upto(x int) RETURNS SETOF int LANGUAGE sql AS 'SELECT generate_series(1, x)'",
)

ROWS = (
    "INSERT INTO t SELECT i, i % 7 + 1, i * 100, i * 1.25, i / 3.0, 'row ' || i, 'v' || i % 3, date '2026-01-01' + i,"
    " timestamp '2026-01-01 10:00' + i * interval '1 hour', timestamptz '2026-01-01 10:00+02' + i * interval '1 day',"
    " time '10:00' + i * interval '1 minute', i * interval '1 day', i % 2 = 0, md5(i::text)::uuid,"
    " ('{\"i\": ' || i || '}')::json, ('{\"a\": [1, ' || i || '], \"s\": \"x\"}')::jsonb, decode(md5(i::text), 'hex')"
    " FROM generate_series(1, 12) i",
    "INSERT INTO t (id) VALUES (100), (101)",
    "INSERT INTO u (t_id, k, a, m, day, e) SELECT i, 'k' || i, i, i * 0.5, date '2026-02-01' + i, i FROM generate_series(1, 9) i",
    "INSERT INTO w (a, s) VALUES (1, 'one'), (2, 'two'), (NULL, NULL)",
    "INSERT INTO s1.x VALUES (1, 'a'), (2, 'b')",
)

TABLES: dict[str, list[tuple[str, str]]] = {
    "t": [
        ("id", "int"), ("a", "int"), ("b", "int"), ("n", "num"), ("f", "num"), ("s", "text"), ("v", "text"), ("d", "date"),
        ("ts", "ts"), ("tz", "ts"), ("tm", "time"), ("iv", "iv"), ("ok", "bool"), ("u", "uuid"), ("j", "js"), ("jb", "json"),
        ("bin", "bytea"),
    ],
    "u": [("id", "int"), ("t_id", "int"), ("k", "text"), ("a", "int"), ("m", "num"), ("note", "text"), ("day", "date"), ("e", "int")],
    "w": [("a", "int"), ("twice", "int"), ("s", "text")],
    "vw": [("id", "int"), ("a", "int"), ("s", "text"), ("d", "date")],
    "va": [("a", "int"), ("c", "int"), ("total", "num")],
}  # fmt: skip
WRITABLE = ("t", "u", "w")
NAMES = {
    "view": ("vw", "va"),
    "sequence": ("sq", "sr"),
    "index": ("t_s", "u_a"),
    "domain": ("dom", "dtext"),
    "schema": ("s1",),
    "role": ("r1", "r2", "r3", "admin"),
    "constraint": ("a_positive", "dom_positive", "t_pkey", "u_k_key"),
    "collation": ('"C"',),
    "function": ("twice", "upto"),
    "unique": ("t_pkey", "u_k_key"),
    "window": ("win",),
}
