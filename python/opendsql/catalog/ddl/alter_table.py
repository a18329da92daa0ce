"""ALTER TABLE: the actions DSQL takes, in PostgreSQL's meaning, and its refusals of the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from opendsql.catalog import datatypes as dt
from opendsql.catalog import jobs
from opendsql.catalog.ddl import columns as column_rules
from opendsql.catalog.ddl import constraints as rules
from opendsql.catalog.ddl import dependencies, refusals, sequences
from opendsql.catalog.ddl.change import Change, all_indexes, changed
from opendsql.catalog.ddl.expressions import column_references
from opendsql.catalog.ddl.indexes import JOB_COLUMNS
from opendsql.catalog.model import Column, Sequence, Table, View
from opendsql.catalog.result import PyResult
from opendsql.errors import DsqlError, unsupported
from opendsql.guesses import says
from opendsql.limits import COLUMNS_LIFETIME_MAX

# Actions refused as a whole: subtype -> words of `unsupported ALTER TABLE <words> statement`.
REFUSED = {
    "AT_SetNotNull": "ALTER COLUMN ... SET NOT NULL", "AT_AlterColumnType": "ALTER COLUMN ... SET DATA TYPE",
    "AT_SetStatistics": "ALTER COLUMN ... SET STATISTICS", "AT_SetCompression": "ALTER COLUMN ... SET COMPRESSION",
    "AT_SetOptions": "ALTER COLUMN ... SET", "AT_ResetOptions": "ALTER COLUMN ... RESET",
    "AT_ValidateConstraint": "VALIDATE CONSTRAINT", "AT_EnableRowSecurity": "ENABLE ROW SECURITY",
    "AT_DisableRowSecurity": "DISABLE ROW SECURITY", "AT_ForceRowSecurity": "FORCE ROW SECURITY",
    "AT_NoForceRowSecurity": "NO FORCE ROW SECURITY", "AT_SetRelOptions": "SET", "AT_ResetRelOptions": "RESET",
    "AT_SetLogged": "SET LOGGED", "AT_SetUnLogged": "SET UNLOGGED", "AT_SetTableSpace": "SET TABLESPACE",
    "AT_ClusterOn": "CLUSTER ON", "AT_DropCluster": "SET WITHOUT CLUSTER", "AT_AddInherit": "INHERIT",
    "AT_DropInherit": "NO INHERIT", "AT_AttachPartition": "ATTACH PARTITION", "AT_DetachPartition": "DETACH PARTITION",
    "AT_DetachPartitionFinalize": "DETACH PARTITION ... FINALIZE", "AT_ReplicaIdentity": "REPLICA IDENTITY",
    "AT_SetAccessMethod": "SET ACCESS METHOD", "AT_EnableRule": "ENABLE RULE", "AT_DisableRule": "DISABLE RULE",
    "AT_EnableAlwaysRule": "ENABLE ALWAYS RULE", "AT_EnableReplicaRule": "ENABLE REPLICA RULE", "AT_AddOf": "OF",
    "AT_DropOf": "NOT OF", "AT_DropOids": "SET WITHOUT OIDS", "AT_GenericOptions": "OPTIONS",
    # guess: named_trigger
    "AT_EnableAlwaysTrig": "ENABLE ALWAYS TRIGGER", "AT_EnableReplicaTrig": "ENABLE REPLICA TRIGGER",
    "AT_EnableTrig": "ENABLE TRIGGER", "AT_DisableTrig": "DISABLE TRIGGER",
}  # fmt: skip


def refused(words: str) -> DsqlError:
    """`unsupported ALTER TABLE <words> statement`."""
    return unsupported(says("alter_table", action=words))


def alter_table(stmt: dict[str, Any], text: str, session: Any, catalog: Any) -> PyResult:
    """ALTER TABLE / VIEW / INDEX / SEQUENCE with a list of actions."""
    what = stmt.get("objtype", "OBJECT_TABLE")
    if what == "OBJECT_TYPE":
        raise refusals.refusal("AlterCompositeStmt")
    if what in ("OBJECT_FOREIGN_TABLE", "OBJECT_MATVIEW"):
        raise refusals.refusal("AlterTableStmt")
    word = what.removeprefix("OBJECT_")
    commands = [node["AlterTableCmd"] for node in stmt["cmds"]]
    if stmt.get("async"):
        return validate_async(stmt, commands, session, catalog)
    for command in commands:
        refuse_action(command)
    change = Change(session, catalog, f"ALTER {word}")
    target = find_target(change, stmt, word)
    if target is None:
        change.notice(f'relation "{stmt["relation"]["relname"]}" does not exist, skipping')
        return change.nothing()
    if isinstance(target, View):
        return alter_view(change, target, commands)
    if isinstance(target, Sequence):
        return alter_sequence_owner(change, target, commands)
    change.require_owner(target, "table")
    work = TableChange(change, target)
    for command in commands:
        work.apply(command)
    change.put(work.table)
    return change.done()


def find_target(change: Change, stmt: dict[str, Any], word: str) -> Table | View | Sequence | None:
    """The relation altered; ALTER TABLE may also name a view or sequence where PostgreSQL allows it."""
    if word == "INDEX":
        raise unsupported(says("alter_index"))
    relation = change.find(stmt["relation"], bool(stmt.get("missing_ok")))
    kinds = {"VIEW": View, "SEQUENCE": Sequence}
    if relation is not None and word in kinds and not isinstance(relation, kinds[word]):
        raise DsqlError("42809", f'"{relation.name}" is not a {word.lower()}')
    return relation


def refuse_action(command: dict[str, Any]) -> None:
    """Refuse by the action's kind alone, before any name is looked up (guess: alter_table_order)."""
    subtype = command["subtype"]
    if subtype in REFUSED:
        raise refused(REFUSED[subtype])
    if subtype == "AT_SetExpression":
        raise DsqlError("42601", 'syntax error at or near "EXPRESSION"')
    if subtype == "AT_AddConstraint":
        refuse_constraint(command["def"]["Constraint"])


