# Points in time inside kernels: reading and writing intervals and timetz, and moving between wall clock and UTC.
from libc.string cimport memcpy

from dsql_core.base.error cimport dsql_error_set
from dsql_core.base.types cimport int32_t, int64_t, uint32_t
from dsql_core.base.vector cimport Bytes16, Interval, Vector
from dsql_core.execute.kernel cimport EvalContext
from dsql_core.types.calendar cimport timestamp_is_finite
from dsql_core.types.timezone cimport TimeZone, timezone_local_offset, timezone_offset

cdef struct TimeTz:            # the Bytes16 of a timetz
    int64_t us
    int32_t west               # seconds west of Greenwich
    int32_t unused


cdef inline const Interval* interval_at(const Vector* v, uint32_t i) noexcept nogil:
    return <const Interval*>v.data + i * v.stride


cdef inline void store_interval(Vector* out, uint32_t i, const Interval* value) noexcept nogil:
    (<Interval*>out.data)[i] = value[0]


cdef inline TimeTz timetz_at(const Vector* v, uint32_t i) noexcept nogil:
    cdef TimeTz value
    memcpy(&value, <const Bytes16*>v.data + i * v.stride, sizeof(TimeTz))
    return value


cdef inline void store_timetz(Vector* out, uint32_t i, TimeTz* value) noexcept nogil:
    value.unused = 0
    memcpy(<Bytes16*>out.data + i, value, sizeof(TimeTz))


cdef inline int bad_timestamp(EvalContext* ctx) noexcept nogil:
    dsql_error_set(ctx.error, "22008", "timestamp out of range")
    return -1


cdef inline int64_t local_of(const TimeZone* zone, int64_t utc) noexcept nogil:
    if not timestamp_is_finite(utc):
        return utc
    return utc + timezone_offset(zone, utc) * <int64_t>1000000


cdef inline int64_t utc_of(const TimeZone* zone, int64_t local) noexcept nogil:
    if not timestamp_is_finite(local):
        return local
    return local - timezone_local_offset(zone, local) * <int64_t>1000000
