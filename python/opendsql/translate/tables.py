"""CREATE TABLE, ALTER TABLE and CREATE INDEX as DSQL takes them.

What DSQL does later or elsewhere becomes a statement of its own:

    KEY k (c) inside CREATE TABLE       CREATE INDEX ASYNC k ON t (c)
    ADD COLUMN c int NOT NULL DEFAULT 5 ADD COLUMN c int; ALTER c SET DEFAULT 5; ADD CONSTRAINT .. CHECK (c IS NOT NULL) NOT VALID
    ADD CONSTRAINT f FOREIGN KEY ...    ADD CONSTRAINT f ... NOT VALID; ALTER TABLE ASYNC t VALIDATE CONSTRAINT f
    ADD CONSTRAINT u UNIQUE (c)         CREATE UNIQUE INDEX ASYNC u ON t (c); ADD CONSTRAINT u UNIQUE USING INDEX u

A function that returns None found nothing to change: the caller keeps the statement as written.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlglot import exp

from opendsql.translate.columns import column, is_key, key_column, strip_key, write

WAIT = "ASYNC: the statement returns a job id; CALL sys.wait_for_job(job_id) before relying on it"
OPTIONS: dict[type[exp.Expr], str] = {
    exp.TemporaryProperty: "TEMPORARY dropped: there are only durable tables",
    exp.UnloggedProperty: "UNLOGGED dropped",
    exp.PartitionedByProperty: "PARTITION BY dropped: DSQL partitions by itself",
    exp.InheritsProperty: "INHERITS dropped: repeat the parent's columns",
    exp.CollateProperty: "COLLATE dropped: the collation is C",
    exp.CharacterSetProperty: "CHARACTER SET dropped: the encoding is UTF-8",
    exp.TableSpaceProperty: "TABLESPACE dropped",
}


@dataclass(frozen=True, slots=True)
class Translated:
    """One statement for DSQL (empty: nothing is left of it) and what a reader should know about it."""

    sql: str
    notes: tuple[str, ...] = ()


@dataclass
class Table:
    """A table this script creates: enough to write it again when a later statement adds a key."""

    tree: exp.Create
    at: int
    notes: list[str]
    key: list[str] = field(default_factory=list)


@dataclass
class Schema:
    """What is known about the script so far."""

    source: str
    tables: dict[str, Table] = field(default_factory=dict)
    to_come: set[str] = field(default_factory=set)  # tables that a later statement creates
    names: set[str] = field(default_factory=set)  # indexes: MySQL's belong to a table, PostgreSQL's to the schema

    def unique_name(self, name: str, table: str, notes: list[str]) -> str:
        """The index name, or one with the table's name in front when the script has used it."""
        if name.lower() in self.names:
            notes.append(f"index {name} renamed: index names are unique in a schema")
            name = f"{table}_{name}"
        self.names.add(name.lower())
        return name


def quoted(name: str, like: exp.Expr | None = None) -> str:
    """The identifier, in quotes where it needs them or the source had them."""
    plain = name.isidentifier() and name == name.lower() and name.isascii()
    return write(exp.to_identifier(name, quoted=not plain or bool(like is not None and like.args.get("quoted"))))


def create_index(tree: exp.Create, schema: Schema) -> Translated | None:
    """CREATE [UNIQUE] INDEX ASYNC; None for an access method that a tree cannot stand in for."""
    index = tree.this
    parameters = index.args.get("params") or exp.IndexParameters()
    if parameters.args.get("using") and parameters.args["using"].name.lower() not in ("btree", "hash", "brin"):
        return None
    notes = [WAIT]
    for argument, word in (("using", "USING"), ("with_storage", "WITH"), ("tablespace", "TABLESPACE")):
        value = parameters.args.get(argument)
        if value:
            said = f" {value.name}" if argument == "using" else ""
            notes.append(f"{word}{said} dropped")
    if tree.args.get("concurrently"):
        notes.append("CONCURRENTLY dropped: ASYNC is DSQL's way")
    name = index.this
    table = index.args["table"]
    sql = "CREATE UNIQUE INDEX ASYNC" if tree.args.get("unique") else "CREATE INDEX ASYNC"
    sql += " IF NOT EXISTS" if tree.args.get("exists") else ""
    if name is not None:
        sql += f" {quoted(schema.unique_name(name.name, table.name, notes), name)}"
    parts = [index_part(part, notes, schema.source) for part in parameters.args.get("columns") or []]
    sql += f" ON {write(table)} ({', '.join(parts)})"
    include = parameters.args.get("include")
    if include:
        sql += f" INCLUDE ({', '.join(write(part) for part in include)})"
    if tree.args.get("nulls_distinct") is False:
        sql += " NULLS NOT DISTINCT"
    if parameters.args.get("where"):
        sql += f" {write(parameters.args['where'])}"
    return Translated(sql, tuple(dict.fromkeys(notes)))


