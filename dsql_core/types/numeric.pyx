"""numeric: exact decimal arithmetic with PostgreSQL's result scales.

Layouts are in numeric.pxd. Almost every value of a business table fits the small form, a 64-bit mantissa with a
decimal scale; arithmetic on two small values runs in 128-bit integers and falls back to types/bignum when a
result does not fit.

I1  Canonical: a finite value with dscale <= 18 and |mantissa| < 10^18 is always in the small form.
I2  Results are new bytes in the pool, or the argument's own bytes when the value does not change.
I3  Scales of results are PostgreSQL's: add, sub, mod max(s1, s2); mul s1 + s2; div by big_div_scale; NaN and the
    infinities have none.
"""
from libc.math cimport isinf, isnan
from libc.stdint cimport int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdio cimport snprintf
from libc.stdlib cimport strtod
from libc.string cimport memcpy

from dsql_core.base.error cimport dsql_error_detail, dsql_error_set, dsql_error_t
from dsql_core.base.memory cimport Buffer, Pool, buffer_append_u8, buffer_free, buffer_init, pool_alloc
from dsql_core.base.vector cimport Var
from dsql_core.types.bignum cimport (
    NUMERIC_DISPLAY_SCALE_MAX, NUMERIC_DSCALE_MAX, NUMERIC_NAN, NUMERIC_NEG, NUMERIC_NINF, NUMERIC_PINF, NUMERIC_POS,
    NUMERIC_SIGNIFICANT_MIN, NUMERIC_WEIGHT_MAX, NumVar, big_add, big_compare, big_div, big_div_scale, big_from_i128,
    big_mul, big_round, big_sqrt, big_strip, big_sub, big_trunc,
)
from dsql_core.types.int128 cimport decimal_digits, int128, int128_mul_overflow, pow10_i64
from dsql_core.types.numeric_text cimport numeric_output, numeric_parse
from dsql_core.types.text cimport out_of_memory

cdef enum:
    SCALE_LIMIT = 2000          # round and trunc accept scales within +-2000

# NaN, Infinity and -Infinity in the large form (sign word little-endian).
cdef const char* SPECIALS = b"\x00\xC0\x00\x00\x00\x00\x00\xD0\x00\x00\x00\x00\x00\xF0\x00\x00\x00\x00"


cdef inline uint64_t _magnitude(int64_t value) noexcept nogil:
    return 0 - <uint64_t>value if value < 0 else <uint64_t>value


cdef int numeric_set_special(int sign, Var* out) noexcept nogil:
    if sign == NUMERIC_NAN:
        out.data = <const uint8_t*>SPECIALS
    elif sign == NUMERIC_PINF:
        out.data = <const uint8_t*>SPECIALS + 6
    else:
        out.data = <const uint8_t*>SPECIALS + 12
    out.size = 6
    out.reserved = 0
    return 0


cdef inline int _set_small(int64_t mantissa, int dscale, Pool* pool, Var* out, dsql_error_t* error) noexcept nogil:
    cdef uint8_t* at = <uint8_t*>pool_alloc(pool, 16)
    if at == NULL:
        return out_of_memory(error)
    numeric_write_small(at, mantissa, dscale, out)
    return 0


cdef inline uint16_t _word(const Var* a, int offset) noexcept nogil:
    cdef uint16_t word
    memcpy(&word, a.data + offset, 2)
    return word


cdef int numeric_special(const Var* a) noexcept nogil:
    cdef uint16_t sign
    if a.size == NUMERIC_SMALL_SIZE:
        return 0
    sign = _word(a, 0)
    return sign if sign >= NUMERIC_NAN else 0


cdef bint numeric_is_nan(const Var* a) noexcept nogil:
    return a.size != NUMERIC_SMALL_SIZE and _word(a, 0) == NUMERIC_NAN


cdef int numeric_sign(const Var* a) noexcept nogil:
    cdef int64_t mantissa
    cdef uint16_t sign
    if a.size == NUMERIC_SMALL_SIZE:
        mantissa = numeric_mantissa(a)
        return (mantissa > 0) - (mantissa < 0)
    sign = _word(a, 0)
    if sign == NUMERIC_NAN or (a.size == 6 and sign < NUMERIC_NAN):
        return 0
    return -1 if sign == NUMERIC_NEG or sign == NUMERIC_NINF else 1


