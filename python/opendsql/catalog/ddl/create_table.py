"""CREATE TABLE: clauses DSQL refuses, columns, constraints, identity sequences, LIKE."""

from __future__ import annotations

from typing import Any

from opendsql.catalog.context import current
from opendsql.catalog.ddl import columns as column_rules
from opendsql.catalog.ddl import constraints as rules
from opendsql.catalog.ddl import grants, sequences
from opendsql.catalog.ddl.change import SYSTEM_COLUMNS, Change, all_indexes, changed
from opendsql.catalog.model import FIRST_USER_OID, Check, Column, Index, Table, View
from opendsql.catalog.names import choose_name, index_columns_part
from opendsql.catalog.result import PyResult
from opendsql.errors import DsqlError, unsupported
from opendsql.guesses import says
from opendsql.limits import reached

_LIKE = {"comments": 1, "compression": 2, "constraints": 4, "defaults": 8, "generated": 16, "identity": 32, "indexes": 64}


def refuse_clauses(stmt: dict[str, Any]) -> None:
    """Clauses DSQL does not have, each with its own text, before anything else is looked at (guess: create_table_order)."""
    relation = stmt["relation"]
    if relation.get("relpersistence") == "t":
        raise unsupported("TEMPORARY or TEMP table not supported for CREATE TABLE")
    if relation.get("relpersistence") == "u":
        raise unsupported("UNLOGGED table not supported for CREATE TABLE")
    if stmt.get("partbound"):
        raise unsupported("PARTITION OF clause not supported for CREATE TABLE")
    if stmt.get("partspec"):
        raise unsupported("PARTITION BY clause not supported for CREATE TABLE")
    if stmt.get("inhRelations"):
        raise unsupported(says("create_table_clause", clause="INHERITS"))
    if stmt.get("ofTypename"):
        raise unsupported(says("create_table_clause", clause="OF"))
    if stmt.get("options"):
        raise unsupported("WITH clause not supported for CREATE TABLE")
    if stmt.get("oncommit", "ONCOMMIT_NOOP") != "ONCOMMIT_NOOP":
        raise unsupported(says("create_table_clause", clause="ON COMMIT"))
    if stmt.get("tablespacename"):
        raise unsupported(says("create_table_clause", clause="TABLESPACE"))
    if stmt.get("accessMethod"):
        raise unsupported(says("create_table_clause", clause="USING"))


def create_table(stmt: dict[str, Any], text: str, session: Any, catalog: Any) -> PyResult:
    """CREATE TABLE [IF NOT EXISTS]."""
    refuse_clauses(stmt)
    change = Change(session, catalog, "CREATE TABLE")
    relation = stmt["relation"]
    schema = change.creation_schema(relation.get("schemaname"))
    return change.done() if make_table(change, stmt, schema) else change.nothing()


def make_table(change: Change, stmt: dict[str, Any], schema: str) -> bool:
    """Write the table; False when IF NOT EXISTS found one."""
    name = stmt["relation"]["relname"]
    taken = change.names_in(schema)
    if name in taken:
        if stmt.get("if_not_exists"):
            change.notice(f'relation "{name}" already exists, skipping', "42P07")
            return False
        raise DsqlError("42P07", f'relation "{name}" already exists')
    most = current.limits.tables_max
    if reached(sum(isinstance(r, Table) and r.oid >= FIRST_USER_OID for r in change.catalog.relations.values()), most):
        raise DsqlError("54000", f"creating more than {most} tables not allowed")
    taken.add(name)
    builder = TableBuilder(change, schema, name, taken)
    for node in stmt.get("tableElts") or ():
        kind, body = next(iter(node.items()))
        if kind == "ColumnDef":
            builder.add_column(body)
        elif kind == "TableLikeClause":
            builder.add_like(body)
        else:
            builder.add_constraint(body)
    table = builder.finish()
    for sequence in builder.sequences:
        change.put(sequence)
        sequences.write_state(change.session, sequence.oid, sequence.start, False)
    change.put(table)
    return True


