"""The types: pg_type's rows, what they are called, and what may be stored.

The table has one line per type; array types follow from their element's line (array oid, `_name`, category A).

  oid, name, length, val|ref (by value), category, alignment, storage, array oid, element oid, stem of the in/out
  function names (`int4` -> int4in, `date_` -> date_in), flags, SQL display name

Flags: `preferred` in its category; `key` storable and usable in keys; `nokey` storable only. Types without either
cannot be columns: `datatype <display> not supported`.

Invariants
  T1  oids are PostgreSQL's own; TYPES_BY_NAME is keyed by pg_type.typname.
  T2  format_type(oid, typmod) prints what PostgreSQL's format_type prints.
"""

from __future__ import annotations

from dataclasses import dataclass

from opendsql.errors import DsqlError


@dataclass(frozen=True, slots=True)
class Type:
    """One row of pg_type."""

    oid: int
    name: str
    display: str
    category: str
    preferred: bool
    length: int
    by_value: bool
    align: str
    storage: str
    array_oid: int
    elem_oid: int
    input: str
    output: str
    receive: str
    send: str
    kind: str  # typtype: b base, p pseudo
    storable: bool
    indexable: bool

    @property
    def is_array(self) -> bool:
        """Whether subscripting, unnest and ANY work on it (oidvector and int2vector too)."""
        return self.elem_oid != 0 and self.category == "A"


