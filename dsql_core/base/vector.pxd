# Values and vectors: what expressions compute on.
#
# A type is its PostgreSQL OID; how its values lie in memory is its physical class:
#
#   PHYS_BOOL  uint8_t          bool
#   PHYS_I16   int16_t          int2
#   PHYS_I32   int32_t          int4, date (days since 2000-01-01; INT32_MAX/INT32_MIN = +-infinity)
#   PHYS_I64   int64_t          int8, time, timestamp, timestamptz (microseconds since 2000-01-01; INT64_MAX/MIN = +-infinity)
#                               oid, regclass and other reg* types are PHYS_I64 too (value 0..2^32-1)
#   PHYS_F32   float            float4
#   PHYS_F64   double           float8
#   PHYS_B16   Bytes16          uuid (raw bytes), interval (int64 us, int32 days, int32 months), timetz (int64 us, int32 zone)
#   PHYS_VAR   Var              text, varchar, bpchar (padded), name, bytea, json, jsonb, numeric (types/numeric), arrays (types/array)
#
# Vector: a column of `capacity` values. nulls[i] = 1 where row i is NULL; nulls is NULL when no row is.
# stride 0 makes it a constant: element 0 stands for every row (also nulls[0]). Read element i as data[i * stride].
# Var data points into pages (valid while the snapshot is pinned) or into a Pool; never owned by the vector.
from libc.stdint cimport int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t

cdef enum Phys:
    PHYS_NONE = 0
    PHYS_BOOL = 1
    PHYS_I16 = 2
    PHYS_I32 = 3
    PHYS_I64 = 4
    PHYS_F32 = 5
    PHYS_F64 = 6
    PHYS_B16 = 7
    PHYS_VAR = 8

cdef struct Var:
    const uint8_t* data
    uint32_t size
    uint32_t reserved

cdef struct Bytes16:
    uint8_t b[16]

cdef struct Interval:      # the Bytes16 of an interval
    int64_t us
    int32_t days
    int32_t months

cdef union Scalar:
    uint8_t b
    int16_t i16
    int32_t i32
    int64_t i64
    float f32
    double f64
    Bytes16 b16
    Interval interval
    Var var

cdef struct Value:         # one value outside a vector: parameters, bounds, key parts
    Scalar v
    uint32_t type_oid
    uint8_t phys
    uint8_t is_null

cdef struct Vector:
    void* data
    uint8_t* nulls         # NULL = no nulls
    uint32_t type_oid
    uint8_t phys
    uint8_t stride         # 1, or 0 for a constant
    uint16_t reserved

cdef enum:
    BATCH_ROWS = 1024      # most rows in a batch

cdef struct Batch:
    uint32_t row_count     # rows in the vectors
    uint32_t sel_count     # rows selected; == row_count when sel is NULL
    uint32_t* sel          # indexes of the selected rows, ascending; NULL = all
    uint32_t column_count
    Vector* columns

cdef inline uint32_t phys_size(uint8_t phys) noexcept nogil:
    if phys == PHYS_BOOL:
        return 1
    if phys == PHYS_I16:
        return 2
    if phys == PHYS_I32 or phys == PHYS_F32:
        return 4
    if phys == PHYS_I64 or phys == PHYS_F64:
        return 8
    return 16

# OIDs of PostgreSQL's types that the core itself speaks of.
cdef enum:
    OID_BOOL = 16
    OID_BYTEA = 17
    OID_CHAR = 18
    OID_NAME = 19
    OID_INT8 = 20
    OID_INT2 = 21
    OID_INT2VECTOR = 22
    OID_INT4 = 23
    OID_REGPROC = 24
    OID_TEXT = 25
    OID_OID = 26
    OID_OIDVECTOR = 30
    OID_JSON = 114
    OID_FLOAT4 = 700
    OID_FLOAT8 = 701
    OID_UNKNOWN = 705
    OID_BPCHAR = 1042
    OID_VARCHAR = 1043
    OID_DATE = 1082
    OID_TIME = 1083
    OID_TIMESTAMP = 1114
    OID_TIMESTAMPTZ = 1184
    OID_INTERVAL = 1186
    OID_TIMETZ = 1266
    OID_NUMERIC = 1700
    OID_REGCLASS = 2205
    OID_REGTYPE = 2206
    OID_VOID = 2278
    OID_UUID = 2950
    OID_JSONB = 3802
    OID_REGNAMESPACE = 4089
    OID_REGROLE = 4096

cdef inline uint8_t type_phys(uint32_t oid) noexcept nogil:
    # Physical class of a type; every type not listed is PHYS_VAR (arrays, text-like, json).
    if oid == OID_BOOL:
        return PHYS_BOOL
    if oid == OID_INT2:
        return PHYS_I16
    if oid == OID_INT4 or oid == OID_DATE:
        return PHYS_I32
    if oid == OID_INT8 or oid == OID_TIME or oid == OID_TIMESTAMP or oid == OID_TIMESTAMPTZ:
        return PHYS_I64
    if oid == OID_OID or oid == OID_REGCLASS or oid == OID_REGPROC or oid == OID_REGTYPE:
        return PHYS_I64
    if oid == OID_REGNAMESPACE or oid == OID_REGROLE:
        return PHYS_I64
    if oid == OID_FLOAT4:
        return PHYS_F32
    if oid == OID_FLOAT8:
        return PHYS_F64
    if oid == OID_UUID or oid == OID_INTERVAL or oid == OID_TIMETZ:
        return PHYS_B16
    return PHYS_VAR
