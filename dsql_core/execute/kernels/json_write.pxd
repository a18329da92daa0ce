# SQL values as JSON text, without the GIL.
from dsql_core.base.memory cimport Buffer
from dsql_core.base.types cimport uint32_t
from dsql_core.base.vector cimport Value
from dsql_core.types.io cimport FormatSettings

# Numbers and bools bare, json as it is, arrays element by element, everything else a string; NULL is null.
cdef int json_put_value(const Value* value, const FormatSettings* format, Buffer* out) noexcept nogil
# As an object's key: always a string. -1 = the type cannot be one (arrays, json).
cdef int json_put_key(const Value* value, const FormatSettings* format, Buffer* out) noexcept nogil
