"""float4 and float8 as text: reading with the C library, writing the shortest text that reads back exactly.

Shortest output follows Schubfach (R. Giulietti, "The Schubfach way to render doubles"): scale the value and the two
ends of its rounding interval by a power of ten kept as a 128-bit integer, then pick the shortest decimal strictly
inside. PostgreSQL does not count the ends of the interval as inside, even where round-to-even would accept them.

    power[k]  k = POWER_LOW..POWER_HIGH   ceil(10^k * 2^-(floor(log2 10^k) - 127)): 128 bits, two words, high first

I1  The power table is filled at import from exact integers; it is never written afterwards.
I2  Layout of the text is PostgreSQL's: scientific when the exponent is below -4 or at least 15 (float8) or 6 (float4),
    exponent of at least two digits with its sign.
"""
from libc cimport errno
from libc.math cimport isinf, isnan
from libc.stdio cimport snprintf
from libc.stdlib cimport free, malloc, strtod
from libc.string cimport memcpy, memset

from dsql_core.base.error cimport dsql_error_set, dsql_error_t
from dsql_core.base.memory cimport Buffer, buffer_reserve
from dsql_core.base.types cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from dsql_core.types.chars cimport is_space, put_text, write_u64
from dsql_core.types.int128 cimport mul64_high
from dsql_core.types.scalar cimport invalid_syntax

cdef extern from "stdlib.h" nogil:
    float strtof(const char* text, char** end)

cdef extern from "errno.h" nogil:
    enum:
        ERANGE

cdef enum:
    POWER_LOW = -292
    POWER_HIGH = 324
    POWER_COUNT = 617

cdef uint64_t[1234] powers


