"""What makes generated SQL mean something: kinds of values, literals, operators and functions with their kinds.

A kind is a coarse type (see fixture.py). Signatures are (result kind, operand kinds...); "=" in a result stands for the kind
that is wanted, and "any" fits everything. Nothing here decides what is right: these are hints that make most expressions well
typed; a share of choices ignores them on purpose.
"""

from __future__ import annotations

SCALARS = ("int", "num", "text", "date", "ts", "iv", "bool", "json", "arr", "uuid", "time")

LITERALS: dict[str, tuple[str, ...]] = {
    "int": ("1", "2", "7", "-3", "100"),
    "num": ("1.5", "2", "0.25"),
    "text": ("a", "row 3", "v1", "%o%", "", "k2", "ab''c"),
    "date": ("2026-01-05", "2026-02-28"),
    "ts": ("2026-01-01 12:30:00", "2026-03-01 00:00:00"),
    "time": ("10:05", "23:59:59"),
    "iv": ("1 day", "2 hours 30 minutes", "1 mon"),
    "bool": ("t", "false"),
    "uuid": ("c4ca4238-a0b9-2382-0dcc-509a6f75849b",),
    "json": ('{"a": [1, 2], "s": "x"}', "[1, 2]", "3"),
    "js": ('{"i": 1}', "null"),
    "arr": ("{1,2}", "{}", "{3,NULL}"),
    "tarr": ("{a,b}", "{}"),
    "bytea": ("\\x0102",),
    "path": ("$.a[*]", "$.s", "$.a ? (@ > 1)"),
    "any": ("1", "a", "2026-01-05"),
}

# choice text (operators in place) -> (result, operand kinds)
TYPED: dict[str, tuple[tuple[str, ...], ...]] = {
    "+ E": (("int", "int"), ("num", "num")),
    "- E": (("int", "int"), ("num", "num"), ("iv", "iv")),
    "E + E": (("int", "int", "int"), ("num", "num", "num"), ("date", "date", "int"), ("ts", "ts", "iv"), ("iv", "iv", "iv")),
    "E - E": (("int", "int", "int"), ("num", "num", "num"), ("int", "date", "date"), ("ts", "ts", "iv"), ("iv", "ts", "ts"), ("json", "json", "text")),
    "E * E": (("int", "int", "int"), ("num", "num", "num"), ("iv", "iv", "num")),
    "E / E": (("int", "int", "int"), ("num", "num", "num"), ("iv", "iv", "num")),
    "E % E": (("int", "int", "int"), ("num", "num", "num")),
    "E ^ E": (("num", "num", "num"),),
    **{
        f"E {op} E": tuple(("bool", k, k) for k in ("int", "num", "text", "date", "ts", "iv", "bool", "uuid", "json", "arr"))
        for op in ("<", ">", "=", "<=", ">=", "<>")
    },
    "E AND E": (("bool", "bool", "bool"),),
    "E OR E": (("bool", "bool", "bool"),),
    "NOT E": (("bool", "bool"),),
    **{f"E {n}{op} E": (("bool", "text", "text"),) for op in ("LIKE", "ILIKE", "SIMILAR TO") for n in ("", "NOT ")},
    **{f"E {n}{op} E ESCAPE E": (("bool", "text", "text", "esc"),) for op in ("LIKE", "ILIKE", "SIMILAR TO") for n in ("", "NOT ")},
    **{f"E IS {n}NULL": (("bool", "any"),) for n in ("", "NOT ")},
    "E ISNULL": (("bool", "any"),),
    "E NOTNULL": (("bool", "any"),),
    **{f"E IS {n}{w}": (("bool", "bool"),) for n in ("", "NOT ") for w in ("TRUE", "FALSE", "UNKNOWN")},
    **{f"E IS {n}DISTINCT FROM E": tuple(("bool", k, k) for k in ("int", "text", "date", "bool")) for n in ("", "NOT ")},
    **{
        f"E {n}BETWEEN {s} E AND E": tuple(("bool", k, k, k) for k in ("int", "num", "text", "date"))
        for n in ("", "NOT ")
        for s in ("opt_asymmetric", "SYMMETRIC")
    },
    **{f"E {n}IN in_expr": tuple(("bool", k, k) for k in ("int", "text", "date")) for n in ("", "NOT ")},
    "E AT TIME ZONE E": (("ts", "ts", "zone"),),
    "E COLLATE any_name": (("text", "text"),),
    **{f"E IS {n}{f}NORMALIZED": (("bool", "text"),) for n in ("", "NOT ") for f in ("", "unicode_normal_form ")},
    **{f"E IS {n}json_predicate_type_constraint json_key_uniqueness_constraint_opt": (("bool", "text"), ("bool", "json")) for n in ("", "NOT ")},
    "E subquery_Op sub_type select_with_parens": tuple(("bool", k, k) for k in ("int", "text", "date")),
    "E subquery_Op sub_type ( E )": (("bool", "int", "arr"), ("bool", "text", "tarr")),
    "row OVERLAPS row": (("bool",),),
}  # fmt: skip