def refuse_constraint(constraint: dict[str, Any]) -> None:
    """ADD CONSTRAINT forms that can never work."""
    kind = constraint["contype"]
    using_index = "indexname" in constraint
    if kind in ("CONSTR_CHECK", "CONSTR_FOREIGN"):
        if kind == "CONSTR_CHECK" and (constraint.get("deferrable") or constraint.get("initdeferred")):
            raise unsupported("CHECK constraints cannot be marked DEFERRABLE")
        if not constraint.get("skip_validation"):
            raise refused("ADD CONSTRAINT")
        return
    if kind == "CONSTR_UNIQUE" and using_index:
        if constraint.get("deferrable") or constraint.get("initdeferred"):
            raise unsupported("ALTER TABLE / ADD CONSTRAINT UNIQUE / DEFERRED / INITIALLY DEFERRED not supported")
        return
    raise refused("ADD CONSTRAINT")


def validate_async(stmt: dict[str, Any], commands: list[dict[str, Any]], session: Any, catalog: Any) -> PyResult:
    """ALTER TABLE ASYNC t VALIDATE CONSTRAINT c: a job, and its id."""
    if len(commands) != 1 or commands[0]["subtype"] != "AT_ValidateConstraint":
        raise unsupported(says("alter_table_async"))
    change = Change(session, catalog, "ALTER TABLE")
    table = change.find_table(stmt["relation"])
    change.require_owner(table, "table")
    name = commands[0]["name"]
    found = next((c for c in (*table.checks, *table.foreign_keys) if c.name == name), None)
    if found is None:
        if name in rules.constraint_names(table):
            raise DsqlError(
                "42809", f'constraint "{name}" of relation "{table.name}" is not a foreign key or check constraint'
            )
        raise DsqlError("42704", f'constraint "{name}" of relation "{table.name}" does not exist')
    job_id = jobs.submit(session, "VALIDATE_CONSTRAINT", table.oid, table, f"{table.schema}.{table.name}", parameter=name)
    return change.done(JOB_COLUMNS, [(job_id,)])