def index_part(part: exp.Expr, notes: list[str], source: str) -> str:
    """One key of an index: a column, or an expression in parentheses."""
    nulls = ""
    if isinstance(part, exp.Ordered) and source in ("postgres", "redshift") and part.args.get("nulls_first") and not part.args.get("desc"):
        nulls = " NULLS FIRST"
    inner = key_column(part, notes, source)
    if isinstance(inner, exp.Opclass):
        notes.append("operator class dropped")
        inner = inner.this
    if isinstance(inner, exp.Collate):
        notes.append("COLLATE dropped: the collation is C")
        inner = inner.this
    if isinstance(inner, exp.Column) and isinstance(inner.this, exp.Identifier):
        return write(inner.this) + nulls
    if isinstance(inner, exp.Identifier):
        return write(inner) + nulls
    return (write(inner) if isinstance(inner, exp.Paren) else f"({write(inner)})") + nulls


def inline_index(table: exp.Expr, clause: exp.IndexColumnConstraint, schema: Schema) -> Translated:
    """MySQL's KEY inside a table, as its own statement."""
    notes = [WAIT]
    kind = str(clause.args.get("kind") or "").upper()
    if kind in ("FULLTEXT", "SPATIAL"):
        return Translated("", (f"{kind} index {clause.name} dropped: DSQL has no such index",))
    parts = [index_part(part, notes, schema.source) for part in clause.expressions]
    name = f" {quoted(schema.unique_name(clause.name, table.name, notes))}" if clause.this else ""
    return Translated(f"CREATE INDEX ASYNC{name} ON {write(table)} ({', '.join(parts)})", tuple(notes))


def create_table(tree: exp.Create, schema: Schema) -> tuple[list[Translated], list[str]] | None:
    """What follows the table (indexes, comments, foreign keys to tables still to come) and the notes; rewrites the tree in place."""
    body = tree.this
    if not isinstance(body, exp.Schema) or tree.args.get("expression") is not None:
        return None
    table = body.this
    notes: list[str] = []
    after: list[Translated] = []
    properties = (tree.args.get("properties") or exp.Properties()).expressions
    start = next((p.this for p in properties if isinstance(p, exp.AutoIncrementProperty)), None)
    for option in properties:
        if isinstance(option, exp.SchemaCommentProperty):
            after.append(Translated(f"COMMENT ON TABLE {write(table)} IS {write(option.this)}"))
        elif not isinstance(option, exp.AutoIncrementProperty):
            notes.append(OPTIONS.get(type(option)) or f"table option {write(option)} dropped")
    tree.set("properties", None)
    kept: list[exp.Expr] = []
    for item in body.expressions:
        if isinstance(item, exp.Identifier):  # SQLite: a column without a type
            item = exp.ColumnDef(this=item)
        if isinstance(item, exp.ColumnDef):
            found = column(item, schema.source, start)
            notes += found.notes
            if found.comment is not None:
                after.append(Translated(f"COMMENT ON COLUMN {write(table)}.{write(item.this)} IS {write(found.comment)}"))
            kept.append(item)
        elif isinstance(item, exp.IndexColumnConstraint):
            after.append(inline_index(table, item, schema))
        else:
            kept += _table_constraint(item, table, schema, notes, after)
    body.set("expressions", kept)
    return after, notes


def key_of(tree: exp.Create) -> list[str]:
    """The primary key's columns."""
    for item in tree.this.expressions:
        if isinstance(item, exp.ColumnDef) and any(is_key(c.args.get("kind")) for c in item.args.get("constraints") or []):
            return [item.name]
        inner = item.expressions[0] if isinstance(item, exp.Constraint) and item.expressions else item
        if isinstance(inner, exp.PrimaryKey):
            return [part.name for part in inner.expressions]
    return []


