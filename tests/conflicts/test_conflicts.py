"""What two transactions do to each other (session_scripts).

    matrix_<held>    the row matrix: every pair of accesses to one row, each in both commit orders
"""

from pathlib import Path

import pytest
from session_scripts import check_script

SCRIPTS = sorted((Path(__file__).parent / "scripts").glob("*.txt"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_script(script: Path, server) -> None:
    check_script(script, server)