def alter_view(change: Change, view: View, commands: list[dict[str, Any]]) -> PyResult:
    """Owner and column defaults of a view."""
    change.require_owner(view, "view")
    for command in commands:
        if command["subtype"] == "AT_ChangeOwner":
            view = change.given_to(view, "view", command["newowner"])
        elif command["subtype"] == "AT_ColumnDefault":
            column = next((c for c in view.columns if c.name == command["name"]), None)
            if column is None:
                raise DsqlError("42703", f'column "{command["name"]}" of relation "{view.name}" does not exist')
            text = column_rules.default_text(change, command["def"], column) if "def" in command else None
            view = changed(view, columns=tuple(changed(c, default=text) if c is column else c for c in view.columns))
        else:
            raise DsqlError("42809", f'"{view.name}" is not a table')
    change.put(view)
    return change.done()


def alter_sequence_owner(change: Change, sequence: Sequence, commands: list[dict[str, Any]]) -> PyResult:
    """ALTER SEQUENCE s OWNER TO r."""
    for command in commands:
        if command["subtype"] != "AT_ChangeOwner":
            raise DsqlError("42809", f'"{sequence.name}" is not a table')
        if sequence.identity:
            raise unsupported(f'cannot change owner of sequence "{sequence.name}"')
        sequence = change.given_to(sequence, "sequence", command["newowner"])
    change.put(sequence)
    return change.done()


