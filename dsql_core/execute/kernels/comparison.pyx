"""Comparison kernels: = <> < <= > >= of every comparable type.

Numbers and bool go through the loops of ext/kernel/compare.h, chosen by the physical classes of the arguments: one
kernel per operator serves int4 = int8 and date = date alike, under every name PostgreSQL has for it. Text and bytea
compare bytes (C collation); everything else compares by types.io's order of its type.

Invariant: both sides of the general kernels have one type (the registry's casts see to it).
"""

from libc.string cimport memcmp

from dsql_core.base.types cimport uint8_t, uint32_t
from dsql_core.base.vector cimport Value, Var, Vector
from dsql_core.execute.kernel cimport EvalContext
from dsql_core.execute.kernels.rows cimport kernel, row_at, var_at
from dsql_core.execute.vectors cimport scalar_copy
from dsql_core.types.io cimport type_compare
from dsql_core.types.numeric cimport (NUMERIC_SMALL_SIZE, numeric_compare, numeric_mantissa, numeric_small_scale)

cdef extern from "kernel/compare.h" nogil:
    ctypedef int (*dsql_loop2_t)(void* out, const void* a, uint32_t sa, const void* b, uint32_t sb,
                                 const uint32_t* sel, uint32_t count) noexcept
    enum:
        DSQL_EQ
        DSQL_NE
        DSQL_LT
        DSQL_LE
        DSQL_GT
        DSQL_GE
    dsql_loop2_t dsql_compare_loop(int op, int phys_a, int phys_b) noexcept


# An operator as the set of outcomes it accepts: bit 0 less, bit 1 equal, bit 2 greater.
cdef int[6] ACCEPTS
ACCEPTS[:] = [2, 5, 1, 3, 4, 6]


cdef inline uint8_t accepted(int op, int order) noexcept nogil:
    return (ACCEPTS[op] >> (order + 1)) & 1


# --- fixed-width numbers ---------------------------------------------------------------------------------------------

cdef int number_compare(int op, Vector* out, Vector** args, const uint32_t* sel, uint32_t count) noexcept nogil:
    cdef dsql_loop2_t loop = dsql_compare_loop(op, args[0].phys, args[1].phys)
    loop(out.data, args[0].data, args[0].stride, args[1].data, args[1].stride, sel, count)
    return 0


cdef int number_eq(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                   uint32_t count) noexcept nogil:
    return number_compare(DSQL_EQ, out, args, sel, count)


cdef int number_ne(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                   uint32_t count) noexcept nogil:
    return number_compare(DSQL_NE, out, args, sel, count)


cdef int number_lt(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                   uint32_t count) noexcept nogil:
    return number_compare(DSQL_LT, out, args, sel, count)


cdef int number_le(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                   uint32_t count) noexcept nogil:
    return number_compare(DSQL_LE, out, args, sel, count)


cdef int number_gt(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                   uint32_t count) noexcept nogil:
    return number_compare(DSQL_GT, out, args, sel, count)


cdef int number_ge(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                   uint32_t count) noexcept nogil:
    return number_compare(DSQL_GE, out, args, sel, count)


# --- bytes -----------------------------------------------------------------------------------------------------------

cdef inline int bytes_order(const Var* a, const Var* b) noexcept nogil:
    cdef uint32_t size = a.size if a.size < b.size else b.size
    cdef int order = memcmp(a.data, b.data, size)
    if order == 0:
        return (a.size > b.size) - (a.size < b.size)
    return (order > 0) - (order < 0)


cdef inline uint8_t bytes_equal(const Var* a, const Var* b) noexcept nogil:
    return a.size == b.size and memcmp(a.data, b.data, a.size) == 0


cdef int bytes_equality(uint8_t wanted, Vector* out, Vector** args, const uint32_t* sel, uint32_t count) noexcept nogil:
    cdef uint8_t* r = <uint8_t*>out.data
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        r[i] = bytes_equal(var_at(args[0], i), var_at(args[1], i)) == wanted
    return 0


cdef int bytes_compare(int op, Vector* out, Vector** args, const uint32_t* sel, uint32_t count) noexcept nogil:
    cdef uint8_t* r = <uint8_t*>out.data
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        r[i] = accepted(op, bytes_order(var_at(args[0], i), var_at(args[1], i)))
    return 0


cdef int bytes_eq(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                  uint32_t count) noexcept nogil:
    return bytes_equality(1, out, args, sel, count)


cdef int bytes_ne(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                  uint32_t count) noexcept nogil:
    return bytes_equality(0, out, args, sel, count)


cdef int bytes_lt(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                  uint32_t count) noexcept nogil:
    return bytes_compare(DSQL_LT, out, args, sel, count)


cdef int bytes_le(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                  uint32_t count) noexcept nogil:
    return bytes_compare(DSQL_LE, out, args, sel, count)


cdef int bytes_gt(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                  uint32_t count) noexcept nogil:
    return bytes_compare(DSQL_GT, out, args, sel, count)


cdef int bytes_ge(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                  uint32_t count) noexcept nogil:
    return bytes_compare(DSQL_GE, out, args, sel, count)


# --- any type that has an order --------------------------------------------------------------------------------------

cdef inline int any_order(const Vector* a, const Vector* b, uint32_t i) noexcept nogil:
    cdef Value x, y
    x.type_oid = a.type_oid
    x.phys = a.phys
    x.is_null = 0
    y.type_oid = b.type_oid
    y.phys = b.phys
    y.is_null = 0
    scalar_copy(a.phys, &x.v, 0, a.data, i * a.stride)
    scalar_copy(b.phys, &y.v, 0, b.data, i * b.stride)
    return type_compare(&x, &y)


