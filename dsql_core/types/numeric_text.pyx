"""numeric: text format (decimal with exponent, 0x 0o 0b integers, underscores, NaN, Infinity) and binary format.

Binary, big-endian: i16 digit count, i16 weight, u16 sign, u16 dscale, i16 base-10000 digits.

I1  A parser reads only its bytes and sets `error` exactly when it returns -1.
"""
from libc.stdint cimport int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from dsql_core.base.error cimport dsql_error_set, dsql_error_t
from dsql_core.base.memory cimport Buffer, Pool, buffer_reserve, pool_alloc
from dsql_core.base.vector cimport Var
from dsql_core.types.bignum cimport (
    NUMERIC_DSCALE_MAX, NUMERIC_NAN, NUMERIC_NEG, NUMERIC_NINF, NUMERIC_PINF, NUMERIC_POS, NumVar, big_add, big_mul,
    big_trunc,
)
from dsql_core.types.chars cimport (
    hex_digit, is_digit, is_space, load_be16, put_be16, put_text, same_text, write_padded, write_u64,
)
from dsql_core.types.int128 cimport int128, pow10_i64
from dsql_core.types.numeric cimport (
    NumericUnpacked, numeric_from_i128, numeric_is_small, numeric_mantissa, numeric_pack, numeric_set_special,
    numeric_special, numeric_unpack,
)
from dsql_core.types.scalar cimport invalid_syntax
from dsql_core.types.text cimport out_of_memory


cdef int _overflow(dsql_error_t* error) noexcept nogil:
    dsql_error_set(error, b"22003", b"value overflows numeric format")
    return -1


cdef int _parse_special(const uint8_t* at, size_t n, bint signed_, bint negative, Var* out) noexcept nogil:
    # NaN takes no sign. 0, -1 = neither.
    if same_text(at, n, b"nan") and not signed_:
        return numeric_set_special(NUMERIC_NAN, out)
    if same_text(at, n, b"infinity") or same_text(at, n, b"inf"):
        return numeric_set_special(NUMERIC_NINF if negative else NUMERIC_PINF, out)
    return -1


cdef int _parse_based(const uint8_t* text, size_t size, const uint8_t* at, const uint8_t* end, int base, bint negative,
                      Pool* pool, Var* out, dsql_error_t* error) noexcept nogil:
    # Digits of a 0x, 0o or 0b integer, taken 16^6 (or less) at a time.
    cdef NumVar total
    cdef NumVar factor
    cdef NumVar part
    cdef int16_t[3] factor_digits
    cdef int16_t[3] part_digits
    cdef int32_t chunk = 0
    cdef int32_t unit = 1
    cdef int digit
    cdef bint seen = False
    total.digit_count = 0
    total.weight = 0
    total.dscale = 0
    total.sign = NUMERIC_POS
    total.digits = &part_digits[0]
    factor.digits = &factor_digits[0]
    part.digits = &part_digits[0]
    factor.digit_count = part.digit_count = 3
    factor.weight = part.weight = 2
    factor.dscale = part.dscale = 0
    factor.sign = part.sign = NUMERIC_POS
    while True:
        digit = -1
        if at < end:
            if at[0] == c'_' and at + 1 < end:
                at += 1
            digit = hex_digit(at[0])
            if digit < 0 or digit >= base:
                return invalid_syntax(b"numeric", text, size, error)
            at += 1
            seen = True
            chunk = chunk * base + digit
            unit *= base
        if (digit < 0 and unit > 1) or unit >= 1 << 24:
            factor_digits[0] = <int16_t>(unit / 100000000)
            factor_digits[1] = <int16_t>(unit / 10000 % 10000)
            factor_digits[2] = <int16_t>(unit % 10000)
            part_digits[0] = <int16_t>(chunk / 100000000)
            part_digits[1] = <int16_t>(chunk / 10000 % 10000)
            part_digits[2] = <int16_t>(chunk % 10000)
            if big_mul(&total, &factor, pool, &total) < 0 or big_add(&total, &part, pool, &total) < 0:
                return out_of_memory(error)
            chunk = 0
            unit = 1
        if digit < 0:
            break
    if not seen:
        return invalid_syntax(b"numeric", text, size, error)
    if negative and total.digit_count > 0:
        total.sign = NUMERIC_NEG
    return numeric_pack(&total, pool, out, error)


