"""Random schemas of foreign keys and random writes over them, as SQL texts that PostgreSQL and opendsql both take.

Two to four tables with a key `id`, a unique pair (x, y) and up to three references: self references, circles, composite
keys, every action, MATCH FULL, column lists of SET NULL and SET DEFAULT, deferrable and deferred ones. Every UPDATE of a
key touches one row, since the order in which a multi-row UPDATE meets a unique key differs between engines by design.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

ACTIONS = ("no action", "restrict", "cascade", "set null", "set default")
VALUES = (1, 2, 3, 4, 5)


@dataclass(frozen=True)
class Case:
    """create: DDL statements; drop: statements that remove it; scripts: transactions, lists of statements."""

    create: list[str]
    drop: list[str]
    scripts: list[list[str]]
    tables: list[str]


def _constraint(r: random.Random, number: int, parent: str) -> str:
    composite = r.random() < 0.4
    own = ("p", "q") if composite else (r.choice(("p", "q", "id")) if r.random() < 0.2 else r.choice("pq"),)
    target = ("x", "y") if composite else ("id",)
    text = f"constraint k{number} foreign key ({', '.join(own)}) references {parent} ({', '.join(target)})"
    if composite and r.random() < 0.3:
        text += " match full"
    on_delete, on_update = r.choice(ACTIONS), r.choice(ACTIONS)
    if "id" in own:
        on_delete = r.choice(("no action", "restrict", "cascade"))
        on_update = r.choice(("no action", "restrict"))
    text += f" on delete {on_delete}"
    if on_delete.startswith("set") and composite and "match full" not in text and r.random() < 0.4:
        text += f" ({r.choice(own)})"
    text += f" on update {on_update}"
    kind = r.random()
    if kind < 0.25:
        text += " deferrable"
    elif kind < 0.5:
        text += " deferrable initially deferred"
    return text


def _value(r: random.Random) -> str:
    return "null" if r.random() < 0.25 else str(r.choice(VALUES))


def _write(r: random.Random, tables: list[str]) -> str:
    table = r.choice(tables)
    kind = r.random()
    if kind < 0.4:
        rows = [
            f"({key}, {r.choice(VALUES)}, {r.choice(VALUES)}, {_value(r)}, {_value(r)})"
            for key in r.sample(VALUES, r.choice((1, 1, 2, 3)))
        ]
        return f"insert into {table} values {', '.join(rows)} on conflict do nothing"
    if kind < 0.55:
        return f"update {table} set {r.choice('pq')} = {_value(r)} where id {r.choice('<>=')} {r.choice(VALUES)}"
    if kind < 0.65:
        return f"update {table} set id = {r.choice((*VALUES, 6, 7))} where id = {r.choice(VALUES)}"
    if kind < 0.75:
        return f"update {table} set x = {r.choice(VALUES)}, y = {r.choice(VALUES)} where id = {r.choice(VALUES)}"
    if kind < 0.8:
        return (
            f"insert into {table} values ({r.choice(VALUES)}, 9, {r.choice(VALUES)}, {_value(r)}, {_value(r)})"
            " on conflict (id) do update set p = excluded.p, q = excluded.q"
        )
    if kind < 0.9:
        return f"delete from {table} where id = {r.choice(VALUES)}"
    return f"delete from {table} where id {r.choice('<>')} {r.choice(VALUES)}"


def case(seed: int) -> Case:
    """The case of a seed."""
    r = random.Random(seed)
    tables = [f"t{i}" for i in range(r.choice((1, 2, 2, 3, 4)))]
    create, adds = [], []
    number = 0
    deferrable = []
    for place, table in enumerate(tables):
        own = []
        for _ in range(r.choice((0, 1, 1, 2, 3))):
            number += 1
            parent = r.choice(tables)
            text = _constraint(r, number, parent)
            if "deferrable" in text:
                deferrable.append(f"k{number}")
            if tables.index(parent) > place:
                adds.append(f"alter table {table} add {text} not valid")
            else:
                own.append(text)
        parts = ["id int primary key", "x int not null", "y int not null"]
        parts += [f"p int default {r.choice((1, 'null'))}", f"q int default {r.choice((2, 'null'))}", "unique (x, y)", *own]
        create.append(f"create table {table} ({', '.join(parts)})")
    create += adds
    scripts = []
    for _ in range(14):
        if r.random() < 0.5:
            scripts.append([_write(r, tables)])
            continue
        script = ["begin"]
        for _ in range(r.choice((1, 2, 3, 4))):
            if r.random() < 0.2:
                names = "all" if r.random() < 0.5 or not deferrable else r.choice(deferrable)
                script.append(f"set constraints {names} {r.choice(('deferred', 'immediate'))}")
            script.append(_write(r, tables))
        script.append("commit")
        scripts.append(script)
    drop = [f"drop table {t} cascade" for t in tables]
    return Case(create, drop, scripts, tables)