cdef int numeric_scale(const Var* a) noexcept nogil:
    if a.size == NUMERIC_SMALL_SIZE:
        return a.data[8]
    return _word(a, 4) if _word(a, 0) < NUMERIC_NAN else 0


cdef void numeric_unpack(const Var* a, NumericUnpacked* out) noexcept nogil:
    cdef uint64_t magnitude
    cdef uint64_t quotient
    cdef int64_t mantissa
    cdef int dscale
    cdef int within
    cdef int at = 12
    if a.size != NUMERIC_SMALL_SIZE:
        out.var.sign = _word(a, 0)
        out.var.weight = <int16_t>_word(a, 2)
        out.var.dscale = _word(a, 4)
        out.var.digit_count = <int32_t>((a.size - 6) / 2)
        out.var.digits = <const int16_t*>(a.data + 6)
        return
    mantissa = numeric_mantissa(a)
    magnitude = _magnitude(mantissa)
    dscale = a.data[8]
    within = dscale % 4
    if within > 0:
        quotient = magnitude / <uint64_t>pow10_i64[within]
        at -= 1
        out.room[at] = <int16_t>((magnitude - quotient * <uint64_t>pow10_i64[within]) * <uint64_t>pow10_i64[4 - within])
        magnitude = quotient
    while magnitude != 0:
        quotient = magnitude / 10000
        at -= 1
        out.room[at] = <int16_t>(magnitude - quotient * 10000)
        magnitude = quotient
    out.var.digits = &out.room[at] if at < 12 else &out.room[0]
    out.var.digit_count = 12 - at
    out.var.weight = 12 - at - 1 - (dscale + 3) / 4
    out.var.dscale = dscale
    out.var.sign = NUMERIC_NEG if mantissa < 0 else NUMERIC_POS
    big_strip(&out.var)


cdef int _overflow(dsql_error_t* error) noexcept nogil:
    dsql_error_set(error, b"22003", b"value overflows numeric format")
    return -1


cdef int numeric_pack(const NumVar* a, Pool* pool, Var* out, dsql_error_t* error) noexcept nogil:
    cdef NumVar v = a[0]
    cdef int128 mantissa = 0
    cdef uint16_t word
    cdef int16_t weight
    cdef uint8_t* at
    cdef int shift
    cdef int i
    if v.sign >= NUMERIC_NAN:
        return numeric_set_special(v.sign, out)
    big_strip(&v)
    if v.dscale <= NUMERIC_SMALL_SCALE_MAX and v.digit_count <= 9 and v.weight <= 4 and v.weight >= -6:
        # mantissa = digits * 10^(4 * position of the last digit + dscale); digits below dscale are zero.
        for i in range(v.digit_count):
            mantissa = mantissa * 10000 + v.digits[i]
        shift = 4 * (v.weight - v.digit_count + 1) + v.dscale
        while shift < 0:
            mantissa = mantissa / pow10_i64[-shift if shift > -18 else 18]
            shift = 0 if shift > -18 else shift + 18
        if shift > 18 or (shift > 0 and mantissa >= pow10_i64[18]):
            if mantissa != 0:
                mantissa = pow10_i64[18]
        elif shift > 0:
            mantissa = mantissa * pow10_i64[shift]
        if mantissa < pow10_i64[18]:
            return _set_small(-<int64_t>mantissa if v.sign == NUMERIC_NEG else <int64_t>mantissa, v.dscale, pool,
                              out, error)
    if v.weight > NUMERIC_WEIGHT_MAX or v.weight < -NUMERIC_WEIGHT_MAX or v.dscale > NUMERIC_DSCALE_MAX:
        return _overflow(error)
    at = <uint8_t*>pool_alloc(pool, 6 + 2 * <size_t>v.digit_count)
    if at == NULL:
        return out_of_memory(error)
    memcpy(at, &v.sign, 2)
    weight = <int16_t>v.weight
    memcpy(at + 2, &weight, 2)
    word = <uint16_t>v.dscale
    memcpy(at + 4, &word, 2)
    memcpy(at + 6, v.digits, 2 * <size_t>v.digit_count)
    out.data = at
    out.size = 6 + 2 * <uint32_t>v.digit_count
    out.reserved = 0
    return 0


