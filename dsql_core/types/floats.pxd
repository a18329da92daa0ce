# float4 and float8: text formats.
from dsql_core.base.error cimport dsql_error_t
from dsql_core.base.memory cimport Buffer
from dsql_core.base.types cimport int32_t, uint8_t

cdef int float8_input(const uint8_t* text, size_t size, double* out, dsql_error_t* error) noexcept nogil
cdef int float4_input(const uint8_t* text, size_t size, float* out, dsql_error_t* error) noexcept nogil
# extra_float_digits > 0: shortest text that reads back exactly; otherwise 15 (6) + extra_float_digits digits.
cdef void float8_output(double value, int32_t extra_float_digits, Buffer* out) noexcept nogil
cdef void float4_output(float value, int32_t extra_float_digits, Buffer* out) noexcept nogil
# Shortest decimal: value = digits * 10^exponent, for finite value > 0.
cdef void float8_shortest(double value, unsigned long long* digits, int* exponent) noexcept nogil
