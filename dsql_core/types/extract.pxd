# extract() and date_part(): fields of dates, times and intervals, and the names of units.
from dsql_core.base.error cimport dsql_error_t
from dsql_core.base.memory cimport Pool
from dsql_core.base.types cimport int32_t, int64_t, uint8_t
from dsql_core.base.vector cimport Interval, Var
from dsql_core.types.int128 cimport int128
from dsql_core.types.timezone cimport TimeZone

cdef enum:
    UNIT_UNKNOWN = 0
    UNIT_MICROSECOND = 1
    UNIT_MILLISECOND = 2
    UNIT_SECOND = 3
    UNIT_MINUTE = 4
    UNIT_HOUR = 5
    UNIT_DAY = 6
    UNIT_WEEK = 7
    UNIT_MONTH = 8
    UNIT_QUARTER = 9
    UNIT_YEAR = 10
    UNIT_DECADE = 11
    UNIT_CENTURY = 12
    UNIT_MILLENNIUM = 13
    UNIT_EPOCH = 14
    UNIT_DOW = 15
    UNIT_DOY = 16
    UNIT_ISODOW = 17
    UNIT_ISOYEAR = 18
    UNIT_JULIAN = 19
    UNIT_TIMEZONE = 20
    UNIT_TIMEZONE_HOUR = 21
    UNIT_TIMEZONE_MINUTE = 22

    EXTRACT_VALUE = 0
    EXTRACT_NULL = 1           # a cyclic field of an infinite time
    EXTRACT_INFINITE = 2       # value 1 or -1: its sign
    EXTRACT_JULIAN = 3         # value days + us_of_day / 86400000000

cdef struct Extracted:
    int128 value               # value * 10^-scale
    int64_t us_of_day
    int32_t scale
    int32_t kind

cdef struct Unit:
    int code                   # UNIT_*
    const uint8_t* name        # as the user wrote it, borrowed
    size_t size

cdef int unit_of(const uint8_t* name, size_t size) noexcept nogil             # UNIT_*; any case
cdef inline Unit unit_named(const uint8_t* name, size_t size) noexcept nogil:
    # Looked up once for many values.
    cdef Unit unit
    unit.code = unit_of(name, size)
    unit.name = name
    unit.size = size
    return unit

cdef int unit_not_recognized(const Unit* unit, const char* type_name, dsql_error_t* error) noexcept nogil
cdef int unit_not_supported(const Unit* unit, const char* type_name, dsql_error_t* error) noexcept nogil

# 0, -1 error set (22023 not recognized, 0A000 not supported).
cdef int extract_timestamp(const Unit* unit, int64_t at, Extracted* out,
                           dsql_error_t* error) noexcept nogil
cdef int extract_timestamptz(const Unit* unit, int64_t at, const TimeZone* zone, Extracted* out,
                             dsql_error_t* error) noexcept nogil
cdef int extract_date(const Unit* unit, int32_t date, Extracted* out,
                      dsql_error_t* error) noexcept nogil
cdef int extract_time(const Unit* unit, int64_t us, Extracted* out, dsql_error_t* error) noexcept nogil
cdef int extract_timetz(const Unit* unit, int64_t us, int32_t west, Extracted* out,
                        dsql_error_t* error) noexcept nogil
cdef int extract_interval(const Unit* unit, const Interval* span, Extracted* out,
                          dsql_error_t* error) noexcept nogil
# Results of kind other than EXTRACT_NULL, as extract() and date_part() return them.
cdef int extracted_numeric(const Extracted* value, Pool* pool, Var* out, dsql_error_t* error) noexcept nogil
cdef double extracted_double(const Extracted* value) noexcept nogil
# ISO 8601 year and week of a day number (days since 2000-01-01).
cdef void iso_week(int64_t days, int32_t* year, int32_t* week) noexcept nogil
