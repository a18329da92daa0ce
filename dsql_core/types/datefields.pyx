"""The full grammar of date and time input, as PostgreSQL 16 reads it.

Text is split into fields (datetokens) and each field adds parts to a set: year, month, day, time, zone. A field whose
parts are already known is an error. What a bare number means depends on the parts known so far, its length and
DateStyle's order.

I1  `known` holds exactly the parts that have been read; PART_TIME is added as a whole.
I2  Ranges are checked once all fields are in (_validate): only then are era and two-digit years settled.
I3  status codes: 0, BAD_FORMAT 22007, FIELD_OVERFLOW 22008, MD_OVERFLOW the same with a hint, ZONE_OVERFLOW 22009,
    BAD_ZONE 22023.
"""
from libc.stdint cimport int32_t, int64_t, uint8_t
from libc.string cimport strchr, strlen

from dsql_core.base.error cimport dsql_error_set, dsql_error_t
from dsql_core.types.calendar cimport (
    US_PER_DAY, US_PER_SECOND, DateTime, date_of, datetime_of, days_in_month, days_of, floor_div, time_of, time_us,
)
from dsql_core.types.chars cimport is_alpha, is_digit, shown
from dsql_core.types.dateparse cimport DateContext
from dsql_core.types.datetokens cimport (
    TOKEN_DATE, TOKEN_NUMBER, TOKEN_TIME, TOKEN_ZONE, WORD_ALLBALLS, WORD_DAY, WORD_DAY_OF_WEEK, WORD_DST, WORD_EARLY,
    WORD_EPOCH, WORD_ERA, WORD_IGNORE, WORD_ISO_TIME, WORD_JULIAN, WORD_LATE, WORD_MERIDIEM, WORD_MONTH, WORD_NOW,
    WORD_UNKNOWN, Token, Tokens, read_fraction, read_integer, split_fields, word_of,
)
from dsql_core.types.datetime_text cimport ORDER_DMY, ORDER_YMD
from dsql_core.types.timezone cimport (
    TimeZone, timezone_abbreviation, timezone_find, timezone_local_offset, timezone_offset,
)

cdef extern from "stdio.h" nogil:
    int snprintf(char* text, size_t size, const char* format, ...)

cdef extern from "error/error.h" nogil:
    void dsql_error_hint_text "strcpy"(char* to, const char* text)

cdef enum:
    PART_YEAR = 1
    PART_MONTH = 2
    PART_DAY = 4
    PART_TIME = 8
    PART_ZONE = 16
    PART_DAY_OF_YEAR = 32
    PART_DAY_OF_WEEK = 64
    PART_ERA = 128
    PART_MERIDIEM = 256
    PART_DST = 512
    PARTS_DATE = 7

    BAD_FORMAT = -1
    FIELD_OVERFLOW = -2
    MD_OVERFLOW = -3
    ZONE_OVERFLOW = -4
    BAD_ZONE = -5

cdef struct Reading:               # the state of one parse
    DateTime at
    const DateContext* context
    const TimeZone* zone           # named in the text
    int known                      # PART_*
    int kind                       # FIELDS_*
    int label                      # WORD_JULIAN or WORD_ISO_TIME waiting for its field, else 0
    int text_month
    int two_digits                 # the year had at most two digits
    int julian
    int bc
    int meridiem
    int day_of_year
    int has_offset
    int32_t offset
    int time_only                  # reading time or timetz
    char bad_zone[64]


cdef int _report(int status, const Reading* r, const uint8_t* text, size_t size, const char* type_name,
                 dsql_error_t* error) noexcept nogil:
    if status == BAD_FORMAT:
        dsql_error_set(error, b"22007", b"invalid input syntax for type %s: \"%.*s\"", type_name, shown(size), text)
    elif status == ZONE_OVERFLOW:
        dsql_error_set(error, b"22009", b"time zone displacement out of range: \"%.*s\"", shown(size), text)
    elif status == BAD_ZONE:
        dsql_error_set(error, b"22023", b"time zone \"%s\" not recognized", &r.bad_zone[0])
    else:
        dsql_error_set(error, b"22008", b"date/time field value out of range: \"%.*s\"", shown(size), text)
        if status == MD_OVERFLOW and error != NULL:
            dsql_error_hint_text(error.hint, b"Perhaps you need a different \"datestyle\" setting.")
    return -1


