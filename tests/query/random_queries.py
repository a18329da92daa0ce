"""Random SELECTs over three small tables: joins, subqueries, grouping, set operations, ORDER BY with LIMIT.

Every query is valid by construction (types agree), so PostgreSQL and opendsql must give the same rows. A seed names a
run: Queries(seed).statements(n).
"""

from __future__ import annotations

import random
from collections.abc import Iterator

Columns = list[tuple[str, str]]  # (name, kind: i integer, s string, b boolean)
Relation = tuple[str, Columns]  # (alias, columns)

TABLES: dict[str, Columns] = {
    "t": [("id", "i"), ("v", "s"), ("n", "i"), ("b", "b")],
    "u": [("a", "i"), ("b", "i"), ("t_id", "i"), ("s", "i")],
    "k": [("x", "s"), ("y", "i")],
}
SCHEMA = (
    "create table t (id int primary key, v text, n bigint unique, b boolean)",
    "create table u (a int, b bigint, t_id int, s smallint, primary key (a, b))",
    "create table k (x text, y int)",
    "create index async t_v on t (v)",
    "create index async u_t on u (t_id) include (s)",
    "create index async u_s on u (s, b)",
)
STRINGS = ("a", "b", "abc", "abd", "zz")


class Queries:
    """A generator of statements."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.aliases = 0

    def rows(self) -> tuple[str, ...]:
        """INSERTs that fill the tables."""
        pick = self.random.choice
        text = lambda: pick([repr(pick(STRINGS)), "null"])  # noqa: E731
        t = [f"({i}, {text()}, {pick([str(i * 3), 'null'])}, {pick(['true', 'false', 'null'])})" for i in range(1, 31)]
        u = [
            f"({a}, {b}, {pick([str(self.random.randint(1, 35)), 'null'])}, {pick(['1', '2', '3', 'null'])})"
            for a in range(1, 7)
            for b in range(1, 6)
        ]
        k = [f"({text()}, {pick([str(self.random.randint(1, 9)), 'null'])})" for _ in range(12)]
        return tuple(f"insert into {name} values {', '.join(rows)}" for name, rows in (("t", t), ("u", u), ("k", k)))

    def statements(self, count: int) -> Iterator[tuple[str, bool]]:
        """(statement, whether its row order is decided)."""
        for _ in range(count):
            self.aliases = 0
            yield self.statement()

    def statement(self) -> tuple[str, bool]:
        text, columns = self.select(0)
        if self.random.random() < 0.15:
            other, others = self.select(1)
            if [kind for _, kind in columns] == [kind for _, kind in others]:
                return f"{text} {self.random.choice(['union', 'union all', 'intersect', 'except'])} {other}", False
        if self.random.random() < 0.4:
            ways = ("", " desc", " nulls first", " desc nulls last")
            text += " order by " + ", ".join(f"{i + 1}{self.random.choice(ways)}" for i in range(len(columns)))
            if self.random.random() < 0.5:
                offset = self.random.choice(["", f" offset {self.random.randint(0, 3)}"])
                text += f" limit {self.random.randint(0, 6)}{offset}"
            return text, True
        return text, False

    # -- expressions -------------------------------------------------------------------------------------------------

    def named(self, scope: list[Relation], kind: str) -> list[str]:
        return [f"{alias}.{name}" for alias, columns in scope for name, of in columns if of == kind]

    def integer(self, scope: list[Relation], depth: int = 0) -> str:
        known, roll = self.named(scope, "i"), self.random.random()
        if known and roll < 0.6:
            return self.random.choice(known)
        if roll < 0.8:
            return str(self.random.randint(-2, 12))
        if depth < 2 and roll < 0.9:
            return f"({self.integer(scope, depth + 1)} {self.random.choice('+-*')} {self.integer(scope, depth + 1)})"
        if depth < 1 and roll < 0.95:
            return self.scalar(scope)
        return f"coalesce({self.integer(scope, depth + 1)}, {self.random.randint(0, 3)})"

    def string(self, scope: list[Relation]) -> str:
        known = self.named(scope, "s")
        return self.random.choice(known) if known and self.random.random() < 0.7 else repr(self.random.choice(STRINGS))

    def scalar(self, scope: list[Relation]) -> str:
        source, inner = self.source(1, simple=True)
        condition = self.condition(inner + scope, 2)
        value = self.random.choice(["count(*)", f"max({self.integer(inner, 3)})", f"min({self.integer(inner, 3)})"])
        return f"(select {value} from {source} where {condition})"

    def condition(self, scope: list[Relation], depth: int = 0) -> str:
        pick, roll = self.random.choice, self.random.random()
        if depth < 3 and roll < 0.25:
            return f"({self.condition(scope, depth + 1)} {pick(['and', 'or'])} {self.condition(scope, depth + 1)})"
        if depth < 3 and roll < 0.3:
            return f"(not {self.condition(scope, depth + 1)})"
        if roll < 0.55:
            return f"{self.integer(scope)} {pick(['=', '=', '<', '<=', '>', '>=', '<>'])} {self.integer(scope)}"
        if roll < 0.62:
            return f"{self.string(scope)} {pick(['=', '<', '>=', 'like'])} {self.string(scope)}"
        if roll < 0.68:
            items = ", ".join(str(self.random.randint(1, 9)) for _ in range(self.random.randint(1, 4)))
            return f"{self.integer(scope)} in ({items})"
        if roll < 0.73:
            return f"{pick(self.named(scope, 'i') or ['1'])} is {pick(['', 'not '])}null"
        if roll < 0.77:
            return f"{self.integer(scope)} between {self.random.randint(0, 5)} and {self.random.randint(3, 20)}"
        if roll < 0.80:
            return f"{self.integer(scope)} is {pick(['', 'not '])}distinct from {self.integer(scope)}"
        if roll < 0.83 and self.named(scope, "b"):
            return pick(self.named(scope, "b")) + pick(["", " is true", " is not false"])
        if depth < 2:
            return self.subquery(scope, depth)
        return f"{self.integer(scope, 2)} = {self.integer(scope, 2)}"

    def subquery(self, scope: list[Relation], depth: int) -> str:
        source, inner = self.source(1, simple=True)
        if self.random.random() < 0.5:
            both = f"{self.condition(inner + scope, depth + 1)} and {self.condition(inner + scope, depth + 2)}"
            return f"{self.random.choice(['', 'not '])}exists (select 1 from {source} where {both})"
        visible = inner + (scope if self.random.random() < 0.3 else [])
        word = self.random.choice(["in", "not in", "in", "> all", "= any"])
        body = f"select {self.integer(inner, 2)} from {source} where {self.condition(visible, depth + 1)}"
        return f"{self.integer(scope, 2)} {word} ({body})"

    # -- queries -----------------------------------------------------------------------------------------------------

    def alias(self) -> str:
        self.aliases += 1
        return f"q{self.aliases}"

    def relation(self, depth: int) -> tuple[str, list[Relation]]:
        if depth < 2 and self.random.random() < 0.2:
            alias = self.alias()
            text, columns = self.select(depth + 1)
            return f"({text}) {alias}", [(alias, columns)]
        table, alias = self.random.choice(list(TABLES)), self.alias()
        return f"{table} {alias}", [(alias, TABLES[table])]

    def source(self, depth: int, *, simple: bool = False) -> tuple[str, list[Relation]]:
        text, scope = self.relation(2 if simple else depth)
        while self.random.random() < (0.25 if simple else 0.55) and len(scope) < 4:
            other, more = self.relation(2 if simple else depth)
            kind = self.random.choice(["join", "left join", "join", "right join", "full join", "cross join"])
            left, right = self.named(scope, "i"), self.named(more, "i")
            if kind == "cross join" or (kind == "full join" and not (left and right)):
                text = f"{text} cross join {other}"
            elif kind == "full join":
                # PostgreSQL wants plain columns on both sides here
                text = f"{text} full join {other} on {self.random.choice(left)} = {self.random.choice(right)}"
            else:
                on = f"{self.integer(scope, 3)} = {self.integer(more, 3)}"
                if self.random.random() < 0.3:
                    on += f" and {self.condition(scope + more, 3)}"
                text = f"{text} {kind} {other} on {on}"
            scope = scope + more
        return text, scope

    def select(self, depth: int) -> tuple[str, Columns]:
        source, scope = self.source(depth)
        where = f" where {self.condition(scope)}" if self.random.random() < 0.8 else ""
        if self.random.random() < 0.3:
            return self.grouped(source, scope, where)
        exprs, columns = [], []
        for number in range(self.random.randint(1, 3)):
            kind = "i" if self.random.random() < 0.7 else "s"
            exprs.append((self.integer(scope) if kind == "i" else self.string(scope)) + f" as c{number}")
            columns.append((f"c{number}", kind))
        distinct = "distinct " if self.random.random() < 0.15 else ""
        return f"select {distinct}{', '.join(exprs)} from {source}{where}", columns

    def grouped(self, source: str, scope: list[Relation], where: str) -> tuple[str, Columns]:
        choices = [(name, kind) for kind in "is" for name in self.named(scope, kind)]
        keys = [self.random.choice(choices) for _ in range(self.random.randint(1, 2))]
        value = self.integer(scope, 3)
        total = self.random.choice(["count(*)", f"sum({value})", f"max({value})", f"count(distinct {value})"])
        having = f" having count(*) > {self.random.randint(0, 2)}" if self.random.random() < 0.4 else ""
        shown = ", ".join(f"{name} as g{i}" for i, (name, _) in enumerate(keys))
        grouping = ", ".join(name for name, _ in keys)
        columns = [*((f"g{i}", kind) for i, (_, kind) in enumerate(keys)), ("agg", "i")]
        return f"select {shown}, {total} as agg from {source}{where} group by {grouping}{having}", columns