cdef int _pack_decimal(const uint8_t* digits, int64_t count, int64_t point, int64_t dscale, bint negative, Pool* pool,
                       Var* out, dsql_error_t* error) noexcept nogil:
    # Decimal digit values with the point after `point` of them (may lie outside), into base-10000 digits.
    cdef NumVar v
    cdef int16_t* result
    cdef int64_t skip = 0
    cdef int64_t weight
    cdef int64_t padding
    cdef int64_t n
    cdef int64_t i
    cdef int64_t j
    cdef int32_t digit
    while skip < count and digits[skip] == 0:
        skip += 1
    digits += skip
    count -= skip
    point -= skip
    if dscale > NUMERIC_DSCALE_MAX:
        return _overflow(error)
    v.dscale = <int32_t>dscale
    v.sign = NUMERIC_NEG if negative else NUMERIC_POS
    # Weight of the group holding the first digit, and the zeros before it in that group.
    weight = (point - 1) >> 2
    padding = ((weight + 1) << 2) - point
    n = (count + padding + 3) >> 2
    if count == 0:
        n = 0
        weight = 0
    if weight > 32767 or weight < -32767:
        return _overflow(error)
    result = <int16_t*>pool_alloc(pool, <size_t>(n + 1) * 2)
    if result == NULL:
        return out_of_memory(error)
    for i in range(n):
        digit = 0
        for j in range(4):
            digit *= 10
            if i * 4 + j >= padding and i * 4 + j - padding < count:
                digit += digits[i * 4 + j - padding]
        result[i] = <int16_t>digit
    v.digits = result
    v.digit_count = <int32_t>n
    v.weight = <int32_t>weight
    return numeric_pack(&v, pool, out, error)


cdef int _parse_exponent(const uint8_t** position, const uint8_t* end, int64_t* out) noexcept nogil:
    # After 'e': [+-]digits. 0, -1 = malformed; huge values are clipped, the caller finds them out of range.
    cdef const uint8_t* at = position[0]
    cdef const uint8_t* first
    cdef bint negative = False
    cdef int64_t value = 0
    if at < end and (at[0] == c'-' or at[0] == c'+'):
        negative = at[0] == c'-'
        at += 1
    first = at
    while at < end and (is_digit(at[0]) or (at[0] == c'_' and at > first and end - at > 1 and is_digit(at[1]))):
        if at[0] != c'_' and value < 1000000000000LL:
            value = value * 10 + (at[0] - 48)
        at += 1
    if at == first:
        return -1
    out[0] = -value if negative else value
    position[0] = at
    return 0


cdef int numeric_parse(const uint8_t* text, size_t size, Pool* pool, Var* out, dsql_error_t* error) noexcept nogil:
    cdef const uint8_t* at = text
    cdef const uint8_t* end = text + size
    cdef const uint8_t* first
    cdef uint8_t* digits
    cdef int64_t mantissa = 0
    cdef int64_t count = 0
    cdef int64_t point = -1
    cdef int64_t exponent = 0
    cdef int128 wide
    cdef bint negative = False
    cdef bint signed_ = False
    cdef int base = 10
    while at < end and is_space(at[0]):
        at += 1
    while end > at and is_space((end - 1)[0]):
        end -= 1
    if at < end and (at[0] == c'-' or at[0] == c'+'):
        negative = at[0] == c'-'
        signed_ = True
        at += 1
    # Plain decimals of up to 18 digits: the common case.
    first = at
    while at < end and count < 19:
        if is_digit(at[0]):
            mantissa = mantissa * 10 + (at[0] - 48)
            count += 1
        elif at[0] == c'.' and point < 0:
            point = count
        else:
            break
        at += 1
    if at == end and count > 0 and count <= 18:
        wide = -mantissa if negative else mantissa
        return numeric_from_i128(wide, <int>(count - point) if point >= 0 else 0, pool, out, error)
    at = first
    if at == end:
        return invalid_syntax(b"numeric", text, size, error)
    if not is_digit(at[0]) and at[0] != c'.':
        if _parse_special(at, end - at, signed_, negative, out) < 0:
            return invalid_syntax(b"numeric", text, size, error)
        return 0
    if at[0] == c'0' and end - at > 2:
        base = 16 if (at[1] | 32) == c'x' else 8 if (at[1] | 32) == c'o' else 2 if (at[1] | 32) == c'b' else 10
        if base != 10:
            return _parse_based(text, size, at + 2, end, base, negative, pool, out, error)
    digits = <uint8_t*>pool_alloc(pool, end - at)
    if digits == NULL:
        return out_of_memory(error)
    count = 0
    point = -1
    while at < end:
        if is_digit(at[0]):
            digits[count] = at[0] - 48
            count += 1
        elif at[0] == c'.' and point < 0:
            point = count
        elif at[0] == c'_' and at > first and is_digit((at - 1)[0]) and end - at > 1 and is_digit(at[1]):
            pass
        else:
            break
        at += 1
    if count == 0:
        return invalid_syntax(b"numeric", text, size, error)
    if at < end and (at[0] | 32) == c'e':
        at += 1
        if _parse_exponent(&at, end, &exponent) < 0:
            return invalid_syntax(b"numeric", text, size, error)
    if at != end:
        return invalid_syntax(b"numeric", text, size, error)
    if exponent > 1073741822 or exponent < -1073741822:
        return _overflow(error)
    if point < 0:
        point = count
    point += exponent
    return _pack_decimal(digits, count, point, count - point if count > point else 0, negative, pool, out, error)


