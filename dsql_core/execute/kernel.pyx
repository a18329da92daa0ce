"""The table of kernels and aggregates by name.

Filled once per process while the kernel modules are imported (GIL held) and only read afterwards, so programs keep
plain pointers into it.

Invariants
  K1  a name is registered at most once; a second registration is an error at import, never a silent override.
  K2  an entry never moves and is never freed: Program nodes hold `const Kernel*` for the life of the process.

Owner of the memory: this module; one malloc per entry.
"""

from cpython.mem cimport PyMem_RawMalloc
from libc.string cimport memset, strlen, memcpy

cdef dict _kernels = {}        # name -> address of its Kernel
cdef dict _aggregates = {}     # name -> address of its Aggregate


cdef char* _keep_name(const char* name) except NULL:
    # Callers pass literals, but a name built from a Python bytes object would dangle: keep a copy.
    cdef size_t size = strlen(name)
    cdef char* copy = <char*>PyMem_RawMalloc(size + 1)
    if copy == NULL:
        raise MemoryError
    memcpy(copy, name, size + 1)
    return copy


cdef int kernel_register(const char* name, kernel_t fn, uint32_t flags) except -1:
    cdef str key = name.decode("utf-8")
    cdef Kernel* kernel
    if key in _kernels:
        raise ValueError(f"kernel {key} is registered twice")
    kernel = <Kernel*>PyMem_RawMalloc(sizeof(Kernel))
    if kernel == NULL:
        raise MemoryError
    kernel.name = _keep_name(name)
    kernel.fn = fn
    kernel.flags = flags
    _kernels[key] = <size_t>kernel
    return 0


cdef int aggregate_register(const char* name, uint32_t state_size, uint32_t flags, agg_update_t update,
                            agg_update_one_t update_one, agg_final_t final) except -1:
    cdef str key = name.decode("utf-8")
    cdef Aggregate* aggregate
    if key in _aggregates:
        raise ValueError(f"aggregate {key} is registered twice")
    aggregate = <Aggregate*>PyMem_RawMalloc(sizeof(Aggregate))
    if aggregate == NULL:
        raise MemoryError
    memset(aggregate, 0, sizeof(Aggregate))
    aggregate.name = _keep_name(name)
    aggregate.state_size = state_size
    aggregate.flags = flags
    aggregate.update = update
    aggregate.update_one = update_one
    aggregate.final = final
    _aggregates[key] = <size_t>aggregate
    return 0


cdef const Kernel* kernel_find(str name) except NULL:
    address = _kernels.get(name)
    if address is None:
        raise LookupError(f"no kernel named {name}")
    return <const Kernel*><size_t>address


cdef const Aggregate* aggregate_find(str name) except NULL:
    address = _aggregates.get(name)
    if address is None:
        raise LookupError(f"no aggregate named {name}")
    return <const Aggregate*><size_t>address


def kernel_names() -> list:
    """Names of every registered kernel, sorted."""
    return sorted(_kernels)


def aggregate_names() -> list:
    """Names of every registered aggregate, sorted."""
    return sorted(_aggregates)


def has_kernel(str name) -> bool:
    """Whether a kernel of that name is registered."""
    return name in _kernels


def has_aggregate(str name) -> bool:
    """Whether an aggregate of that name is registered."""
    return name in _aggregates
