"""Names of the parts of dates and times, with PostgreSQL's synonyms; ISO weeks.

Names are compared in lower case and by their first ten characters, as PostgreSQL's keyword tables do.
"""

from dsql_core.base.error cimport dsql_error_set
from dsql_core.base.types cimport uint8_t, uint32_t
from dsql_core.base.vector cimport OID_DATE, OID_TIME, OID_TIMESTAMP, OID_TIMESTAMPTZ, OID_TIMETZ, Var
from dsql_core.execute.kernel cimport EvalContext
from dsql_core.types.calendar cimport DateTime, date_of, days_of
from dsql_core.types.chars cimport lower_ascii

cdef enum:
    KEY_SIZE = 10

cdef struct UnitName:
    char[16] key           # at most KEY_SIZE characters, zero-filled
    int unit

cdef UnitName[96] _names
cdef int _name_count = 0

_SYNONYMS = {
    UNIT_MICROSECOND: "microsecon us usec usecond useconds usecs",
    UNIT_MILLISECOND: "millisecon ms msec msecond mseconds msecs",
    UNIT_SECOND: "s sec second seconds secs",
    UNIT_MINUTE: "m min mins minute minutes",
    UNIT_HOUR: "h hour hours hr hrs",
    UNIT_DAY: "d day days",
    UNIT_WEEK: "w week weeks",
    UNIT_MONTH: "mon mons month months",
    UNIT_QUARTER: "qtr quarter",
    UNIT_YEAR: "y year years yr yrs",
    UNIT_DECADE: "dec decade decades decs",
    UNIT_CENTURY: "c cent centuries century",
    UNIT_MILLENNIUM: "mil millennia millennium mils",
    UNIT_DOW: "dow",
    UNIT_ISODOW: "isodow",
    UNIT_DOY: "doy",
    UNIT_ISOYEAR: "isoyear",
    UNIT_JULIAN: "j jd julian",
    UNIT_EPOCH: "epoch",
    UNIT_TIMEZONE: "timezone",
    UNIT_TIMEZONE_HOUR: "timezone_h",
    UNIT_TIMEZONE_MINUTE: "timezone_m",
}


cdef int _load() except -1:
    global _name_count
    cdef bytes key
    cdef int j
    for unit, words in _SYNONYMS.items():
        for word in words.split():
            key = word.encode()
            for j in range(16):
                _names[_name_count].key[j] = key[j] if j < len(key) else 0
            _names[_name_count].unit = unit
            _name_count += 1
    return 0


_load()


cdef int unit_of(const Var* name) noexcept nogil:
    cdef int at, j
    cdef uint8_t c
    for at in range(_name_count):
        for j in range(KEY_SIZE):
            c = lower_ascii(name.data[j]) if j < <int>name.size else 0
            if c != <uint8_t>_names[at].key[j]:
                break
            if c == 0:
                return _names[at].unit
        else:
            return _names[at].unit
    return UNIT_UNKNOWN


cdef const char* _type_name(uint32_t oid) noexcept nogil:
    if oid == OID_DATE:
        return b"date"
    if oid == OID_TIME:
        return b"time without time zone"
    if oid == OID_TIMETZ:
        return b"time with time zone"
    if oid == OID_TIMESTAMP:
        return b"timestamp without time zone"
    return b"timestamp with time zone" if oid == OID_TIMESTAMPTZ else b"interval"


cdef int unit_error(EvalContext* ctx, const Var* name, int unit, uint32_t type_oid) noexcept nogil:
    cdef uint8_t[256] lowered
    cdef uint32_t j, size = name.size if name.size < 256 else 256
    for j in range(size):
        lowered[j] = lower_ascii(name.data[j])
    if unit == UNIT_UNKNOWN:
        dsql_error_set(ctx.error, "22023", 'unit "%.*s" not recognized for type %s', <int>size, &lowered[0],
                       _type_name(type_oid))
    else:
        dsql_error_set(ctx.error, "0A000", 'unit "%.*s" not supported for type %s', <int>size, &lowered[0],
                       _type_name(type_oid))
    return -1


cdef long long iso_year_start(int year) noexcept nogil:
    # Week 1 is the one with January 4th; 2000-01-03 was a Monday.
    cdef long long fourth = days_of(year, 1, 4)
    cdef long long since_monday = (fourth - 2) % 7
    return fourth - (since_monday + 7 if since_monday < 0 else since_monday)


cdef int iso_week(long long day, int* iso_year) noexcept nogil:
    cdef DateTime fields
    cdef int year
    date_of(day, &fields)
    year = fields.year
    if day < iso_year_start(year):
        year -= 1
    elif day >= iso_year_start(year + 1):
        year += 1
    iso_year[0] = year
    return <int>((day - iso_year_start(year)) / 7) + 1
