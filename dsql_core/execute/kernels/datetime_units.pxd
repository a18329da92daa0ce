# Names of the parts of dates, times and intervals ("hour", "isoyear", "epoch"), as extract and date_trunc take them.
from dsql_core.base.types cimport uint32_t
from dsql_core.base.vector cimport Var
from dsql_core.execute.kernel cimport EvalContext

cdef enum:
    UNIT_UNKNOWN = 0
    UNIT_MICROSECOND
    UNIT_MILLISECOND
    UNIT_SECOND
    UNIT_MINUTE
    UNIT_HOUR
    UNIT_DAY
    UNIT_WEEK
    UNIT_MONTH
    UNIT_QUARTER
    UNIT_YEAR
    UNIT_DECADE
    UNIT_CENTURY
    UNIT_MILLENNIUM
    UNIT_DOW
    UNIT_ISODOW
    UNIT_DOY
    UNIT_ISOYEAR
    UNIT_JULIAN
    UNIT_EPOCH
    UNIT_TIMEZONE
    UNIT_TIMEZONE_HOUR
    UNIT_TIMEZONE_MINUTE

cdef int unit_of(const Var* name) noexcept nogil
# 22023 `unit "x" not recognized for type t` or 0A000 `unit "x" not supported for type t`; always -1.
cdef int unit_error(EvalContext* ctx, const Var* name, int unit, uint32_t type_oid) noexcept nogil
# ISO 8601: the week and the year it belongs to, of a day since 2000-01-01.
cdef int iso_week(long long day, int* iso_year) noexcept nogil
cdef long long iso_year_start(int year) noexcept nogil        # day of the Monday of week 1
