"""Arena: creation, attachment and the Python side of storage, for tools, tests and the assembly of processes.

One process creates the two memfds (arena and control area) and hands the descriptors on by fork. Each process maps
them: the arena read-write in the one writer, read-only elsewhere; the control area read-write everywhere, because
readers write their pins there.

A1  One writer at a time; who that is, the supervisor decides. A process that attaches as writer must call recover()
    before its first batch (create() leaves a writer ready).
A2  The Store a compiled module takes from `arena.store` is valid as long as the Arena object is open.
A3  A fork keeps the mappings. The child may read through the inherited object; its pin slots are its own (pins.pyx).

The dictionary-like calls here (put, get, scan) copy every row into Python objects: right for the catalog loader of a
tool or a test, never for queries.
"""
import os

cimport cython
from libc.stdint cimport int32_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free
from libc.string cimport memset

from dsql_core.base.mapping cimport (
    dsql_memory_advise_large, dsql_memory_create, dsql_memory_map, dsql_memory_protect, dsql_memory_unmap,
)
from dsql_core.base.memory cimport Pool, pool_free, pool_init, pool_reset
from dsql_core.base.types cimport Slice
from dsql_core.storage.layout cimport (
    PAGE_NO_FIRST, PAGE_SIZE, PIN_SLOTS, Control, PageHeader, PageSlot, PinSlot, RootRecord, Store,
)
from dsql_core.storage.pins cimport pin_slots_return, pins_setup, pins_sweep
from dsql_core.storage.reclaim cimport reclaim_judge, touch_ahead, writer_free, writer_new
from dsql_core.storage.recover cimport control_check, control_format, writer_recover
from dsql_core.storage.store cimport (
    Cursor, KEY_SIZE_MAX, cursor_fetch, cursor_first, cursor_last, cursor_open, cursor_seek, cursor_seek_before,
    snapshot_pin, snapshot_pin_at, snapshot_pin_clear, snapshot_slot_acquire, snapshot_slot_release,
    snapshot_unpin, store_batch_begin, store_catalog_version, store_pages_left, store_publish, store_visible_ts,
    tree_delete, tree_drop, tree_entry_count, tree_estimate, tree_get, tree_put, tree_root,
)

# The layout is a format: a compiler that lays these out otherwise must not run.
if sizeof(PageHeader) != 32 or sizeof(PageSlot) != 8 or sizeof(PinSlot) != 64 or sizeof(RootRecord) != 64:
    raise ImportError("the page layout does not have the sizes of its format")

PAGE_BYTES = PAGE_SIZE


class StorageError(Exception):
    """The arena is full, damaged, or was used against its rules."""


cdef inline const uint8_t* _bytes(bytes value) noexcept:
    return <const uint8_t*><const char*>value


