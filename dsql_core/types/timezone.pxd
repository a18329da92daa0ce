# Time zones: offsets from UTC by instant, loaded once per process and never freed.
#
# Offsets are seconds east of Greenwich (PostgreSQL's timetz stores them west; timetz code negates). A NULL zone is UTC.
# Instants are microseconds since 2000-01-01 UTC, local times microseconds since 2000-01-01 on the wall clock.
from dsql_core.base.types cimport int32_t, int64_t, uint8_t

cdef struct ZoneKind:
    int32_t offset         # seconds east
    uint8_t is_dst
    char abbreviation[11]

cdef struct TimeZone:
    char name[64]
    int32_t count          # transitions
    int32_t kind_count
    int64_t* at            # [count] instant in seconds since 2000-01-01 UTC, ascending
    uint8_t* kind          # [count] index into kinds from that instant on
    ZoneKind* kinds        # kinds[0] holds before the first transition
    int32_t is_periodic    # after the last transition the last 400 years repeat

cdef const ZoneKind* timezone_kind(const TimeZone* zone, int64_t utc_us) noexcept nogil       # never NULL
cdef int32_t timezone_offset(const TimeZone* zone, int64_t utc_us) noexcept nogil
# Offset in force at a local time. In a gap the offset before it, in a repeated hour the later one (PostgreSQL's
# choice).
cdef int32_t timezone_local_offset(const TimeZone* zone, int64_t local_us) noexcept nogil
# Zone by name (IANA, any case; fixed offsets as POSIX writes them), loading it on first use (takes the GIL then).
# NULL = unknown.
cdef const TimeZone* timezone_find(const uint8_t* name, size_t size) noexcept nogil
# Offset of a common abbreviation ("EST", "cet"): 1 found, 0 not.
cdef int timezone_abbreviation(const uint8_t* name, size_t size, int32_t* offset, int* is_dst) noexcept nogil

cdef class TimeZoneHandle:
    cdef const TimeZone* zone
    cdef readonly str name