cdef int _number_field(const uint8_t* text, int size, Reading* r, int known, int* parts) noexcept nogil:
    # Run-together digits: yyyymmdd, yymmdd, hhmmss[.fff], hhmm. `known` may pretend a date.
    cdef const char* point = strchr(<const char*>text, c'.')
    cdef int64_t us = 0
    cdef int64_t year = 0
    cdef int i
    if point != NULL:
        if read_fraction(<const uint8_t*>point, &us) < 0:
            return BAD_FORMAT
        r.at.us = <int32_t>us
        size = <int>(<const uint8_t*>point - text)
    elif (known & PARTS_DATE) != PARTS_DATE and size >= 6:
        parts[0] = PARTS_DATE
        for i in range(size - 4):
            if year < 10000000:
                year = year * 10 + (text[i] - 48)
        r.at.year = <int32_t>year
        r.at.month = (text[size - 4] - 48) * 10 + (text[size - 3] - 48)
        r.at.day = (text[size - 2] - 48) * 10 + (text[size - 1] - 48)
        if size == 6:
            r.two_digits = 1
        return 0
    if (known & PART_TIME) == 0 and (size == 6 or size == 4):
        for i in range(size):
            if not is_digit(text[i]):
                return BAD_FORMAT
        parts[0] = PART_TIME
        r.at.hour = (text[0] - 48) * 10 + (text[1] - 48)
        r.at.minute = (text[2] - 48) * 10 + (text[3] - 48)
        r.at.second = (text[4] - 48) * 10 + (text[5] - 48) if size == 6 else 0
        return 0
    return BAD_FORMAT


cdef int _number(const uint8_t* text, int size, Reading* r, int known, int text_month, int* parts) noexcept nogil:
    # One number: which part it is follows from what is known.
    cdef const uint8_t* at = text
    cdef int64_t value = read_integer(&at)
    cdef int64_t us
    cdef int date = known & PARTS_DATE
    if at == text:
        return BAD_FORMAT
    if value > 2147483647 or value < -2147483647:
        return FIELD_OVERFLOW
    if at[0] == c'.':
        if at - text > 2:
            return _number_field(text, size, r, known | PARTS_DATE, parts)
        if read_fraction(at, &us) < 0:
            return BAD_FORMAT
        r.at.us = <int32_t>us
    elif at[0] != 0:
        return BAD_FORMAT
    if size == 3 and date == PART_YEAR and value >= 1 and value <= 366:
        parts[0] = PART_DAY_OF_YEAR | PART_MONTH | PART_DAY
        r.day_of_year = <int>value
        return 0
    if date == 0:
        parts[0] = PART_YEAR if size >= 3 or r.context.order == ORDER_YMD else \
            PART_DAY if r.context.order == ORDER_DMY else PART_MONTH
    elif date == PART_YEAR or date == PART_DAY:
        parts[0] = PART_MONTH
    elif date == PART_MONTH:
        parts[0] = PART_YEAR if text_month and (size >= 3 or r.context.order == ORDER_YMD) else PART_DAY
    elif date == PART_YEAR | PART_MONTH:
        if text_month and size >= 3 and r.two_digits:
            # dd-mon-yyyy under YMD: the first number was the day after all.
            parts[0] = PART_DAY
            r.at.day = r.at.year
            r.at.year = <int32_t>value
            r.two_digits = 0
            return 0
        parts[0] = PART_DAY
    elif date == PART_MONTH | PART_DAY:
        parts[0] = PART_YEAR
    elif date == PARTS_DATE:
        return _number_field(text, size, r, known, parts)
    else:
        return BAD_FORMAT
    if parts[0] == PART_YEAR:
        r.at.year = <int32_t>value
        r.two_digits = size <= 2
    elif parts[0] == PART_MONTH:
        r.at.month = <int32_t>value
    else:
        r.at.day = <int32_t>value
    return 0


