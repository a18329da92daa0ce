"""Codecs: order-preserving keys, row images, and the messages of the commit path.

    keycode   key parts whose memcmp order is the type's order      row   row images, decoded by row or by column
    message   layouts of the commit path (declarations only)        face  what Python sees
"""

from dsql_core.codec.face import RowCodec, key_encode, key_part_sizes, key_successor
from dsql_core.codec.message import fingerprint_of

__all__ = ["RowCodec", "fingerprint_of", "key_encode", "key_part_sizes", "key_successor"]