cdef int any_compare(int op, Vector* out, Vector** args, const uint32_t* sel, uint32_t count) noexcept nogil:
    cdef uint8_t* r = <uint8_t*>out.data
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        r[i] = accepted(op, any_order(args[0], args[1], i))
    return 0


cdef int any_eq(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                uint32_t count) noexcept nogil:
    return any_compare(DSQL_EQ, out, args, sel, count)


cdef int any_ne(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                uint32_t count) noexcept nogil:
    return any_compare(DSQL_NE, out, args, sel, count)


cdef int any_lt(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                uint32_t count) noexcept nogil:
    return any_compare(DSQL_LT, out, args, sel, count)


cdef int any_le(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                uint32_t count) noexcept nogil:
    return any_compare(DSQL_LE, out, args, sel, count)


cdef int any_gt(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                uint32_t count) noexcept nogil:
    return any_compare(DSQL_GT, out, args, sel, count)


cdef int any_ge(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                uint32_t count) noexcept nogil:
    return any_compare(DSQL_GE, out, args, sel, count)


# --- numeric: the small form of one scale compares as an integer -----------------------------------------------------

cdef int decimal_compare(int op, Vector* out, Vector** args, const uint32_t* sel, uint32_t count) noexcept nogil:
    cdef uint8_t* r = <uint8_t*>out.data
    cdef const Var* a
    cdef const Var* b
    cdef long long x, y
    cdef int order
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        a = var_at(args[0], i)
        b = var_at(args[1], i)
        if a.size == NUMERIC_SMALL_SIZE and b.size == NUMERIC_SMALL_SIZE and \
                numeric_small_scale(a) == numeric_small_scale(b):
            x = numeric_mantissa(a)
            y = numeric_mantissa(b)
            order = (x > y) - (x < y)
        else:
            order = numeric_compare(a, b)
        r[i] = accepted(op, order)
    return 0


cdef int decimal_eq(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                    uint32_t count) noexcept nogil:
    return decimal_compare(DSQL_EQ, out, args, sel, count)


cdef int decimal_ne(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                    uint32_t count) noexcept nogil:
    return decimal_compare(DSQL_NE, out, args, sel, count)


cdef int decimal_lt(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                    uint32_t count) noexcept nogil:
    return decimal_compare(DSQL_LT, out, args, sel, count)


cdef int decimal_le(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                    uint32_t count) noexcept nogil:
    return decimal_compare(DSQL_LE, out, args, sel, count)


cdef int decimal_gt(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                    uint32_t count) noexcept nogil:
    return decimal_compare(DSQL_GT, out, args, sel, count)


cdef int decimal_ge(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                    uint32_t count) noexcept nogil:
    return decimal_compare(DSQL_GE, out, args, sel, count)


# --- names -----------------------------------------------------------------------------------------------------------

cdef int _register() except -1:
    # PostgreSQL's names: <stem>eq ... or <stem>_eq ...
    for stem in ("int2", "int4", "int8", "int24", "int28", "int42", "int48", "int82", "int84", "float4", "float8",
                 "float48", "float84", "bool", "oid", "date_", "time_", "timestamp_"):
        name = stem.encode()
        kernel(name + b"eq", number_eq)
        kernel(name + b"ne", number_ne)
        kernel(name + b"lt", number_lt)
        kernel(name + b"le", number_le)
        kernel(name + b"gt", number_gt)
        kernel(name + b"ge", number_ge)
    for stem in ("char", "name", "bytea", "text_"):
        name = stem.encode()
        if stem != "text_":
            kernel(name + b"eq", bytes_eq)
            kernel(name + b"ne", bytes_ne)
        kernel(name + b"lt", bytes_lt)
        kernel(name + b"le", bytes_le)
        kernel(name + b"gt", bytes_gt)
        kernel(name + b"ge", bytes_ge)
    kernel(b"texteq", bytes_eq)
    kernel(b"textne", bytes_ne)
    for left, right in (("name", "text"), ("text", "name")):
        kernel(f"{left}eq{right}".encode(), bytes_eq)
        kernel(f"{left}ne{right}".encode(), bytes_ne)
        kernel(f"{left}lt{right}".encode(), bytes_lt)
        kernel(f"{left}le{right}".encode(), bytes_le)
        kernel(f"{left}gt{right}".encode(), bytes_gt)
        kernel(f"{left}ge{right}".encode(), bytes_ge)
    kernel(b"text_pattern_lt", bytes_lt)
    kernel(b"text_pattern_le", bytes_le)
    kernel(b"text_pattern_gt", bytes_gt)
    kernel(b"text_pattern_ge", bytes_ge)
    for stem in ("bpchar", "interval_", "timetz_", "uuid_", "jsonb_", "array_", "oidvector"):
        name = stem.encode()
        kernel(name + b"eq", any_eq)
        kernel(name + b"ne", any_ne)
        kernel(name + b"lt", any_lt)
        kernel(name + b"le", any_le)
        kernel(name + b"gt", any_gt)
        kernel(name + b"ge", any_ge)
    kernel(b"bpchar_pattern_lt", any_lt)
    kernel(b"bpchar_pattern_le", any_le)
    kernel(b"bpchar_pattern_gt", any_gt)
    kernel(b"bpchar_pattern_ge", any_ge)
    kernel(b"numeric_eq", decimal_eq)
    kernel(b"numeric_ne", decimal_ne)
    kernel(b"numeric_lt", decimal_lt)
    kernel(b"numeric_le", decimal_le)
    kernel(b"numeric_gt", decimal_gt)
    kernel(b"numeric_ge", decimal_ge)
    return 0


_register()