cdef void _output_small(int64_t mantissa, int dscale, Buffer* out) noexcept nogil:
    cdef uint8_t* at = buffer_reserve(out, 24)
    cdef uint64_t magnitude = 0 - <uint64_t>mantissa if mantissa < 0 else <uint64_t>mantissa
    cdef uint64_t whole
    if at == NULL:
        return
    if mantissa < 0:
        at[0] = c'-'
        at += 1
    if dscale == 0:
        at = write_u64(at, magnitude)
    else:
        whole = magnitude / <uint64_t>pow10_i64[dscale]
        at = write_u64(at, whole)
        at[0] = c'.'
        at = write_padded(at + 1, magnitude - whole * <uint64_t>pow10_i64[dscale], dscale)
    out.size = at - out.data


cdef void numeric_output(const Var* a, Buffer* out) noexcept nogil:
    cdef NumericUnpacked v
    cdef uint8_t* at
    cdef int32_t i
    cdef int32_t digit
    cdef int32_t left
    cdef int special
    if numeric_is_small(a):
        _output_small(numeric_mantissa(a), a.data[8], out)
        return
    special = numeric_special(a)
    if special != 0:
        put_text(out, b"NaN" if special == NUMERIC_NAN else b"Infinity" if special == NUMERIC_PINF else b"-Infinity")
        return
    numeric_unpack(a, &v)
    at = buffer_reserve(out, <size_t>((v.var.weight if v.var.weight > 0 else 0) + 2) * 4 + <size_t>v.var.dscale + 12)
    if at == NULL:
        return
    if v.var.sign == NUMERIC_NEG:
        at[0] = c'-'
        at += 1
    if v.var.weight < 0 or v.var.digit_count == 0:
        at[0] = c'0'
        at += 1
    else:
        for i in range(v.var.weight + 1):
            digit = v.var.digits[i] if i < v.var.digit_count else 0
            at = write_u64(at, digit) if i == 0 else write_padded(at, digit, 4)
    if v.var.dscale > 0:
        at[0] = c'.'
        at += 1
        left = v.var.dscale
        i = v.var.weight + 1 if v.var.digit_count > 0 else 0
        while left > 0:
            digit = v.var.digits[i] if i >= 0 and i < v.var.digit_count else 0
            write_padded(at, digit, 4)
            at += 4 if left > 4 else left
            left -= 4
            i += 1
    out.size = at - out.data


cdef int numeric_receive(const uint8_t* data, size_t size, Pool* pool, Var* out, dsql_error_t* error) noexcept nogil:
    cdef NumVar v
    cdef int16_t* digits
    cdef uint32_t count
    cdef uint32_t i
    cdef uint32_t digit
    if size < 8 or size < 8 + 2 * <size_t>load_be16(data):
        dsql_error_set(error, b"08P01", b"insufficient data left in message")
        return -1
    count = load_be16(data)
    if size != 8 + 2 * <size_t>count:
        dsql_error_set(error, b"22P03", b"incorrect binary data format")
        return -1
    v.weight = <int16_t>load_be16(data + 2)
    v.sign = <uint16_t>load_be16(data + 4)
    v.dscale = <int32_t>load_be16(data + 6)
    if v.sign != NUMERIC_POS and v.sign != NUMERIC_NEG and v.sign != NUMERIC_NAN and v.sign != NUMERIC_PINF and \
            v.sign != NUMERIC_NINF:
        dsql_error_set(error, b"22P03", b"invalid sign in external \"numeric\" value")
        return -1
    if v.dscale > NUMERIC_DSCALE_MAX:
        dsql_error_set(error, b"22P03", b"invalid scale in external \"numeric\" value")
        return -1
    digits = <int16_t*>pool_alloc(pool, 2 * <size_t>count + 2)
    if digits == NULL:
        return out_of_memory(error)
    for i in range(count):
        digit = load_be16(data + 8 + 2 * i)
        if digit > 9999:
            dsql_error_set(error, b"22P03", b"invalid digit in external \"numeric\" value")
            return -1
        digits[i] = <int16_t>digit
    v.digits = digits
    v.digit_count = <int32_t>count
    # Digits below dscale are cut, as PostgreSQL does.
    if v.sign < NUMERIC_NAN and big_trunc(&v, v.dscale, pool, &v) < 0:
        return out_of_memory(error)
    return numeric_pack(&v, pool, out, error)


cdef void numeric_send(const Var* a, Buffer* out) noexcept nogil:
    cdef NumericUnpacked v
    cdef int32_t i
    cdef int special = numeric_special(a)
    if special != 0:
        put_be16(out, 0)
        put_be16(out, 0)
        put_be16(out, special)
        # PostgreSQL sends 32 as the scale of the infinities; receivers ignore it.
        put_be16(out, 0 if special == NUMERIC_NAN else 32)
        return
    numeric_unpack(a, &v)
    put_be16(out, v.var.digit_count)
    put_be16(out, <uint16_t>v.var.weight)
    put_be16(out, v.var.sign)
    put_be16(out, v.var.dscale)
    for i in range(v.var.digit_count):
        put_be16(out, <uint16_t>v.var.digits[i])
