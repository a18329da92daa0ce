"""Mathematical kernels of double precision: roots, powers, logarithms, trigonometry, random numbers, buckets.

Every function of one argument runs through one loop with a scalar function that may report an error; the texts and
ranges are PostgreSQL's. Trigonometry in degrees is exact where the angle is (sind(30) = 0.5): quadrants are reduced
first and the results scaled by the library's own values at 30, 45 and 60 degrees.
"""

from libc.math cimport (M_PI, acos, acosh, asin, asinh, atan, atan2, atanh, cbrt, ceil, cos, cosh, erf, erfc, exp, fabs,
                        floor, fmod, isinf, isnan, log, log10, pow, rint, sin, sinh, sqrt, tan, tanh, trunc)

from dsql_core.base.error cimport dsql_error_set, dsql_error_t
from dsql_core.base.types cimport int32_t, int64_t, uint32_t, uint64_t
from dsql_core.base.vector cimport Vector
from dsql_core.execute.kernel cimport KERNEL_VOLATILE, EvalContext
from dsql_core.execute.kernels.rows cimport double_at, int32_at, kernel, kernel_flags, row_at, set_var

ctypedef int (*unary_t)(double x, double* r, dsql_error_t* error) noexcept nogil

cdef double RADIANS_PER_DEGREE = 0.0174532925199432957692
cdef double SIN_30 = sin(30 * RADIANS_PER_DEGREE)
cdef double ONE_MINUS_COS_60 = 1.0 - cos(60 * RADIANS_PER_DEGREE)
cdef double ASIN_HALF = asin(0.5)
cdef double ACOS_HALF = acos(0.5)
cdef double ATAN_ONE = atan(1.0)


cdef inline int fail(dsql_error_t* error, const char* state, const char* text) noexcept nogil:
    dsql_error_set(error, state, "%s", text)
    return -1


cdef inline int bad_input(dsql_error_t* error) noexcept nogil:
    return fail(error, b"22003", b"input is out of range")


cdef inline int overflow(dsql_error_t* error) noexcept nogil:
    return fail(error, b"22003", b"value out of range: overflow")


cdef inline int underflow(dsql_error_t* error) noexcept nogil:
    return fail(error, b"22003", b"value out of range: underflow")


cdef inline int unary(unary_t function, EvalContext* ctx, Vector* out, Vector** args, const uint32_t* sel,
                      uint32_t count) noexcept nogil:
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        if function(double_at(args[0], i), <double*>out.data + i, ctx.error) < 0:
            return -1
    return 0


# --- scalar functions ------------------------------------------------------------------------------------------------

cdef int x_round(double x, double* r, dsql_error_t* error) noexcept nogil:
    r[0] = rint(x)
    return 0


cdef int x_trunc(double x, double* r, dsql_error_t* error) noexcept nogil:
    r[0] = trunc(x)
    return 0


cdef int x_ceil(double x, double* r, dsql_error_t* error) noexcept nogil:
    r[0] = ceil(x)
    return 0


cdef int x_floor(double x, double* r, dsql_error_t* error) noexcept nogil:
    r[0] = floor(x)
    return 0


cdef int x_sign(double x, double* r, dsql_error_t* error) noexcept nogil:
    r[0] = 1.0 if x > 0 else -1.0 if x < 0 else 0.0
    return 0


cdef int x_sqrt(double x, double* r, dsql_error_t* error) noexcept nogil:
    if x < 0:
        return fail(error, b"2201F", b"cannot take square root of a negative number")
    r[0] = sqrt(x)
    return 0


cdef int x_cbrt(double x, double* r, dsql_error_t* error) noexcept nogil:
    r[0] = cbrt(x)
    return 0


cdef int x_exp(double x, double* r, dsql_error_t* error) noexcept nogil:
    r[0] = exp(x)
    if isinf(r[0]) and not isinf(x):
        return overflow(error)
    if r[0] == 0 and not isinf(x):
        return underflow(error)
    return 0


cdef int x_ln(double x, double* r, dsql_error_t* error) noexcept nogil:
    if x == 0:
        return fail(error, b"2201E", b"cannot take logarithm of zero")
    if x < 0:
        return fail(error, b"2201E", b"cannot take logarithm of a negative number")
    r[0] = log(x)
    return 0


cdef int x_log10(double x, double* r, dsql_error_t* error) noexcept nogil:
    if x == 0:
        return fail(error, b"2201E", b"cannot take logarithm of zero")
    if x < 0:
        return fail(error, b"2201E", b"cannot take logarithm of a negative number")
    r[0] = log10(x)
    return 0


