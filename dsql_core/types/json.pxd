# json (kept as written, validated) and jsonb (kept as PostgreSQL's canonical text).
#
# A jsonb value in memory IS its output text: objects have unique keys ordered by length, then bytes; one blank after
# ':' and ','; numbers in numeric's text; strings with the shortest escapes. Equal values are equal byte for byte,
# but for numbers that differ only in trailing zeros.
from dsql_core.base.error cimport dsql_error_t
from dsql_core.base.memory cimport Buffer, Pool
from dsql_core.base.types cimport uint8_t, uint64_t
from dsql_core.base.vector cimport Var

# 0, or -1 with 22P02 `invalid input syntax for type json` and its detail set.
cdef int json_check(const uint8_t* text, size_t size, dsql_error_t* error) noexcept nogil
cdef int jsonb_input(const uint8_t* text, size_t size, Pool* pool, Var* out, dsql_error_t* error) noexcept nogil
cdef int jsonb_compare(const Var* a, const Var* b) noexcept nogil       # btree order of jsonb
cdef uint64_t jsonb_hash(const Var* a) noexcept nogil
# A string with its quotes and the shortest escapes.
cdef void json_put_string(const uint8_t* data, size_t size, Buffer* out) noexcept nogil