cdef int _date(uint8_t* text, Reading* r, int known, int* parts) noexcept nogil:
    # A date with delimiters: month names first, then the numbers in order.
    cdef uint8_t* pieces[25]
    cdef int sizes[25]
    cdef int count = 0
    cdef int i
    cdef int part
    cdef int status
    cdef int text_month = 0
    cdef int32_t value = 0
    parts[0] = 0
    while text[0] != 0 and count < 25:
        while text[0] != 0 and not is_digit(text[0]) and not is_alpha(text[0]):
            text += 1
        if text[0] == 0:
            return BAD_FORMAT
        pieces[count] = text
        if is_digit(text[0]):
            while is_digit(text[0]):
                text += 1
        else:
            while is_alpha(text[0]):
                text += 1
        sizes[count] = <int>(text - pieces[count])
        count += 1
        if text[0] != 0:
            text[0] = 0
            text += 1
    for i in range(count):
        if is_alpha(pieces[i][0]):
            part = word_of(pieces[i], sizes[i], &value)
            if part == WORD_IGNORE:
                sizes[i] = 0
                continue
            if part != WORD_MONTH or (known & PART_MONTH) != 0:
                return BAD_FORMAT
            text_month = 1
            r.at.month = value
            known |= PART_MONTH
            parts[0] |= PART_MONTH
            sizes[i] = 0
    for i in range(count):
        if sizes[i] == 0:
            continue
        status = _number(pieces[i], sizes[i], r, known, text_month, &part)
        if status < 0:
            return status
        if (known & part) != 0:
            return BAD_FORMAT
        known |= part
        parts[0] |= part
    return 0 if (known & ~(PART_DAY_OF_YEAR | PART_ZONE)) == PARTS_DATE else BAD_FORMAT


cdef int _time(const uint8_t* text, Reading* r) noexcept nogil:
    # h:mm, h:mm:ss[.f], or mm:ss.f.
    cdef const uint8_t* at = text
    cdef int64_t hour = read_integer(&at)
    cdef int64_t minute
    cdef int64_t second = 0
    cdef int64_t us = 0
    if at[0] != c':':
        return BAD_FORMAT
    at += 1
    minute = read_integer(&at)
    if at[0] == c'.':
        if read_fraction(at, &us) < 0:
            return BAD_FORMAT
        second = minute
        minute = hour
        hour = 0
    elif at[0] == c':':
        at += 1
        second = read_integer(&at)
        if at[0] == c'.':
            if read_fraction(at, &us) < 0:
                return BAD_FORMAT
        elif at[0] != 0:
            return BAD_FORMAT
    elif at[0] != 0:
        return BAD_FORMAT
    if hour < 0 or hour > 24 or minute < 0 or minute > 59 or second < 0 or second > 60:
        return FIELD_OVERFLOW
    r.at.hour = <int32_t>hour
    r.at.minute = <int32_t>minute
    r.at.second = <int32_t>second
    r.at.us = <int32_t>us
    return FIELD_OVERFLOW if time_us(&r.at) > US_PER_DAY else 0


cdef int _offset(const uint8_t* text, Reading* r) noexcept nogil:
    # +hh, +hhmm, +hh:mm, +hh:mm:ss.
    cdef const uint8_t* at = text + 1
    cdef int64_t hours
    cdef int64_t minutes = 0
    cdef int64_t seconds = 0
    if text[0] != c'+' and text[0] != c'-':
        return BAD_FORMAT
    hours = read_integer(&at)
    if at[0] == c':':
        at += 1
        minutes = read_integer(&at)
        if at[0] == c':':
            at += 1
            seconds = read_integer(&at)
    elif at[0] == 0 and at - text > 3:
        minutes = hours % 100
        hours = hours / 100
    if hours < 0 or hours > 15 or minutes < 0 or minutes > 59 or seconds < 0 or seconds > 59:
        return ZONE_OVERFLOW
    if at[0] != 0:
        return BAD_FORMAT
    r.offset = <int32_t>(hours * 3600 + minutes * 60 + seconds)
    if text[0] == c'-':
        r.offset = -r.offset
    r.has_offset = 1
    return 0


cdef int _zone_name(const Token* token, Reading* r) noexcept nogil:
    r.zone = timezone_find(token.text, token.size)
    if r.zone == NULL:
        snprintf(r.bad_zone, 64, b"%s", <const char*>token.text)
        return BAD_ZONE
    return 0


