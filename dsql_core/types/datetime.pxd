# Arithmetic on dates and times. Infinite arguments give infinite results where PostgreSQL does; 0, -1 = error set.
#
# zone NULL = UTC. `west` of a timetz is seconds west of Greenwich, as PostgreSQL keeps it.
from dsql_core.base.error cimport dsql_error_t
from dsql_core.base.types cimport int32_t, int64_t, uint8_t
from dsql_core.base.vector cimport Interval
from dsql_core.types.extract cimport Unit
from dsql_core.types.timezone cimport TimeZone, timezone_local_offset, timezone_offset

# A time zone as SQL gives one: by name, or as an abbreviation or interval, a fixed offset.
cdef struct Zone:
    const TimeZone* named      # NULL = UTC
    int32_t is_fixed
    int32_t offset             # seconds east, when fixed

cdef inline Zone zone_named(const TimeZone* named) noexcept nogil:
    cdef Zone zone
    zone.named = named
    zone.is_fixed = 0
    zone.offset = 0
    return zone

cdef inline int32_t zone_offset_at(const Zone* zone, int64_t utc) noexcept nogil:
    return zone.offset if zone.is_fixed else timezone_offset(zone.named, utc)

cdef inline int64_t zone_utc_of(const Zone* zone, int64_t local) noexcept nogil:
    if zone.is_fixed:
        return local - zone.offset * <int64_t>1000000
    return local - timezone_local_offset(zone.named, local) * <int64_t>1000000

# Zone named in a text argument (AT TIME ZONE 'x', timezone('x', ...)): 22023 `time zone "x" not recognized`.
cdef int zone_argument(const uint8_t* name, size_t size, Zone* out, dsql_error_t* error) noexcept nogil
# The same for make_timestamptz, where a bare offset counts east.
cdef int zone_by_name(const uint8_t* name, size_t size, Zone* out, dsql_error_t* error) noexcept nogil

# sign 1 adds, -1 subtracts.
cdef int timestamp_add_interval(int64_t at, const Interval* span, int sign, int64_t* out,
                                dsql_error_t* error) noexcept nogil
cdef int timestamptz_add_interval(int64_t at, const Interval* span, int sign, const TimeZone* zone, int64_t* out,
                                  dsql_error_t* error) noexcept nogil
# a - b, hours justified
cdef int timestamp_subtract(int64_t a, int64_t b, Interval* out, dsql_error_t* error) noexcept nogil
cdef int timestamp_age(int64_t a, int64_t b, Interval* out, dsql_error_t* error) noexcept nogil
cdef int timestamptz_age(int64_t a, int64_t b, const TimeZone* zone, Interval* out, dsql_error_t* error) noexcept nogil
cdef int date_add_days(int32_t date, int64_t days, int32_t* out, dsql_error_t* error) noexcept nogil
cdef int date_subtract(int32_t a, int32_t b, int32_t* out, dsql_error_t* error) noexcept nogil
cdef int64_t time_add_interval(int64_t us, const Interval* span, int sign) noexcept nogil       # within the day
cdef void timetz_at_offset(int64_t us, int32_t west, int32_t new_west, int64_t* out_us) noexcept nogil

# Casts.
cdef int date_to_timestamp(int32_t date, int64_t* out, dsql_error_t* error) noexcept nogil
cdef int date_to_timestamptz(int32_t date, const TimeZone* zone, int64_t* out, dsql_error_t* error) noexcept nogil
cdef int timestamp_to_date(int64_t at, int32_t* out, dsql_error_t* error) noexcept nogil
cdef int timestamptz_to_date(int64_t at, const TimeZone* zone, int32_t* out, dsql_error_t* error) noexcept nogil
# timestamp -> timestamptz: local time in zone to instant (also AT TIME ZONE on a timestamp).
cdef int timestamp_to_timestamptz(int64_t at, const Zone* zone, int64_t* out, dsql_error_t* error) noexcept nogil
cdef int timestamptz_to_timestamp(int64_t at, const Zone* zone, int64_t* out, dsql_error_t* error) noexcept nogil
cdef int timestamp_to_time(int64_t at, int64_t* out) noexcept nogil                     # 1 done, 0 = infinite: NULL
# 1 done, 0 NULL
cdef int timestamptz_to_timetz(int64_t at, const TimeZone* zone, int64_t* us, int32_t* west) noexcept nogil
cdef int64_t interval_to_time(const Interval* span) noexcept nogil
# Comparison of a date (or timestamp) with a timestamptz and the like goes through the casts, clamped instead of
# failing:
cdef int64_t date_to_timestamp_clamped(int32_t date) noexcept nogil

# Construction. A year below 0 means BC; year 0 is an error.
cdef int make_date(int32_t year, int32_t month, int32_t day, int32_t* out, dsql_error_t* error) noexcept nogil
cdef int make_time(int32_t hour, int32_t minute, double second, int64_t* out, dsql_error_t* error) noexcept nogil
cdef int make_timestamp(int32_t year, int32_t month, int32_t day, int32_t hour, int32_t minute, double second,
                        int64_t* out, dsql_error_t* error) noexcept nogil
# to_timestamp(double)
cdef int timestamptz_from_epoch(double seconds, int64_t* out, dsql_error_t* error) noexcept nogil

cdef int timestamp_trunc(const Unit* unit, int64_t at, int64_t* out, dsql_error_t* error) noexcept nogil
cdef int timestamptz_trunc(const Unit* unit, int64_t at, const Zone* zone, int64_t* out,
                           dsql_error_t* error) noexcept nogil
cdef int interval_trunc(const Unit* unit, const Interval* span, Interval* out, dsql_error_t* error) noexcept nogil
cdef int timestamp_bin(const Interval* stride, int64_t at, int64_t origin, int64_t* out,
                       dsql_error_t* error) noexcept nogil
