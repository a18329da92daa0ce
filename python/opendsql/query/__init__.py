"""The query processor's front half: text in, program out.

parse.py      text -> parse trees (PostgreSQL's grammar and DSQL's own words)
gate.py       what DSQL refuses, with its exact words
bind_*.py     names and types: parse trees -> logical nodes (logical.py) over typed expressions (expr.py)
rules/        one rewrite of the logical tree a file; RULES in order
access.py     which index, which bounds          emit*.py   logical tree -> IR of dsql_core.execute
explain.py    the plan as DSQL prints it         planner.py the whole walk; what the gateway calls
dialect.py    rewrites of stored SQL text when something it names is renamed
"""
