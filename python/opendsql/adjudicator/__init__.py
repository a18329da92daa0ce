"""The adjudicator as the orchestration sees it; the role itself is compiled (dsql_core.adjudicator)."""

from dsql_core.adjudicator import AdjudicatorOwner, ConflictSet

__all__ = ["AdjudicatorOwner", "ConflictSet"]