cdef int numeric_from_i128(int128 mantissa, int dscale, Pool* pool, Var* out, dsql_error_t* error) noexcept nogil:
    cdef NumVar v
    if dscale <= NUMERIC_SMALL_SCALE_MAX and mantissa > -pow10_i64[18] and mantissa < pow10_i64[18]:
        return _set_small(<int64_t>mantissa, dscale, pool, out, error)
    if big_from_i128(mantissa, dscale, pool, &v) < 0:
        return out_of_memory(error)
    return numeric_pack(&v, pool, out, error)


cdef int numeric_from_int64(int64_t value, Pool* pool, Var* out, dsql_error_t* error) noexcept nogil:
    cdef int128 wide = value
    return numeric_from_i128(wide, 0, pool, out, error)


cdef int _from_printed(double value, int digits, Pool* pool, Var* out, dsql_error_t* error) noexcept nogil:
    cdef char text[64]
    cdef int n
    if isnan(value):
        return numeric_set_special(NUMERIC_NAN, out)
    if isinf(value):
        return numeric_set_special(NUMERIC_PINF if value > 0 else NUMERIC_NINF, out)
    n = snprintf(&text[0], 64, b"%.*g", digits, value)
    return numeric_parse(<const uint8_t*>&text[0], n, pool, out, error)


cdef int numeric_from_double(double value, Pool* pool, Var* out, dsql_error_t* error) noexcept nogil:
    return _from_printed(value, 15, pool, out, error)


cdef int numeric_from_float(float value, Pool* pool, Var* out, dsql_error_t* error) noexcept nogil:
    return _from_printed(value, 6, pool, out, error)


cdef int numeric_to_double(const Var* a, double* out, dsql_error_t* error) noexcept nogil:
    cdef int64_t mantissa
    cdef Buffer text
    cdef int special = numeric_special(a)
    if special != 0:
        # NaN and the infinities, without a constant for NaN.
        out[0] = strtod(b"NaN" if special == NUMERIC_NAN else b"inf" if special == NUMERIC_PINF else b"-inf", NULL)
        return 0
    if numeric_is_small(a):
        mantissa = numeric_mantissa(a)
        if mantissa > -(1LL << 53) and mantissa < (1LL << 53):
            # Both operands are exact doubles, so the quotient is correctly rounded.
            out[0] = <double>mantissa / <double>pow10_i64[a.data[8]]
            return 0
    buffer_init(&text)
    numeric_output(a, &text)
    buffer_append_u8(&text, 0)
    if text.failed:
        buffer_free(&text)
        return out_of_memory(error)
    out[0] = strtod(<const char*>text.data, NULL)
    if isinf(out[0]):
        dsql_error_set(error, b"22003", b"\"%.900s\" is out of range for type double precision", <const char*>text.data)
        buffer_free(&text)
        return -1
    buffer_free(&text)
    return 0


cdef int numeric_to_integer(const Var* a, int64_t low, int64_t high, const char* type_name, int64_t* out,
                            dsql_error_t* error) noexcept nogil:
    cdef NumericUnpacked v
    cdef int64_t mantissa
    cdef int64_t unit
    cdef int64_t rest
    cdef int128 wide = 0
    cdef int special
    cdef int32_t i
    cdef int32_t first
    if numeric_is_small(a):
        mantissa = numeric_mantissa(a)
        if a.data[8] > 0:
            unit = pow10_i64[a.data[8]]
            rest = mantissa % unit
            mantissa = mantissa / unit
            if rest >= unit - rest:
                mantissa += 1
            elif -rest >= unit + rest:
                mantissa -= 1
        wide = mantissa
    else:
        special = numeric_special(a)
        if special != 0:
            dsql_error_set(error, b"0A000", b"cannot convert NaN to %s" if special == NUMERIC_NAN
                           else b"cannot convert infinity to %s", type_name)
            return -1
        numeric_unpack(a, &v)
        if v.var.weight > 5:
            dsql_error_set(error, b"22003", b"%s out of range", type_name)
            return -1
        for i in range(v.var.weight + 1):
            wide = wide * 10000
            if i < v.var.digit_count:
                wide = wide + v.var.digits[i]
        i = v.var.weight + 1
        if i >= 0 and i < v.var.digit_count:
            first = v.var.digits[i]
            if first >= 5000:
                wide = wide + 1
        if v.var.sign == NUMERIC_NEG:
            wide = -wide
    if wide < low or wide > high:
        dsql_error_set(error, b"22003", b"%s out of range", type_name)
        return -1
    out[0] = <int64_t>wide
    return 0