def _table_constraint(item: exp.Expr, table: exp.Expr, schema: Schema, notes: list[str], after: list[Translated]) -> list[exp.Expr]:
    name = item.this if isinstance(item, exp.Constraint) else None
    inner = item.expressions[0] if isinstance(item, exp.Constraint) and item.expressions else item
    if isinstance(inner, exp.ExcludeColumnConstraint):
        notes.append("EXCLUDE dropped: 0A000 EXCLUDE constraint not supported")
        return []
    if isinstance(item, exp.Constraint) and len(item.expressions) > 1 and isinstance(item.expressions[1], exp.ClusteredColumnConstraint):
        columns = [key_column(part, notes, schema.source) for part in item.expressions[1].this]
        inner = exp.PrimaryKey(expressions=columns) if is_key(inner) else exp.UniqueColumnConstraint(this=exp.Schema(expressions=columns))
        item = exp.Constraint(this=name, expressions=[inner])
        notes.append("CLUSTERED dropped: a table is stored by its primary key")
    strip_key(inner, notes, schema.source)
    if isinstance(inner, exp.UniqueColumnConstraint) and isinstance(inner.this, exp.Schema) and inner.this.this is not None:
        key = inner.this.this  # MySQL: UNIQUE KEY name (columns)
        inner.this.set("this", None)
        name = exp.to_identifier(schema.unique_name(key.name, table.name, notes), quoted=bool(key.args.get("quoted")))
        notes.append(f"UNIQUE KEY {key.name} is a constraint")
        item = exp.Constraint(this=name, expressions=[inner])
    if isinstance(inner, exp.ForeignKey) and schema.to_come & {parent_of(inner)} and parent_of(inner) != table.name.lower():
        after += add_constraint(f"ALTER TABLE {write(table)}", table, item, schema)
        notes.append(f"the foreign key to {parent_of(inner)} follows, because that table is created later")
        return []
    return [item]


def parent_of(key: exp.ForeignKey) -> str:
    """The referenced table's name, lower case."""
    found = key.find(exp.Table)
    return found.name.lower() if found is not None else ""


def add_constraint(head: str, table: exp.Expr, item: exp.Expr, schema: Schema, *, validate: bool = True) -> list[Translated]:
    """ADD CONSTRAINT to a table that exists: in two steps, so that nothing is scanned inside a transaction."""
    inner = item.expressions[0] if isinstance(item, exp.Constraint) else item
    notes: list[str] = []
    strip_key(inner, notes, schema.source)
    given = item.this if isinstance(item, exp.Constraint) else None
    if isinstance(inner, exp.UniqueColumnConstraint) and isinstance(inner.this, exp.Schema):
        columns = [write(part) for part in inner.this.expressions]
        given = given or inner.this.this
        default = "_".join([table.name, *(part.name for part in inner.this.expressions), "key"])
        name = quoted(schema.unique_name(given.name if given else default, table.name, notes), given)
        index = f"CREATE UNIQUE INDEX ASYNC {name} ON {write(table)} ({', '.join(columns)})"
        using = f"{head} ADD CONSTRAINT {name} UNIQUE USING INDEX {name}"
        return [Translated(index, (WAIT, *notes)), Translated(using, ("after the index is built (else 55000)",))]
    if isinstance(inner, (exp.ForeignKey, exp.CheckColumnConstraint)):
        parts = [part.name for part in inner.expressions] if isinstance(inner, exp.ForeignKey) else []
        default = "_".join([table.name, *parts, "fkey" if isinstance(inner, exp.ForeignKey) else "check"])
        name = quoted(given.name if given else default, given)
        found = [Translated(f"{head} ADD CONSTRAINT {name} {write(inner)} NOT VALID", ("NOT VALID: for new rows, until it is validated",))]
        if validate:
            found.append(Translated(f"ALTER TABLE ASYNC {write(table)} VALIDATE CONSTRAINT {name}", (WAIT,)))
        return found
    refused = ("DSQL refuses this: 0A000 unsupported ALTER TABLE ADD CONSTRAINT statement; write the key into CREATE TABLE",)
    return [Translated(f"{head} ADD {write(item)}", refused)]


