# Reading intervals.
from dsql_core.base.error cimport dsql_error_t
from dsql_core.base.types cimport int32_t, uint8_t
from dsql_core.base.vector cimport Interval

# style: FormatSettings.interval_style (sql_standard reads a leading minus as covering all fields). typmod says what a
# bare number means; it is not applied. 0, -1 error set (22007, 22015, 22008).
cdef int interval_parse(const uint8_t* text, size_t size, int32_t typmod, int style, Interval* out,
                        dsql_error_t* error) noexcept nogil