cdef int _add_specials(int a, int b, Var* out) noexcept nogil:
    if a == 0:
        return numeric_set_special(b, out)
    if b == 0 or a == b:
        return numeric_set_special(a, out)
    return numeric_set_special(NUMERIC_NAN, out)


cdef int _add_big(const Var* a, const Var* b, bint subtract, Pool* pool, Var* out, dsql_error_t* error) noexcept nogil:
    cdef NumericUnpacked x
    cdef NumericUnpacked y
    cdef NumVar result
    cdef int status
    cdef int a_special = numeric_special(a)
    cdef int b_special = numeric_special(b)
    if subtract and b_special != 0 and b_special != NUMERIC_NAN:
        b_special = NUMERIC_NINF if b_special == NUMERIC_PINF else NUMERIC_PINF
    if a_special != 0 or b_special != 0:
        return _add_specials(a_special, b_special, out)
    numeric_unpack(a, &x)
    numeric_unpack(b, &y)
    if subtract:
        status = big_sub(&x.var, &y.var, pool, &result)
    else:
        status = big_add(&x.var, &y.var, pool, &result)
    if status < 0:
        return out_of_memory(error)
    return numeric_pack(&result, pool, out, error)


cdef inline int _add_small(const Var* a, const Var* b, bint subtract, Pool* pool, Var* out,
                           dsql_error_t* error) noexcept nogil:
    cdef int a_scale = a.data[8]
    cdef int b_scale = b.data[8]
    cdef int64_t x = numeric_mantissa(a)
    cdef int64_t y = numeric_mantissa(b)
    cdef int64_t sum
    cdef int128 wide
    cdef int128 other
    if subtract:
        y = -y
    if a_scale == b_scale:
        sum = x + y                          # below 2 * 10^18: no overflow
        if sum > -pow10_i64[18] and sum < pow10_i64[18]:
            return _set_small(sum, a_scale, pool, out, error)
        wide = sum
        return numeric_from_i128(wide, a_scale, pool, out, error)
    wide = x
    other = y
    if a_scale < b_scale:
        wide = wide * pow10_i64[b_scale - a_scale]
        a_scale = b_scale
    else:
        other = other * pow10_i64[a_scale - b_scale]
    wide = wide + other
    return numeric_from_i128(wide, a_scale, pool, out, error)


cdef int numeric_add(const Var* a, const Var* b, Pool* pool, Var* out, dsql_error_t* error) noexcept nogil:
    if numeric_is_small(a) and numeric_is_small(b):
        return _add_small(a, b, False, pool, out, error)
    return _add_big(a, b, False, pool, out, error)


cdef int numeric_sub(const Var* a, const Var* b, Pool* pool, Var* out, dsql_error_t* error) noexcept nogil:
    if numeric_is_small(a) and numeric_is_small(b):
        return _add_small(a, b, True, pool, out, error)
    return _add_big(a, b, True, pool, out, error)