cdef int x_asin(double x, double* r, dsql_error_t* error) noexcept nogil:
    if x < -1 or x > 1:
        return bad_input(error)
    r[0] = asin(x)
    return 0


cdef int x_acos(double x, double* r, dsql_error_t* error) noexcept nogil:
    if x < -1 or x > 1:
        return bad_input(error)
    r[0] = acos(x)
    return 0


cdef int x_atan(double x, double* r, dsql_error_t* error) noexcept nogil:
    r[0] = atan(x)
    return 0


cdef int x_sin(double x, double* r, dsql_error_t* error) noexcept nogil:
    if isinf(x):
        return bad_input(error)
    r[0] = sin(x)
    return 0


cdef int x_cos(double x, double* r, dsql_error_t* error) noexcept nogil:
    if isinf(x):
        return bad_input(error)
    r[0] = cos(x)
    return 0


cdef int x_tan(double x, double* r, dsql_error_t* error) noexcept nogil:
    if isinf(x):
        return bad_input(error)
    r[0] = tan(x)
    return 0


cdef int x_cot(double x, double* r, dsql_error_t* error) noexcept nogil:
    if isinf(x):
        return bad_input(error)
    r[0] = 1.0 / tan(x)
    return 0


cdef int x_sinh(double x, double* r, dsql_error_t* error) noexcept nogil:
    r[0] = sinh(x)
    return 0


cdef int x_cosh(double x, double* r, dsql_error_t* error) noexcept nogil:
    r[0] = cosh(x)
    return 0


cdef int x_tanh(double x, double* r, dsql_error_t* error) noexcept nogil:
    r[0] = tanh(x)
    return 0


cdef int x_asinh(double x, double* r, dsql_error_t* error) noexcept nogil:
    r[0] = asinh(x)
    return 0


cdef int x_acosh(double x, double* r, dsql_error_t* error) noexcept nogil:
    if x < 1:
        return bad_input(error)
    r[0] = acosh(x)
    return 0


cdef int x_atanh(double x, double* r, dsql_error_t* error) noexcept nogil:
    if x < -1 or x > 1:
        return bad_input(error)
    r[0] = atanh(x)
    return 0


cdef int x_erf(double x, double* r, dsql_error_t* error) noexcept nogil:
    r[0] = erf(x)
    return 0


cdef int x_erfc(double x, double* r, dsql_error_t* error) noexcept nogil:
    r[0] = erfc(x)
    return 0


cdef int x_degrees(double x, double* r, dsql_error_t* error) noexcept nogil:
    r[0] = x / RADIANS_PER_DEGREE
    if isinf(r[0]) and not isinf(x):
        return overflow(error)
    return 0


cdef int x_radians(double x, double* r, dsql_error_t* error) noexcept nogil:
    r[0] = x * RADIANS_PER_DEGREE
    if r[0] == 0 and x != 0:
        return underflow(error)
    return 0


# --- degrees ---------------------------------------------------------------------------------------------------------

cdef inline double sin_to_30(double x) noexcept nogil:
    return sin(x * RADIANS_PER_DEGREE) / SIN_30 / 2.0


cdef inline double cos_to_60(double x) noexcept nogil:
    return 1.0 - (1.0 - cos(x * RADIANS_PER_DEGREE)) / ONE_MINUS_COS_60 / 2.0


cdef inline double sin_quadrant(double x) noexcept nogil:
    # 0 <= x <= 90
    return sin_to_30(x) if x <= 30 else cos_to_60(90 - x)


cdef inline double cos_quadrant(double x) noexcept nogil:
    return cos_to_60(x) if x <= 60 else sin_to_30(90 - x)


cdef int x_sind(double x, double* r, dsql_error_t* error) noexcept nogil:
    cdef double sign = 1
    r[0] = x
    if isnan(x):
        return 0
    if isinf(x):
        return bad_input(error)
    x = fmod(x, 360)
    if x < 0:
        x = -x
        sign = -sign
    if x > 180:
        x = 360 - x
        sign = -sign
    if x > 90:
        x = 180 - x
    r[0] = sign * sin_quadrant(x)
    return 0


cdef int x_cosd(double x, double* r, dsql_error_t* error) noexcept nogil:
    cdef double sign = 1
    r[0] = x
    if isnan(x):
        return 0
    if isinf(x):
        return bad_input(error)
    x = fabs(fmod(x, 360))
    if x > 180:
        x = 360 - x
    if x > 90:
        x = 180 - x
        sign = -sign
    r[0] = sign * cos_quadrant(x)
    return 0


