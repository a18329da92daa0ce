"""Hybrid timestamps from one shared word, error intervals, commit wait."""

from dsql_core.clock.hybrid import ClockInterval, HybridClock, pack, unpack

Clock = HybridClock

__all__ = ["Clock", "ClockInterval", "HybridClock", "pack", "unpack"]
