"""Columns in DSQL's words: a type it can store, an identity with a cache size, no clause it refuses.

Invariants:
1. Every change appends a note; a column without a note is written as it was read.
2. A type that cannot be stored becomes text (arrays and enums keep their literals readable), never a narrower number.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlglot import ErrorLevel, exp
from sqlglot.dialects.postgres import Postgres

IDENTITY_CACHE = 65536
TYPE = exp.DType

SERIALS = frozenset({TYPE.SERIAL, TYPE.BIGSERIAL, TYPE.SMALLSERIAL})
# What holds every value of a number type that PostgreSQL does not have.
NUMBERS = {
    TYPE.TINYINT: "smallint", TYPE.UTINYINT: "smallint", TYPE.USMALLINT: "int", TYPE.MEDIUMINT: "int", TYPE.UMEDIUMINT: "int",
    TYPE.UINT: "bigint", TYPE.UBIGINT: "numeric(20)", TYPE.YEAR: "smallint", TYPE.MONEY: "numeric(19, 2)",
    TYPE.SMALLMONEY: "numeric(10, 4)", TYPE.UDECIMAL: "numeric(38, 10)", TYPE.UDOUBLE: "double precision",
}  # fmt: skip
WHOLE = frozenset({TYPE.INT, TYPE.BIGINT, TYPE.SMALLINT})
BYTES = frozenset({TYPE.BINARY, TYPE.VARBINARY, TYPE.BLOB, TYPE.TINYBLOB, TYPE.MEDIUMBLOB, TYPE.LONGBLOB, TYPE.IMAGE})
TEXTS = frozenset({TYPE.TEXT, TYPE.TINYTEXT, TYPE.MEDIUMTEXT, TYPE.LONGTEXT})
CHARACTERS = {TYPE.CHAR: 4096, TYPE.NCHAR: 4096, TYPE.VARCHAR: 65535, TYPE.NVARCHAR: 65535}
NOT_STORABLE = frozenset(
    {
        TYPE.ARRAY, TYPE.SET, TYPE.INET, TYPE.IPADDRESS, TYPE.IPPREFIX, TYPE.XML, TYPE.HSTORE, TYPE.VECTOR, TYPE.POINT, TYPE.GEOMETRY,
        TYPE.GEOGRAPHY, TYPE.INT4RANGE, TYPE.INT8RANGE, TYPE.NUMRANGE, TYPE.TSRANGE, TYPE.TSTZRANGE, TYPE.DATERANGE, TYPE.INT4MULTIRANGE,
        TYPE.INT8MULTIRANGE, TYPE.NUMMULTIRANGE, TYPE.TSMULTIRANGE, TYPE.TSTZMULTIRANGE, TYPE.DATEMULTIRANGE, TYPE.STRUCT, TYPE.MAP,
    }
)  # fmt: skip
NAMES_NOT_STORABLE = frozenset(
    (
        "citext cidr macaddr macaddr8 tsvector tsquery line lseg box path polygon circle pg_lsn ltree xml varbit "
        "geometry geography cube"
    ).split()
)
# Clauses that DSQL has no word for: dropped, with this said about it.
DROPPED: dict[type[exp.Expr], str] = {
    exp.CollateColumnConstraint: "COLLATE dropped: the collation is C",
    exp.CharacterSetColumnConstraint: "CHARACTER SET dropped: the encoding is UTF-8",
    exp.OnUpdateColumnConstraint: "ON UPDATE dropped: set the column in each UPDATE (there are no triggers)",
    exp.ZeroFillColumnConstraint: "ZEROFILL dropped",
    exp.CompressColumnConstraint: "COMPRESSION dropped: large values are compressed by themselves",
    exp.EncodeColumnConstraint: "ENCODE dropped",
    exp.InlineLengthColumnConstraint: "INLINE LENGTH dropped",
}


@dataclass
class Column:
    """One column: its definition as DSQL takes it, and what has to be said beside it."""

    definition: exp.ColumnDef
    notes: list[str] = field(default_factory=list)
    comment: exp.Expr | None = None


def write(node: exp.Expr) -> str:
    """PostgreSQL's text of a tree, without comments."""
    return Postgres().generate(node, comments=False, normalize_functions=False, unsupported_level=ErrorLevel.IGNORE)


