"""Build of the compiled core: one extension per .pyx under dsql_core/.

Everything static is in pyproject.toml; this file only knows how a module is compiled.

Build switches (environment):
    DSQL_CHECKS=1    bounds, None and initialised checks on, DSQL_DEBUG_CHECK active
    DSQL_TRACE=1     line tracing for coverage (implies checks); generated C stays beside the source
    DSQL_ANNOTATE=1  HTML annotation beside the generated C
    DSQL_ONLY=a,b    build only modules whose dotted name contains one of the words (development)
    DSQL_OPT=1       optimisation level (default 2)
"""

import os
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

ROOT = Path(__file__).parent.resolve()
os.chdir(ROOT)

# Compiled modules that need more than their own .pyx: module -> C sources of ext/.
EXTRA_SOURCES: dict[str, list[str]] = {}


def switch(name: str) -> bool:
    return os.environ.get(name, "") not in ("", "0")


CHECKS = switch("DSQL_CHECKS") or switch("DSQL_TRACE")
TRACE = switch("DSQL_TRACE")
ONLY = [word for word in os.environ.get("DSQL_ONLY", "").split(",") if word]

JOBS = len(os.sched_getaffinity(0))

DIRECTIVES = {
    "language_level": 3,
    "boundscheck": CHECKS,
    "wraparound": False,
    "initializedcheck": CHECKS,
    "nonecheck": CHECKS,
    "cdivision": True,
    "binding": True,
    "embedsignature": True,
    "autotestdict": False,
    "auto_pickle": False,
    "linetrace": TRACE,
}

MACROS = [("NPY_NO_DEPRECATED_API", "NPY_1_7_API_VERSION")]
if CHECKS:
    MACROS.append(("DSQL_DEBUG", "1"))
if TRACE:
    MACROS.append(("CYTHON_TRACE_NOGIL", "1"))


def module_name(path: Path) -> str:
    return ".".join(path.with_suffix("").parts)


def extensions() -> list[Extension]:
    """One Extension per .pyx; every header and .pxd is a dependency (rebuilds and the sdist need them)."""
    depends = sorted(str(p) for pattern in ("ext/**/*.h", "dsql_core/**/*.pxd") for p in Path().glob(pattern))
    found = []
    for path in sorted(Path("dsql_core").glob("**/*.pyx")):
        name = module_name(path)
        if ONLY and not any(word in name for word in ONLY):
            continue
        found.append(
            Extension(
                name,
                [str(path), *EXTRA_SOURCES.get(name, [])],
                include_dirs=["ext", "."],
                define_macros=MACROS,
                extra_compile_args=[
                    "-std=gnu11",
                    f"-O{os.environ.get('DSQL_OPT', '2')}",
                    "-fno-strict-aliasing",
                    "-pthread",
                    "-Wno-unused-function",
                    "-Wno-discarded-qualifiers",
                ],
                extra_link_args=["-pthread"],
                depends=[str(path), *depends],
            )
        )
    return found


setup(
    ext_modules=cythonize(
        extensions(),
        build_dir=None if TRACE else "build/cython",
        compiler_directives=DIRECTIVES,
        annotate=switch("DSQL_ANNOTATE"),
        nthreads=JOBS,
    ),
    options={"build_ext": {"parallel": JOBS}},
)