class TableChange:
    """A table under a list of ALTER actions."""

    def __init__(self, change: Change, table: Table) -> None:
        self.change = change
        self.table = table

    def apply(self, command: dict[str, Any]) -> None:
        """One action."""
        method: Callable[[dict[str, Any]], None] | None = getattr(self, command["subtype"].removeprefix("AT_"), None)
        if method is None:
            raise refused(command["subtype"].removeprefix("AT_"))
        method(command)

    def column(self, name: str) -> Column:
        """The live column; 42703 when there is none."""
        column = self.table.column(name)
        if column is None:
            raise DsqlError("42703", f'column "{name}" of relation "{self.table.name}" does not exist')
        return column

    def replace_column(self, column: Column, **values: Any) -> None:
        """Put a changed column in its place."""
        columns = tuple(changed(c, **values) if c.attnum == column.attnum else c for c in self.table.columns)
        self.table = changed(self.table, columns=columns)

    # -- columns -------------------------------------------------------------------------------------------------------

    def AddColumn(self, command: dict[str, Any]) -> None:
        """ADD COLUMN."""
        body = command["def"]["ColumnDef"]
        name = body["colname"]
        type_oid, typmod, domain = dt.resolve_type(
            column_rules.serial_checked(body["typeName"]), self.change.catalog, self.change.search_path
        )
        if body.get("collClause"):
            raise unsupported("COLLATE clause not supported")
        written = [item["Constraint"]["contype"] for item in body.get("constraints") or ()]
        if any(kind != "CONSTR_NULL" for kind in written):
            raise unsupported("ALTER TABLE ADD COLUMN with constraint not supported")
        if self.table.column(name) is not None:
            if command.get("missing_ok"):
                self.change.notice(
                    f'column "{name}" of relation "{self.table.name}" already exists, skipping', "42701"
                )
                return
            raise DsqlError("42701", f'column "{name}" of relation "{self.table.name}" already exists')
        rules.check_column_count(len(self.table.live_columns) + 1, self.table.primary_key is not None)
        if len(self.table.columns) >= COLUMNS_LIFETIME_MAX:
            raise DsqlError("54011", f"tables can have at most {COLUMNS_LIFETIME_MAX} columns")
        storage = column_rules.storage_code(body.get("storage_name"), type_oid)
        column = Column(name, len(self.table.columns) + 1, type_oid, typmod, storage=storage, domain_oid=domain)
        self.table = changed(self.table, columns=(*self.table.columns, column))

    def DropColumn(self, command: dict[str, Any]) -> None:
        """DROP COLUMN."""
        name = command["name"]
        column = self.table.column(name)
        if column is None:
            if command.get("missing_ok"):
                self.change.notice(
                    f'column "{name}" of relation "{self.table.name}" does not exist, skipping', "42703"
                )
                return
            raise DsqlError("42703", f'column "{name}" of relation "{self.table.name}" does not exist')
        if self.table.primary_key is not None and name in self.table.primary_key.keys:
            raise unsupported(f"cannot drop primary key column {name}")
        cascade = command.get("behavior") == "DROP_CASCADE"
        dependencies.release_column(self.change, self.table, column, cascade)
        gone = [i for i in self.table.indexes if uses_column(i, name)]
        for index in gone:
            self.change.session.drop_tree(index.oid)
            jobs.cancel(self.change.session, index.oid)
        if column.sequence_oid is not None:
            self.change.remove(self.change.catalog.by_oid[column.sequence_oid or 0])
        self.table = changed(
            self.table,
            indexes=tuple(i for i in self.table.indexes if i not in gone),
            checks=tuple(c for c in self.table.checks if name not in referenced(c.expression)),
            foreign_keys=tuple(f for f in self.table.foreign_keys if name not in f.columns),
            column_comments={k: v for k, v in self.table.column_comments.items() if k != name},
        )
        self.replace_column(
            column,
            name=f"........pg.dropped.{column.attnum}........",
            dropped=True,
            not_null=False,
            default=None,
            generated=None,
            identity="",
            sequence_oid=None,
        )

    def ColumnDefault(self, command: dict[str, Any]) -> None:
        """ALTER COLUMN ... SET / DROP DEFAULT."""
        column = self.column(command["name"])
        if column.identity:
            hint = None if "def" in command else "Use ALTER TABLE ... ALTER COLUMN ... DROP IDENTITY instead."
            raise DsqlError(
                "42601", f'column "{column.name}" of relation "{self.table.name}" is an identity column', hint=hint
            )
        if column.generated is not None:
            raise DsqlError(
                "42601", f'column "{column.name}" of relation "{self.table.name}" is a generated column'
            )
        text = column_rules.default_text(self.change, command["def"], column) if "def" in command else None
        self.replace_column(column, default=text)

    def DropNotNull(self, command: dict[str, Any]) -> None:
        """ALTER COLUMN ... DROP NOT NULL."""
        column = self.column(command["name"])
        if self.table.primary_key is not None and column.name in self.table.primary_key.keys:
            raise DsqlError("42P16", f'column "{column.name}" is in a primary key')
        if column.identity:
            raise DsqlError("42601", f'column "{column.name}" of relation "{self.table.name}" is an identity column')
        self.replace_column(column, not_null=False)

    def DropExpression(self, command: dict[str, Any]) -> None:
        """ALTER COLUMN ... DROP EXPRESSION."""
        column = self.column(command["name"])
        if column.generated is None:
            message = f'column "{column.name}" of relation "{self.table.name}" is not a stored generated column'
            if command.get("missing_ok"):
                self.change.notice(message + ", skipping")
                return
            raise DsqlError("55000", message)
        self.replace_column(column, generated=None)

    def SetStorage(self, command: dict[str, Any]) -> None:
        """ALTER COLUMN ... SET STORAGE."""
        column = self.column(command["name"])
        word = command["def"]["String"]["sval"]
        self.replace_column(column, storage=column_rules.storage_code(word, column.type_oid))

    # -- identity ------------------------------------------------------------------------------------------------------

    def AddIdentity(self, command: dict[str, Any]) -> None:
        """ALTER COLUMN ... ADD GENERATED."""
        constraint = command["def"]["Constraint"]
        column = self.column(command["name"])
        column_rules.check_identity(constraint, column.type_oid)
        name = f'column "{column.name}" of relation "{self.table.name}"'
        if not column.not_null:
            raise DsqlError("55000", f"{name} must be declared NOT NULL before identity can be added")
        if column.identity:
            raise DsqlError("55000", f"{name} is already an identity column")
        if column.default is not None:
            raise DsqlError("55000", f"{name} already has a default value")
        sequences.check_count(self.change)
        taken = self.change.names_in(self.table.schema)
        sequence = sequences.identity_sequence(
            self.change, self.table.schema, self.table.name, column.name, constraint.get("options"), taken, self.change.new_oid()
        )
        self.change.put(changed(sequence, owned_by=(self.table.oid, column.attnum)))
        sequences.write_state(self.change.session, sequence.oid, sequence.start, False)
        self.replace_column(column, identity=constraint.get("generated_when", "d"), sequence_oid=sequence.oid)

    def SetIdentity(self, command: dict[str, Any]) -> None:
        """ALTER COLUMN ... SET GENERATED and sequence options."""
        column = self.column(command["name"])
        if not column.identity:
            raise DsqlError("55000", f'column "{column.name}" of relation "{self.table.name}" is not an identity column')
        options = command["def"]["List"]["items"]
        generated = [n["DefElem"] for n in options if n["DefElem"]["defname"] == "generated"]
        rest = [n for n in options if n["DefElem"]["defname"] != "generated"]
        sequences.check_cache(rest, "identity column", required=False)
        if generated:
            self.replace_column(column, identity=chr(sequences.option_number(generated[-1])))
        if rest:
            sequence = self.change.catalog.by_oid[column.sequence_oid or 0]
            self.change.put(sequences.alter_options(self.change, sequence, rest))

    def DropIdentity(self, command: dict[str, Any]) -> None:
        """ALTER COLUMN ... DROP IDENTITY."""
        column = self.column(command["name"])
        if not column.identity:
            message = f'column "{column.name}" of relation "{self.table.name}" is not an identity column'
            if command.get("missing_ok"):
                self.change.notice(message + ", skipping")
                return
            raise DsqlError("55000", message)
        self.change.remove(self.change.catalog.by_oid[column.sequence_oid or 0])
        self.replace_column(column, identity="", sequence_oid=None)

    # -- constraints ---------------------------------------------------------------------------------------------------

    def AddConstraint(self, command: dict[str, Any]) -> None:
        """ADD CONSTRAINT ... NOT VALID, and UNIQUE USING INDEX."""
        constraint = command["def"]["Constraint"]
        kind = constraint["contype"]
        names = rules.constraint_names(self.table)
        if kind == "CONSTR_UNIQUE":
            self.unique_using_index(constraint, names)
            return
        columns = self.table.columns
        oid = self.change.new_oid()
        if kind == "CONSTR_CHECK":
            check = rules.build_check(self.change, constraint, oid, self.table.name, columns, names, validated=False)
            self.table = changed(self.table, checks=(*self.table.checks, check))
        else:
            key = rules.build_foreign_key(
                self.change, constraint, oid, self.table.name, columns, names, own=self.table, validated=False
            )
            self.table = changed(self.table, foreign_keys=(*self.table.foreign_keys, key))

    def unique_using_index(self, constraint: dict[str, Any], names: set[str]) -> None:
        """ADD CONSTRAINT c UNIQUE USING INDEX i."""
        wanted = constraint["indexname"]
        index = next((i for i in all_indexes(self.table) if i.name == wanted), None)
        if index is None:
            raise DsqlError("42704", f'index "{wanted}" does not exist')
        if index.constraint is not None:
            raise DsqlError("55000", f'index "{wanted}" is already associated with a constraint')
        if not index.valid:
            raise DsqlError("55000", f'index "{wanted}" is not valid')
        if not index.unique:
            raise DsqlError(
                "42809",
                f'"{wanted}" is not a unique index',
                detail="Cannot create a primary key or unique constraint using such an index.",
            )
        for bad, shown in ((any(k.startswith("(") for k in index.keys), "contains expressions"), (index.predicate, "is a partial index")):
            if bad:
                text = f'index "{wanted}" contains expressions' if "expressions" in shown else f'"{wanted}" is a partial index'
                raise DsqlError(
                    "42809", text, detail="Cannot create a primary key or unique constraint using such an index."
                )
        name = constraint.get("conname") or wanted
        if name in names:
            raise DsqlError("42710", f'constraint "{name}" for relation "{self.table.name}" already exists')
        if name != wanted:
            if name in self.change.names_in(self.table.schema):
                raise DsqlError("42P07", f'relation "{name}" already exists')
            self.change.stamp_namespace()
            self.change.notice(
                f'ALTER TABLE / ADD CONSTRAINT USING INDEX will rename index "{wanted}" to "{name}"'
            )
        self.replace_index(index, name=name, constraint=name)

    def replace_index(self, index: Any, **values: Any) -> None:
        """Put a changed index in its place."""
        if index.primary:
            self.table = changed(self.table, primary_key=changed(index, **values))
            return
        indexes = tuple(changed(i, **values) if i.oid == index.oid else i for i in self.table.indexes)
        self.table = changed(self.table, indexes=indexes)

    def AlterConstraint(self, command: dict[str, Any]) -> None:
        """ALTER CONSTRAINT of a foreign key."""
        constraint = command["def"]["Constraint"]
        name = constraint["conname"]
        key = next((f for f in self.table.foreign_keys if f.name == name), None)
        if key is None:
            if name in rules.constraint_names(self.table):
                raise DsqlError(
                    "42809", f'constraint "{name}" of relation "{self.table.name}" is not a foreign key constraint'
                )
            raise DsqlError("42704", f'constraint "{name}" of relation "{self.table.name}" does not exist')
        deferred = bool(constraint.get("initdeferred"))
        altered = changed(key, deferrable=bool(constraint.get("deferrable")) or deferred, deferred=deferred)
        keys = tuple(altered if f is key else f for f in self.table.foreign_keys)
        self.table = changed(self.table, foreign_keys=keys)

    def DropConstraint(self, command: dict[str, Any]) -> None:
        """DROP CONSTRAINT."""
        name = command["name"]
        primary = self.table.primary_key
        if primary is not None and primary.constraint == name:
            raise refused("DROP CONSTRAINT")
        if name not in rules.constraint_names(self.table):
            message = f'constraint "{name}" of relation "{self.table.name}" does not exist'
            if command.get("missing_ok"):
                self.change.notice(message + ", skipping", "42704")
                return
            raise DsqlError("42704", message)
        index = next((i for i in self.table.indexes if i.constraint == name), None)
        if index is not None:
            cascade = command.get("behavior") == "DROP_CASCADE"
            dependencies.release_key(self.change, self.table, index.keys, name, cascade)
            self.change.session.drop_tree(index.oid)
            self.change.stamp_namespace()
        self.table = changed(
            self.table,
            indexes=tuple(i for i in self.table.indexes if i is not index),
            checks=tuple(c for c in self.table.checks if c.name != name),
            foreign_keys=tuple(f for f in self.table.foreign_keys if f.name != name),
        )

    # -- the table -----------------------------------------------------------------------------------------------------

    def ChangeOwner(self, command: dict[str, Any]) -> None:
        """OWNER TO."""
        self.table = self.change.given_to(self.table, "table", command["newowner"])
        for sequence in self.change.catalog.relations.values():  # its own sequences go with it
            if isinstance(sequence, Sequence) and sequence.owned_by and sequence.owned_by[0] == self.table.oid:
                self.change.put(self.change.given_to(sequence, "sequence", command["newowner"]))

    def EnableTrigAll(self, command: dict[str, Any]) -> None:
        """Accepted; there are no triggers."""

    EnableTrigUser = DisableTrigAll = DisableTrigUser = EnableTrigAll


def uses_column(index: Any, name: str) -> bool:
    """Whether an index keys, includes or tests the column."""
    if name in index.keys or name in index.include:
        return True
    texts = [k for k in index.keys if k.startswith("(")] + ([index.predicate] if index.predicate else [])
    return any(name in referenced(text) for text in texts)


def referenced(expression: str) -> list[str]:
    """Columns a stored expression refers to."""
    return column_references(dependencies.parse_expression(expression))