def column(definition: exp.ColumnDef, source: str, start: exp.Expr | None = None) -> Column:
    """Rewrites a column in place; `start` is the first value MySQL's table option gives an AUTO_INCREMENT column."""
    found = Column(definition)
    identity = _identity(found, source, start)
    if not identity:
        _type(found, source)
    kept = []
    for constraint in definition.args.get("constraints") or []:
        kind = constraint.args.get("kind")
        if isinstance(kind, exp.CommentColumnConstraint):
            found.comment = kind.this
            found.notes.append("column comments are statements of their own")
        elif type(kind) in DROPPED:
            found.notes.append(f"{definition.name}: {DROPPED[type(kind)]}")
        else:
            _constraint(found, kind, source)
            kept.append(constraint)
    definition.set("constraints", kept)
    return found


def strip_key(kind: exp.Expr | None, notes: list[str], source: str = "") -> None:
    """Takes DEFERRABLE, storage parameters and sort order from a PRIMARY KEY or UNIQUE clause."""
    if not isinstance(kind, (exp.PrimaryKeyColumnConstraint, exp.PrimaryKey, exp.UniqueColumnConstraint)):
        return
    if any("DEFERR" in str(option).upper() or "INITIALLY" in str(option).upper() for option in kind.args.get("options") or []):
        kind.set("options", None)
        notes.append("DEFERRABLE dropped: DSQL has it for foreign keys only")
    parameters = kind.args.get("include")
    if parameters is not None and (parameters.args.get("with_storage") or parameters.args.get("tablespace")):
        parameters.set("with_storage", None)
        parameters.set("tablespace", None)
        notes.append("storage parameters of the key dropped")
    if kind.args.get("desc") is not None and isinstance(kind, exp.PrimaryKeyColumnConstraint):
        kind.set("desc", None)
        notes.append("sort order of the key dropped")
    holder = kind.this if isinstance(kind, exp.UniqueColumnConstraint) and isinstance(kind.this, exp.Schema) else kind
    if isinstance(holder, (exp.Schema, exp.PrimaryKey)):
        holder.set("expressions", [key_column(part, notes, source) for part in holder.expressions])


def key_column(part: exp.Expr, notes: list[str], source: str = "") -> exp.Expr:
    """The plain column of a key part: without order and without MySQL's prefix length."""
    if isinstance(part, exp.Ordered):
        if part.args.get("desc"):
            notes.append("sort order dropped: DSQL's keys are ascending")
        part = part.this
    prefix = isinstance(part, exp.ColumnPrefix)
    if source in ("mysql", "doris", "starrocks", "singlestore") and isinstance(part, exp.Anonymous):
        prefix = len(part.expressions) == 1 and part.expressions[0].is_int
    if prefix:
        notes.append(f"prefix length of {part.name} dropped: the whole value is the key (at most 1 KiB)")
        return part.this if isinstance(part.this, exp.Expr) else exp.to_identifier(str(part.this))
    return part


def is_key(kind: exp.Expr | None) -> bool:
    """Whether this column constraint is PRIMARY KEY."""
    return isinstance(kind, exp.PrimaryKeyColumnConstraint)


def _identity(found: Column, source: str, start: exp.Expr | None) -> bool:
    definition = found.definition
    constraints = list(definition.args.get("constraints") or [])
    kinds = [constraint.args.get("kind") for constraint in constraints]
    kind = definition.args.get("kind")
    identities = (k for k in kinds if isinstance(k, exp.GeneratedAsIdentityColumnConstraint))
    generated = next((k for k in identities if k.args.get("expression") is None), None)
    automatic = next((k for k in kinds if isinstance(k, exp.AutoIncrementColumnConstraint)), None)
    serial = isinstance(kind, exp.DataType) and kind.this in SERIALS
    rowid = source == "sqlite" and isinstance(kind, exp.DataType) and kind.this == TYPE.INT and any(map(is_key, kinds))
    if not (generated or automatic or serial or rowid):
        return False
    options = []
    mode = "BY DEFAULT"
    if generated is not None:
        mode = "ALWAYS" if generated.this else "BY DEFAULT"
        start = generated.args.get("start") or start
        for word, name in (("INCREMENT BY", "increment"), ("MINVALUE", "minvalue"), ("MAXVALUE", "maxvalue")):
            if generated.args.get(name):
                options.append(f"{word} {write(generated.args[name])}")
        if generated.args.get("cycle"):
            options.append("CYCLE")
    if start is not None:
        options.insert(0, f"START WITH {write(start)}")
    options.append(f"CACHE {IDENTITY_CACHE}")
    definition.set("kind", exp.DataType(this=TYPE.BIGINT))
    clause = exp.ColumnConstraint(kind=exp.Var(this=f"GENERATED {mode} AS IDENTITY ({' '.join(options)})"))
    rest = [c for c, k in zip(constraints, kinds, strict=True) if k is not generated and k is not automatic]
    definition.set("constraints", [clause, *rest])
    found.notes.append(
        f"{definition.name}: bigint identity, CACHE {IDENTITY_CACHE}: sessions take blocks, so numbers have gaps; "
        "CACHE 1 is nearly gap-free, but every insert meets on one row"
    )
    return True


