"""The errors a generated statement may end in: SQLSTATE -> patterns of messages, each PostgreSQL 16's or DSQL's own.

The grammar has no semantics, so many statements name what does not exist, mix types, or ask for what DSQL's grammar accepts
and its semantics refuse. What is not in this table is a fault of the server: a syntax error (42601) and XX000 are never in it.
0A000 and 54000 are listed text by text; there is no blanket. A pattern is matched from the start to the end of the message.
"""

from __future__ import annotations

import re

from opendsql.guesses import GUESSES

_TYPE = r"[\w \[\]\"(),]+"

# The message families of PostgreSQL's parse analysis and executor.
_POSTGRESQL: dict[str, tuple[str, ...]] = {
    "0LP01": (
        "column privileges are only valid for relations", "column names cannot be included in GRANT/REVOKE ROLE",
        'role ".*" is a member of role ".*"', "invalid privilege type [A-Z]+ for (relation|sequence|schema)",
    ),
    "21000": (
        "more than one row returned by a subquery used as an expression",
        "ON CONFLICT DO UPDATE command cannot affect row a second time",
    ),
    "22000": ("argument must be empty or one-dimensional array",),
    "22001": (rf"value too long for type {_TYPE}",),
    "22003": (
        rf"{_TYPE} out of range", 'value ".*" is out of range for type .*', "value overflows numeric format", "value out of range: .*",
        "numeric field overflow", "cannot take logarithm of .*", ".* out of range",
    ),
    "22004": (
        "null value.*", "null values cannot be formatted as an SQL identifier", "frame (starting|ending) offset must not be null",
        "null array element not allowed in this context",
    ),
    "22007": ("invalid input syntax for type .*", 'invalid value ".*" for ".*"'),
    "22008": ("(date|time|interval|timestamp).* out of range.*", "date/time field value out of range: .*"),
    "22011": ("negative substring length not allowed", "substring.*"),
    "22012": ("division by zero",),
    "22013": ("frame (starting|ending) offset must not be negative",),
    "22014": ("argument of ntile must be greater than zero",),
    "22016": ("argument of nth_value must be greater than zero",),
    "22019": ("invalid escape string",),
    "2201B": ("invalid regular expression: .*",),
    "2201E": ("cannot take logarithm of .*",),
    "2201F": ("cannot take square root of a negative number", "zero raised to a negative power is undefined", "a negative number raised to a .*"),
    "2201G": ("count must be greater than zero", "lower bound cannot equal upper bound", "operand, lower bound, and upper bound cannot be NaN"),
    "2201W": ("LIMIT must not be negative",),
    "2201X": ("OFFSET must not be negative",),
    "22021": (r"invalid byte sequence for encoding \"UTF8\": .*",),
    "22023": (
        "cannot use special role specifier in DROP ROLE", "cannot (cast|deconstruct|call|get|delete|set|extract) .*", "argument .*",
        'invalid value for parameter ".*": ".*"', r"(RESTART|START) value \(-?\d+\) cannot be (less|greater) than (MINVALUE|MAXVALUE) \(-?\d+\)",
        r"MINVALUE \(-?\d+\) must be less than MAXVALUE \(-?\d+\)", 'time zone ".*" not recognized', "character number must be positive",
        "field position must not be zero", "key value must be scalar, not array, composite, or json", "INCREMENT must not be zero",
        'unit ".*" not recognized for type .*', "requested character too large.*", "path element .*", "unrecognized JSON encoding: .*",
        'unrecognized format.* specifier ".*"', "field name must not be null", "too few arguments for format.*", 'setval: .*',
        "SET .* takes only one argument", 'invalid .* ".*"', "conflicting .*",
    ),
    "22025": ("invalid escape (sequence|string)",),
    "2202E": (
        r"index -?\d+ out of valid range, 0\.\.\d+", "multidimensional arrays must have array expressions with matching dimensions",
        "cannot accumulate (empty arrays|arrays of different dimensionality)", "cannot concatenate incompatible arrays", "wrong number of array subscripts",
    ),
    "22030": ("duplicate JSON object key value.*",),
    "22032": ("invalid JSON text.*",),
    "22033": ("jsonpath .*",),
    "22038": ("single boolean result is expected", ".* operand of jsonpath operator .*"),
    "22039": ("jsonpath .*",),
    "2203A": ("JSON object does not contain key .*", "jsonpath .*"),
    "22P02": ("invalid input syntax for type .*", "malformed array literal: .*", "path element at position .*", "expected JSON array"),
    "23502": ('null value in column ".*" of relation ".*" violates not-null constraint',),
    "23503": ('insert or update on table ".*" violates foreign key constraint ".*"', 'update or delete on table ".*" violates foreign key constraint ".*" on table ".*"'),
    "23505": ('duplicate key value violates unique constraint ".*"',),
    "23514": ('new row for relation ".*" violates check constraint ".*"', 'value for domain .* violates check constraint ".*"'),
    "2BP01": (".* because other objects depend on (it|them)",),
    "34000": ('cursor ".*" does not exist',),
    "3F000": ('schema ".*" does not exist',),
    "42501": ("permission denied .*", "must be .*"),
    "42701": ('column( name)? ".*" (specified more than once|.* already exists)', 'column ".*" of relation ".*" already exists'),
    "42702": ('column reference ".*" is ambiguous', 'common column name ".*" appears more than once in (left|right) table', '(ORDER|GROUP) BY ".*" is ambiguous'),
    "42703": (r'column .* does not exist', 'column ".*" specified in USING clause does not exist in (left|right) table', 'could not identify column .*'),
    "42704": (
        'constraint ".*" (for|of) (table|relation|domain) .* does not exist', 'collation ".*" for encoding "UTF8" does not exist',
        r'(type|role|index|window|schema|sequence|view|table|object|database) .* does not exist', "could not find array type for data type .*",
        'unrecognized configuration parameter ".*"', 'unrecognized .*', 'constraint ".*" .* does not exist', 'data type .* has no default .*',
    ),
    "42710": ('(type|role|constraint) ".*" .*already exists',),
    "42712": ('table name ".*" specified more than once',),
    "42723": ('function .* already exists .*',),
    "42725": (r"operator is not unique: .*", r"function .* is not unique", 'function name ".*" is not unique', "could not choose .*"),
    "42803": (
        "GROUPING must be used in a query level with GROUP BY", "arguments to GROUPING must be .*", "(aggregate function|grouping operation).*", 'column ".*" must appear in .*',
        'subquery uses ungrouped column ".*" from outer query',
    ),
    "42804": (
        "could not determine polymorphic type .*", "cannot subscript type .*", "argument of .* must be type .*", ".* types .* cannot be matched",
        "collations are not supported by type .*", "cannot use type .* in IS JSON predicate", 'column ".*" is of type .* but expression is of type .*',
        "cannot use non-string types .*", "arguments declared .*", "array subscript must have type integer", "jsonb subscript does not support slices",
        "JSON ENCODING clause is only allowed for bytea input type", 'recursive query ".*" column \\d+ has type .*', "CASE/WHEN .*",
        "VARIADIC argument must be an array", ".* must return .*", "function .* has wrong type.*", 'column ".*" .* type.*',
        "argument declared .*",
    ),
    "42809": (
        '".*" is not an? (table|view|sequence|index|composite type)', ".* specified, but .* is not an? .*", "op ANY/ALL \\(array\\) requires .*",
        "column notation .* applied to type .*", 'cannot open relation ".*"', ".* requires an OVER clause", "WITHIN GROUP is required .*",
        ".* is not an ordered-set aggregate.*", 'ALTER action .* cannot be performed on relation ".*"', "operator .* is not a valid ordering operator",
        "cannot change .*", ".* is a (procedure|view|table|sequence)",
    ),
    "42846": ("cannot cast type .* to .*", ".* could not convert type .* to .*"),
    "42883": (
        r"function .* does not exist", "operator does not exist: .*", 'could not find a (function|procedure|routine) named ".*"', "could not identify an? .* operator for type .*",
    ),
    "428C9": ('column ".*" can only be updated to DEFAULT', 'cannot insert a non-DEFAULT value into column ".*"', 'cannot .* generated column.*'),
    "42939": ('role name ".*" is reserved', ".* cannot be used as a role name here"),
    "42P01": (
        '(relation|table|view|sequence|index) ".*" does not exist', 'missing FROM-clause entry for table ".*"', 'relation ".*" in FOR (UPDATE|KEY SHARE) clause not found in FROM clause',
        'invalid reference to FROM-clause entry for table ".*"',
    ),
    "42P02": (r"there is no parameter \$\d+",),
    "42P06": ('schema ".*" already exists',),
    "42P07": ('relation ".*" already exists',),
    "42P08": (r"inconsistent types deduced for parameter \$\d+", r"could not determine data type of parameter \$\d+"),
    "42P09": (".* is ambiguous",),
    "42P10": (
        "SELECT DISTINCT ON expressions must match initial ORDER BY expressions", "in an aggregate with DISTINCT, ORDER BY expressions must appear in argument list",
        "there is no unique or exclusion constraint matching the ON CONFLICT specification", 'table ".*" has \\d+ columns available but \\d+ columns specified',
        r"(ORDER|GROUP) BY position -?\d+ is not in select list", "for SELECT DISTINCT, ORDER BY expressions must appear in select list",
        "argument of (LIMIT|OFFSET) must not contain variables", 'invalid reference to FROM-clause entry for table ".*"', "(ASC/DESC|NULLS FIRST/LAST) is not allowed in ON CONFLICT clause",
    ),
    "42P15": ("CREATE specifies a schema .*",),
    "42P16": ('column( ".*")? cannot be declared SETOF', 'multiple primary keys for table ".*" are not allowed', 'cannot .*', ".* must be declared NOT NULL.*"),
    "42P17": ("functions in index (expression|predicate) must be marked IMMUTABLE", "generation expression is not immutable", ".* pseudo-type.*",
              "check constraints for domains cannot be marked NO INHERIT"),
    "42P18": ("cannot determine type of empty array", r"could not determine data type of parameter \$\d+", "could not determine .*"),
    "42P19": ("recursive .*",),
    "42P20": (
        "GROUPS mode requires an ORDER BY clause", "RANGE with offset PRECEDING/FOLLOWING requires exactly one ORDER BY column", "window functions are not allowed in .*",
        "frame .*", 'cannot (override|copy) .*', "window function calls cannot be nested", 'window ".*" is already defined',
    ),
    "55000": ('currval of sequence ".*" is not yet defined in this session', "lastval is not yet defined in this session", 'column ".*" of relation ".*" is not an? .*', 'cannot .* view ".*"'),
    "55006": ("current user cannot be dropped",),
}  # fmt: skip