cdef inline double tangent(double x, int inverse, double sign) noexcept nogil:
    # x within a quadrant; exact at 45 degrees, and never -0.
    cdef double at_45 = sin_quadrant(45) / cos_quadrant(45)
    cdef double ratio
    if inverse:
        ratio = cos_quadrant(x) / sin_quadrant(x) / (cos_quadrant(45) / sin_quadrant(45))
    else:
        ratio = sin_quadrant(x) / cos_quadrant(x) / at_45
    ratio = sign * ratio
    return 0.0 if ratio == 0 else ratio


cdef int x_tand(double x, double* r, dsql_error_t* error) noexcept nogil:
    cdef double sign = 1
    r[0] = x
    if isnan(x):
        return 0
    if isinf(x):
        return bad_input(error)
    x = fmod(x, 360)
    if x < 0:
        x = -x
        sign = -sign
    if x > 180:
        x = 360 - x
        sign = -sign
    if x > 90:
        x = 180 - x
        sign = -sign
    r[0] = tangent(x, 0, sign)
    return 0


cdef int x_cotd(double x, double* r, dsql_error_t* error) noexcept nogil:
    cdef double sign = 1
    r[0] = x
    if isnan(x):
        return 0
    if isinf(x):
        return bad_input(error)
    x = fmod(x, 360)
    if x < 0:
        x = -x
        sign = -sign
    if x > 180:
        x = 360 - x
        sign = -sign
    if x > 90:
        x = 180 - x
        sign = -sign
    r[0] = tangent(x, 1, sign)
    return 0


cdef inline double asin_quadrant(double x) noexcept nogil:
    return asin(x) / ASIN_HALF * 30.0 if x <= 0.5 else 90.0 - acos(x) / ACOS_HALF * 60.0


cdef inline double acos_quadrant(double x) noexcept nogil:
    return 90.0 - asin(x) / ASIN_HALF * 30.0 if x <= 0.5 else acos(x) / ACOS_HALF * 60.0


cdef int x_asind(double x, double* r, dsql_error_t* error) noexcept nogil:
    r[0] = x
    if isnan(x):
        return 0
    if x < -1 or x > 1:
        return bad_input(error)
    r[0] = asin_quadrant(x) if x >= 0 else -asin_quadrant(-x)
    return 0


cdef int x_acosd(double x, double* r, dsql_error_t* error) noexcept nogil:
    r[0] = x
    if isnan(x):
        return 0
    if x < -1 or x > 1:
        return bad_input(error)
    r[0] = acos_quadrant(x) if x >= 0 else 90.0 + asin_quadrant(-x)
    return 0


cdef int x_atand(double x, double* r, dsql_error_t* error) noexcept nogil:
    r[0] = atan(x) / ATAN_ONE * 45.0
    return 0


# --- kernels of one argument -----------------------------------------------------------------------------------------

cdef int dround(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                uint32_t count) noexcept nogil:
    return unary(x_round, ctx, out, args, sel, count)


cdef int dtrunc(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                uint32_t count) noexcept nogil:
    return unary(x_trunc, ctx, out, args, sel, count)


cdef int dceil(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
               uint32_t count) noexcept nogil:
    return unary(x_ceil, ctx, out, args, sel, count)


cdef int dfloor(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                uint32_t count) noexcept nogil:
    return unary(x_floor, ctx, out, args, sel, count)


cdef int dsign(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
               uint32_t count) noexcept nogil:
    return unary(x_sign, ctx, out, args, sel, count)


cdef int dsqrt(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
               uint32_t count) noexcept nogil:
    return unary(x_sqrt, ctx, out, args, sel, count)


cdef int dcbrt(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
               uint32_t count) noexcept nogil:
    return unary(x_cbrt, ctx, out, args, sel, count)


cdef int dexp(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
              uint32_t count) noexcept nogil:
    return unary(x_exp, ctx, out, args, sel, count)


cdef int dlog1(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
               uint32_t count) noexcept nogil:
    return unary(x_ln, ctx, out, args, sel, count)


cdef int dlog10(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                uint32_t count) noexcept nogil:
    return unary(x_log10, ctx, out, args, sel, count)


cdef int dasin(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
               uint32_t count) noexcept nogil:
    return unary(x_asin, ctx, out, args, sel, count)


cdef int dacos(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
               uint32_t count) noexcept nogil:
    return unary(x_acos, ctx, out, args, sel, count)


cdef int datan(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
               uint32_t count) noexcept nogil:
    return unary(x_atan, ctx, out, args, sel, count)


cdef int dsin(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
              uint32_t count) noexcept nogil:
    return unary(x_sin, ctx, out, args, sel, count)