cdef int numeric_mul(const Var* a, const Var* b, Pool* pool, Var* out, dsql_error_t* error) noexcept nogil:
    cdef NumericUnpacked x
    cdef NumericUnpacked y
    cdef NumVar result
    cdef int128 wide
    cdef int a_special
    cdef int b_special
    cdef int sign
    if numeric_is_small(a) and numeric_is_small(b):
        wide = numeric_mantissa(a)
        wide = wide * numeric_mantissa(b)
        return numeric_from_i128(wide, a.data[8] + b.data[8], pool, out, error)
    a_special = numeric_special(a)
    b_special = numeric_special(b)
    if a_special != 0 or b_special != 0:
        sign = numeric_sign(a) * numeric_sign(b)          # 0 with NaN or a zero: both give NaN
        return numeric_set_special(NUMERIC_NAN if sign == 0 else NUMERIC_PINF if sign > 0 else NUMERIC_NINF, out)
    numeric_unpack(a, &x)
    numeric_unpack(b, &y)
    if big_mul(&x.var, &y.var, pool, &result) < 0:
        return out_of_memory(error)
    if result.dscale > NUMERIC_DSCALE_MAX and big_round(&result, NUMERIC_DSCALE_MAX, pool, &result) < 0:
        return out_of_memory(error)
    return numeric_pack(&result, pool, out, error)


cdef int _division_by_zero(dsql_error_t* error) noexcept nogil:
    dsql_error_set(error, b"22012", b"division by zero")
    return -1


cdef int _divide_specials(const Var* a, const Var* b, int a_special, int b_special, Pool* pool, Var* out,
                          dsql_error_t* error) noexcept nogil:
    # Quotient when an argument is not finite.
    cdef int sign
    if a_special == NUMERIC_NAN or b_special == NUMERIC_NAN:
        return numeric_set_special(NUMERIC_NAN, out)
    if a_special == 0:
        return _set_small(0, 0, pool, out, error)         # finite / infinite
    if b_special != 0:
        return numeric_set_special(NUMERIC_NAN, out)
    sign = numeric_sign(a) * numeric_sign(b)
    if sign == 0:
        return _division_by_zero(error)
    return numeric_set_special(NUMERIC_PINF if sign > 0 else NUMERIC_NINF, out)


cdef inline int _first_digit(uint64_t magnitude, int dscale, int* weight) noexcept nogil:
    # First base-10000 digit of magnitude * 10^-dscale and its weight.
    cdef int digits
    cdef int before
    cdef int within
    if magnitude == 0:
        weight[0] = 0
        return 0
    digits = decimal_digits(magnitude)
    before = digits - dscale - 1                       # decimal exponent of the first digit
    weight[0] = before >> 2
    within = before - (weight[0] << 2) + 1             # its digits in the first base-10000 digit
    if digits >= within:
        return <int>(magnitude / <uint64_t>pow10_i64[digits - within])
    return <int>(magnitude * <uint64_t>pow10_i64[within - digits])


cdef int _divide_small(const Var* a, const Var* b, Pool* pool, Var* out, dsql_error_t* error) noexcept nogil:
    # 1 when done, 0 when the quotient needs the long way, -1 on error.
    cdef int64_t divisor = numeric_mantissa(b)
    cdef int128 wide = numeric_mantissa(a)
    cdef int128 rest
    cdef int128 quotient
    cdef int a_weight
    cdef int b_weight
    cdef int a_first = _first_digit(_magnitude(numeric_mantissa(a)), a.data[8], &a_weight)
    cdef int b_first = _first_digit(_magnitude(divisor), b.data[8], &b_weight)
    cdef int scale
    cdef int shift
    scale = a_weight - b_weight
    if a_first <= b_first:
        scale -= 1
    scale = NUMERIC_SIGNIFICANT_MIN - scale * 4
    if scale < a.data[8]:
        scale = a.data[8]
    if scale < b.data[8]:
        scale = b.data[8]
    if scale < 0:
        scale = 0
    shift = scale + b.data[8] - a.data[8]
    while shift > 0:
        if int128_mul_overflow(wide, pow10_i64[shift if shift < 18 else 18], &wide):
            return 0
        shift -= 18
    quotient = wide / divisor
    rest = wide - quotient * divisor
    if rest < 0:
        rest = -rest
    if rest * 2 >= _magnitude(divisor):
        quotient += 1 if (wide < 0) == (divisor < 0) else -1
    return -1 if numeric_from_i128(quotient, scale, pool, out, error) < 0 else 1


