"""Types: every type's text and binary format, order, hash and arithmetic, as PostgreSQL 16 has them.

    io          dispatch by type OID; the C face everybody calls
    scalar      bool, integers, oid, uuid        floats   float4, float8      text   the text family, bytea
    numeric     packed decimals                  bignum   the large ones      numeric_sum  sum and avg
    numeric_text   their formats                 numeric_power   integer powers
    dateparse, datefields    reading dates and times          datetime_text   writing them
    datetime, extract         arithmetic on them   interval, intervalparse   timezone
    json        json and jsonb                   array    arrays              face, temporal_face   what Python sees
"""

from dsql_core.types.face import (
    Format,
    TypeFormatError,
    coerce,
    compare,
    decode,
    encode,
    normalise,
    numeric,
    numeric_total,
    same_hash,
)
from dsql_core.types.temporal_face import temporal
from dsql_core.types.timezone import TimeZoneHandle, load_timezone

__all__ = [
    "Format",
    "TimeZoneHandle",
    "TypeFormatError",
    "coerce",
    "compare",
    "decode",
    "encode",
    "load_timezone",
    "normalise",
    "numeric",
    "numeric_total",
    "same_hash",
    "temporal",
]
