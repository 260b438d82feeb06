"""What the plugin costs those who do not use it, and what it does to the coverage of those who do: nothing."""

from __future__ import annotations

from textwrap import dedent

import pytest
from coverage import CoverageData

from tests.plugin.running import run

pytest_plugins = ["pytester"]

#: A package, and tests that import it and memrepo.
_SAMPLE = {
    "sample/__init__": """
        import memrepo

        async def greet(store, name):
            told = await store.memories.remember(f"The user is called {name}")
            if told.outcome == "duplicate":
                return "Hello again"
            return f"Hello, {name}"
        """,
    "test_sample": """
        import memrepo, pytest
        from sample import greet

        @pytest.mark.asyncio
        async def test_greet():
            async with memrepo.connect(":memory:") as store:
                assert await greet(store, "Ada") == "Hello, Ada"
        """,
}


#: Of memrepo, two modules of which most lines run when it is imported.
_FILES = ("sample/__init__.py", "memrepo/__init__.py", "memrepo/errors.py")


def _covered(pytester: pytest.Pytester, *arguments: str) -> dict[str, set[int]]:
    """The lines of these files that a run executes, as pytest-cov sees them."""
    measuring = ("--cov=sample", "--cov=memrepo", "--cov-report=")
    run(pytester, *measuring, *arguments).assert_outcomes(passed=1)
    data = CoverageData(pytester.path / ".coverage")
    data.read()
    covered = {path: set(data.lines(path) or ()) for path in data.measured_files()}
    data.close()
    (pytester.path / ".coverage").unlink()
    return {path: lines for path, lines in covered.items() if path.endswith(_FILES)}


@pytest.mark.slow
def test_coverage_is_the_same_with_and_without_it(pytester: pytest.Pytester) -> None:
    """Of a user's package, and of memrepo's own modules, the same lines are covered as without the plugin."""
    pytester.mkpydir("sample")
    for name, text in _SAMPLE.items():
        (pytester.path / f"{name}.py").write_text(dedent(text), encoding="utf-8")
    with_it = _covered(pytester)
    assert min(map(len, with_it.values())) > 3
    assert len(with_it) == len(_FILES)
    assert with_it == _covered(pytester, "-p", "no:memrepo")


def test_start_imports_no_memrepo(pytester: pytest.Pytester) -> None:
    """A run that uses no fixture imports one small module of the plugin, and nothing of memrepo."""
    pytester.makepyfile(
        """
        import sys

        def test_modules():
            packages = ("memrepo", "pytest_memrepo")
            ours = {name for name in sys.modules if name.partition(".")[0] in packages}
            assert ours == {"pytest_memrepo"}
        """
    )
    run(pytester).assert_outcomes(passed=1)