@cython.final
cdef class Arena:
    """One process's view of the shared pages.

    Use Arena.create() once per database and Arena.attach() in every other process.
    """

    def __cinit__(self):
        memset(&self._store, 0, sizeof(self._store))
        self.store = NULL
        self.control_fd = -1
        self.arena_fd = -1
        self.writer = False

    def __dealloc__(self):
        self._release()

    @staticmethod
    def create(bytes_max=0):
        """A new, empty arena whose creator is its writer.

        Args:
            bytes_max: most memory the pages may take; 0 means the machine's memory. Only pages in use cost anything.
        """
        if bytes_max <= 0:
            bytes_max = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        cdef uint64_t pages_max = min(max(bytes_max // PAGE_SIZE, PAGE_NO_FIRST + 8), 0xffffffff)
        cdef int control_fd = dsql_memory_create(b"opendsql-control", sizeof(Control))
        if control_fd < 0:
            raise OSError(-control_fd, os.strerror(-control_fd))
        cdef int arena_fd = dsql_memory_create(b"opendsql-arena", pages_max * PAGE_SIZE)
        if arena_fd < 0:
            os.close(control_fd)
            raise OSError(-arena_fd, os.strerror(-arena_fd))
        cdef Control* control = <Control*>dsql_memory_map(control_fd, sizeof(Control), 1)
        if control == NULL:
            os.close(control_fd)
            os.close(arena_fd)
            raise MemoryError("cannot map the control area")
        control_format(control, pages_max)
        dsql_memory_unmap(control, sizeof(Control))
        cdef Arena arena = Arena._mapped(control_fd, arena_fd, True)
        arena.recover()
        return arena

    @staticmethod
    def attach(int control_fd, int arena_fd, writer=False):
        """Maps an arena that another process created; the descriptors are duplicated, the caller keeps its own.

        A writer must call recover() before its first batch, and only when the previous writer is dead.
        """
        return Arena._mapped(os.dup(control_fd), os.dup(arena_fd), writer)

    @staticmethod
    def _mapped(int control_fd, int arena_fd, bint writer):
        cdef Arena arena = Arena.__new__(Arena)
        cdef Store* store = &arena._store
        arena.control_fd = control_fd
        arena.arena_fd = arena_fd
        store.control_size = sizeof(Control)
        if os.fstat(control_fd).st_size < sizeof(Control):
            arena._release()
            raise StorageError("the control area is too small to be one")
        store.control = <Control*>dsql_memory_map(control_fd, store.control_size, 1)
        if store.control == NULL:
            arena._release()
            raise MemoryError("cannot map the control area")
        if control_check(store.control) < 0:
            arena._release()
            raise StorageError("the control area belongs to another version of opendsql")
        store.pages_max = store.control.pages_max
        store.arena_size = store.pages_max * PAGE_SIZE
        store.arena = <uint8_t*>dsql_memory_map(arena_fd, store.arena_size, writer)
        if store.arena == NULL:
            arena._release()
            raise MemoryError("cannot map the arena")
        dsql_memory_advise_large(store.arena, store.arena_size)
        if writer:
            store.writable = 1
            store.writer = writer_new()
            if store.writer == NULL:
                arena._release()
                raise MemoryError("no memory for the writer's state")
            store.writer.broken = 1                       # A1: until recover()
        pins_setup(store)
        arena.writer = writer
        arena.store = store
        return arena

    def _release(self):
        cdef Store* store = &self._store
        if store.control != NULL and store.arena != NULL:
            pin_slots_return(store)
        free(store.slots_free)
        writer_free(store.writer)
        dsql_memory_unmap(store.arena, store.arena_size)
        dsql_memory_unmap(store.control, store.control_size)
        memset(store, 0, sizeof(store[0]))
        self.store = NULL
        for fd in (self.control_fd, self.arena_fd):
            if fd >= 0:
                os.close(fd)
        self.control_fd = self.arena_fd = -1

    def close(self):
        """Unmaps and closes; pinned snapshots of this object must be closed before."""
        self._release()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    cdef int _check_open(self) except -1:
        if self.store == NULL:
            raise StorageError("the arena is closed")
        return 0

    cdef int _check_writer(self) except -1:
        self._check_open()
        if self.store.writer == NULL:
            raise StorageError("this process only reads the arena")
        return 0

    @property
    def fds(self):
        """(control_fd, arena_fd), for attach() in another process."""
        return self.control_fd, self.arena_fd

    @property
    def visible_ts(self):
        """Every commit at or below is in the newest root."""
        self._check_open()
        return store_visible_ts(self.store)

    @property
    def catalog_version(self):
        """commit_ts of the newest catalog change in the newest root."""
        self._check_open()
        return store_catalog_version(self.store)

    def stats(self):
        """Counts of pages, bags, batches, pins and checkpoints, as the writer last reported them."""
        self._check_open()
        cdef Control* control = self.store.control
        cdef int32_t i
        cdef uint64_t pinned = 0
        for i in range(PIN_SLOTS):
            if i < 2 or (control.pin_used[i >> 6] >> (i & 63)) & 1:
                if control.slots[i].pin != 0:
                    pinned += 1
        return {
            "epoch": control.cur,
            "page_size": PAGE_SIZE,
            "pages_max": control.pages_max,
            "pages_high": control.pages_high,
            "pages_free": control.pages_free,
            "pages_held": control.pages_held,
            "pages_left": store_pages_left(self.store),
            "pages_used": control.pages_high - PAGE_NO_FIRST - control.pages_free - control.pages_held,
            "bags": control.bag_count,
            "batches": control.batch_count,
            "pins": pinned,
            "checkpoints": control.checkpoint_count,
        }

    def sweep_pins(self):
        """Frees the pin slots of processes that no longer exist; returns how many."""
        self._check_open()
        return pins_sweep(self.store)

    def recover(self):
        """Makes this process the writer of what is published; the previous writer must be dead."""
        self._check_writer()
        cdef uint64_t bad_page = 0
        cdef int status
        with nogil:
            status = writer_recover(self.store, &bad_page)
        if status == -1:
            raise MemoryError("no memory to rebuild the free list")
        if status < 0:
            raise StorageError(f"page {bad_page} of the arena is damaged")

    def become_reader(self):
        """Gives up writing in this process: the mapping turns read-only, the writer's private memory goes.

        For a forked child that inherited the creator's object, and for a creator whose child writes from now on.
        """
        self._check_open()
        writer_free(self.store.writer)
        self.store.writer = NULL
        self.store.writable = 0
        self.writer = False
        status = dsql_memory_protect(self.store.arena, self.store.arena_size, 0)
        if status < 0:
            raise OSError(-status, os.strerror(-status))

    def become_writer(self):
        """Makes this process the writer: the mapping turns writable, then recover(). The old writer must be dead."""
        self._check_open()
        status = dsql_memory_protect(self.store.arena, self.store.arena_size, 1)
        if status < 0:
            raise OSError(-status, os.strerror(-status))
        if self.store.writer == NULL:
            self.store.writer = writer_new()
        if self.store.writer == NULL:
            raise MemoryError("no memory for the writer's state")
        self.store.writable = 1
        self.writer = True
        self.recover()

    # -- batches, from Python ------------------------------------------------------------------------------------------

    def begin(self):
        """Opens a batch."""
        self._check_writer()
        if store_batch_begin(self.store) < 0:
            raise StorageError("a batch is under way, or the last one failed and recover() is due")

    def _raise(self, int status):
        if status == -1:
            raise StorageError("the arena is full")
        raise StorageError("the tree is damaged, or the batch failed before")

    def _check_batch(self):
        self._check_writer()
        if not self.store.writer.in_batch:
            raise StorageError("no batch is under way")

    def put(self, uint64_t tree, bytes key not None, bytes value not None):
        """Sets a key; True when it replaced a value."""
        self._check_batch()
        if len(key) > KEY_SIZE_MAX:
            raise ValueError(f"a key has at most {KEY_SIZE_MAX} bytes")
        cdef int status = tree_put(self.store, tree, _bytes(key), len(key), _bytes(value), len(value))
        if status < 0:
            self._raise(status)
        return status == 1

    def put_many(self, uint64_t tree, list rows not None):
        """Sets (key, value) pairs; returns how many were new."""
        self._check_batch()
        cdef int status
        cdef uint64_t fresh = 0
        cdef bytes key, value
        for key, value in rows:
            if len(key) > KEY_SIZE_MAX:
                raise ValueError(f"a key has at most {KEY_SIZE_MAX} bytes")
            status = tree_put(self.store, tree, _bytes(key), len(key), _bytes(value), len(value))
            if status < 0:
                self._raise(status)
            fresh += status == 0
        return fresh

    def delete(self, uint64_t tree, bytes key not None):
        """Removes a key; False when it was not there."""
        self._check_batch()
        cdef int status = tree_delete(self.store, tree, _bytes(key), len(key))
        if status < 0:
            self._raise(status)
        return status == 1

    def drop(self, uint64_t tree):
        """Removes a whole tree and frees its pages."""
        self._check_batch()
        cdef int status = tree_drop(self.store, tree)
        if status < 0:
            self._raise(status)

    def publish(self, uint64_t visible_ts=0, uint64_t catalog_version=0, uint64_t journal_seq=0):
        """Makes the batch visible."""
        self._check_batch()
        cdef int status = store_publish(self.store, visible_ts, catalog_version, journal_seq)
        if status < 0:
            self._raise(status)

    def judge(self):
        """Frees dead pages now instead of at the next eighth batch."""
        self._check_writer()
        if reclaim_judge(self.store) < 0:
            raise MemoryError("no memory for the bookkeeping of dead pages")

    def touch_ahead(self, uint64_t pages):
        """Puts memory behind the next `pages` pages, so that later batches take no faults."""
        self._check_writer()
        if touch_ahead(self.store, pages) < 0:
            raise MemoryError("the machine has no memory for more pages")

    def time_pins(self, uint64_t count):
        """Pins and unpins the newest root `count` times in one slot; for the benchmark of the protocol."""
        self._check_open()
        cdef Snapshot snapshot
        cdef int32_t slot_no = snapshot_slot_acquire(self.store)
        if slot_no < 0:
            raise StorageError("every pin slot is taken")
        with nogil:
            while count > 0:
                count -= 1
                snapshot_pin_at(self.store, slot_no, &snapshot)
                snapshot_pin_clear(self.store, slot_no)
        snapshot_slot_release(self.store, slot_no)

    def snapshot(self):
        """A pinned snapshot of the newest root."""
        self._check_open()
        cdef SnapshotView view = SnapshotView.__new__(SnapshotView)
        if snapshot_pin(self.store, &view.snapshot) < 0:
            raise StorageError("every pin slot is taken")
        view.arena = self
        return view


@cython.final
cdef class SnapshotView:
    """A pinned root, read from Python. Close it: while it is open, its pages stay."""

    def __cinit__(self):
        self.snapshot.pin_slot = -1

    def __dealloc__(self):
        if self.snapshot.pin_slot >= 0 and self.arena is not None and self.arena.store != NULL:
            snapshot_unpin(self.arena.store, &self.snapshot)

    def close(self):
        """Gives the pin up."""
        if self.snapshot.pin_slot >= 0 and self.arena.store != NULL:
            snapshot_unpin(self.arena.store, &self.snapshot)
        self.snapshot.pin_slot = -1

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    cdef int _check_open(self) except -1:
        self.arena._check_open()
        if self.snapshot.pin_slot < 0:
            raise StorageError("the snapshot is closed")
        return 0

    @property
    def epoch(self):
        """Number of the root."""
        return self.snapshot.epoch

    @property
    def visible_ts(self):
        """Every commit at or below is in this snapshot."""
        return self.snapshot.visible_ts

    @property
    def catalog_version(self):
        """commit_ts of the newest catalog change in this snapshot."""
        return self.snapshot.catalog_version

    @property
    def journal_seq(self):
        """Last journal frame applied in this snapshot."""
        return self.snapshot.journal_seq

    @property
    def directory_root(self):
        """Page of the directory's root."""
        return self.snapshot.directory_root

    def root(self, uint64_t tree):
        """Root page of a tree, 0 when it is empty."""
        self._check_open()
        return tree_root(self.arena.store, &self.snapshot, tree)

    def count(self, uint64_t tree):
        """Entries of a tree, exactly."""
        self._check_open()
        return tree_entry_count(self.arena.store, &self.snapshot, tree)

    def estimate(self, uint64_t tree):
        """Entries of a tree, from its shape."""
        self._check_open()
        return tree_estimate(self.arena.store, tree_root(self.arena.store, &self.snapshot, tree))

    def get(self, uint64_t tree, bytes key not None):
        """The value of a key, or None."""
        self._check_open()
        cdef Slice value
        cdef Pool pool
        cdef int status
        pool_init(&pool, 0)
        try:
            status = tree_get(self.arena.store, tree_root(self.arena.store, &self.snapshot, tree), _bytes(key),
                              len(key), &pool, &value)
            if status < 0:
                raise StorageError(f"tree {tree} is damaged")
            return value.data[:value.size] if status else None
        finally:
            pool_free(&pool)

    def get_many(self, uint64_t tree, list keys not None):
        """How many of the keys are there, and the bytes of their values together: the read path without its results."""
        self._check_open()
        cdef Store* store = self.arena.store
        cdef uint32_t root = tree_root(store, &self.snapshot, tree)
        cdef Slice value
        cdef Pool pool
        cdef bytes key
        cdef int status = 0
        cdef uint64_t found = 0, size = 0
        pool_init(&pool, 0)
        for key in keys:
            status = tree_get(store, root, _bytes(key), len(key), &pool, &value)
            if status < 0:
                break
            if status:
                found += 1
                size += value.size
        pool_free(&pool)
        if status < 0:
            raise StorageError(f"tree {tree} is damaged")
        return found, size

    def measure(self, uint64_t tree):
        """Entries of a tree and the bytes of their keys and values, by walking it without making objects."""
        self._check_open()
        cdef Cursor cursor
        cdef Pool pool
        cdef Slice keys[256]
        cdef Slice values[256]
        cdef uint64_t entries = 0, size = 0
        cdef int n = 0, i
        pool_init(&pool, 0)
        with nogil:
            cursor_open(&cursor, self.arena.store, tree_root(self.arena.store, &self.snapshot, tree))
            if cursor_first(&cursor) == 1:
                n = cursor_fetch(&cursor, 1, NULL, 0, 256, &pool, keys, values)
                while n > 0:
                    for i in range(n):
                        size += keys[i].size + values[i].size
                    entries += n
                    pool_reset(&pool)
                    n = cursor_fetch(&cursor, 1, NULL, 0, 256, &pool, keys, values)
            pool_free(&pool)
        if n < 0:
            raise StorageError(f"tree {tree} is damaged")
        return entries, size

    def scan(self, uint64_t tree, lo=None, hi=None, bint backward=False, int limit=-1, int batch=256):
        """Entries with lo <= key < hi as (key, value) pairs, in key order or backward."""
        self._check_open()
        cdef Cursor cursor
        cdef Pool pool
        cdef Slice keys[256]
        cdef Slice values[256]
        cdef const uint8_t* stop = NULL
        cdef size_t stop_size = 0
        cdef int status, n, i
        cdef int left = limit if limit >= 0 else 0x7fffffff
        cdef bytes stop_bytes = lo if backward else hi
        cdef bytes start = hi if backward else lo
        batch = min(max(batch, 1), 256)
        if stop_bytes is not None:
            stop = _bytes(stop_bytes)
            stop_size = len(stop_bytes)
        rows = []
        pool_init(&pool, 0)
        try:
            cursor_open(&cursor, self.arena.store, tree_root(self.arena.store, &self.snapshot, tree))
            if start is None:
                status = cursor_last(&cursor) if backward else cursor_first(&cursor)
            elif backward:
                status = cursor_seek_before(&cursor, _bytes(start), len(start))
            else:
                status = cursor_seek(&cursor, _bytes(start), len(start))
            while status == 1 and left > 0:
                pool_reset(&pool)
                n = cursor_fetch(&cursor, -1 if backward else 1, stop, stop_size, min(left, batch), &pool, keys,
                                 values)
                if n < 0:
                    status = -1
                if n <= 0:
                    break
                for i in range(n):
                    rows.append((keys[i].data[:keys[i].size], values[i].data[:values[i].size]))
                left -= n
            if status < 0:
                raise StorageError(f"tree {tree} is damaged")
            return rows
        finally:
            pool_free(&pool)

    def trees(self):
        """{tree id: (root page, entries)} of everything in the directory."""
        self._check_open()
        cdef uint32_t root = self.snapshot.directory_root
        cdef Cursor cursor
        cdef Slice keys[64]
        cdef Slice values[64]
        cdef int n, i
        found = {}
        cursor_open(&cursor, self.arena.store, root)
        if cursor_first(&cursor) == 1:
            while True:
                n = cursor_fetch(&cursor, 1, NULL, 0, 64, NULL, keys, values)
                if n < 0:
                    raise StorageError("the directory is damaged")
                if n == 0:
                    break
                for i in range(n):
                    key = keys[i].data[:keys[i].size]
                    value = values[i].data[:values[i].size]
                    found[int.from_bytes(key, "big")] = (int.from_bytes(value[:4], "little"),
                                                         int.from_bytes(value[8:16], "little"))
        return found
