"""The anomaly scripts (session_scripts): which of the classic anomalies snapshot isolation lets happen.

Every script starts on the table test (id int PRIMARY KEY, value int) holding (1, 10), (2, 20).
"""

from pathlib import Path

import psycopg
import pytest
from session_scripts import check_script

SCRIPTS = sorted((Path(__file__).parent / "scripts").glob("*.txt"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_script(script: Path, server) -> None:
    with psycopg.connect(server.dsn, autocommit=True) as setup:
        setup.execute("DROP TABLE IF EXISTS test")
        setup.execute("CREATE TABLE test (id int PRIMARY KEY, value int)")
        setup.execute("INSERT INTO test VALUES (1, 10), (2, 20)")
    check_script(script, server)
