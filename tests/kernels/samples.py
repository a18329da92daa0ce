"""Values to try every function with, by type name: the usual ones, the edges, and what tends to go wrong."""

SAMPLES: dict[str, list[str]] = {
    "bool": ["t", "f"],
    "int2": ["0", "1", "-1", "7", "32767", "-32768"],
    "int4": ["0", "1", "-1", "2", "3", "-7", "100", "2147483647", "-2147483648"],
    "int8": ["0", "1", "-1", "5", "-13", "9223372036854775807", "-9223372036854775808", "4294967296"],
    "float4": ["0", "-0", "1.5", "-2.5", "1e30", "-1e-30", "NaN", "Infinity", "-Infinity"],
    "float8": ["0", "-0", "0.5", "1", "-1.5", "2.5", "30", "1e200", "1e-200", "NaN", "Infinity", "-Infinity", "45", "0.1"],
    "numeric": ["0", "1", "-1.5", "2.50", "123456789.123456789", "-0.0001", "1e30", "0.5", "NaN", "Infinity", "-Infinity",
                "99999999999999999999999", "3.14159265358979", "7", "-13"],
    "text": ["", "a", "abc", "Hello World", "äöü€😀", "  pad  ", "a%b_c", "x'y\\z", "aaa", "12", "hour", "1.5", "%b%"],
    "varchar": ["", "abc", "Hello"],
    "bpchar": ["a", "abc  ", "b "],
    "name": ["", "abc", "pg_class"],
    "char": ["a", "", "z"],
    "bytea": ["\\x", "\\x00ff10", "\\x616263", "\\x6162"],
    "date": ["2000-01-01", "2024-02-29", "1999-12-31", "infinity", "-infinity", "0044-03-15 BC", "9999-12-31", "2023-01-01"],
    "time": ["00:00:00", "12:34:56.789012", "23:59:59.999999", "24:00:00"],
    "timetz": ["00:00:00+00", "12:34:56.789+05:30", "23:59:59-08"],
    "timestamp": ["2000-01-01 00:00:00", "2024-02-29 12:34:56.789012", "1999-12-31 23:59:59.999999", "infinity", "-infinity",
                  "0044-03-15 10:00:00 BC", "2023-01-01 00:00:00", "2001-03-31 05:06:07"],
    "timestamptz": ["2000-01-01 00:00:00+00", "2024-02-29 12:34:56.789012+05", "infinity", "-infinity",
                    "1969-12-31 23:59:59.5+00", "2024-10-27 00:30:00+00"],
    "interval": ["0", "1 day", "-1 month", "1 year 2 mons 3 days 04:05:06.789", "-3 days 12:00:00", "25:00:00", "1 mon -1 day"],
    "uuid": ["00000000-0000-0000-0000-000000000000", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"],
    "json": [' { "a\\u00e4\\n" : "x\\"y\\u0041" , "a":1, "a" :[ 1 , 2 ], "b": "\\ud83d\\ude00" } ', "null", "1", '"x"', '{"a": 1, "b": [1, 2, {"c": null}]}', "[1, 2.50, \"z\", null, true]", "{}", "[]"],
    "jsonb": ['{"a\\u00e4\\n": "x\\"y\\u0041", "k": "\\ud83d\\ude00", "a": "t\\tb"}', "null", "1", '"x"', '{"a": 1, "b": [1, 2, {"c": null}]}', "[1, 2.50, \"z\", null, true]", "{}", "[]", "true"],
    "oid": ["0", "23", "4294967295"],
    "regclass": ["1259"],
    "regtype": ["23"],
    "text[]": ["{}", "{a}", "{a,b,NULL}", '{"x y","q\\"r",""}', "{c}", "{a,b}"],
    "int4[]": ["{}", "{1}", "{1,2,NULL}", "{3,2,1}", "{{1,2},{3,4}}", "[5:6]={7,8}"],
    "int8[]": ["{}", "{1,2}"],
    "numeric[]": ["{}", "{1.0,2.50}"],
    "float8[]": ["{}", "{0.25,0.5}"],
    "bool[]": ["{t,f}"],
    "name[]": ["{a,b}"],
    "anyelement": [], "anyarray": [], "any": [],
}  # fmt: skip

# What stands for a polymorphic or pseudo-type argument: one concrete type for all of a call.
STAND_INS = {
    "anyelement": "int4", "anynonarray": "int4", "anyarray": "int4[]", "anycompatible": "int4",
    "anycompatiblearray": "int4[]", "any": "text", "anycompatiblenonarray": "int4",
}  # fmt: skip

# Samples of arguments that are written in a language of their own, by function name and position.
_PATTERNS = ["a", "b+", "(a|b)(c)?", "^[[:alpha:]]+$", "\\d+", "\\mab", "[^a-z ]", "(?i)HELLO", "x*", "l+o", "a{2}", "."]
_TEXTS = ["abc", "Hello World", "aaa", "foo123bar45", "", "a.b.c", "line1\nline2", "ABC abc", "ab ab"]
_DATES = [
    "YYYY-MM-DD HH24:MI:SS.US", "Day, DD Month YYYY", "FMDay, FMDD FMMonth YYYY", "Dy DD Mon YY", "DDDth IW IYYY ID", "HH12:MI AM",
    "hh:mi:ss pm", "Q WW W CC J", "YYYY BC", "b.c. A.M.", "Y,YYY", "MS US FF3 FF6", "SSSS", "RM rm", "TMMonth", '"quoted" YYYY',
    "DY DAY day", "MONTH month", "FMHH24:FMMI", "D DD DDD", "Y YY YYY", "I IY IYY IYYY", "IDDD", "DDth DDTH", "", "YYYYth",
]  # fmt: skip
_NUMBERS = [
    "999", "9999.99", "0000.00", "FM9999.99", "FM0000.00", "S9999", "9999S", "9999MI", "PL9999", "SG9999", "9999PR", "9,999,999",
    "9G999D99", "FM9,999.999", "B9999", "99V9", "RN", "FMRN", "9.99EEEE", "000", "$999.99", "999th", "FM999TH", "L999.99",
    "9999.000", "FM9990.99", "0.9", "FM.99", ".99", "S0.00", "MI99", "FMPR99", "99PR", '"n:" 99',
]  # fmt: skip
_PATHS = ["{}", "{a}", "{b,0}", "{b,2,c}", "{0}", "{-1}", "{x}", "{b,x}", "{b,5}", "{NULL}", "{1,2}"]
SPECIAL: dict[str, dict[int, list[str]]] = {
    "to_number": {0: ["123", "-1.5", "12,345.67", "1234-", "<12>", " 12", "$1", "abc", ""],
                  1: ["999", "9.9", "99,999.99", "9999S", "99PR", "S99", "FM99", "99V9"]},
    "to_date": {0: ["2024-02-29", "29 Feb 2024", "20240229", "2024-13-01", "31/12/99", "May 5, 2001", "2024 060", "x"],
                1: ["YYYY-MM-DD", "DD Mon YYYY", "YYYYMMDD", "DD/MM/YY", "Month DD, YYYY", "YYYY DDD"]},
    "to_timestamp": {0: ["2024-02-29 12:34:56", "2024-02-29 12:34:56.789", "29 Feb 2024 01:02 PM", "20240229123456", "x"],
                     1: ["YYYY-MM-DD HH24:MI:SS", "YYYY-MM-DD HH24:MI:SS.MS", "DD Mon YYYY HH12:MI AM", "YYYYMMDDHH24MISS"]},
    "format": {0: ["%s", "%I", "%L", "%%", "%5s|", "%-5s|", "%2$s", "no", "%", "%x", "%*s"]},
    "exp": {0: ["0", "1", "-1.5", "10.25", "100", "0.001", "-20", "2.50"]},
    "factorial": {0: ["0", "1", "5", "20", "30", "-1"]},
    "power": {0: ["0", "1", "2", "-2", "2.5", "0.1", "100", "NaN", "10"], 1: ["0", "1", "2", "-1", "0.5", "10", "-2.5", "1.50", "NaN", "3"]},
    "jsonb_set": {1: _PATHS}, "jsonb_insert": {1: _PATHS}, "jsonb_delete_path": {1: _PATHS}, "#-": {1: _PATHS},
    "#>": {1: _PATHS}, "#>>": {1: _PATHS}, "json_extract_path": {1: _PATHS}, "jsonb_extract_path": {1: _PATHS},
    "json_extract_path_text": {1: _PATHS}, "jsonb_extract_path_text": {1: _PATHS}, "jsonb_set_lax": {1: _PATHS},
    **{name: {1: ["a", "b", "x", "aä\n", "0", "1", "-1", "9"]} for name in ("->", "->>", "json_object_field", "jsonb_object_field",
       "json_object_field_text", "jsonb_object_field_text")},
    "?": {1: ["a", "b", "z", "x"]},
    "convert_from": {0: ["\\x616263", "\\xc3a4", "\\xff"], 1: ["UTF8", "LATIN1"]},
    "convert_to": {0: ["abc", "ä"], 1: ["UTF8", "LATIN1"]},
    "length": {1: ["UTF8"]}, "normalize": {1: ["NFC", "NFD", "NFKC", "x"]}, "is_normalized": {1: ["NFC", "NFD"]},
    "unistr": {0: ["abc", "\\0441\\043B", "\\+01F600", "\\u00e4", "\\\\"]},
    "parse_ident": {0: ["a.b", '"A b".c', "x y", "", "Abc", "a."]},
    "pg_size_bytes": {0: ["1", "1 kB", "2.5GB", "x", "-3 MB", "1 XB"]},
    "pg_size_pretty": {0: ["0", "1", "10239", "10240", "123456789", "-123456789012", "9223372036854775807"]},
    "substring": {1: ["a", "(b)c", "o.b", "%#\"o_b#\"%", "l+"], 2: ["#", "\\"]},
    "string_to_array": {0: ["a,b,c", "", "abc", "a,,c"], 1: [",", "", "b"], 2: ["c", ""]},
    "array_to_string": {1: [",", ""], 2: ["*", ""]},
}  # fmt: skip
for _name in ("regexp_replace", "regexp_match", "regexp_matches", "regexp_split_to_array", "regexp_count", "regexp_instr",
              "regexp_like", "regexp_substr", "~", "!~", "~*", "!~*"):  # fmt: skip
    SPECIAL[_name] = {0: _TEXTS, 1: _PATTERNS}
SPECIAL["regexp_replace"] |= {2: ["X", "[\\1]", "\\&\\&", ""], 3: ["g", "i", "", "gi", "1", "2"], 4: ["1", "0"], 5: ["i", ""]}
for _name, _places in (("regexp_match", (2,)), ("regexp_split_to_array", (2,)), ("regexp_like", (2,)), ("regexp_count", (3,)),
                       ("regexp_instr", (5,)), ("regexp_substr", (4,))):  # fmt: skip
    for _place in _places:
        SPECIAL[_name][_place] = ["", "i", "n", "x"]
for _name in ("regexp_count", "regexp_instr", "regexp_substr"):
    SPECIAL[_name].setdefault(2, ["1", "2", "3"])
for _name in ("regexp_instr", "regexp_substr"):
    SPECIAL[_name].setdefault(3, ["1", "2"])
SPECIAL["regexp_instr"] |= {4: ["0", "1"], 6: ["0", "1"]}
SPECIAL["regexp_substr"] |= {5: ["0", "1"]}
TO_CHAR = {"timestamp": _DATES, "timestamptz": _DATES, "interval": [t for t in _DATES if "I" not in t and "Q" not in t]}
NUMBER_TEMPLATES = _NUMBERS
