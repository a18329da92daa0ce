"""Order-preserving keys: comparing two encodings with memcmp orders them as their types' btree classes do.

part = marker, then for a value (marker 0x01)
    bool                      1 byte
    int2, int4, int8, date, time, timestamps, oid, reg*    big-endian with the sign bit flipped
    float4, float8            big-endian bits; negative: all flipped, else sign bit set; -0 is 0, NaN is all ones
    uuid                      its 16 bytes
    timetz                    i64 instant (time + zone), i32 zone, as integers above
    interval                  i128 span with 30-day months, as integers above
    text, varchar, name, bpchar (without trailing blanks), "char", unknown   bytes, 0x00
    bytea                     bytes with 0x00 as 0x00 0xFF, then 0x00 0x01
    numeric                   class byte (below); for finite non-zero values: u16 exponent, base-100 digits + 1, 0x00
                              (exponent and digits of negative values flipped, so the end is 0xFF)

I1  Order: memcmp(enc(a), enc(b)) has the sign of type_compare(a, b); values that compare equal encode equal.
I2  No part is a prefix of another part of the same type, so parts concatenate: fixed sizes, or a terminator that
    cannot occur inside (text holds no NUL byte; digits are never 0x00 / 0xFF).
I3  Markers: 0x00 NULL sorting first, 0x01 value, 0x02 NULL sorting last; a NULL part is its marker alone.
"""
from libc.math cimport isnan
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memchr, memcpy

from dsql_core.base.memory cimport Buffer, buffer_append_u8, buffer_reserve
from dsql_core.base.vector cimport (
    OID_BPCHAR, OID_BYTEA, OID_CHAR, OID_INTERVAL, OID_NAME, OID_NUMERIC, OID_TEXT, OID_TIMETZ, OID_UNKNOWN, OID_UUID,
    OID_VARCHAR, PHYS_BOOL, PHYS_F32, PHYS_F64, PHYS_I16, PHYS_I32, PHYS_I64, PHYS_VAR, Value, Var, type_phys,
)
from dsql_core.types.bignum cimport NUMERIC_NAN, NUMERIC_NEG, NUMERIC_PINF
from dsql_core.types.chars cimport store_be16, store_be32, store_be64
from dsql_core.types.int128 cimport int128, int128_high, int128_low
from dsql_core.types.interval cimport interval_span
from dsql_core.types.numeric cimport (
    NumericUnpacked, numeric_is_small, numeric_mantissa, numeric_small_scale, numeric_special, numeric_unpack,
)
from dsql_core.types.text cimport trimmed_size

cdef enum:
    MARK_NULL_FIRST = 0
    MARK_VALUE = 1
    MARK_NULL_LAST = 2

    NUMERIC_KEY_NINF = 0x10
    NUMERIC_KEY_NEG = 0x20
    NUMERIC_KEY_ZERO = 0x30
    NUMERIC_KEY_POS = 0x40
    NUMERIC_KEY_PINF = 0x50
    NUMERIC_KEY_NAN = 0x60


cdef inline void _store_i64(uint8_t* at, int64_t value) noexcept nogil:
    store_be64(at, <uint64_t>value ^ 0x8000000000000000ULL)


cdef int _append_fixed(Buffer* out, const Value* value) noexcept nogil:
    # Everything but PHYS_VAR: at most 17 bytes.
    cdef uint8_t* at = buffer_reserve(out, 17)
    cdef uint64_t bits
    cdef uint32_t bits32
    cdef int128 span
    cdef double number
    cdef float number32
    cdef size_t size
    if at == NULL:
        return -1
    at[0] = MARK_VALUE
    if value.phys == PHYS_I32:
        store_be32(at + 1, <uint32_t>value.v.i32 ^ 0x80000000U)
        size = 5
    elif value.phys == PHYS_I64:
        _store_i64(at + 1, value.v.i64)
        size = 9
    elif value.phys == PHYS_I16:
        store_be16(at + 1, <uint32_t><uint16_t>value.v.i16 ^ 0x8000U)
        size = 3
    elif value.phys == PHYS_BOOL:
        at[1] = 1 if value.v.b else 0
        size = 2
    elif value.phys == PHYS_F64:
        number = value.v.f64
        if isnan(number):
            bits = <uint64_t>-1
        else:
            if number == 0:
                number = 0
            memcpy(&bits, &number, 8)
            bits = ~bits if bits >> 63 else bits | 0x8000000000000000ULL
        store_be64(at + 1, bits)
        size = 9
    elif value.phys == PHYS_F32:
        number32 = value.v.f32
        if isnan(number32):
            bits32 = <uint32_t>-1
        else:
            if number32 == 0:
                number32 = 0
            memcpy(&bits32, &number32, 4)
            bits32 = ~bits32 if bits32 >> 31 else bits32 | 0x80000000U
        store_be32(at + 1, bits32)
        size = 5
    elif value.type_oid == OID_UUID:
        memcpy(at + 1, value.v.b16.b, 16)
        size = 17
    elif value.type_oid == OID_INTERVAL:
        span = interval_span(&value.v.interval)
        _store_i64(at + 1, int128_high(span))
        store_be64(at + 9, int128_low(span))
        size = 17
    elif value.type_oid == OID_TIMETZ:
        _store_i64(at + 1, value.v.interval.us + value.v.interval.days * <int64_t>1000000)
        store_be32(at + 9, <uint32_t>value.v.interval.days ^ 0x80000000U)
        size = 13
    else:
        return -1
    out.size += size
    return 0


