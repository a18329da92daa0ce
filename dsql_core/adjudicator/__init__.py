"""The adjudicator: which commits are admitted, and at which timestamp."""

from dsql_core.adjudicator.adjudicate import AdjudicatorOwner, ConflictSet

__all__ = ["AdjudicatorOwner", "ConflictSet"]
