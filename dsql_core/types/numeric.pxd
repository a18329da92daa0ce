# numeric: how a value lies in memory and exact arithmetic on it. The accumulator of sum and avg is in numeric_sum.
#
# Small form, 9 bytes (told from the others by its odd size): value = mantissa * 10^-dscale
#   0  i64 mantissa   |mantissa| < 10^18
#   8  u8  dscale     0..18: decimals shown
# Large form, 6 + 2n bytes: value = +-sum(digit[i] * 10000^(weight - i))
#   0  u16 sign       NUMERIC_POS, NUMERIC_NEG, or NUMERIC_NAN, NUMERIC_PINF, NUMERIC_NINF (then n = 0)
#   2  i16 weight     of the first digit
#   4  u16 dscale
#   6  i16 digit[n]   0..9999, first and last not zero
# Native byte order, any alignment. A value that fits the small form is always kept in it (I1 of the module).
from libc.string cimport memcpy

from dsql_core.base.error cimport dsql_error_t
from dsql_core.base.memory cimport Buffer, Pool
from dsql_core.base.types cimport int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from dsql_core.base.vector cimport Var
from dsql_core.types.bignum cimport NumVar
from dsql_core.types.int128 cimport int128

cdef enum:
    NUMERIC_SMALL_SIZE = 9
    NUMERIC_SMALL_SCALE_MAX = 18

cdef struct NumericUnpacked:                       # a NumVar with room for the digits of a small form
    NumVar var
    int16_t room[12]

cdef inline bint numeric_is_small(const Var* a) noexcept nogil:
    return a.size == NUMERIC_SMALL_SIZE

cdef inline int64_t numeric_mantissa(const Var* a) noexcept nogil:
    cdef int64_t mantissa
    memcpy(&mantissa, a.data, 8)
    return mantissa

cdef inline int numeric_small_scale(const Var* a) noexcept nogil:
    return a.data[8]

# Writes a small form at `at` (9 bytes the caller owns, as from a pool_alloc of 16 per row) and points out at it.
cdef inline void numeric_write_small(uint8_t* at, int64_t mantissa, int dscale, Var* out) noexcept nogil:
    memcpy(at, &mantissa, 8)
    at[8] = <uint8_t>dscale
    out.data = at
    out.size = NUMERIC_SMALL_SIZE
    out.reserved = 0

cdef void numeric_unpack(const Var* a, NumericUnpacked* out) noexcept nogil          # var may point into a and out
# 0, -1 error set (22003 overflow, 53200). Results live in pool; out may be one of the arguments.
cdef int numeric_pack(const NumVar* a, Pool* pool, Var* out, dsql_error_t* error) noexcept nogil
cdef int numeric_from_i128(int128 mantissa, int dscale, Pool* pool, Var* out, dsql_error_t* error) noexcept nogil
cdef int numeric_from_int64(int64_t value, Pool* pool, Var* out, dsql_error_t* error) noexcept nogil
# 15 digits, as PostgreSQL
cdef int numeric_from_double(double value, Pool* pool, Var* out, dsql_error_t* error) noexcept nogil
cdef int numeric_from_float(float value, Pool* pool, Var* out, dsql_error_t* error) noexcept nogil     # 6 digits
cdef int numeric_to_double(const Var* a, double* out, dsql_error_t* error) noexcept nogil
# Rounded to an integer within [low, high]; type_name ("integer") appears in `integer out of range`, 22003.
cdef int numeric_to_integer(const Var* a, int64_t low, int64_t high, const char* type_name, int64_t* out,
                            dsql_error_t* error) noexcept nogil
cdef bint numeric_is_nan(const Var* a) noexcept nogil
cdef int numeric_special(const Var* a) noexcept nogil       # 0 finite, else NUMERIC_NAN, NUMERIC_PINF, NUMERIC_NINF
cdef int numeric_sign(const Var* a) noexcept nogil          # -1, 0, 1 (infinities too; NaN: 0)
cdef int numeric_scale(const Var* a) noexcept nogil         # dscale; 0 for specials

cdef int numeric_add(const Var* a, const Var* b, Pool* pool, Var* out, dsql_error_t* error) noexcept nogil
cdef int numeric_sub(const Var* a, const Var* b, Pool* pool, Var* out, dsql_error_t* error) noexcept nogil
cdef int numeric_mul(const Var* a, const Var* b, Pool* pool, Var* out, dsql_error_t* error) noexcept nogil
cdef int numeric_div(const Var* a, const Var* b, Pool* pool, Var* out, dsql_error_t* error) noexcept nogil
# div(a, b)
cdef int numeric_div_trunc(const Var* a, const Var* b, Pool* pool, Var* out, dsql_error_t* error) noexcept nogil
cdef int numeric_mod(const Var* a, const Var* b, Pool* pool, Var* out, dsql_error_t* error) noexcept nogil
cdef int numeric_neg(const Var* a, Pool* pool, Var* out, dsql_error_t* error) noexcept nogil
cdef int numeric_abs(const Var* a, Pool* pool, Var* out, dsql_error_t* error) noexcept nogil
cdef int numeric_round(const Var* a, int32_t scale, Pool* pool, Var* out, dsql_error_t* error) noexcept nogil
cdef int numeric_trunc(const Var* a, int32_t scale, Pool* pool, Var* out, dsql_error_t* error) noexcept nogil
cdef int numeric_ceil(const Var* a, Pool* pool, Var* out, dsql_error_t* error) noexcept nogil
cdef int numeric_floor(const Var* a, Pool* pool, Var* out, dsql_error_t* error) noexcept nogil
cdef int numeric_sqrt(const Var* a, Pool* pool, Var* out, dsql_error_t* error) noexcept nogil
cdef int numeric_compare(const Var* a, const Var* b) noexcept nogil                 # NaN equal to NaN and greatest
cdef uint64_t numeric_hash(const Var* a) noexcept nogil
cdef int numeric_apply_typmod(int32_t typmod, Var* value, Pool* pool, dsql_error_t* error) noexcept nogil
# NUMERIC_NAN, NUMERIC_PINF or NUMERIC_NINF
cdef int numeric_set_special(int special, Var* out) noexcept nogil