cdef int _append_bytea(Buffer* out, const Var* value) noexcept nogil:
    cdef uint8_t* at = buffer_reserve(out, 3 + 2 * <size_t>value.size)
    cdef uint32_t i
    if at == NULL:
        return -1
    at[0] = MARK_VALUE
    at += 1
    for i in range(value.size):
        at[0] = value.data[i]
        at += 1
        if value.data[i] == 0:
            at[0] = 0xFF
            at += 1
    at[0] = 0
    at[1] = 1
    out.size = at + 2 - out.data
    return 0


cdef int _append_text(Buffer* out, const uint8_t* text, size_t size) noexcept nogil:
    cdef uint8_t* at = buffer_reserve(out, size + 2)
    if at == NULL:
        return -1
    at[0] = MARK_VALUE
    memcpy(at + 1, text, size)
    at[1 + size] = 0
    out.size += size + 2
    return 0


cdef inline void _flip(uint8_t* at, uint8_t* end) noexcept nogil:
    while at < end:
        at[0] = ~at[0]
        at += 1


cdef int _append_numeric(Buffer* out, const Var* value) noexcept nogil:
    cdef NumericUnpacked unpacked
    cdef uint8_t* at
    cdef uint8_t* body
    cdef uint8_t digits[16]
    cdef uint64_t magnitude
    cdef int64_t mantissa
    cdef int64_t exponent
    cdef int scale
    cdef int n
    cdef int i
    cdef int32_t digit
    cdef int special = numeric_special(value)
    cdef bint negative
    if special != 0:
        buffer_append_u8(out, MARK_VALUE)
        buffer_append_u8(out, NUMERIC_KEY_NAN if special == NUMERIC_NAN else
                         NUMERIC_KEY_PINF if special == NUMERIC_PINF else NUMERIC_KEY_NINF)
        return 0
    if numeric_is_small(value):
        # value = magnitude * 100^-(scale / 2), scale made even; digits from the low end.
        mantissa = numeric_mantissa(value)
        negative = mantissa < 0
        magnitude = 0 - <uint64_t>mantissa if negative else <uint64_t>mantissa
        scale = numeric_small_scale(value)
        if scale & 1:
            magnitude *= 10
            scale += 1
        n = 16
        while magnitude != 0:
            n -= 1
            digits[n] = <uint8_t>(magnitude % 100) + 1
            magnitude = magnitude / 100
        exponent = 16 - n - scale / 2
        i = 16
        while i > n and digits[i - 1] == 1:
            i -= 1
        at = buffer_reserve(out, 24)
        if at == NULL:
            return -1
        at[0] = MARK_VALUE
        if i == n:
            at[1] = NUMERIC_KEY_ZERO
            out.size += 2
            return 0
        body = at + 2
        memcpy(body + 2, &digits[n], i - n)
        at[1] = NUMERIC_KEY_NEG if negative else NUMERIC_KEY_POS
        at = body + 2 + (i - n)
    else:
        numeric_unpack(value, &unpacked)
        at = buffer_reserve(out, 8 + 2 * <size_t>unpacked.var.digit_count)
        if at == NULL:
            return -1
        at[0] = MARK_VALUE
        if unpacked.var.digit_count == 0:
            at[1] = NUMERIC_KEY_ZERO
            out.size += 2
            return 0
        negative = unpacked.var.sign == NUMERIC_NEG
        at[1] = NUMERIC_KEY_NEG if negative else NUMERIC_KEY_POS
        body = at + 2
        at = body + 2
        exponent = 2 * (<int64_t>unpacked.var.weight + 1)
        for i in range(unpacked.var.digit_count):
            digit = unpacked.var.digits[i]
            if i == 0 and digit < 100:
                exponent -= 1
            else:
                at[0] = <uint8_t>(digit / 100 + 1)
                at += 1
            at[0] = <uint8_t>(digit % 100 + 1)
            at += 1
        while (at - 1)[0] == 1:
            at -= 1
    # Weights lie within +-32768, so 2 * (weight + 1) may need 17 bits; +-16384 base-10000 digits is beyond any key.
    if exponent > 32767:
        exponent = 32767
    if exponent < -32767:
        exponent = -32767
    store_be16(body, <uint32_t>(exponent + 0x8000))
    at[0] = 0
    at += 1
    if negative:
        _flip(body, at)
    out.size = at - out.data
    return 0