cdef int numeric_div(const Var* a, const Var* b, Pool* pool, Var* out, dsql_error_t* error) noexcept nogil:
    cdef NumericUnpacked x
    cdef NumericUnpacked y
    cdef NumVar result
    cdef int a_special
    cdef int b_special
    cdef int status
    if numeric_is_small(a) and numeric_is_small(b):
        if numeric_mantissa(b) == 0:
            return _division_by_zero(error)
        status = _divide_small(a, b, pool, out, error)
        if status != 0:
            return 0 if status > 0 else -1
    a_special = numeric_special(a)
    b_special = numeric_special(b)
    if a_special != 0 or b_special != 0:
        return _divide_specials(a, b, a_special, b_special, pool, out, error)
    numeric_unpack(a, &x)
    numeric_unpack(b, &y)
    if y.var.digit_count == 0:
        return _division_by_zero(error)
    if big_div(&x.var, &y.var, big_div_scale(&x.var, &y.var), 1, pool, &result) < 0:
        return out_of_memory(error)
    return numeric_pack(&result, pool, out, error)


cdef int numeric_div_trunc(const Var* a, const Var* b, Pool* pool, Var* out, dsql_error_t* error) noexcept nogil:
    cdef NumericUnpacked x
    cdef NumericUnpacked y
    cdef NumVar result
    cdef int a_special = numeric_special(a)
    cdef int b_special = numeric_special(b)
    if a_special != 0 or b_special != 0:
        return _divide_specials(a, b, a_special, b_special, pool, out, error)
    numeric_unpack(a, &x)
    numeric_unpack(b, &y)
    if y.var.digit_count == 0:
        return _division_by_zero(error)
    if big_div(&x.var, &y.var, 0, 0, pool, &result) < 0:
        return out_of_memory(error)
    return numeric_pack(&result, pool, out, error)


cdef int numeric_mod(const Var* a, const Var* b, Pool* pool, Var* out, dsql_error_t* error) noexcept nogil:
    cdef NumericUnpacked x
    cdef NumericUnpacked y
    cdef NumVar result
    cdef int a_special = numeric_special(a)
    cdef int b_special = numeric_special(b)
    if a_special != 0 or b_special != 0:
        if a_special == 0 and b_special != NUMERIC_NAN:
            out[0] = a[0]                                 # finite % infinite
            return 0
        if a_special != NUMERIC_NAN and b_special == 0 and numeric_sign(b) == 0:
            return _division_by_zero(error)
        return numeric_set_special(NUMERIC_NAN, out)
    if numeric_is_small(a) and numeric_is_small(b) and a.data[8] == b.data[8] and numeric_mantissa(b) != 0:
        return _set_small(numeric_mantissa(a) % numeric_mantissa(b), a.data[8], pool, out, error)
    numeric_unpack(a, &x)
    numeric_unpack(b, &y)
    if y.var.digit_count == 0:
        return _division_by_zero(error)
    if big_div(&x.var, &y.var, 0, 0, pool, &result) < 0 or big_mul(&result, &y.var, pool, &result) < 0 or \
            big_sub(&x.var, &result, pool, &result) < 0:
        return out_of_memory(error)
    return numeric_pack(&result, pool, out, error)


cdef int numeric_neg(const Var* a, Pool* pool, Var* out, dsql_error_t* error) noexcept nogil:
    cdef NumericUnpacked x
    cdef int special
    if numeric_is_small(a):
        return _set_small(-numeric_mantissa(a), a.data[8], pool, out, error)
    special = numeric_special(a)
    if special == NUMERIC_NAN:
        return numeric_set_special(special, out)
    if special != 0:
        return numeric_set_special(NUMERIC_NINF if special == NUMERIC_PINF else NUMERIC_PINF, out)
    numeric_unpack(a, &x)
    if x.var.digit_count > 0:
        x.var.sign = NUMERIC_POS if x.var.sign == NUMERIC_NEG else NUMERIC_NEG
    return numeric_pack(&x.var, pool, out, error)