def _fill_powers():
    for k in range(POWER_LOW, POWER_HIGH + 1):
        exponent = ((k * 1741647) >> 19) - 127
        if k >= 0:
            scaled = -((-(10 ** k)) >> exponent) if exponent >= 0 else (10 ** k) << -exponent
        else:
            scaled = -(-(1 << -exponent) // 10 ** -k)
        powers[2 * (k - POWER_LOW)] = scaled >> 64
        powers[2 * (k - POWER_LOW) + 1] = scaled & 0xFFFFFFFFFFFFFFFF


_fill_powers()


cdef inline int _log2_pow10(int e) noexcept nogil:
    return (e * 1741647) >> 19


cdef inline uint64_t _scale(const uint64_t* power, uint64_t value) noexcept nogil:
    # High word of power * value, its lowest bit sticky: set when anything below it was.
    cdef uint64_t middle = power[0] * value
    cdef uint64_t high = mul64_high(power[0], value)
    cdef uint64_t carry = mul64_high(power[1], value)
    middle += carry
    if middle < carry:
        high += 1
    return high | (1 if middle > 1 else 0)


cdef void _shortest(uint64_t significand, int exponent, bint closer_below, uint64_t* digits,
                    int* decimal_exponent) noexcept nogil:
    # value = significand * 2^exponent; closer_below: the float below is half as far as the one above.
    cdef int k
    cdef int shift
    cdef const uint64_t* power
    cdef uint64_t lower
    cdef uint64_t middle
    cdef uint64_t upper
    cdef uint64_t s
    cdef uint64_t tens
    cdef bint down
    cdef bint up
    if closer_below:
        k = (exponent * 1262611 - 524031) >> 22
    else:
        k = (exponent * 1262611) >> 22
    shift = exponent + _log2_pow10(-k) + 1
    power = &powers[2 * (-k - POWER_LOW)]
    lower = _scale(power, (4 * significand - 2 + (1 if closer_below else 0)) << shift) + 1
    middle = _scale(power, (4 * significand) << shift)
    upper = _scale(power, (4 * significand + 2) << shift) - 1
    s = middle / 4
    if s >= 10:
        tens = s / 10
        down = lower <= 40 * tens
        up = 40 * tens + 40 <= upper
        if down != up:
            digits[0] = tens + (1 if up else 0)
            decimal_exponent[0] = k + 1
            return
    down = lower <= 4 * s
    up = 4 * s + 4 <= upper
    decimal_exponent[0] = k
    if down != up:
        digits[0] = s + (1 if up else 0)
    elif middle > 4 * s + 2 or (middle == 4 * s + 2 and (s & 1) != 0):
        digits[0] = s + 1
    else:
        digits[0] = s


cdef void float8_shortest(double value, unsigned long long* digits, int* exponent) noexcept nogil:
    cdef uint64_t bits
    cdef uint64_t fraction
    cdef uint64_t result
    cdef int binary
    memcpy(&bits, &value, 8)
    fraction = bits & 0xFFFFFFFFFFFFFULL
    binary = <int>((bits >> 52) & 0x7FF)
    if binary != 0:
        if binary <= 1075 and binary >= 1023:
            # Integers below 2^53 are their own shortest form.
            result = fraction | (1ULL << 52)
            if (result & ((1ULL << (1075 - binary)) - 1)) == 0:
                digits[0] = result >> (1075 - binary)
                exponent[0] = 0
                return
        _shortest(fraction | (1ULL << 52), binary - 1075, fraction == 0 and binary > 1, &result, exponent)
    else:
        _shortest(fraction, -1074, False, &result, exponent)
    digits[0] = result


cdef void _float4_shortest(float value, uint64_t* digits, int* exponent) noexcept nogil:
    cdef uint32_t bits
    cdef uint32_t fraction
    cdef int binary
    memcpy(&bits, &value, 4)
    fraction = bits & 0x7FFFFF
    binary = <int>((bits >> 23) & 0xFF)
    if binary != 0:
        if binary <= 150 and binary >= 127 and ((fraction | 0x800000) & ((1U << (150 - binary)) - 1)) == 0:
            digits[0] = (fraction | 0x800000) >> (150 - binary)
            exponent[0] = 0
            return
        _shortest(fraction | 0x800000, binary - 150, fraction == 0 and binary > 1, digits, exponent)
    else:
        _shortest(fraction, -149, False, digits, exponent)


cdef void _layout(uint64_t digits, int exponent, bint negative, int scientific_from, Buffer* out) noexcept nogil:
    cdef uint8_t text[20]
    cdef uint8_t* at = buffer_reserve(out, 40)
    cdef int n
    cdef int first          # exponent of the first digit
    if at == NULL:
        return
    n = <int>(write_u64(&text[0], digits) - &text[0])
    first = exponent + n - 1
    while n > 1 and text[n - 1] == c'0':
        n -= 1
    if negative:
        at[0] = c'-'
        at += 1
    if first < -4 or first >= scientific_from:
        at[0] = text[0]
        at += 1
        if n > 1:
            at[0] = c'.'
            memcpy(at + 1, &text[1], n - 1)
            at += n
        at[0] = c'e'
        at[1] = c'-' if first < 0 else c'+'
        at += 2
        if first < 0:
            first = -first
        if first < 10:
            at[0] = c'0'
            at += 1
        at = write_u64(at, first)
    elif first < 0:
        at[0] = c'0'
        at[1] = c'.'
        at += 2
        memset(at, c'0', -first - 1)
        at += -first - 1
        memcpy(at, &text[0], n)
        at += n
    elif n <= first + 1:
        memcpy(at, &text[0], n)
        memset(at + n, c'0', first + 1 - n)
        at += first + 1
    else:
        memcpy(at, &text[0], first + 1)
        at += first + 1
        at[0] = c'.'
        memcpy(at + 1, &text[first + 1], n - first - 1)
        at += n - first
    out.size = at - out.data


cdef bint _special(double value, Buffer* out) noexcept nogil:
    if isnan(value):
        put_text(out, b"NaN")
    elif isinf(value):
        put_text(out, b"Infinity" if value > 0 else b"-Infinity")
    elif value == 0:
        put_text(out, b"-0" if <int64_t>_bits(value) < 0 else b"0")
    else:
        return False
    return True


cdef inline uint64_t _bits(double value) noexcept nogil:
    cdef uint64_t bits
    memcpy(&bits, &value, 8)
    return bits


cdef void _printf(double value, int precision, Buffer* out) noexcept nogil:
    cdef uint8_t* at = buffer_reserve(out, 64)
    if precision < 1:
        precision = 1
    if at != NULL:
        out.size += <size_t>snprintf(<char*>at, 64, b"%.*g", precision, value)


cdef void float8_output(double value, int32_t extra_float_digits, Buffer* out) noexcept nogil:
    cdef unsigned long long digits
    cdef int exponent
    if isnan(value) or isinf(value):
        _special(value, out)
    elif extra_float_digits <= 0:
        _printf(value, 15 + extra_float_digits, out)
    elif not _special(value, out):
        float8_shortest(-value if value < 0 else value, &digits, &exponent)
        _layout(digits, exponent, value < 0, 15, out)


cdef void float4_output(float value, int32_t extra_float_digits, Buffer* out) noexcept nogil:
    cdef uint64_t digits
    cdef int exponent
    if isnan(value) or isinf(value):
        _special(value, out)
    elif extra_float_digits <= 0:
        _printf(value, 6 + extra_float_digits, out)
    elif not _special(value, out):
        _float4_shortest(-value if value < 0 else value, &digits, &exponent)
        _layout(digits, exponent, value < 0, 6, out)


cdef int _float_input(const uint8_t* text, size_t size, bint is_float4, double* out, float* out4,
                      dsql_error_t* error) noexcept nogil:
    cdef const char* type_name = b"real" if is_float4 else b"double precision"
    cdef char stack[128]
    cdef char* copy = &stack[0]
    cdef char* end = NULL
    cdef const uint8_t* at = text
    cdef size_t n = size
    cdef double value = 0
    cdef float value4 = 0
    cdef int failure
    while n > 0 and is_space(at[0]):
        at += 1
        n -= 1
    while n > 0 and is_space(at[n - 1]):
        n -= 1
    if n == 0:
        return invalid_syntax(type_name, text, size, error)
    if n >= 128:
        copy = <char*>malloc(n + 1)
        if copy == NULL:
            dsql_error_set(error, b"53200", b"out of memory")
            return -1
    memcpy(copy, at, n)
    copy[n] = 0
    errno.errno = 0
    if is_float4:
        value4 = strtof(copy, &end)
        value = value4
    else:
        value = strtod(copy, &end)
    failure = errno.errno
    if end != copy + n:
        if copy != &stack[0]:
            free(copy)
        return invalid_syntax(type_name, text, size, error)
    if failure == ERANGE and (value == 0 or isinf(value)):
        dsql_error_set(error, b"22003", b"\"%s\" is out of range for type %s", copy, type_name)
        if copy != &stack[0]:
            free(copy)
        return -1
    if copy != &stack[0]:
        free(copy)
    if is_float4:
        out4[0] = value4
    else:
        out[0] = value
    return 0


cdef int float8_input(const uint8_t* text, size_t size, double* out, dsql_error_t* error) noexcept nogil:
    return _float_input(text, size, False, out, NULL, error)


cdef int float4_input(const uint8_t* text, size_t size, float* out, dsql_error_t* error) noexcept nogil:
    return _float_input(text, size, True, NULL, out, error)