cdef int _date_token(Token* token, int first, const Tokens* tokens, Reading* r, int* parts) noexcept nogil:
    cdef const uint8_t* at
    cdef int64_t days
    cdef char* minus
    cdef int status
    if r.label == WORD_JULIAN:
        # J2451187-08: day number with an offset.
        at = token.text
        days = read_integer(&at)
        if days < 0 or days > 2147483647:
            return FIELD_OVERFLOW
        date_of(days - 2451545, &r.at)
        r.julian = 1
        r.label = 0
        parts[0] = PARTS_DATE | PART_TIME | PART_ZONE
        return _offset(at, r)
    if r.label != 0 or (r.known & (PART_MONTH | PART_DAY)) == (PART_MONTH | PART_DAY) or \
            (r.time_only and not (first and tokens.count >= 2 and
                                  (tokens.items[tokens.count - 1].kind == TOKEN_DATE or
                                   tokens.items[1].kind == TOKEN_TIME))):
        if not is_digit(token.text[0]) and r.label == 0:
            parts[0] = PART_ZONE
            return _zone_name(token, r)
        # hhmmss-zz
        r.label = 0
        minus = strchr(<char*>token.text, c'-')
        if (r.known & PART_TIME) != 0 or minus == NULL:
            return BAD_FORMAT
        status = _offset(<const uint8_t*>minus, r)
        if status < 0:
            return status
        minus[0] = 0
        status = _number_field(token.text, <int>strlen(<char*>token.text), r,
                               r.known | (PARTS_DATE if r.time_only else 0), parts)
        parts[0] |= PART_ZONE
        return status
    return _date(token.text, r, r.known, parts)


cdef int _number_token(Token* token, bint date_first, Reading* r, int* parts) noexcept nogil:
    cdef const char* point = strchr(<const char*>token.text, c'.')
    cdef const uint8_t* at = token.text
    cdef int64_t value
    cdef int64_t us
    cdef int before = <int>(<const uint8_t*>point - token.text) if point != NULL else token.size
    cdef int status
    if r.label == WORD_JULIAN:
        value = read_integer(&at)
        if value < 0 or value > 2147483647:
            return FIELD_OVERFLOW
        date_of(value - 2451545, &r.at)
        r.julian = 1
        r.label = 0
        parts[0] = PARTS_DATE
        if at[0] == c'.':
            if read_fraction(at, &us) < 0:
                return BAD_FORMAT
            time_of(us * (US_PER_DAY / 1000000), &r.at)
            parts[0] |= PART_TIME
        return 0 if at[0] == 0 or at[0] == c'.' else BAD_FORMAT
    if r.label == WORD_ISO_TIME:
        r.label = 0
        status = _number_field(token.text, token.size, r, r.known | PARTS_DATE, parts)
        if status < 0:
            return status
        return 0 if parts[0] == PART_TIME else BAD_FORMAT
    if r.time_only:
        if point != NULL:
            if date_first:
                return _date(token.text, r, r.known, parts)
            if before > 2:
                return _number_field(token.text, token.size, r, r.known | PARTS_DATE, parts)
            return BAD_FORMAT
        if token.size > 4:
            return _number_field(token.text, token.size, r, r.known | PARTS_DATE, parts)
        return _number(token.text, token.size, r, r.known | PARTS_DATE, 0, parts)
    if point != NULL and (r.known & PARTS_DATE) == 0:
        return _date(token.text, r, r.known, parts)
    if (point != NULL and before > 2) or \
            (token.size >= 6 and ((r.known & PARTS_DATE) == 0 or (r.known & PART_TIME) == 0)):
        return _number_field(token.text, token.size, r, r.known, parts)
    return _number(token.text, token.size, r, r.known, r.text_month, parts)


cdef void _now(Reading* r, int32_t days, bint with_time) noexcept nogil:
    # Today (moved by days), or this moment, on the session's wall clock.
    cdef int32_t offset = timezone_offset(r.context.zone, r.context.now_us)
    cdef int64_t local = r.context.now_us + offset * US_PER_SECOND
    if with_time:
        datetime_of(local, &r.at)
        r.offset = offset
        r.has_offset = 1
    else:
        date_of(floor_div(local, US_PER_DAY) + days, &r.at)


