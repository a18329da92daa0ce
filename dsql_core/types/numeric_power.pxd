# numeric to an integer power.
from dsql_core.base.error cimport dsql_error_t
from dsql_core.base.memory cimport Pool
from dsql_core.base.types cimport int32_t
from dsql_core.base.vector cimport Var

# base ^ exponent with PostgreSQL's result scale; exponent_scale is the dscale of the exponent as it was written
# (2.00 counts 2). Base and result are finite: NaN and the infinities are the caller's. 22003 overflow, 22012 0 ^ -n.
cdef int numeric_power_int(const Var* base, int32_t exponent, int32_t exponent_scale, Pool* pool, Var* out,
                           dsql_error_t* error) noexcept nogil