# Features that PostgreSQL 16 accepts as syntax and refuses.
_UNSUPPORTED_BY_POSTGRESQL = (
    "CREATE SCHEMA IF NOT EXISTS cannot include schema elements", "UNIQUE predicate is not yet implemented", "cannot use subquery in .*",
    "set-returning functions are not allowed in .*", "WITH clause containing a data-modifying statement must be at the top level",
    r"cross-database references are not implemented: .*", "FOR (UPDATE|KEY SHARE) (is not allowed|cannot be applied) .*",
    "DISTINCT is not implemented for window functions", "aggregate ORDER BY is not implemented for window functions", 'WITH query ".*" does not have a RETURNING clause',
    "returning SETOF types is not supported in SQL/JSON functions", "cannot set JSON encoding for non-bytea output types", "unsupported JSON encoding",
    "invalid UNION/INTERSECT/EXCEPT ORDER BY clause", "OVER is not supported for ordered-set aggregate .*", "could not determine row type for result of .*",
    "input of anonymous composite types is not implemented", "cannot delete from .*", "could not implement .*", "RANGE with offset PRECEDING/FOLLOWING is not supported for .*",
    "(UTC|timezone|time zone|timestamp) .* not supported", "unit .* not supported for type .*", ".* in a recursive query is not implemented",
    "cannot specify both FULL and FREEZE", 'specifying GENERATED not supported for domains',
)  # fmt: skip