cdef int keycode_append(Buffer* out, const Value* value, int nulls_first) noexcept nogil:
    cdef uint32_t oid
    if value.is_null:
        buffer_append_u8(out, MARK_NULL_FIRST if nulls_first else MARK_NULL_LAST)
        return 0
    if value.phys != PHYS_VAR:
        return _append_fixed(out, value)
    oid = value.type_oid
    if oid == OID_NUMERIC:
        return _append_numeric(out, &value.v.var)
    if oid == OID_BPCHAR:
        return _append_text(out, value.v.var.data, trimmed_size(value.v.var.data, value.v.var.size))
    if oid == OID_TEXT or oid == OID_VARCHAR or oid == OID_NAME or oid == OID_CHAR or oid == OID_UNKNOWN:
        return _append_text(out, value.v.var.data, value.v.var.size)
    if oid == OID_BYTEA:
        return _append_bytea(out, &value.v.var)
    return -1


cdef size_t _fixed_size(uint32_t oid) noexcept nogil:
    # Bytes after the marker, 0 = not fixed.
    cdef uint8_t phys = type_phys(oid)
    if phys == PHYS_I32 or phys == PHYS_F32:
        return 4
    if phys == PHYS_I64 or phys == PHYS_F64:
        return 8
    if phys == PHYS_I16:
        return 2
    if phys == PHYS_BOOL:
        return 1
    if phys == PHYS_VAR:
        return 0
    return 12 if oid == OID_TIMETZ else 16


cdef size_t keycode_part_size(const uint8_t* key, size_t size, uint32_t type_oid) noexcept nogil:
    cdef const uint8_t* end
    cdef size_t fixed
    cdef size_t i
    cdef uint8_t stop
    if size == 0 or key[0] > MARK_NULL_LAST:
        return 0
    if key[0] != MARK_VALUE:
        return 1
    fixed = _fixed_size(type_oid)
    if fixed > 0:
        return 1 + fixed if size >= 1 + fixed else 0
    if type_oid == OID_NUMERIC:
        if size < 2:
            return 0
        if key[1] != NUMERIC_KEY_POS and key[1] != NUMERIC_KEY_NEG:
            return 2
        stop = 0 if key[1] == NUMERIC_KEY_POS else 0xFF
        i = 4                                           # the exponent may hold any byte
        while i < size and key[i] != stop:
            i += 1
        return i + 1 if i < size else 0
    if type_oid == OID_BYTEA:
        i = 1
        while i + 1 < size:
            if key[i] == 0:
                if key[i + 1] == 1:
                    return i + 2
                i += 1
            i += 1
        return 0
    if type_oid == OID_TEXT or type_oid == OID_VARCHAR or type_oid == OID_NAME or type_oid == OID_CHAR or \
            type_oid == OID_UNKNOWN or type_oid == OID_BPCHAR:
        end = <const uint8_t*>memchr(key + 1, 0, size - 1)
        return end - key + 1 if end != NULL else 0
    return 0


cdef size_t keycode_successor(uint8_t* key, size_t size) noexcept nogil:
    while size > 0 and key[size - 1] == 0xFF:
        size -= 1
    if size > 0:
        key[size - 1] += 1
    return size
