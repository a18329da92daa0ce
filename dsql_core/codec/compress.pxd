# LZ4 blocks without the GIL. The calls come from the `lz4` package's extension (ext/lz4), loaded at import.
from dsql_core.base.types cimport uint8_t

# Most bytes that `size` bytes can become.
cdef size_t compress_bound(size_t size) noexcept nogil
# Bytes written, 0 = did not fit capacity. size and capacity below 2 GiB.
cdef size_t compress_block(const uint8_t* source, size_t size, uint8_t* target, size_t capacity) noexcept nogil
# Bytes written, -1 = malformed or larger than capacity.
cdef Py_ssize_t decompress_block(const uint8_t* source, size_t size, uint8_t* target, size_t capacity) noexcept nogil
