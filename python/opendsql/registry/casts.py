"""The casts: pg_cast's rows, and what computes each.

    oid source target context  implementation  function oid  function name  flags

  context         i implicit, a assignment, e explicit only
  implementation  a kernel's name, `py:<name>`, `-` binary coercible (the same bytes), `io` through the text form
Rows of a type to itself coerce the length: apply_typmod(value, typmod int4, is_explicit bool).

Casts that pg_cast does not list (to and from text by input and output functions, arrays element by element) are
rules of resolve.find_cast, as in PostgreSQL.

Invariant C1: "-" pairs share one physical class in the core (int4 and oid do not: they are kernels here).
"""

from __future__ import annotations

from dataclasses import dataclass

from opendsql.registry.table import type_oid


@dataclass(frozen=True, slots=True)
class Cast:
    """One row of pg_cast."""

    oid: int
    source: int
    target: int
    context: str
    method: str  # 'binary' | 'kernel' | 'py' | 'io'
    implementation: str | None
    function_oid: int = 0
    function_name: str = ""
    volatility: str = "i"


_TABLE = """
10000 int8 int2 a                       int82                      714 int2
10001 int8 int4 a                       int84                      480 int4
10002 int8 float4 i                     i8tof                      652 float4
10003 int8 float8 i                     i8tod                      482 float8
10004 int8 numeric i                    int8_numeric              1781 numeric
10005 int2 int8 i                       int28                      754 int8
10006 int2 int4 i                       i2toi4                     313 int4
10007 int2 float4 i                     i2tof                      236 float4
10008 int2 float8 i                     i2tod                      235 float8
10009 int2 numeric i                    int2_numeric              1782 numeric
10010 int4 int8 i                       int48                      481 int8
10011 int4 int2 a                       i4toi2                     314 int2
10012 int4 float4 i                     i4tof                      318 float4
10013 int4 float8 i                     i4tod                      316 float8
10014 int4 numeric i                    int4_numeric              1740 numeric
10015 float4 int8 a                     ftoi8                      653 int8
10016 float4 int2 a                     ftoi2                      238 int2
10017 float4 int4 a                     ftoi4                      319 int4
10018 float4 float8 i                   ftod                       311 float8
10019 float4 numeric a                  float4_numeric            1742 numeric
10020 float8 int8 a                     dtoi8                      483 int8
10021 float8 int2 a                     dtoi2                      237 int2
10022 float8 int4 a                     dtoi4                      317 int4
10023 float8 float4 a                   dtof                       312 float4
10024 float8 numeric a                  float8_numeric            1743 numeric
10025 numeric int8 a                    numeric_int8              1779 int8
10026 numeric int2 a                    numeric_int2              1783 int2
10027 numeric int4 a                    numeric_int4              1744 int4
10028 numeric float4 i                  numeric_float4            1745 float4
10029 numeric float8 i                  numeric_float8            1746 float8
10034 int4 bool e                       int4_bool                 2557 bool
10035 bool int4 e                       bool_int4                 2558 int4
10037 int8 oid i                        i8tooid                   1287 oid
10038 int2 oid i                        i2tooid                    313 int4
10039 int4 oid i                        i4tooid                      0
10040 oid int8 a                        oidtoi8                   1288 int8
10041 oid int4 a                        oidtoi4                      0
10042 oid regproc i                     -                            0
10043 regproc oid i                     -                            0
10044 int8 regproc i                    i8tooid                   1287 oid
10045 int2 regproc i                    i2tooid                    313 int4
10046 int4 regproc i                    i4tooid                      0
10047 regproc int8 a                    oidtoi8                   1288 int8
10048 regproc int4 a                    oidtoi4                      0
10074 oid regclass i                    -                            0
10075 regclass oid i                    -                            0
10076 int8 regclass i                   i8tooid                   1287 oid
10077 int2 regclass i                   i2tooid                    313 int4
10078 int4 regclass i                   i4tooid                      0
10079 regclass int8 a                   oidtoi8                   1288 int8
10080 regclass int4 a                   oidtoi4                      0
10088 oid regtype i                     -                            0
10089 regtype oid i                     -                            0
10090 int8 regtype i                    i8tooid                   1287 oid
10091 int2 regtype i                    i2tooid                    313 int4
10092 int4 regtype i                    i4tooid                      0
10093 regtype int8 a                    oidtoi8                   1288 int8
10094 regtype int4 a                    oidtoi4                      0
10109 text regclass i                   py:text_regclass          1079 regclass stable
10110 varchar regclass i                py:text_regclass          1079 regclass stable
10111 oid regrole i                     -                            0
10112 regrole oid i                     -                            0
10113 int8 regrole i                    i8tooid                   1287 oid
10114 int2 regrole i                    i2tooid                    313 int4
10115 int4 regrole i                    i4tooid                      0
10116 regrole int8 a                    oidtoi8                   1288 int8
10117 regrole int4 a                    oidtoi4                      0
10118 oid regnamespace i                -                            0
10119 regnamespace oid i                -                            0
10120 int8 regnamespace i               i8tooid                   1287 oid
10121 int2 regnamespace i               i2tooid                    313 int4
10122 int4 regnamespace i               i4tooid                      0
10123 regnamespace int8 a               oidtoi8                   1288 int8
10124 regnamespace int4 a               oidtoi4                      0
10125 text bpchar i                     -                            0
10126 text varchar i                    -                            0
10127 bpchar text i                     rtrim1                     401 text
10128 bpchar varchar i                  rtrim1                     401 text
10129 varchar text i                    -                            0
10130 varchar bpchar i                  -                            0
10131 char text i                       char_text                  946 text
10132 char bpchar a                     char_bpchar                860 bpchar
10133 char varchar a                    char_text                  946 text
10134 name text i                       name_text                  406 text
10135 name bpchar a                     name_bpchar                408 bpchar
10136 name varchar a                    name_text                 1401 varchar
10137 text char a                       text_char                  944 char
10138 bpchar char a                     text_char                  944 char
10139 varchar char a                    text_char                  944 char
10140 text name i                       text_name                  407 name
10141 bpchar name i                     bpchar_name                409 name
10142 varchar name i                    text_name                 1400 name
10143 char int4 e                       chartoi4                    77 int4
10144 int4 char e                       i4tochar                    78 char
10145 pg_node_tree text i               -                            0
10152 date timestamp i                  date_timestamp            2024 timestamp
10153 date timestamptz i                date_timestamptz          1174 timestamptz stable
10154 time interval i                   time_interval             1370 interval
10155 time timetz i                     time_timetz               2047 timetz stable
10156 timestamp date a                  timestamp_date            2029 date
10157 timestamp time a                  timestamp_time            1316 time
10158 timestamp timestamptz i           timestamp_timestamptz     2028 timestamptz stable
10159 timestamptz date a                timestamptz_date          1178 date stable
10160 timestamptz time a                timestamptz_time          2019 time stable
10161 timestamptz timestamp a           timestamptz_timestamp     2027 timestamp stable
10162 timestamptz timetz a              timestamptz_timetz        1388 timetz stable
10163 interval time a                   interval_time             1419 time
10164 timetz time a                     timetz_time               2046 time
10191 bool text a                       booltext                  2971 text
10196 bool varchar a                    booltext                  2971 text
10201 bool bpchar a                     booltext                  2971 text
10204 bpchar bpchar i                   apply_typmod               668 bpchar
10205 varchar varchar i                 apply_typmod               669 varchar
10206 time time i                       apply_typmod              1968 time
10207 timestamp timestamp i             apply_typmod              1961 timestamp
10208 timestamptz timestamptz i         apply_typmod              1967 timestamptz
10209 interval interval i               apply_typmod              1200 interval
10210 timetz timetz i                   apply_typmod              1969 timetz
10213 numeric numeric i                 apply_typmod              1703 numeric
10214 json jsonb a                      io                           0
10215 jsonb json a                      io                           0
10216 jsonb bool e                      py:jsonb_bool             3556 bool
10217 jsonb numeric e                   py:jsonb_numeric          3449 numeric
10218 jsonb int2 e                      py:jsonb_int2             3450 int2
10219 jsonb int4 e                      py:jsonb_int4             3451 int4
10220 jsonb int8 e                      py:jsonb_int8             3452 int8
10221 jsonb float4 e                    py:jsonb_float4           3453 float4
10222 jsonb float8 e                    py:jsonb_float8           2580 float8
"""


def _parse(line: str) -> Cast:
    oid, source, target, context, implementation, function_oid, *rest = line.split()
    prefix, _, tail = implementation.partition(":")
    method = {"-": "binary", "io": "io", "py": "py"}.get(prefix, "kernel")
    names = [word for word in rest if word != "stable"]
    return Cast(
        oid=int(oid), source=type_oid(source), target=type_oid(target), context=context, method=method,
        implementation=None if method == "binary" else "cast_io" if method == "io" else tail or prefix,
        function_oid=int(function_oid), function_name=names[0] if names else "",
        volatility="s" if "stable" in rest else "i",
    )  # fmt: skip


CASTS: tuple[Cast, ...] = tuple(_parse(line) for line in _TABLE.strip().splitlines())
CASTS_BY_PAIR: dict[tuple[int, int], Cast] = {(cast.source, cast.target): cast for cast in CASTS}