cdef int dcos(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
              uint32_t count) noexcept nogil:
    return unary(x_cos, ctx, out, args, sel, count)


cdef int dtan(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
              uint32_t count) noexcept nogil:
    return unary(x_tan, ctx, out, args, sel, count)


cdef int dcot(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
              uint32_t count) noexcept nogil:
    return unary(x_cot, ctx, out, args, sel, count)


cdef int dsinh(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
               uint32_t count) noexcept nogil:
    return unary(x_sinh, ctx, out, args, sel, count)


cdef int dcosh(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
               uint32_t count) noexcept nogil:
    return unary(x_cosh, ctx, out, args, sel, count)


cdef int dtanh(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
               uint32_t count) noexcept nogil:
    return unary(x_tanh, ctx, out, args, sel, count)


cdef int dasinh(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                uint32_t count) noexcept nogil:
    return unary(x_asinh, ctx, out, args, sel, count)


cdef int dacosh(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                uint32_t count) noexcept nogil:
    return unary(x_acosh, ctx, out, args, sel, count)


cdef int datanh(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                uint32_t count) noexcept nogil:
    return unary(x_atanh, ctx, out, args, sel, count)


cdef int derf(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
              uint32_t count) noexcept nogil:
    return unary(x_erf, ctx, out, args, sel, count)


cdef int derfc(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
               uint32_t count) noexcept nogil:
    return unary(x_erfc, ctx, out, args, sel, count)


cdef int degrees(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                 uint32_t count) noexcept nogil:
    return unary(x_degrees, ctx, out, args, sel, count)


cdef int radians(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                 uint32_t count) noexcept nogil:
    return unary(x_radians, ctx, out, args, sel, count)


cdef int dsind(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
               uint32_t count) noexcept nogil:
    return unary(x_sind, ctx, out, args, sel, count)


cdef int dcosd(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
               uint32_t count) noexcept nogil:
    return unary(x_cosd, ctx, out, args, sel, count)


cdef int dtand(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
               uint32_t count) noexcept nogil:
    return unary(x_tand, ctx, out, args, sel, count)


cdef int dcotd(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
               uint32_t count) noexcept nogil:
    return unary(x_cotd, ctx, out, args, sel, count)


cdef int dasind(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                uint32_t count) noexcept nogil:
    return unary(x_asind, ctx, out, args, sel, count)


cdef int dacosd(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                uint32_t count) noexcept nogil:
    return unary(x_acosd, ctx, out, args, sel, count)


cdef int datand(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                uint32_t count) noexcept nogil:
    return unary(x_atand, ctx, out, args, sel, count)

# --- two and more arguments ------------------------------------------------------------------------------------------

cdef int dpow(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
              uint32_t count) noexcept nogil:
    cdef double x, y, r
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        x = double_at(args[0], i)
        y = double_at(args[1], i)
        if x == 0 and y < 0:
            return fail(ctx.error, b"2201F", b"zero raised to a negative power is undefined")
        if x < 0 and not isinf(y) and floor(y) != y and not isnan(y) and not isinf(x):
            return fail(ctx.error, b"2201F", b"a negative number raised to a non-integer power yields a complex result")
        r = pow(x, y)
        if isinf(r) and not isinf(x) and not isinf(y):
            return overflow(ctx.error)
        if r == 0 and x != 0 and not isinf(x) and not isinf(y):
            return underflow(ctx.error)
        (<double*>out.data)[i] = r
    return 0


cdef int datan2(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                uint32_t count) noexcept nogil:
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        (<double*>out.data)[i] = atan2(double_at(args[0], i), double_at(args[1], i))
    return 0


cdef int datan2d(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                 uint32_t count) noexcept nogil:
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        (<double*>out.data)[i] = atan2(double_at(args[0], i), double_at(args[1], i)) / ATAN_ONE * 45.0
    return 0


cdef int dpi(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
             uint32_t count) noexcept nogil:
    cdef uint32_t k
    for k in range(count):
        (<double*>out.data)[row_at(sel, k)] = M_PI
    return 0


