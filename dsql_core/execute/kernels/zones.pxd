# A time zone as SQL functions are given one: a name, an abbreviation or an offset.
from dsql_core.base.types cimport int32_t, int64_t
from dsql_core.base.vector cimport Interval, Var
from dsql_core.execute.kernel cimport EvalContext
from dsql_core.types.timezone cimport TimeZone, timezone_local_offset, timezone_offset

cdef struct Zone:
    const TimeZone* named
    int32_t is_fixed
    int32_t offset         # seconds east, when fixed

cdef int zone_find(EvalContext* ctx, const Var* name, Zone* out) noexcept nogil           # 22023 when unknown
cdef int zone_of_interval(EvalContext* ctx, const Interval* span, Zone* out) noexcept nogil

cdef inline int32_t zone_offset_at(const Zone* zone, int64_t utc) noexcept nogil:
    return zone.offset if zone.is_fixed else timezone_offset(zone.named, utc)

cdef inline int64_t zone_utc_of(const Zone* zone, int64_t local) noexcept nogil:
    if zone.is_fixed:
        return local - zone.offset * <int64_t>1000000
    return local - timezone_local_offset(zone.named, local) * <int64_t>1000000