OPERATORS: tuple[tuple[str, str, str, str], ...] = (
    ("text", "||", "text", "text"), ("text", "||", "text", "any"), ("bool", "~", "text", "text"), ("bool", "!~*", "text", "text"),
    ("bool", "^@", "text", "text"), ("bool", "~~", "text", "text"), ("json", "->", "json", "text"), ("text", "->>", "json", "text"),
    ("json", "#>", "json", "tarr"), ("text", "#>>", "json", "tarr"), ("bool", "@>", "json", "json"), ("bool", "?", "json", "text"),
    ("bool", "?|", "json", "tarr"), ("bool", "@?", "json", "path"), ("bool", "@@", "json", "path"), ("json", "||", "json", "json"),
    ("json", "#-", "json", "tarr"), ("int", "&", "int", "int"), ("int", "|", "int", "int"), ("int", "#", "int", "int"),
    ("int", "<<", "int", "int"), ("int", ">>", "int", "int"), ("arr", "||", "arr", "arr"), ("arr", "||", "arr", "int"),
    ("bool", "&&", "arr", "arr"), ("bool", "@>", "arr", "arr"), ("bool", "<@", "arr", "arr"), ("bool", "!=", "int", "int"),
)  # fmt: skip
PREFIXES: tuple[tuple[str, str, str], ...] = (("int", "~", "int"), ("num", "@", "num"), ("num", "|/", "num"), ("num", "||/", "num"))