cdef int _word_token(const Token* token, const Token* following, Reading* r, int* parts) noexcept nogil:
    # Adds to parts; words without parts leave it 0.
    cdef int32_t value = 0
    cdef int32_t offset = 0
    cdef int is_dst = 0
    cdef int kind
    parts[0] = 0
    if timezone_abbreviation(token.text, token.size, &offset, &is_dst):
        r.offset = offset
        r.has_offset = 1
        parts[0] = PART_ZONE
        return 0
    kind = word_of(token.text, token.size, &value)
    if kind == WORD_IGNORE:
        return 0
    if kind == WORD_UNKNOWN:
        parts[0] = PART_ZONE
        return BAD_FORMAT if _zone_name(token, r) < 0 else 0
    if kind == WORD_NOW:
        _now(r, 0, True)
        parts[0] = PARTS_DATE | PART_TIME | PART_ZONE
        if r.time_only:
            parts[0] = PART_TIME
    elif kind == WORD_DAY:
        if r.time_only:
            return BAD_FORMAT
        _now(r, value, False)
        parts[0] = PARTS_DATE
    elif kind == WORD_ALLBALLS:
        r.at.hour = r.at.minute = r.at.second = r.at.us = 0
        r.offset = 0
        r.has_offset = 1
        parts[0] = PART_TIME | PART_ZONE
    elif kind == WORD_EPOCH or kind == WORD_LATE or kind == WORD_EARLY:
        if r.time_only:
            return BAD_FORMAT
        r.kind = FIELDS_EPOCH if kind == WORD_EPOCH else FIELDS_LATE if kind == WORD_LATE else FIELDS_EARLY
        parts[0] = PARTS_DATE | PART_TIME | PART_ZONE
    elif kind == WORD_MONTH:
        if r.time_only:
            return BAD_FORMAT
        parts[0] = PART_MONTH
        if (r.known & PART_MONTH) != 0 and not r.text_month and (r.known & PART_DAY) == 0 and r.at.month >= 1 and \
                r.at.month <= 31:
            r.at.day = r.at.month
            parts[0] = PART_DAY
        r.text_month = 1
        r.at.month = value
    elif kind == WORD_DST:
        r.offset += 3600
        parts[0] = PART_DST
    elif kind == WORD_MERIDIEM:
        r.meridiem = value
        parts[0] = PART_MERIDIEM
    elif kind == WORD_ERA:
        r.bc = value == 2
        parts[0] = PART_ERA
    elif kind == WORD_DAY_OF_WEEK:
        if r.time_only:
            return BAD_FORMAT
        parts[0] = PART_DAY_OF_WEEK
    elif kind == WORD_ISO_TIME:
        if (not r.time_only and (r.known & PARTS_DATE) != PARTS_DATE) or following == NULL or \
                (following.kind != TOKEN_NUMBER and following.kind != TOKEN_TIME and following.kind != TOKEN_DATE):
            return BAD_FORMAT
        r.label = WORD_ISO_TIME
    elif kind == WORD_JULIAN:
        if r.label != 0:
            return BAD_FORMAT
        r.label = WORD_JULIAN
    else:
        return BAD_FORMAT
    return 0


cdef int _validate(Reading* r) noexcept nogil:
    cdef int year = r.at.year
    if r.known & PART_YEAR and not r.julian:
        if r.bc:
            if year <= 0:
                return FIELD_OVERFLOW
            r.at.year = 1 - year
        elif r.two_digits:
            r.at.year += 2000 if year < 70 else 1900
        elif year <= 0:
            return FIELD_OVERFLOW
    if r.known & PART_DAY_OF_YEAR:
        date_of(days_of(r.at.year, 1, 1) + r.day_of_year - 1, &r.at)
    if r.known & PART_MONTH and (r.at.month < 1 or r.at.month > 12):
        return MD_OVERFLOW
    if r.known & PART_DAY and (r.at.day < 1 or r.at.day > 31):
        return MD_OVERFLOW
    if (r.known & PARTS_DATE) == PARTS_DATE and not r.julian and r.at.day > days_in_month(r.at.year, r.at.month):
        return FIELD_OVERFLOW
    if r.meridiem != 0:
        if r.at.hour > 12:
            return FIELD_OVERFLOW
        if r.meridiem == 1 and r.at.hour == 12:
            r.at.hour = 0
        elif r.meridiem == 2 and r.at.hour != 12:
            r.at.hour += 12
    return 0