cdef int numeric_abs(const Var* a, Pool* pool, Var* out, dsql_error_t* error) noexcept nogil:
    if numeric_sign(a) < 0:
        return numeric_neg(a, pool, out, error)
    out[0] = a[0]
    return 0


cdef int _round_small(const Var* a, int32_t scale, int mode, Pool* pool, Var* out, dsql_error_t* error) noexcept nogil:
    # mode 0 half away from zero, 1 towards zero, 2 down, 3 up. 1 done, 0 needs the long way, -1 error.
    cdef int64_t mantissa = numeric_mantissa(a)
    cdef int64_t unit
    cdef int64_t rest
    cdef int drop = a.data[8] - scale
    if scale < 0 or drop < 0 or drop > 18:
        return 0
    if drop == 0:
        out[0] = a[0]
        return 1
    unit = pow10_i64[drop]
    rest = mantissa % unit
    mantissa = mantissa / unit
    if mode == 0:
        if rest >= unit - rest:
            mantissa += 1
        elif -rest >= unit + rest:
            mantissa -= 1
    elif mode == 2 and rest < 0:
        mantissa -= 1
    elif mode == 3 and rest > 0:
        mantissa += 1
    return -1 if _set_small(mantissa, scale, pool, out, error) < 0 else 1


cdef int _round(const Var* a, int32_t scale, int mode, Pool* pool, Var* out, dsql_error_t* error) noexcept nogil:
    cdef NumericUnpacked x
    cdef NumVar result
    cdef NumVar one
    cdef int16_t[1] digit
    cdef int status
    if scale > SCALE_LIMIT:
        scale = SCALE_LIMIT
    if scale < -SCALE_LIMIT:
        scale = -SCALE_LIMIT
    if numeric_is_small(a):
        status = _round_small(a, scale, mode, pool, out, error)
        if status != 0:
            return 0 if status > 0 else -1
    if numeric_special(a) != 0:
        out[0] = a[0]
        return 0
    numeric_unpack(a, &x)
    status = big_round(&x.var, scale, pool, &result) if mode == 0 else big_trunc(&x.var, scale, pool, &result)
    if status < 0:
        return out_of_memory(error)
    if mode >= 2 and big_compare(&result, &x.var) != 0 and (mode == 2) == (x.var.sign == NUMERIC_NEG):
        digit[0] = 1
        one.digits = &digit[0]
        one.digit_count = 1
        one.weight = 0
        one.dscale = 0
        one.sign = x.var.sign
        if big_add(&result, &one, pool, &result) < 0:
            return out_of_memory(error)
    return numeric_pack(&result, pool, out, error)


cdef int numeric_round(const Var* a, int32_t scale, Pool* pool, Var* out, dsql_error_t* error) noexcept nogil:
    return _round(a, scale, 0, pool, out, error)


cdef int numeric_trunc(const Var* a, int32_t scale, Pool* pool, Var* out, dsql_error_t* error) noexcept nogil:
    return _round(a, scale, 1, pool, out, error)


cdef int numeric_floor(const Var* a, Pool* pool, Var* out, dsql_error_t* error) noexcept nogil:
    return _round(a, 0, 2, pool, out, error)


cdef int numeric_ceil(const Var* a, Pool* pool, Var* out, dsql_error_t* error) noexcept nogil:
    return _round(a, 0, 3, pool, out, error)


cdef int numeric_sqrt(const Var* a, Pool* pool, Var* out, dsql_error_t* error) noexcept nogil:
    cdef NumericUnpacked x
    cdef NumVar result
    cdef int32_t scale
    if numeric_sign(a) < 0:
        dsql_error_set(error, b"2201F", b"cannot take square root of a negative number")
        return -1
    if numeric_special(a) != 0:
        out[0] = a[0]
        return 0
    numeric_unpack(a, &x)
    scale = NUMERIC_SIGNIFICANT_MIN - (x.var.weight * 2 + 1)
    if scale < x.var.dscale:
        scale = x.var.dscale
    if scale < 0:
        scale = 0
    if scale > NUMERIC_DISPLAY_SCALE_MAX:
        scale = NUMERIC_DISPLAY_SCALE_MAX
    if big_sqrt(&x.var, scale, pool, &result) < 0:
        return out_of_memory(error)
    return numeric_pack(&result, pool, out, error)


