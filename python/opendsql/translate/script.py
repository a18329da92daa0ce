"""A script as a whole: split, read by sqlglot, rewritten, and each result shown to the engine's own grammar and gate.

Invariants:
1. A statement of PostgreSQL that needs no change is the source's own text, not sqlglot's reading of it.
2. What is left that DSQL refuses carries a note with the SQLSTATE and text of the refusal.
3. One Translated is one statement, to be run in a transaction of its own: DSQL takes one DDL statement a transaction.
"""

from __future__ import annotations

import logging
import re

from sqlglot import ErrorLevel, Token, TokenType, exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import SqlglotError

from opendsql.catalog.settings_table import SETTINGS
from opendsql.errors import DsqlError, OperatorError
from opendsql.query.gate import check_statement
from opendsql.query.parse import parse
from opendsql.translate.columns import IDENTITY_CACHE, write
from opendsql.translate.tables import Schema, Table, Translated, alter_table, create_index, create_table, key_of

LOG = logging.getLogger("sqlglot")
POSTGRES = ("postgres", "dsql")
ROUTINE = re.compile(r"\s*CREATE\s+(?:OR\s+REPLACE\s+)?(?:TEMP(?:ORARY)?\s+|DEFINER\s*=\s*\S+\s+)?(?:TRIGGER|PROCEDURE)\b", re.I)
TAILS = {
    "sqlite": re.compile(r"\)\s*(?:(?:WITHOUT\s+ROWID|STRICT)\s*,?\s*)+\Z", re.I),
    "postgres": re.compile(r"\)\s*ON\s+COMMIT\s+(?:DROP|DELETE\s+ROWS|PRESERVE\s+ROWS)\s*\Z", re.I),
}
SESSION = re.compile(r"\s*(?:UN)?LOCK\s+TABLES?\b|\s*DELIMITER\b", re.I)


def translate(sql: str, source: str = "postgres") -> list[Translated]:
    """The script's statements for DSQL, in order.

    Args:
        sql: a script of the source database.
        source: the name of a sqlglot dialect (postgres, mysql, sqlite, tsql, oracle, ...).

    Raises:
        OperatorError: there is no such dialect, or the script cannot be split into tokens.
    """
    level = LOG.level
    LOG.setLevel(logging.CRITICAL)  # "falls back to a command" is a note here, not a log line
    try:
        try:
            dialect = Dialect.get_or_raise(source)
            tokens = dialect.tokenize(sql)
        except (ValueError, SqlglotError) as error:
            raise OperatorError(f"cannot read this as {source}: {str(error).splitlines()[0]}") from None
        script = Script(source)
        trees = [_read(text, dialect, source) for text in _split(sql, tokens)]
        script.schema.to_come = {_created_table(tree) for tree, _, _ in trees} - {""}
        script.has_ddl = any(isinstance(tree, (exp.Create, exp.Alter, exp.Drop)) for tree, _, _ in trees)
        for tree, text, note in trees:
            script.add(tree, text, note)
        return script.finish()
    finally:
        LOG.setLevel(level)


def refusal(sql: str) -> str | None:
    """DSQL's answer to a statement it does not take at all, or None."""
    try:
        for statement in parse(sql):
            check_statement(statement)
            if statement.kind == "IndexStmt" and statement.node.get("accessMethod", "btree") != "btree":
                return "DSQL refuses this: 0A000 USING not supported for CREATE INDEX"
            if statement.kind == "VariableSetStmt" and not (setting := SETTINGS.get(statement.node.get("name", ""))):
                return f'DSQL refuses this: 42704 unrecognized configuration parameter "{statement.node.get("name", "")}"'
            if statement.kind == "VariableSetStmt" and setting and not setting.settable:
                return f'DSQL refuses this: 0A000 setting configuration parameter "{setting.name}" not supported'
    except DsqlError as error:
        return f"DSQL refuses this: {error.sqlstate} {error}"
    return None


def _split(sql: str, tokens: list[Token]) -> list[str]:
    """Statements by their semicolons; a trigger's or procedure's body keeps its own."""
    found = []
    run: list[Token] = []
    depth = 0
    for token in tokens:
        if run and ROUTINE.match(sql[run[0].start : run[0].start + 200]):
            depth += {"BEGIN": 1, "CASE": 1, "END": -1}.get(token.text.upper(), 0)
        if token.token_type == TokenType.SEMICOLON and depth <= 0:
            if run:
                found.append(sql[run[0].start : run[-1].end + 1])
            run, depth = [], 0
        else:
            run.append(token)
    if run:
        found.append(sql[run[0].start : run[-1].end + 1])
    return found


