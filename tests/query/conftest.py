"""Lets the tests of this folder import their neighbours (in_process, sample_catalog) and the tree as it stands."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "python")]