# name, result, argument kinds
FUNCTIONS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("abs", "num", ("num",)), ("ceil", "num", ("num",)), ("floor", "num", ("num",)), ("round", "num", ("num", "int")), ("sign", "num", ("num",)),
    ("sqrt", "num", ("num",)), ("power", "num", ("num", "num")), ("mod", "int", ("int", "int")), ("trunc", "num", ("num",)),
    ("width_bucket", "int", ("num", "num", "num", "int")), ("gcd", "int", ("int", "int")), ("sin", "num", ("num",)), ("pi", "num", ()),
    ("length", "int", ("text",)), ("octet_length", "int", ("text",)), ("ascii", "int", ("text",)), ("strpos", "int", ("text", "text")),
    ("lower", "text", ("text",)), ("upper", "text", ("text",)), ("initcap", "text", ("text",)), ("lpad", "text", ("text", "int", "text")),
    ("rpad", "text", ("text", "int")), ("replace", "text", ("text", "text", "text")), ("split_part", "text", ("text", "text", "int")),
    ("left", "text", ("text", "int")), ("reverse", "text", ("text",)), ("repeat", "text", ("text", "int")), ("md5", "text", ("text",)),
    ("btrim", "text", ("text",)), ("translate", "text", ("text", "text", "text")), ("concat", "text", ("any", "any")),
    ("concat_ws", "text", ("text", "any", "any")), ("format", "text", ("fmt", "any")), ("quote_literal", "text", ("text",)),
    ("quote_ident", "text", ("text",)), ("chr", "text", ("int",)), ("regexp_replace", "text", ("text", "text", "text")),
    ("to_char", "text", ("ts", "text")), ("to_char", "text", ("num", "numfmt")), ("starts_with", "bool", ("text", "text")),
    ("date_trunc", "ts", ("unit", "ts")), ("date_part", "num", ("unit", "ts")), ("now", "ts", ()), ("age", "iv", ("ts", "ts")),
    ("make_date", "date", ("int", "int", "int")), ("make_interval", "iv", ("int",)), ("to_date", "date", ("text", "text")),
    ("justify_days", "iv", ("iv",)), ("isfinite", "bool", ("date",)), ("jsonb_typeof", "text", ("json",)), ("to_jsonb", "json", ("any",)),
    ("jsonb_build_object", "json", ("text", "any")), ("jsonb_build_array", "json", ("any", "any")), ("jsonb_array_length", "int", ("json",)),
    ("jsonb_set", "json", ("json", "tarr", "json")), ("jsonb_path_query_first", "json", ("json", "path")),
    ("jsonb_path_exists", "bool", ("json", "path")), ("jsonb_extract_path_text", "text", ("json", "text")), ("jsonb_strip_nulls", "json", ("json",)),
    ("array_length", "int", ("arr", "int")), ("cardinality", "int", ("arr",)), ("array_append", "arr", ("arr", "int")),
    ("array_position", "int", ("arr", "int")), ("array_remove", "arr", ("arr", "int")), ("array_to_string", "text", ("arr", "text")),
    ("string_to_array", "tarr", ("text", "text")), ("array_cat", "arr", ("arr", "arr")), ("num_nulls", "int", ("any", "any")),
    ("gen_random_uuid", "uuid", ()), ("random", "num", ()), ("pg_typeof", "any", ("any",)), ("nextval", "int", ("seq",)), ("currval", "int", ("seq",)),
    ("current_schemas", "any", ("bool",)), ("version", "text", ()), ("pg_backend_pid", "int", ()), ("has_table_privilege", "bool", ("tab", "priv")),
    ("twice", "int", ("int",)), ("encode", "text", ("bytea", "enc")), ("sha256", "bytea", ("bytea",)), ("get_byte", "int", ("bytea", "int")),
    ("current_setting", "text", ("guc",)), ("obj_description", "text", ("int", "cls")), ("to_regclass", "any", ("tab",)), ("row_to_json", "js", ("row",)),
)  # fmt: skip
AGGREGATES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("count", "int", ("any",)), ("sum", "num", ("num",)), ("sum", "int", ("int",)), ("avg", "num", ("num",)), ("min", "=", ("=",)), ("max", "=", ("=",)),
    ("string_agg", "text", ("text", "text")), ("array_agg", "arr", ("int",)), ("bool_and", "bool", ("bool",)), ("bool_or", "bool", ("bool",)),
    ("every", "bool", ("bool",)), ("stddev", "num", ("num",)), ("variance", "num", ("num",)), ("corr", "num", ("num", "num")),
    ("jsonb_agg", "json", ("any",)), ("jsonb_object_agg", "json", ("key", "any")), ("bit_or", "int", ("int",)), ("any_value", "=", ("=",)),
)  # fmt: skip
ORDERED_SET: tuple[tuple[str, str, tuple[str, ...], str], ...] = (
    ("percentile_cont", "num", ("half",), "num"), ("percentile_disc", "=", ("half",), "="), ("mode", "=", (), "="),
    ("rank", "int", ("int",), "int"), ("dense_rank", "int", ("int",), "int"), ("percent_rank", "num", ("int",), "int"),
    ("cume_dist", "num", ("int",), "int"),
)  # fmt: skip
WINDOWS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("row_number", "int", ()), ("rank", "int", ()), ("dense_rank", "int", ()), ("percent_rank", "num", ()), ("cume_dist", "num", ()),
    ("ntile", "int", ("int",)), ("lag", "=", ("=",)), ("lead", "=", ("=", "one")), ("first_value", "=", ("=",)), ("last_value", "=", ("=",)),
    ("nth_value", "=", ("=", "one")),
)  # fmt: skip
SETS: tuple[tuple[str, tuple[str, ...], tuple[tuple[str, str], ...]], ...] = (
    ("generate_series", ("one", "int"), (("generate_series", "int"),)), ("unnest", ("arr",), (("unnest", "int"),)),
    ("jsonb_array_elements", ("jarr",), (("value", "json"),)), ("jsonb_each", ("json",), (("key", "text"), ("value", "json"))),
    ("jsonb_object_keys", ("json",), (("jsonb_object_keys", "text"),)), ("regexp_split_to_table", ("text", "text"), (("regexp_split_to_table", "text"),)),
    ("upto", ("int",), (("upto", "int"),)), ("pair", ("int",), (("y", "int"), ("z", "text"))), ("string_to_table", ("text", "text"), (("string_to_table", "text"),)),
    ("jsonb_path_query", ("json", "path"), (("jsonb_path_query", "json"),)), ("generate_subscripts", ("arr", "one"), (("generate_subscripts", "int"),)),
)  # fmt: skip
RECORDS = (("jsonb_to_record", "json"), ("jsonb_to_recordset", "jarr"), ("json_to_record", "js"))