cdef int _compare_slow(const Var* a, const Var* b) noexcept nogil:
    cdef NumericUnpacked x
    cdef NumericUnpacked y
    cdef int a_special = numeric_special(a)
    cdef int b_special = numeric_special(b)
    cdef int a_rank
    cdef int b_rank
    if a_special != 0 or b_special != 0:
        a_rank = 1 if a_special == 0 else 3 if a_special == NUMERIC_NAN else 2 if a_special == NUMERIC_PINF else 0
        b_rank = 1 if b_special == 0 else 3 if b_special == NUMERIC_NAN else 2 if b_special == NUMERIC_PINF else 0
        return (a_rank > b_rank) - (a_rank < b_rank)
    numeric_unpack(a, &x)
    numeric_unpack(b, &y)
    return big_compare(&x.var, &y.var)


cdef int numeric_compare(const Var* a, const Var* b) noexcept nogil:
    cdef int64_t x
    cdef int64_t y
    cdef int128 wide
    cdef int128 other
    if not numeric_is_small(a) or not numeric_is_small(b):
        return _compare_slow(a, b)
    x = numeric_mantissa(a)
    y = numeric_mantissa(b)
    if a.data[8] == b.data[8]:
        return (x > y) - (x < y)
    wide = x
    other = y
    if a.data[8] < b.data[8]:
        wide = wide * pow10_i64[b.data[8] - a.data[8]]
    else:
        other = other * pow10_i64[a.data[8] - b.data[8]]
    return (wide > other) - (wide < other)


cdef uint64_t numeric_hash(const Var* a) noexcept nogil:
    # Over the stripped digits, so 1.0 and 1.00 agree in whatever form they lie.
    cdef NumericUnpacked v
    cdef uint64_t h
    cdef int32_t i
    numeric_unpack(a, &v)
    h = (<uint64_t>v.var.sign + 0x9E3779B97F4A7C15ULL) ^ <uint64_t><uint32_t>v.var.weight
    for i in range(v.var.digit_count):
        h = (h ^ <uint64_t>v.var.digits[i]) * 0x9FB21C651E98DF25ULL
        h ^= h >> 32
    h *= 0xD6E8FEB86659FD93ULL
    return h ^ (h >> 32)


cdef int numeric_apply_typmod(int32_t typmod, Var* value, Pool* pool, dsql_error_t* error) noexcept nogil:
    cdef NumericUnpacked v
    cdef int precision
    cdef int scale
    cdef int before
    cdef int special
    cdef int32_t first
    if typmod < 4:
        return 0
    precision = ((typmod - 4) >> 16) & 0xFFFF
    scale = (((typmod - 4) & 0x7FF) ^ 1024) - 1024
    special = numeric_special(value)
    if special == NUMERIC_NAN:
        return 0
    if special != 0:
        dsql_error_set(error, b"22003", b"numeric field overflow")
        dsql_error_detail(error, b"A field with precision %d, scale %d cannot hold an infinite value.", precision,
                          scale)
        return -1
    if numeric_scale(value) != scale and numeric_round(value, scale, pool, value, error) < 0:
        return -1
    if numeric_is_small(value):
        before = decimal_digits(_magnitude(numeric_mantissa(value))) - value.data[8]
        if numeric_mantissa(value) == 0 or before <= precision - scale:
            return 0
    else:
        numeric_unpack(value, &v)
        if v.var.digit_count == 0:
            return 0
        first = v.var.digits[0]
        before = v.var.weight * 4 + decimal_digits(<uint64_t>first)
        if before <= precision - scale:
            return 0
    dsql_error_set(error, b"22003", b"numeric field overflow")
    if precision == scale:
        dsql_error_detail(error, b"A field with precision %d, scale %d must round to an absolute value less than 1.",
                          precision, scale)
    else:
        dsql_error_detail(
            error, b"A field with precision %d, scale %d must round to an absolute value less than 10^%d.", precision,
            scale, precision - scale)
    return -1
