"""The operator machine: programs, expressions, operators, sessions and their transactions.

Faces: kernel (registry of kernels and aggregates), session (C face for the wire loop), program (IR -> Program),
handle (SessionHandle and Engine for Python).
"""