# kinds that only a literal can be
FIXED: dict[str, tuple[str, ...]] = {
    "esc": ("'!'", "'\\'"), "zone": ("'UTC'", "'Europe/Berlin'", "'+02'"), "unit": ("'month'", "'day'", "'hour'"), "seq": ("'sq'",), "tab": ("'t'", "'u'"),
    "priv": ("'SELECT'",), "enc": ("'hex'", "'base64'"), "guc": ("'TimeZone'", "'search_path'"), "cls": ("'pg_class'",), "fmt": ("'%s'", "'%I'"),
    "key": ("'k'",), "half": ("0.5", "0.25"), "numfmt": ("'999.99'", "'FM09'"), "one": ("1", "2"), "jarr": ("'[1,2]'", "'[{\"a\":1}]'"), "tarr": ("'{a,b}'::text[]", "'{s}'::text[]"),
    "path": ("'$.a[*]'", "'$.s'"), "bytea": ("'\\x0102'::bytea",), "row": ("ROW(1, 'a')",), "js": ("'{\"i\": 1}'::json",),
}  # fmt: skip

TYPE_NAMES: dict[str, tuple[str, ...]] = {
    "int": ("int4", "int8", "int2"), "num": ("float8", "float4"), "text": ("text", "bpchar", "name"), "date": ("date",), "ts": ("timestamptz",),
    "time": ("timetz",), "iv": ("interval",), "bool": ("bool",), "uuid": ("uuid",), "json": ("jsonb",), "js": ("json",), "arr": ("_int4",),
    "bytea": ("bytea",), "any": ("text", "int4", "jsonb", "uuid", "regclass", "oid", "dom"),
}  # fmt: skip
STORED_TYPES = ("int4", "int8", "int2", "float8", "text", "date", "timestamptz", "bool", "uuid", "jsonb", "json", "bytea", "dom")
PRIVILEGES = {"table": ("INSERT", "UPDATE", "DELETE", "REFERENCES"), "sequence": ("USAGE", "UPDATE"), "column": ("INSERT", "UPDATE")}
SETTINGS: tuple[tuple[str, str], ...] = (
    ("application_name", "'x'"), ("datestyle", "'ISO, MDY'"), ("extra_float_digits", "1"), ("intervalstyle", "'postgres'"), ("timezone", "'UTC'"),
    ("search_path", "'public'"), ("enable_hashjoin", "'on'"), ("enable_seqscan", "'off'"), ("client_encoding", "'UTF8'"),
)  # fmt: skip
