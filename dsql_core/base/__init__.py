"""Declarations that every compiled module cimports: numbers, slices, pools, buffers, errors, values, vectors."""
