# Python's face of the codecs; `layout` is for C code that scans the rows a RowCodec describes.
from dsql_core.codec.row cimport RowLayout

cdef class RowCodec:
    cdef RowLayout layout
    cdef readonly tuple type_oids