cdef int width_bucket(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                      uint32_t count) noexcept nogil:
    cdef double x, low, high
    cdef int64_t buckets, bucket
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        x = double_at(args[0], i)
        low = double_at(args[1], i)
        high = double_at(args[2], i)
        buckets = int32_at(args[3], i)
        if buckets <= 0:
            return fail(ctx.error, b"2201G", b"count must be greater than zero")
        if isnan(x) or isnan(low) or isnan(high):
            return fail(ctx.error, b"2201G", b"operand, lower bound, and upper bound cannot be NaN")
        if isinf(low) or isinf(high):
            return fail(ctx.error, b"2201G", b"lower and upper bounds must be finite")
        if low == high:
            return fail(ctx.error, b"2201G", b"lower bound cannot equal upper bound")
        if (low < high and x < low) or (low > high and x > low):
            bucket = 0
        elif (low < high and x >= high) or (low > high and x <= high):
            bucket = buckets + 1
        else:
            # Halves keep the differences finite.
            bucket = <int64_t>(<double>buckets * ((x / 2 - low / 2) / (high / 2 - low / 2))) + 1
            if bucket > buckets:
                bucket = buckets
        if bucket > 2147483647:
            return fail(ctx.error, b"22003", b"integer out of range")
        (<int32_t*>out.data)[i] = <int32_t>bucket
    return 0


# --- random numbers --------------------------------------------------------------------------------------------------

cdef inline uint64_t next_random(uint64_t* state) noexcept nogil:
    # A counter run through a mixing function: any state is a good state.
    cdef uint64_t z
    state[0] += <uint64_t>0x9E3779B97F4A7C15ULL
    z = state[0]
    z = (z ^ (z >> 30)) * <uint64_t>0xBF58476D1CE4E5B9ULL
    z = (z ^ (z >> 27)) * <uint64_t>0x94D049BB133111EBULL
    return z ^ (z >> 31)


cdef inline double next_double(uint64_t* state) noexcept nogil:
    # [0, 1), 53 bits.
    return <double>(next_random(state) >> 11) * (1.0 / 9007199254740992.0)


cdef int drandom(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                 uint32_t count) noexcept nogil:
    cdef uint32_t k
    for k in range(count):
        (<double*>out.data)[row_at(sel, k)] = next_double(ctx.random_state)
    return 0


cdef int random_normal(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                       uint32_t count) noexcept nogil:
    # Box-Muller.
    cdef double u, v
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        u = 1.0 - next_double(ctx.random_state)
        v = next_double(ctx.random_state)
        (<double*>out.data)[i] = double_at(args[0], i) + double_at(args[1], i) * sqrt(-2.0 * log(u)) * cos(2.0 * M_PI * v)
    return 0


cdef int setseed(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                 uint32_t count) noexcept nogil:
    cdef double seed
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        seed = double_at(args[0], i)
        if not (seed >= -1 and seed <= 1):
            dsql_error_set(ctx.error, "22023", "setseed parameter %g is out of allowed range [-1,1]", seed)
            return -1
        ctx.random_state[0] = <uint64_t><int64_t>(seed * 4503599627370496.0)
        set_var(out, i, <const unsigned char*>b"", 0)
    return 0


cdef int _register() except -1:
    kernel(b"dround", dround)
    kernel(b"dtrunc", dtrunc)
    kernel(b"dceil", dceil)
    kernel(b"dfloor", dfloor)
    kernel(b"dsign", dsign)
    kernel(b"dsqrt", dsqrt)
    kernel(b"dcbrt", dcbrt)
    kernel(b"dexp", dexp)
    kernel(b"dlog1", dlog1)
    kernel(b"dlog10", dlog10)
    kernel(b"dasin", dasin)
    kernel(b"dacos", dacos)
    kernel(b"datan", datan)
    kernel(b"dsin", dsin)
    kernel(b"dcos", dcos)
    kernel(b"dtan", dtan)
    kernel(b"dcot", dcot)
    kernel(b"dsinh", dsinh)
    kernel(b"dcosh", dcosh)
    kernel(b"dtanh", dtanh)
    kernel(b"dasinh", dasinh)
    kernel(b"dacosh", dacosh)
    kernel(b"datanh", datanh)
    kernel(b"derf", derf)
    kernel(b"derfc", derfc)
    kernel(b"degrees", degrees)
    kernel(b"radians", radians)
    kernel(b"dsind", dsind)
    kernel(b"dcosd", dcosd)
    kernel(b"dtand", dtand)
    kernel(b"dcotd", dcotd)
    kernel(b"dasind", dasind)
    kernel(b"dacosd", dacosd)
    kernel(b"datand", datand)
    kernel(b"dpow", dpow)
    kernel(b"datan2", datan2)
    kernel(b"datan2d", datan2d)
    kernel(b"dpi", dpi)
    kernel(b"width_bucket_float8", width_bucket)
    kernel_flags(b"drandom", drandom, KERNEL_VOLATILE)
    kernel_flags(b"random_normal", random_normal, KERNEL_VOLATILE)
    kernel_flags(b"setseed", setseed, KERNEL_VOLATILE)
    return 0


_register()
