# The accumulator of sum and avg over numerics.
from libc.string cimport memcpy

from dsql_core.base.error cimport dsql_error_t
from dsql_core.base.memory cimport Pool
from dsql_core.base.types cimport int32_t, int64_t
from dsql_core.base.vector cimport Var
from dsql_core.types.int128 cimport int128
from dsql_core.types.numeric cimport NUMERIC_SMALL_SIZE

# Sum, count and scale of numerics; zeroed memory is the empty state.
cdef struct NumericSum:
    int128 total               # of everything that fitted, at scale `dscale`
    int64_t count              # finite values
    int64_t nan_count
    int64_t pinf_count
    int64_t ninf_count
    int32_t dscale             # greatest scale seen among small values
    int32_t has_spill
    Var spill                  # the rest, as a numeric in the pool given to numeric_sum_add

cdef int numeric_sum_add_slow(NumericSum* sum, const Var* value, Pool* pool, dsql_error_t* error) noexcept nogil
cdef int numeric_sum_add_i128(NumericSum* sum, int128 mantissa, int dscale, Pool* pool,
                              dsql_error_t* error) noexcept nogil

cdef inline int numeric_sum_add(NumericSum* sum, const Var* value, Pool* pool, dsql_error_t* error) noexcept nogil:
    # 2^63 additions of values below 10^18 stay below 2^123: no overflow check on the fast path (total is kept
    # below 2^100 by the slow path).
    cdef int64_t mantissa
    if value.size == NUMERIC_SMALL_SIZE and value.data[8] == sum.dscale:
        memcpy(&mantissa, value.data, 8)
        sum.total += mantissa
        sum.count += 1
        return 0
    return numeric_sum_add_slow(sum, value, pool, error)

cdef int numeric_sum_merge(NumericSum* sum, const NumericSum* other, Pool* pool, dsql_error_t* error) noexcept nogil
cdef int numeric_sum_total(const NumericSum* sum, Pool* pool, Var* out, dsql_error_t* error) noexcept nogil
cdef int numeric_sum_average(const NumericSum* sum, Pool* pool, Var* out, dsql_error_t* error) noexcept nogil
