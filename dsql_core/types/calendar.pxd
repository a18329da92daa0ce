# The calendar: days and microseconds since 2000-01-01 against year, month, day and time of day. Proleptic Gregorian.
#
# Years are astronomical: 1 BC is year 0. Ranges are PostgreSQL's: dates from Julian day 0 (4714-11-24 BC) to
# 5874897-12-31,
# timestamps to 294276-12-31; INT32_MAX/MIN and INT64_MAX/MIN stand for +-infinity.
from libc.stdint cimport INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN, int32_t, int64_t

cdef extern from * nogil:
    """
    #define DSQL_US_PER_SECOND 1000000LL
    #define DSQL_US_PER_MINUTE 60000000LL
    #define DSQL_US_PER_HOUR 3600000000LL
    #define DSQL_US_PER_DAY 86400000000LL
    #define DSQL_DATE_MIN (-2451545LL)
    #define DSQL_DATE_END 2145031949LL
    #define DSQL_TIMESTAMP_MIN (-211813488000000000LL)
    #define DSQL_TIMESTAMP_END 9223371331200000000LL
    #define DSQL_UNIX_EPOCH_DAYS 10957LL
    """
    const int64_t US_PER_SECOND "DSQL_US_PER_SECOND"
    const int64_t US_PER_MINUTE "DSQL_US_PER_MINUTE"
    const int64_t US_PER_HOUR "DSQL_US_PER_HOUR"
    const int64_t US_PER_DAY "DSQL_US_PER_DAY"
    const int64_t DATE_MIN "DSQL_DATE_MIN"                 # first valid day
    const int64_t DATE_END "DSQL_DATE_END"                 # one after the last
    const int64_t TIMESTAMP_MIN "DSQL_TIMESTAMP_MIN"
    const int64_t TIMESTAMP_END "DSQL_TIMESTAMP_END"
    const int64_t UNIX_EPOCH_DAYS "DSQL_UNIX_EPOCH_DAYS"   # days from 1970-01-01 to 2000-01-01

cdef struct DateTime:
    int32_t year
    int32_t month          # 1..12
    int32_t day            # 1..31
    int32_t hour
    int32_t minute
    int32_t second
    int32_t us             # 0..999999

cdef inline int64_t floor_div(int64_t a, int64_t b) noexcept nogil:
    # b > 0
    cdef int64_t quotient = a / b
    return quotient - 1 if a % b < 0 else quotient

cdef inline int64_t days_of(int64_t year, int64_t month, int64_t day) noexcept nogil:
    # Days since 2000-01-01; month and day need not be in range for the sum to be meaningful by days.
    cdef int64_t y = year - 1 if month <= 2 else year
    cdef int64_t era = floor_div(y, 400)
    cdef int64_t year_of_era = y - era * 400
    cdef int64_t day_of_year = (153 * (month - 3 if month > 2 else month + 9) + 2) / 5 + day - 1
    cdef int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year
    return era * 146097 + day_of_era - 730425

cdef inline void date_of(int64_t days, DateTime* out) noexcept nogil:
    # Sets year, month and day only.
    cdef int64_t z = days + 730425
    cdef int64_t era = floor_div(z, 146097)
    cdef int64_t day_of_era = z - era * 146097
    cdef int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365
    cdef int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100)
    cdef int64_t shifted = (5 * day_of_year + 2) / 153
    out.day = <int32_t>(day_of_year - (153 * shifted + 2) / 5 + 1)
    out.month = <int32_t>(shifted + 3 if shifted < 10 else shifted - 9)
    out.year = <int32_t>(year_of_era + era * 400 + (1 if out.month <= 2 else 0))

cdef inline bint is_leap(int64_t year) noexcept nogil:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)

cdef inline int days_in_month(int64_t year, int month) noexcept nogil:
    if month == 2:
        return 29 if is_leap(year) else 28
    return 30 if month == 4 or month == 6 or month == 9 or month == 11 else 31

cdef inline void time_of(int64_t us, DateTime* out) noexcept nogil:
    # Time of day from microseconds since midnight (0 .. 24:00:00); sets the time fields only.
    out.hour = <int32_t>(us / US_PER_HOUR)
    us -= out.hour * US_PER_HOUR
    out.minute = <int32_t>(us / US_PER_MINUTE)
    us -= out.minute * US_PER_MINUTE
    out.second = <int32_t>(us / US_PER_SECOND)
    out.us = <int32_t>(us - out.second * US_PER_SECOND)

cdef inline void datetime_of(int64_t timestamp, DateTime* out) noexcept nogil:
    # Finite timestamps only.
    cdef int64_t days = floor_div(timestamp, US_PER_DAY)
    date_of(days, out)
    time_of(timestamp - days * US_PER_DAY, out)

cdef inline int64_t time_us(const DateTime* at) noexcept nogil:
    return ((at.hour * 60LL + at.minute) * 60LL + at.second) * US_PER_SECOND + at.us

cdef inline bint timestamp_is_valid(int64_t timestamp) noexcept nogil:
    return timestamp >= TIMESTAMP_MIN and timestamp < TIMESTAMP_END

cdef inline bint timestamp_is_finite(int64_t timestamp) noexcept nogil:
    return timestamp != INT64_MAX and timestamp != INT64_MIN

cdef inline bint date_is_finite(int32_t date) noexcept nogil:
    return date != INT32_MAX and date != INT32_MIN

cdef inline int local_timestamp_from(const DateTime* at, int64_t* out) noexcept nogil:
    # A wall-clock time, which may lie up to a day outside the range of timestamps: its offset may bring it back.
    # 0, -1 = further outside. Fields must be in their ranges (hour 24 allowed).
    cdef int64_t days
    if at.year < -4714 or at.year > 294277:
        return -1
    days = days_of(at.year, at.month, at.day)
    if days < DATE_MIN - 1 or days > 106751990LL:
        return -1
    out[0] = days * US_PER_DAY + time_us(at)
    return 0

cdef inline int timestamp_from(const DateTime* at, int64_t* out) noexcept nogil:
    # 0, -1 = outside the range of timestamps.
    return 0 if local_timestamp_from(at, out) == 0 and timestamp_is_valid(out[0]) else -1

cdef inline int day_of_week(int64_t days) noexcept nogil:
    # 0 = Sunday; 2000-01-01 was a Saturday.
    cdef int64_t day = (days + 6) % 7
    return <int>(day + 7 if day < 0 else day)
