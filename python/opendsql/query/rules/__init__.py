"""The rewrites of the logical plan, one a file, in the order they run."""

from opendsql.query.rules.fold import fold
from opendsql.query.rules.join_order import join_order
from opendsql.query.rules.literal_types import literal_types
from opendsql.query.rules.min_max import min_max
from opendsql.query.rules.push_down import push_down
from opendsql.query.rules.rule import Rule
from opendsql.query.rules.unnest import unnest

RULES: tuple[Rule, ...] = (fold, unnest, push_down, min_max, join_order, literal_types)
