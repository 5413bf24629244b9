"""The rules of the house that no linter knows. Each says why it is there."""

import ast
import re
import subprocess
import tomllib
from functools import cache
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[2]
LAYERS = ["streams", "features", "models", "alerts", "agents", "console", "bi", "churnwatch"]
FILE_LINES_MAX = 300
FUNCTION_LINES_MAX = 65
# The files that do I/O: everything else in the sciences is a function of its arguments.
SHELLS = {
    "streams/transport.py",
    "streams/consumer_thread.py",
    "streams/reader.py",
    "features/redis_client.py",
    "features/redis_store.py",
    "models/redis_store.py",
}
PURE_AGENTS = {
    f"agents/{name}.py"
    for name in ("clock", "effects", "health", "look", "meta", "pipeline", "record", "silence", "undo", "wakeups")
}
# Where time and chance come from. `datetime` itself is fine: it also converts.
IMPURE_MODULES = {"random", "secrets", "time", "uuid"}
IMPURE_CALLS = {"now", "today", "utcnow"}


@cache
def project() -> dict[str, dict[str, object]]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def tracked(*patterns: str) -> list[Path]:
    """The project's files that match, tracked by git or about to be."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return sorted(path for line in set(listed.splitlines()) if (path := ROOT / line).is_file())


def sources() -> list[Path]:
    return tracked("*.py")


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_files_are_short() -> None:
    """A file holds one idea; 80 to 250 lines are the aim."""
    long = {name_of(path): lines for path in sources() if (lines := path.read_text().count("\n")) > FILE_LINES_MAX}
    assert long == {}


def test_functions_fit_on_a_screen() -> None:
    """What is seen at once is understood at once."""
    long = {
        f"{name_of(path)}:{node.lineno} {node.name}": lines
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := (node.end_lineno or 0) - node.lineno + 1) > FUNCTION_LINES_MAX
    }
    assert long == {}


def test_packages_hold_a_docstring_only() -> None:
    """Importing a module must not import its neighbours: the pure core would reach Faust by accident."""
    for path in tracked("*__init__.py"):
        body = ast.parse(path.read_text()).body
        assert all(isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) for node in body), name_of(path)


def test_every_package_has_its_layer() -> None:
    """A package beside the layers would escape the import contracts."""
    found = {path.relative_to(ROOT).parts[0] for path in sources()} - {
        "bench",
        "chaos",
        "fuzz",
        "simulation",
        "studies",
        "tests",
        "tools",
        "docs",
        "deploy",
        "setup.py",
    }
    assert found == set(LAYERS)
    linter = project()["tool"]["importlinter"]
    assert isinstance(linter, dict)
    assert sorted(linter["root_packages"]) == sorted(LAYERS)


def _is_pure(name: str) -> bool:
    return name in PURE_AGENTS or (Path(name).parts[0] in LAYERS[:4] and name not in SHELLS)


def test_the_core_reads_no_clock_and_draws_no_chance() -> None:
    """Time and seeds are arguments; that is what makes live equal to a replay."""
    found: list[str] = []
    for path in filter(lambda path: _is_pure(name_of(path)), sources()):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Import(names=names) if any(alias.name in IMPURE_MODULES for alias in names):
                    found.append(f"{name_of(path)}:{node.lineno} imports {names[0].name}")
                case ast.ImportFrom(module=str(module), level=0) if module in IMPURE_MODULES:
                    found.append(f"{name_of(path)}:{node.lineno} imports {module}")
                case ast.Call(func=ast.Attribute(attr=called)) if called in IMPURE_CALLS:
                    found.append(f"{name_of(path)}:{node.lineno} calls {called}()")
                case _:
                    pass
    assert found == []


def test_nothing_stored_is_loaded_as_code() -> None:
    """A snapshot from Redis or Kafka is data. (Tests may make a pickle, to show that it is refused.)"""
    banned = re.compile(r"^\s*(?:import|from)\s+(?:pickle|dill|cloudpickle|marshal|shelve|joblib)\b", re.MULTILINE)
    product = [path for path in sources() if Path(name_of(path)).parts[0] in LAYERS]
    assert [name_of(path) for path in product if banned.search(path.read_text())] == []


def test_no_file_names_a_place_on_one_machine() -> None:
    """A home directory or a package index of one machine is useless, or worse, on the next."""
    place = re.compile(
        r"(?<![\w.])/(?:home|root|Users)/|(?:index-url|trusted-host)|https?://[^\s/]*(?:pypi|pythonhosted|repo1?\.maven)"
    )
    files = tracked("*.py", "*.toml", "*.lock", "*.sh", "*.yml", "*.yaml", "*.md", "Makefile", "Dockerfile", ".ci/run")
    found = {name_of(path) for path in files if place.search(path.read_text())}
    found -= {"tools/lock.sh", name_of(Path(__file__))}  # --no-emit-index-url; this rule itself
    assert found == set()


def dependencies(extra: str | None = None) -> list[Requirement]:
    metadata = project()["project"]
    extras = metadata["optional-dependencies"]
    assert isinstance(extras, dict)
    listed = extras[extra] if extra else metadata["dependencies"]
    assert isinstance(listed, list)
    return [Requirement(line) for line in listed]


@pytest.mark.parametrize(
    ("lock", "extras"), [("requirements.lock", [None, "bi"]), ("requirements-dev.lock", [None, "bi", "dev"])]
)
def test_locks_follow_the_declared_bounds(lock: str, extras: list[str | None]) -> None:
    """An edit of pyproject.toml without `make lock` would go unseen until the next fresh clone."""
    pinned = dict(re.findall(r"^([a-z0-9-]+)==(\S+)", (ROOT / lock).read_text(), re.MULTILINE))
    for extra in extras:
        for wanted in dependencies(extra):
            version = pinned.get(canonicalize_name(wanted.name))
            assert version is not None, f"{wanted.name} is not in {lock}: make lock"
            assert wanted.specifier.contains(Version(version)), f"{wanted} is {version} in {lock}: make lock"


def test_every_dependency_has_a_floor_a_ceiling_and_a_reason() -> None:
    """Something is depended upon because somebody can say why."""
    wanted = [need for extra in (None, "bi", "dev", "quality", "bench") for need in dependencies(extra)]
    for requirement in wanted:
        bounds = {bound.operator for bound in requirement.specifier}
        assert bounds == {">=", "<"}, f"{requirement}: give a floor and a ceiling"
    page = (ROOT / "docs" / "dependencies.md").read_text()
    assert sorted(re.findall(r"^\| `([^`]+)` \|", page, re.MULTILINE)) == sorted(need.name for need in wanted)


def test_every_make_target_says_what_it_does() -> None:
    """`make` lists the targets; one without a description would be missing there."""
    makefile = (ROOT / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert phony is not None
    described = re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE)
    assert sorted(described) == sorted(phony[1].split())


def test_what_is_compiled_defines_nothing_that_is_stored() -> None:
    """Of a compiled `msgspec.Struct` mypyc drops `array_like`, `frozen` and the like without a word."""
    listed = re.findall(r'"([a-z_]+/[a-z_]+\.py)"', (ROOT / "setup.py").read_text())
    assert len(listed) > 10
    for name in listed:
        assert "msgspec.Struct" not in (ROOT / name).read_text(), (
            f"{name} defines what is stored: take it out of setup.py"
        )
