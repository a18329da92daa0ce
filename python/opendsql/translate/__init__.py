"""Other databases' schemas and statements in DSQL's words: what `opendsql translate` and migration scripts call.

    translate(sql, source)   a script of MySQL, SQLite, PostgreSQL, ... -> Translated(sql, notes), one statement each
    DSQL                     the same as a sqlglot dialect: sqlglot.transpile(sql, read="mysql", write="dsql")

The engine does not need this package: it parses with PostgreSQL's grammar. sqlglot reads the other grammars here.

    script.py    the script as a whole: splitting, order, what is dropped, which refusal is left
    tables.py    CREATE TABLE, ALTER TABLE, CREATE INDEX
    columns.py   types and column constraints
    dialect.py   DSQL
"""

from opendsql.translate.dialect import DSQL
from opendsql.translate.script import translate
from opendsql.translate.tables import Translated

__all__ = ["DSQL", "Translated", "translate"]