cdef int _read(const uint8_t* text, size_t size, Reading* r) noexcept nogil:
    cdef Tokens tokens
    cdef Token* token
    cdef int parts = 0
    cdef int status
    cdef int i
    cdef bint date_first
    if split_fields(text, size, &tokens) < 0 or tokens.count == 0:
        return BAD_FORMAT
    for i in range(tokens.count):
        token = &tokens.items[i]
        parts = 0
        if token.kind == TOKEN_DATE:
            status = _date_token(token, i == 0, &tokens, r, &parts)
        elif token.kind == TOKEN_TIME:
            if r.label != 0 and r.label != WORD_ISO_TIME:
                return BAD_FORMAT
            r.label = 0
            parts = PART_TIME
            status = _time(token.text, r)
        elif token.kind == TOKEN_ZONE:
            parts = PART_ZONE
            status = _offset(token.text, r)
        elif token.kind == TOKEN_NUMBER:
            date_first = i == 0 and tokens.count >= 2 and tokens.items[tokens.count - 1].kind == TOKEN_DATE
            status = _number_token(token, date_first, r, &parts)
        else:
            status = _word_token(token, &tokens.items[i + 1] if i + 1 < tokens.count else NULL, r, &parts)
        if status < 0:
            return status
        if (parts & r.known) != 0:
            return BAD_FORMAT
        r.known |= parts
    if r.label != 0 or (r.known & (PART_DST | PART_ZONE)) == PART_DST:
        return BAD_FORMAT
    return _validate(r) if r.kind == FIELDS_DATE else 0


cdef void _start(Reading* r, const DateContext* context, int time_only) noexcept nogil:
    r.at.year = r.at.month = r.at.day = 0
    r.at.hour = r.at.minute = r.at.second = r.at.us = 0
    r.context = context
    r.zone = NULL
    r.known = 0
    r.kind = FIELDS_DATE
    r.label = 0
    r.text_month = 0
    r.two_digits = 0
    r.julian = 0
    r.bc = 0
    r.meridiem = 0
    r.day_of_year = 0
    r.has_offset = 0
    r.offset = 0
    r.time_only = time_only


cdef int _finish_zone(Reading* r, const DateTime* at) noexcept nogil:
    # The offset of a zone named in the text, at the local time read.
    cdef int64_t days = days_of(at.year, at.month, at.day)
    if r.zone != NULL and days > -2451546 and days < 106751991:
        r.offset = timezone_local_offset(r.zone, days * US_PER_DAY + time_us(at))
        r.has_offset = 1
    return 0


cdef int parse_datetime(const uint8_t* text, size_t size, const DateContext* context, const char* type_name,
                        DateFields* out, dsql_error_t* error) noexcept nogil:
    cdef Reading r
    cdef int status
    _start(&r, context, 0)
    status = _read(text, size, &r)
    if status == 0 and r.kind == FIELDS_DATE and (r.known & PARTS_DATE) != PARTS_DATE:
        status = BAD_FORMAT
    if status < 0:
        return _report(status, &r, text, size, type_name, error)
    if r.kind == FIELDS_DATE:
        _finish_zone(&r, &r.at)
    out.at = r.at
    out.kind = r.kind
    out.has_offset = r.has_offset
    out.offset = r.offset
    return 0


cdef int parse_time(const uint8_t* text, size_t size, const DateContext* context, const char* type_name,
                    DateFields* out, dsql_error_t* error) noexcept nogil:
    cdef Reading r
    cdef DateTime today
    cdef int status
    _start(&r, context, 1)
    status = _read(text, size, &r)
    if status == 0 and (r.known & PART_TIME) == 0:
        status = BAD_FORMAT
    if status == 0 and time_us(&r.at) > US_PER_DAY:
        status = FIELD_OVERFLOW
    if status < 0:
        return _report(status, &r, text, size, type_name, error)
    if not r.has_offset:
        # A zone without an offset of its own takes the one in force today at that time (or on the date given).
        if (r.known & PARTS_DATE) == PARTS_DATE:
            today = r.at
        else:
            if r.zone != NULL and r.zone.count > 0:
                return _report(BAD_FORMAT, &r, text, size, type_name, error)
            datetime_of(context.now_us + timezone_offset(context.zone, context.now_us) * US_PER_SECOND, &today)
            today.hour = r.at.hour
            today.minute = r.at.minute
            today.second = r.at.second
            today.us = r.at.us
        if r.zone == NULL:
            r.zone = context.zone
        _finish_zone(&r, &today)
    out.at = r.at
    out.kind = FIELDS_DATE
    out.has_offset = 1
    out.offset = r.offset
    return 0