class TableBuilder:
    """Collects columns and constraints, then numbers and names them."""

    def __init__(self, change: Change, schema: str, name: str, taken: set[str]) -> None:
        self.change = change
        self.schema = schema
        self.name = name
        self.taken = taken
        self.sources: list[column_rules.ColumnSource] = []
        self.constraints: list[dict[str, Any]] = []
        self.copied_checks: list[Check] = []
        self.copied_indexes: list[Index] = []
        self.comments: dict[str, str] = {}
        self.sequences: list[Any] = []
        self.next_oid = 0

    def add_column(self, body: dict[str, Any]) -> None:
        """A column definition."""
        name = body["colname"]
        if name in SYSTEM_COLUMNS:
            raise DsqlError("42701", f'column name "{name}" conflicts with a system column name')
        if any(s.column.name == name for s in self.sources):
            raise DsqlError("42701", f'column "{name}" specified more than once')
        source = column_rules.read_column(self.change, body, len(self.sources) + 1, self.name)
        self.sources.append(source)
        for constraint in source.constraints:
            self.add_constraint(constraint)

    def add_constraint(self, constraint: dict[str, Any]) -> None:
        """A table constraint, or a column's told to be."""
        rules.check_clauses(constraint)
        self.constraints.append(constraint)

    def add_like(self, body: dict[str, Any]) -> None:
        """LIKE source [INCLUDING ...]: columns now; checks and indexes as asked."""
        source = self.change.find(body["relation"])
        if not isinstance(source, (Table, View)):
            raise DsqlError("42809", f'relation "{source.name}" is invalid in LIKE clause')
        options = body.get("options", 0)

        def has(what: str) -> bool:
            return bool(options & _LIKE[what])

        for column in source.columns:
            if column.dropped:
                continue
            if any(s.column.name == column.name for s in self.sources):
                raise DsqlError("42701", f'column "{column.name}" specified more than once')
            copy = changed(
                column,
                attnum=len(self.sources) + 1,
                default=column.default if has("defaults") else None,
                generated=column.generated if has("generated") else None,
                identity="",
                sequence_oid=None,
            )
            self.sources.append(column_rules.ColumnSource(copy))
        if isinstance(source, Table):
            if has("constraints"):
                self.copied_checks.extend(source.checks)
            if has("indexes"):
                self.copied_indexes.extend(all_indexes(source))
            if has("comments"):
                self.comments.update(source.column_comments)

    def oid(self) -> int:
        """The next of the oids taken for this table."""
        oid = self.next_oid
        self.next_oid += 1
        return oid

    def finish(self) -> Table:
        """The table, with everything named and checked."""
        primary = [c for c in self.constraints if c["contype"] == "CONSTR_PRIMARY"]
        if len(primary) + sum(i.primary for i in self.copied_indexes) > 1:
            raise DsqlError("42P16", f'multiple primary keys for table "{self.name}" are not allowed')
        rules.check_column_count(len(self.sources), bool(primary or any(i.primary for i in self.copied_indexes)))
        count = 1 + len(self.constraints) + len(self.copied_checks) + len(self.copied_indexes)
        self.next_oid = self.change.new_oid(count + sum(s.identity is not None for s in self.sources))
        table_oid = self.oid()
        columns = self._columns(table_oid)
        acl = grants.initial_acl(self.change, self.schema, "r", "table")
        table = Table(
            table_oid, self.schema, self.name, tuple(columns), self.change.user_oid, column_comments=self.comments, acl=acl
        )
        return self._constraints(table)

    def _columns(self, table_oid: int) -> list[Column]:
        plain = [s.column for s in self.sources]
        columns = []
        identities = sum(s.identity is not None for s in self.sources)
        if identities:
            sequences.check_count(self.change, identities)
        for source in self.sources:
            column = source.column
            if source.default is not None:
                column = changed(column, default=column_rules.default_text(self.change, source.default, column))
            elif source.generated is not None:
                column = changed(column, generated="")
            elif source.identity is not None:
                node = source.identity
                sequence = sequences.identity_sequence(
                    self.change, self.schema, self.name, column.name, node.get("options"), self.taken, self.oid()
                )
                self.sequences.append(changed(sequence, owned_by=(table_oid, column.attnum)))
                column = changed(column, identity=node.get("generated_when", "d"), sequence_oid=sequence.oid)
            columns.append(column)
        for number, source in enumerate(self.sources):
            if source.generated is not None:
                seen = [changed(c, generated=columns[i].generated) for i, c in enumerate(plain)]
                columns[number] = changed(
                    columns[number], generated=column_rules.generated_text(self.change, source.generated, plain[number], seen)
                )
        return columns

    def _constraints(self, table: Table) -> Table:
        columns = list(table.columns)
        names: set[str] = set()
        checks = [changed(check, oid=self.oid()) for check in self.copied_checks]
        names.update(check.name for check in checks)
        for constraint in self.constraints:
            if constraint["contype"] == "CONSTR_CHECK":
                checks.append(rules.build_check(self.change, constraint, self.oid(), self.name, columns, names))
        keyed = sorted(
            (c for c in self.constraints if c["contype"] in ("CONSTR_PRIMARY", "CONSTR_UNIQUE")),
            key=lambda c: c["contype"] != "CONSTR_PRIMARY",
        )
        primary: Index | None = None
        indexes: list[Index] = []
        for constraint in keyed:
            index = rules.build_index(constraint, self.oid(), table.oid, self.name, columns, self.taken)
            if index.primary:
                primary = index
            elif not any(self._same(index, other) for other in (primary, *indexes) if other is not None):
                indexes.append(index)
            names.add(index.name)
        for copied in self.copied_indexes:
            index = self._copy_index(copied, table)
            if index.primary:
                primary = index
            else:
                indexes.append(index)
        rules.check_index_count(len(indexes) + (primary is not None))
        if primary is not None:
            columns = [changed(c, not_null=True) if c.name in primary.keys else c for c in columns]
        table = changed(table, columns=tuple(columns), primary_key=primary, indexes=tuple(indexes), checks=tuple(checks))
        foreign = []
        for constraint in self.constraints:
            if constraint["contype"] == "CONSTR_FOREIGN":
                oid = self.oid()
                foreign.append(rules.build_foreign_key(self.change, constraint, oid, self.name, columns, names, own=table))
        return changed(table, foreign_keys=tuple(foreign))

    def _copy_index(self, copied: Index, table: Table) -> Index:
        if copied.primary:
            name = choose_name(self.name, None, "pkey", self.taken)
        else:
            part = index_columns_part([k if not k.startswith("(") else "expr" for k in copied.keys])
            name = choose_name(self.name, part, "key" if copied.constraint else "idx", self.taken)
        self.taken.add(name)
        constraint = name if copied.constraint else None
        return changed(copied, oid=self.oid(), name=name, table_oid=table.oid, valid=True, constraint=constraint)

    @staticmethod
    def _same(left: Index, right: Index) -> bool:
        # A second UNIQUE over the same columns makes no second index, as in PostgreSQL.
        return (left.keys, left.include, left.nulls_distinct) == (right.keys, right.include, right.nulls_distinct)