def _read(text: str, dialect: Dialect, source: str) -> tuple[exp.Expr, str, str | None]:
    """The tree of one statement, its text, and what had to be cut before sqlglot could read it."""
    shorter, note = text, None
    if source == "mysql" and re.match(r"\s*(CREATE|ALTER)\b", text, re.I):
        shorter = re.sub(r"\bUSING\s+(?:BTREE|HASH)\b(?=(?:[^'`]|'[^']*'|`[^`]*`)*\Z)", "", text, flags=re.I)
        note = "USING dropped" if shorter != text else None
    elif source in TAILS and (tail := TAILS[source].search(text)):
        shorter = text[: tail.start() + 1]
        note = f"{' '.join(text[tail.start() + 1 :].split())} dropped"
    try:
        tree = dialect.parse(shorter, error_level=ErrorLevel.RAISE)[0]
    except SqlglotError:
        tree = None
    return tree or exp.Command(this=text), text, note


def _created_table(tree: exp.Expr) -> str:
    table = tree.this.find(exp.Table) if isinstance(tree, exp.Create) and tree.kind == "TABLE" else None
    return table.name.lower() if table is not None else ""


class Script:
    """The translation in progress: give it the statements in order, then take the result."""

    def __init__(self, source: str) -> None:
        self.schema = Schema(source)
        self.source = source
        self.has_ddl = True
        self.enums: set[str] = set()
        self.out: list[Translated] = []
        self.later: list[Translated] = []  # foreign keys to tables that come later

    def finish(self) -> list[Translated]:
        """Every statement, with the refusals that remain."""
        found = []
        for one in [*self.out, *self.later]:
            said = any(note.startswith("DSQL refuses") for note in one.notes)
            left = None if said or not one.sql else refusal(one.sql)
            found.append(Translated(one.sql, (*one.notes, left)) if left else one)
        return found

    def add(self, tree: exp.Expr, text: str, note: str | None = None) -> None:
        """Translates one statement; `text` is what to keep when nothing about it changes."""
        notes = [note] if note else []
        made: list[Translated] | None = None
        if isinstance(tree, exp.Create) and not isinstance(tree.this, exp.Index) and tree.kind == "TABLE":
            if self._table(tree, text, notes):
                return
        elif isinstance(tree, exp.Create):
            made = self._create(tree)
        elif isinstance(tree, exp.Alter) and tree.args.get("kind") == "TABLE":
            made = [] if self._fold(tree) else alter_table(tree, self.schema)
        elif isinstance(tree, exp.TruncateTable):
            many = "TRUNCATE is DELETE: at most 3,000 rows a transaction, so repeat it with a limit, or DROP and CREATE the table"
            made = [Translated(f"DELETE FROM {write(table)}", (many,)) for table in tree.expressions]
        elif isinstance(tree, exp.Drop):
            made = self._drop(tree)
        elif isinstance(tree, (exp.Transaction, exp.Commit)) and self.has_ddl:
            made = [Translated("", (f"{text.split()[0].upper()} dropped: DSQL takes one DDL statement a transaction",))]
        elif self._is_session(tree, text):
            made = [Translated("", (f"dropped: {' '.join(text.split())}",))]
        elif isinstance(tree, exp.Insert) and self.source not in POSTGRES:
            made = [self._insert(tree)]
        if made is None:
            kept = self.source in POSTGRES or isinstance(tree, exp.Command)
            made = [Translated(text if kept else write(tree))]
        if notes and made:
            made[0] = Translated(made[0].sql, (*notes, *made[0].notes))
        self.out += made

    def _is_session(self, tree: exp.Expr, text: str) -> bool:
        if isinstance(tree, (exp.Pragma, exp.Use)) or SESSION.match(text):
            return True
        if isinstance(tree, exp.Set):
            return self.source not in POSTGRES or refusal(text) is not None
        return False

    def _table(self, tree: exp.Create, text: str, notes: list[str]) -> bool:
        made = create_table(tree, self.schema)
        if made is None:
            return False
        after, said = made
        notes = [*notes, *dict.fromkeys(said)]
        name = tree.this.this.name.lower()
        self.schema.to_come.discard(name)
        changed = bool(notes or after) or self.source not in POSTGRES
        self.schema.tables[name] = Table(tree, len(self.out), notes, key_of(tree))
        self.out.append(Translated(write(tree) if changed else text, tuple(notes)))
        for one in after:
            (self.later if one.sql.startswith("ALTER TABLE") else self.out).append(one)
        return True

    def _create(self, tree: exp.Create) -> list[Translated] | None:
        if isinstance(tree.this, exp.Index):
            made = create_index(tree, self.schema)
            return None if made is None else [made]
        if tree.kind == "SEQUENCE":
            return self._sequence(tree)
        values = tree.expression
        if tree.kind == "TYPE" and isinstance(values, exp.DataType) and values.this == exp.DType.ENUM:
            self.enums.add(tree.this.name.lower())
            members = ", ".join(write(value) for value in values.expressions)
            note = "the enum is a domain over text: same values, but ordered by text"
            return [Translated(f"CREATE DOMAIN {write(tree.this)} AS text CHECK (VALUE IN ({members}))", (note,))]
        return None

    def _sequence(self, tree: exp.Create) -> list[Translated] | None:
        notes = []
        options = tree.find(exp.SequenceProperties)
        if options is None:
            options = exp.SequenceProperties()
            tree.set("properties", exp.Properties(expressions=[options]))
        kind = tree.expression
        if isinstance(kind, exp.DataType) and kind.this != exp.DType.BIGINT:
            tree.set("expression", None)
            notes.append("sequences are bigint")
        cache = options.args.get("cache")
        size = int(cache.name) if isinstance(cache, exp.Literal) and cache.is_int else 0
        if size != 1 and size < IDENTITY_CACHE:
            options.set("cache", exp.Literal.number(IDENTITY_CACHE))
            notes.append(f"CACHE {IDENTITY_CACHE}: a size is required, 1 or at least 65536; sessions take blocks, so numbers have gaps")
        return [Translated(write(tree), tuple(notes))] if notes else None

    def _fold(self, tree: exp.Alter) -> bool:
        """Writes keys and checks that a dump adds afterwards into the CREATE TABLE of this script: DSQL takes a primary key only there."""
        table = self.schema.tables.get(tree.this.name.lower())
        actions = tree.args.get("actions") or []
        items = [item for action in actions if isinstance(action, exp.AddConstraint) for item in action.expressions]
        inner = [item.expressions[0] if isinstance(item, exp.Constraint) else item for item in items]
        keys = (exp.PrimaryKey, exp.UniqueColumnConstraint, exp.CheckColumnConstraint)
        if table is None or len(items) != len(actions) or not items or not all(isinstance(one, keys) for one in inner):
            return False
        addition = exp.Create(this=exp.Schema(this=tree.this.copy(), expressions=items), kind="TABLE")
        made = create_table(addition, self.schema)
        if made is None:
            return False
        table.tree.this.set("expressions", [*table.tree.this.expressions, *addition.this.expressions])
        note = "keys and checks that ALTER TABLE added are part of the table: DSQL takes a primary key only there"
        table.notes = list(dict.fromkeys([*table.notes, *made[1], note]))
        table.key = table.key or key_of(table.tree)
        self.out[table.at] = Translated(write(table.tree), tuple(table.notes))
        return True

    def _drop(self, tree: exp.Drop) -> list[Translated] | None:
        exists = "IF EXISTS " if tree.args.get("exists") else ""
        names = ", ".join(write(table) for table in tree.args.get("tables") or [])
        if tree.args.get("kind") == "INDEX" and (tree.args.get("cluster") or tree.args.get("concurrently")):
            return [Translated(f"DROP INDEX {exists}{names}", ("an index is dropped by its name alone",))]
        if tree.args.get("kind") == "TYPE" and names.lower() in self.enums:
            return [Translated(f"DROP DOMAIN {exists}{names}", ("the enum is a domain",))]
        return None

    def _insert(self, tree: exp.Insert) -> Translated:
        """INSERT IGNORE and ON DUPLICATE KEY UPDATE as ON CONFLICT."""
        notes = []
        if tree.args.get("ignore") or tree.args.get("alternative") == "IGNORE":
            tree.set("ignore", None)
            tree.set("alternative", None)
            tree.set("conflict", exp.OnConflict(action=exp.Var(this="DO NOTHING")))
            notes.append("IGNORE is ON CONFLICT DO NOTHING: other errors are errors")
        conflict = tree.args.get("conflict")
        if isinstance(conflict, exp.OnConflict) and conflict.args.get("duplicate"):
            target = tree.this.find(exp.Table)
            table = self.schema.tables.get(target.name.lower()) if target is not None else None
            if table is None or not table.key:
                notes.append("name the columns: ON CONFLICT (key) DO UPDATE; the primary key is not in this script")
            else:
                for call in list(conflict.find_all(exp.Anonymous)):
                    if call.name.upper() == "VALUES" and len(call.expressions) == 1:
                        call.replace(exp.column(call.expressions[0].name, table="EXCLUDED"))
                sets = ", ".join(f"{write(one.this)} = {write(one.expression)}" for one in conflict.expressions)
                tree.set("conflict", None)
                key = ", ".join(write(exp.to_identifier(name)) for name in table.key)
                notes.append("ON DUPLICATE KEY is ON CONFLICT of the primary key")
                return Translated(f"{write(tree)} ON CONFLICT ({key}) DO UPDATE SET {sets}", tuple(notes))
        return Translated(write(tree), tuple(notes))