def _become(found: Column, new: str, why: str) -> None:
    kind = found.definition.args.get("kind")
    old = write(kind) if isinstance(kind, exp.Expr) else "no type"
    found.definition.set("kind", exp.DataType.build(new, dialect="postgres"))
    found.notes.append(f"{found.definition.name}: {old} -> {new} ({why})")


def _type(found: Column, source: str) -> None:
    definition = found.definition
    kind = definition.args.get("kind")
    if not isinstance(kind, exp.DataType):
        if kind is None:
            _become(found, "text", "a column needs a type")
        return
    name = kind.this
    if name == TYPE.USERDEFINED:
        word = str(kind.args.get("kind") or "").strip('"').lower()
        if word in NAMES_NOT_STORABLE or word.startswith("_"):
            _become(found, "text", f"datatype {word} not supported")
    elif name in (TYPE.ENUM, TYPE.ENUM8, TYPE.ENUM16):
        values = [value.copy() for value in kind.expressions]
        _become(found, "text", "enums are checks")
        check = exp.CheckColumnConstraint(this=exp.In(this=exp.Column(this=definition.this.copy()), expressions=values))
        definition.append("constraints", exp.ColumnConstraint(kind=check))
    elif name in NOT_STORABLE:
        _become(found, "text", "DSQL computes with it but cannot store it" if name == TYPE.ARRAY else "DSQL cannot store it")
    elif name == TYPE.BIT:
        if source == "postgres":
            _become(found, "text", "datatype bit not supported")
        else:
            size = int(kind.expressions[0].name) if kind.expressions else 1
            _become(found, "smallint" if size < 16 else "bigint", "bits are numbers")
    elif name in NUMBERS:
        _become(found, NUMBERS[name], "holds every value")
    elif source == "sqlite" and name == TYPE.INT:
        _become(found, "bigint", "SQLite's integers have 64 bits")
    elif name in WHOLE or name in BYTES or name in TEXTS:
        kind.set("expressions", None)  # display widths and declared sizes, which PostgreSQL has no place for
    elif name in CHARACTERS and kind.expressions:
        size_text = kind.expressions[0].name
        if not size_text.isdigit() or int(size_text) > CHARACTERS[name]:
            _become(found, "text", f"at most {CHARACTERS[name]} can be declared")
    elif name == TYPE.FLOAT and len(kind.expressions) == 2:
        _become(found, "double precision", "no precision and scale")
    elif name == TYPE.DECIMAL and not kind.expressions and source == "postgres":
        found.notes.append(f"{definition.name}: bare numeric is numeric(18,6) on DSQL")


def _constraint(found: Column, kind: exp.Expr | None, source: str) -> None:
    strip_key(kind, found.notes, source)
    if not isinstance(kind, exp.DefaultColumnConstraint):
        return
    value = kind.this
    type_ = found.definition.args.get("kind")
    if isinstance(value, exp.BitString):
        kind.set("this", exp.Literal.number(int(value.name, 2)))
    elif isinstance(type_, exp.DataType) and type_.this in TEXTS and isinstance(value, (exp.Array, exp.Cast)):
        inner = value.this if isinstance(value, exp.Cast) else value
        if isinstance(inner, exp.Array) and not inner.expressions:
            kind.set("this", exp.Literal.string("{}"))
        elif isinstance(inner, exp.Literal) and inner.is_string:
            kind.set("this", inner)
