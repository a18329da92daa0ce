"""The rewrites of the logical plan, one a file, in the order they run."""

from opendsql.query.rules.push_down import push_down
from opendsql.query.rules.rule import Rule

RULES: tuple[Rule, ...] = (push_down,)