_TABLE = """
# may be column types (key: also of keys and indexes)
   16 bool               1 val B c p  1000    0 bool             preferred key  boolean
   17 bytea             -1 ref U i x  1001    0 bytea            nokey          bytea
   18 char               1 val Z c p  1002    0 char             key            "char"
   19 name              64 ref S c p  1003   18 name             key            name
   20 int8               8 val N d p  1016    0 int8             key            bigint
   21 int2               2 val N s p  1005    0 int2             key            smallint
   23 int4               4 val N i p  1007    0 int4             key            integer
   25 text              -1 ref S i x  1009    0 text             preferred key  text
   26 oid                4 val N i p  1028    0 oid              preferred key  oid
  114 json              -1 ref U i x   199    0 json_            nokey          json
  700 float4             4 val N i p  1021    0 float4           key            real
  701 float8             8 val N d p  1022    0 float8           preferred key  double precision
 1042 bpchar            -1 ref S i x  1014    0 bpchar           key            character
 1043 varchar           -1 ref S i x  1015    0 varchar          key            character varying
 1082 date               4 val D i p  1182    0 date_            key            date
 1083 time               8 val D d p  1183    0 time_            key            time without time zone
 1114 timestamp          8 val D d p  1115    0 timestamp_       key            timestamp without time zone
 1184 timestamptz        8 val D d p  1185    0 timestamptz_     preferred key  timestamp with time zone
 1186 interval          16 ref T d p  1187    0 interval_        preferred nokey interval
 1266 timetz            12 ref D d p  1270    0 timetz_          nokey          time with time zone
 1700 numeric           -1 ref N i m  1231    0 numeric_         key            numeric
 2950 uuid              16 ref U c p  2951    0 uuid_            key            uuid
 3802 jsonb             -1 ref U i x  3807    0 jsonb_           nokey          jsonb
# exist in expressions and catalogs only
   22 int2vector        -1 ref A i p  1006   21 int2vector                      int2vector
   24 regproc            4 val N i p  1008    0 regproc                         regproc
   27 tid                6 ref U s p  1010    0 tid                             tid
   28 xid                4 val U i p  1011    0 xid                             xid
   29 cid                4 val U i p  1012    0 cid                             cid
   30 oidvector         -1 ref A i p  1013   26 oidvector                       oidvector
  194 pg_node_tree      -1 ref Z i x     0    0 pg_node_tree_                   pg_node_tree
  650 cidr              -1 ref I i m   651    0 cidr_                           cidr
  869 inet              -1 ref I i m  1041    0 inet_            preferred      inet
 1033 aclitem           12 ref U i p  1034    0 aclitem                         aclitem
 2202 regprocedure       4 val N i p  2207    0 regprocedure                    regprocedure
 2203 regoper            4 val N i p  2208    0 regoper                         regoper
 2204 regoperator        4 val N i p  2209    0 regoperator                     regoperator
 2205 regclass           4 val N i p  2210    0 regclass                        regclass
 2206 regtype            4 val N i p  2211    0 regtype                         regtype
 3220 pg_lsn             8 val U d p  3221    0 pg_lsn_                         pg_lsn
 3734 regconfig          4 val N i p  3735    0 regconfig                       regconfig
 3769 regdictionary      4 val N i p  3770    0 regdictionary                   regdictionary
 3904 int4range         -1 ref R i x  3905    0 range_                          int4range
 3906 numrange          -1 ref R i x  3907    0 range_                          numrange
 3908 tsrange           -1 ref R d x  3909    0 range_                          tsrange
 3910 tstzrange         -1 ref R d x  3911    0 range_                          tstzrange
 3912 daterange         -1 ref R i x  3913    0 range_                          daterange
 3926 int8range         -1 ref R d x  3927    0 range_                          int8range
 4072 jsonpath          -1 ref U i x  4073    0 jsonpath_                       jsonpath
 4089 regnamespace       4 val N i p  4090    0 regnamespace                    regnamespace
 4096 regrole            4 val N i p  4097    0 regrole                         regrole
 4191 regcollation       4 val N i p  4192    0 regcollation                    regcollation
 5069 xid8               8 val U d p   271    0 xid8                            xid8
# pseudo-types
  705 unknown           -2 ref X c p     0    0 unknown                         unknown
 2249 record            -1 ref P d x  2287    0 record_                         record
 2275 cstring           -2 ref P c p  1263    0 cstring_                        cstring
 2276 any                4 val P i p     0    0 any_                            "any"
 2277 anyarray          -1 ref P d x     0    0 anyarray_                       anyarray
 2278 void               4 val P i p     0    0 void_                           void
 2279 trigger            4 val P i p     0    0 trigger_                        trigger
 2281 internal           8 val P d p     0    0 internal_                       internal
 2283 anyelement         4 val P i p     0    0 anyelement_                     anyelement
 2287 _record           -1 ref P d x     0 2249 array_                          record[]
 2776 anynonarray        4 val P i p     0    0 anynonarray_                    anynonarray
 3500 anyenum            4 val P i p     0    0 anyenum_                        anyenum
 3831 anyrange          -1 ref P d x     0    0 anyrange_                       anyrange
 3838 event_trigger      4 val P i p     0    0 event_trigger_                  event_trigger
 4537 anymultirange     -1 ref P d x     0    0 anymultirange_                  anymultirange
 4538 anycompatiblemultirange  -1 ref P d x     0    0 anycompatiblemultirange_                anycompatiblemultirange
 5077 anycompatible      4 val P i p     0    0 anycompatible_                  anycompatible
 5078 anycompatiblearray  -1 ref P d x     0    0 anycompatiblearray_                anycompatiblearray
 5079 anycompatiblenonarray   4 val P i p     0    0 anycompatiblenonarray_                anycompatiblenonarray
 5080 anycompatiblerange  -1 ref P d x     0    0 anycompatiblerange_                anycompatiblerange
# known by name, refused everywhere
  142 xml               -1 ref U i x   143    0 xml_                            xml
  600 point             16 ref G d p  1017  701 point_                          point
  601 lseg              32 ref G d p  1018  600 lseg_                           lseg
  602 path              -1 ref G d x  1019    0 path_                           path
  603 box               32 ref G d p  1020  600 box_                            box
  604 polygon           -1 ref G d x  1027    0 poly_                           polygon
  628 line              24 ref G d p   629  701 line_                           line
  718 circle            24 ref G d p   719    0 circle_                         circle
  774 macaddr8           8 ref U i p   775    0 macaddr8_                       macaddr8
  790 money              8 val N d p   791    0 cash_                           money
  829 macaddr            6 ref U i p  1040    0 macaddr_                        macaddr
 1560 bit               -1 ref V i x  1561    0 bit_                            bit
 1562 varbit            -1 ref V i x  1563    0 varbit_          preferred      bit varying
 1790 refcursor         -1 ref U i x  2201    0 text                            refcursor
 3614 tsvector          -1 ref U i x  3643    0 tsvector                        tsvector
 3615 tsquery           -1 ref U i p  3645    0 tsquery                         tsquery
 4451 int4multirange    -1 ref R i x  6150    0 multirange_                     int4multirange
 4532 nummultirange     -1 ref R i x  6151    0 multirange_                     nummultirange
 4533 tsmultirange      -1 ref R d x  6152    0 multirange_                     tsmultirange
 4534 tstzmultirange    -1 ref R d x  6153    0 multirange_                     tstzmultirange
 4535 datemultirange    -1 ref R i x  6155    0 multirange_                     datemultirange
 4536 int8multirange    -1 ref R d x  6157    0 multirange_                     int8multirange
"""

