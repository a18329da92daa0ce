"""The crossbar: journals' feeds merged by commit timestamp."""

from dsql_core.crossbar.merge import CrossbarOwner, FeedMerge

__all__ = ["CrossbarOwner", "FeedMerge"]
