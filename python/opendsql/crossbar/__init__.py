"""The crossbar as the orchestration sees it; the role itself is compiled (dsql_core.crossbar)."""

from dsql_core.crossbar import CrossbarOwner, FeedMerge

__all__ = ["CrossbarOwner", "FeedMerge"]