TYPES_BY_OID: dict[int, Type] = {}
TYPES_BY_NAME: dict[str, Type] = {}


def _add(entry: Type) -> None:
    TYPES_BY_OID[entry.oid] = entry
    TYPES_BY_NAME[entry.name] = entry


def _load() -> None:
    kind = "b"
    for line in _TABLE.strip().splitlines():
        if line.startswith("#"):
            kind = "p" if "pseudo" in line else "b"
            continue
        fields = line.split()
        oid, name, length, by, category, align, storage, array, elem, stem = fields[:10]
        rest = fields[10:]
        flags = [word for word in rest if word in ("preferred", "key", "nokey")]
        display = " ".join(word for word in rest if word not in ("preferred", "key", "nokey"))
        _add(
            Type(
                oid=int(oid), name=name, display=display, category=category, preferred="preferred" in flags,
                length=int(length), by_value=by == "val", align=align, storage=storage, array_oid=int(array),
                elem_oid=int(elem), input=stem + "in", output=stem + "out", receive=stem + "recv", send=stem + "send",
                kind=kind, storable="key" in flags or "nokey" in flags, indexable="key" in flags,
            )
        )  # fmt: skip
        if int(array):
            _add(
                Type(
                    oid=int(array), name="_" + name, display=display + "[]", category="A", preferred=False, length=-1,
                    by_value=False, align="d" if align == "d" else "i", storage="x", array_oid=0, elem_oid=int(oid),
                    input="array_in", output="array_out", receive="array_recv", send="array_send",
                    kind="p" if name == "record" else "b", storable=False, indexable=False,
                )
            )  # fmt: skip


_load()

UNKNOWN = 705
RECORD = 2249
ANYELEMENT, ANYARRAY, ANYNONARRAY, ANYENUM, ANYRANGE, ANY = 2283, 2277, 2776, 3500, 3831, 2276
ANYCOMPATIBLE, ANYCOMPATIBLEARRAY, ANYCOMPATIBLENONARRAY = 5077, 5078, 5079
POLYMORPHIC = frozenset({ANYELEMENT, ANYARRAY, ANYNONARRAY, ANYENUM, ANYRANGE})
POLYMORPHIC_COMPATIBLE = frozenset({ANYCOMPATIBLE, ANYCOMPATIBLEARRAY, ANYCOMPATIBLENONARRAY})

# SQL spellings that are not pg_type names.
ALIASES = {
    "integer": "int4", "int": "int4", "smallint": "int2", "bigint": "int8", "real": "float4",
    "double precision": "float8", "float": "float8", "decimal": "numeric", "dec": "numeric", "boolean": "bool",
    "character": "bpchar", "character varying": "varchar", "timestamp with time zone": "timestamptz",
    "timestamp without time zone": "timestamp", "time with time zone": "timetz", "time without time zone": "time",
    "bit varying": "varbit",
}  # fmt: skip

_INTERVAL_FIELDS = {
    1 << 2: "year", 1 << 1: "month", 1 << 3: "day", 1 << 10: "hour", 1 << 11: "minute", 1 << 12: "second",
    (1 << 2) | (1 << 1): "year to month", (1 << 3) | (1 << 10): "day to hour",
    (1 << 3) | (1 << 10) | (1 << 11): "day to minute", (1 << 3) | (1 << 10) | (1 << 11) | (1 << 12): "day to second",
    (1 << 10) | (1 << 11): "hour to minute", (1 << 10) | (1 << 11) | (1 << 12): "hour to second",
    (1 << 11) | (1 << 12): "minute to second",
}  # fmt: skip


def find_type(name: str) -> Type | None:
    """The type of an SQL or pg_type name (`integer`, `int4`, `int4[]`, `_int4`), or None."""
    if name.endswith("[]"):
        element = find_type(name[:-2].rstrip())
        return TYPES_BY_OID.get(element.array_oid) if element and element.array_oid else None
    return TYPES_BY_NAME.get(ALIASES.get(name, name))