def add_column(head: str, table: exp.Expr, item: exp.ColumnDef, schema: Schema) -> list[Translated] | None:
    """ADD COLUMN takes a name and a type; what else the column has follows."""
    found = column(item, schema.source)
    constraints = list(item.args.get("constraints") or [])
    kinds = [c.args.get("kind") for c in constraints]
    if any(isinstance(k, (exp.Var, exp.ComputedColumnConstraint, exp.GeneratedAsIdentityColumnConstraint)) or is_key(k) for k in kinds):
        refused = "DSQL refuses this: 0A000 ALTER TABLE ADD COLUMN with constraint not supported; make the column in CREATE TABLE"
        return [Translated(f"{head} ADD COLUMN {write(item)}", (*found.notes, refused))]
    if not constraints and not found.notes:
        return None
    item.set("constraints", None)
    name = write(item.this)
    split = ("DSQL adds a bare column; what else it had follows",) if constraints else ()
    exists = "IF NOT EXISTS " if item.args.get("exists") else ""
    item.set("exists", None)
    after: list[Translated] = []
    default = None
    for constraint, kind in zip(constraints, kinds, strict=True):
        if isinstance(kind, exp.DefaultColumnConstraint):
            default = write(kind.this)
            fill = f"UPDATE {write(table)} SET {name} = {default} WHERE {name} IS NULL"
            note = f"for new rows; existing ones: {fill} (3,000 rows a transaction)"
            after.insert(0, Translated(f"{head} ALTER COLUMN {name} SET DEFAULT {default}", (note,)))
        elif isinstance(kind, exp.NotNullColumnConstraint):
            if not kind.args.get("allow_null"):
                after += not_null(head, table, item.this, validate=False)
        elif isinstance(kind, exp.UniqueColumnConstraint):
            unique = exp.UniqueColumnConstraint(this=exp.Schema(expressions=[item.this.copy()]))
            after += add_constraint(head, table, unique, schema)
        elif isinstance(kind, exp.Reference):
            key = exp.ForeignKey(expressions=[item.this.copy()], reference=kind.copy())
            named = exp.Constraint(this=constraint.this, expressions=[key]) if constraint.this else key
            after += add_constraint(head, table, named, schema)
        elif isinstance(kind, exp.CheckColumnConstraint):
            check = exp.Constraint(this=exp.to_identifier(f"{table.name}_{item.name}_check"), expressions=[kind.copy()])
            after += add_constraint(head, table, check, schema)
    if found.comment is not None:
        after.append(Translated(f"COMMENT ON COLUMN {write(table)}.{name} IS {write(found.comment)}"))
    return [Translated(f"{head} ADD COLUMN {exists}{write(item)}", (*found.notes, *split)), *after]


def not_null(head: str, table: exp.Expr, name: exp.Expr, *, validate: bool) -> list[Translated]:
    """SET NOT NULL, which DSQL refuses, as a check."""
    constraint = quoted(f"{table.name}_{name.name}_not_null")
    check = f"{head} ADD CONSTRAINT {constraint} CHECK ({write(name)} IS NOT NULL) NOT VALID"
    validation = f"ALTER TABLE ASYNC {write(table)} VALIDATE CONSTRAINT {constraint}"
    note = "NOT NULL is a check: DSQL cannot set it on a table that exists"
    if validate:
        return [Translated(check, (note,)), Translated(validation, (WAIT,))]
    return [Translated(check, (f"{note}; when existing rows are filled: {validation}",))]


def alter_table(tree: exp.Alter, schema: Schema) -> list[Translated] | None:
    """Each action as its own statement, when one of them has to change."""
    table = tree.this
    head = f"ALTER TABLE {'IF EXISTS ' if tree.args.get('exists') else ''}{write(table)}"
    found: list[Translated] = []
    changed = False
    for action in tree.args.get("actions") or []:
        original = f"{head} {write(exp.Alter(this=table.copy(), kind='TABLE', actions=[action.copy()])).split(write(table) + ' ', 1)[1]}"
        made: list[Translated] | None = None
        if isinstance(action, exp.ColumnDef):
            made = add_column(head, table, action, schema)
        elif isinstance(action, exp.AddConstraint) and not tree.args.get("not_valid"):
            made = []
            for item in action.expressions:
                index = isinstance(item, exp.IndexColumnConstraint)
                made += [inline_index(table, item, schema)] if index else add_constraint(head, table, item, schema)
        elif isinstance(action, exp.AlterColumn) and action.args.get("allow_null") is False:
            made = not_null(head, table, action.this, validate=True)
        elif isinstance(action, (exp.AlterColumn, exp.ModifyColumn)) and (isinstance(action, exp.ModifyColumn) or action.args.get("dtype")):
            refused = "DSQL refuses this: 0A000 unsupported ALTER TABLE ALTER COLUMN ... SET DATA TYPE statement; add a column and copy"
            made = [Translated(original, (refused,))]
        changed |= made is not None
        found += [Translated(original)] if made is None else made
    return found if changed else None