# DSQL's own refusals (its families of texts), and those of opendsql.guesses.
_REFUSED_BY_DSQL = (
    rf"datatype {_TYPE} (not supported|is not supported in a key)", rf"datatype {_TYPE} not supported, (identity column|sequence) type must be bigint",
    "unsupported statement: (CreateTableAs|AlterRoleSet)", "unsupported object in DROP statement", "feature not supported on system entity",
    "specifying sort order not supported for index keys", "opclass not supported for index keys", "COLLATE clause not supported", "TABLESAMPLE clause not supported",
    "expressions are not supported in included columns", "locking clauses other than FOR UPDATE/FOR KEY SHARE are not supported",
    "ALTER TABLE ADD COLUMN with constraint not supported", "TABLESPACE clause not supported for CREATE TABLE",
    'setting configuration parameter ".*" not supported', "WITH not supported for CREATE INDEX", "DROP DOMAIN with CASCADE unsupported",
    r"unsupported ALTER TABLE [A-Z. ]+ statement", r"multiple ddl statements not supported in a transaction", "ddl and dml are not supported in the same transaction",
    "cannot drop primary key column .*", "(NO INHERIT|[A-Z ]+) not supported for CREATE (VIEW|SEQUENCE)", ".* clause not supported for CREATE (TABLE|INDEX|VIEW)",
)  # fmt: skip

_LIMITS = (
    "transaction row limit exceeded", "null character not permitted", "more than 8 column keys in an index are not supported", "key size .*",
    r"[Dd]atatype limit greater than \d+ bytes not supported for .*", "maximum (row|column) size exceeded", "requested length too large",
    "query requires more than allowed temp space of .*", "out of memory", "more than 24 indexes per table are not allowed", "number of .* exceeds .*",
)  # fmt: skip

# Texts of the table of guesses that begin with words of their own, their fields standing for anything.
_GUESSED = tuple(
    re.sub(r"\\\{\w+\\\}", ".*", re.escape(guess.answer))
    for key, guess in GUESSES.items()
    if isinstance(guess.answer, str) and len(guess.answer.split("{")[0]) >= 12 and not guess.answer.startswith(("unsupported expression", "unsupported statement: {"))
)

ALLOWED: dict[str, tuple[re.Pattern[str], ...]] = {
    state: tuple(re.compile(pattern, re.S) for pattern in patterns)
    for state, patterns in (
        *_POSTGRESQL.items(),
        ("0A000", _UNSUPPORTED_BY_POSTGRESQL + _REFUSED_BY_DSQL + _GUESSED),
        ("54000", _LIMITS),
        ("54001", ("stack depth limit exceeded",)),
    )
}


def allowed(sqlstate: str, message: str) -> bool:
    """Whether DSQL gives this error."""
    return any(pattern.fullmatch(message) for pattern in ALLOWED.get(sqlstate, ()))