def format_type(oid: int, typmod: int | None = None) -> str:
    """PostgreSQL's format_type: the SQL spelling of a type, with its modifier.

    None is the call with a NULL modifier, -1 a type known to have none: they differ for bpchar.
    """
    entry = TYPES_BY_OID.get(oid)
    if entry is None:
        return "-" if oid == 0 else "???"
    if entry.elem_oid and entry.name.startswith("_"):
        return format_type(entry.elem_oid, typmod) + "[]"
    if typmod is None or typmod < 0:
        return "bpchar" if oid == 1042 and typmod is not None else entry.display
    if oid in (1042, 1043):
        return f"{entry.display}({typmod - 4})" if typmod > 4 else entry.display
    if oid == 1700:
        precision, scale = numeric_typmod(typmod)
        return f"numeric({precision},{scale})"
    if oid in (1083, 1266, 1114, 1184):
        stem, _, tail = entry.display.partition(" ")
        return f"{stem}({typmod}) {tail}"
    if oid == 1186:
        fields = _INTERVAL_FIELDS.get((typmod >> 16) & 0x7FFF, "")
        text = f"interval {fields}" if fields else "interval"
        return text if typmod & 0xFFFF == 0xFFFF else f"{text}({typmod & 0xFFFF})"
    return entry.display


def numeric_typmod(typmod: int) -> tuple[int, int]:
    """Precision and scale of a numeric type modifier."""
    word = typmod - 4
    return word >> 16 & 0xFFFF, ((word & 0x7FF) ^ 1024) - 1024


def typmod_of(oid: int, modifiers: list[int]) -> int:
    """The type modifier that `type(modifiers)` stands for; raises PostgreSQL's 22023 for bad ones.

    For an interval the first modifier is its field mask (0x7FFF: all), as the parser delivers it.
    """
    if not modifiers:
        return -1
    entry = TYPES_BY_OID[oid]
    if entry.elem_oid and entry.name.startswith("_"):
        return typmod_of(entry.elem_oid, modifiers)
    if oid == 1700:
        return _numeric_modifiers(modifiers)
    if oid in (1042, 1043):
        return _length_modifier("char" if oid == 1042 else "varchar", modifiers)
    if oid in (1083, 1266, 1114, 1184):
        return _precision_modifier(entry, modifiers)
    if oid == 1186:
        return _interval_modifiers(modifiers)
    raise DsqlError("42601", f'type modifier is not allowed for type "{entry.name}"')


def _numeric_modifiers(modifiers: list[int]) -> int:
    if len(modifiers) > 2:
        raise DsqlError("22023", "invalid NUMERIC type modifier")
    precision = modifiers[0]
    scale = modifiers[1] if len(modifiers) == 2 else 0
    if not 1 <= precision <= 1000:
        raise DsqlError("22023", f"NUMERIC precision {precision} must be between 1 and 1000")
    if not -1000 <= scale <= 1000:
        raise DsqlError("22023", f"NUMERIC scale {scale} must be between -1000 and 1000")
    return ((precision << 16) | (scale & 0x7FF)) + 4


def _length_modifier(name: str, modifiers: list[int]) -> int:
    if len(modifiers) != 1:
        raise DsqlError("22023", "invalid type modifier")
    if modifiers[0] < 1:
        raise DsqlError("22023", f"length for type {name} must be at least 1")
    if modifiers[0] > 10485760:
        raise DsqlError("22023", f"length for type {name} cannot exceed 10485760")
    return modifiers[0] + 4


def _precision_modifier(entry: Type, modifiers: list[int]) -> int:
    if len(modifiers) != 1:
        raise DsqlError("22023", "invalid type modifier")
    stem, _, tail = entry.display.partition(" ")
    zone = " WITH TIME ZONE" if tail.startswith("with ") else ""
    if modifiers[0] < 0:
        raise DsqlError("22023", f"{stem.upper()}({modifiers[0]}){zone} precision must not be negative")
    return min(modifiers[0], 6)


def _interval_modifiers(modifiers: list[int]) -> int:
    mask = modifiers[0]
    if mask != 0x7FFF and mask not in _INTERVAL_FIELDS:
        raise DsqlError("22023", "invalid INTERVAL type modifier")
    if len(modifiers) == 1:
        return -1 if mask == 0x7FFF else (mask << 16) | 0xFFFF
    if modifiers[1] < 0:
        raise DsqlError("22023", f"INTERVAL({modifiers[1]}) precision must not be negative")
    return (mask << 16) | min(modifiers[1], 6)
