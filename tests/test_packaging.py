"""The wheel and the sdist: what they contain, and that what is installed from them runs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "selfinstruct"


def _python(code: str, *arguments: object, cwd: Path) -> None:
    """Run a line of Python in ``cwd`` and show its output where it fails."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def _tracked() -> list[str]:
    """The files under version control, relative to the root."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [name for name in listed.stdout.split("\0") if name]


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The sdist of the tracked files and the wheel built from that sdist, by the installed setuptools alone."""
    folder = tmp_path_factory.mktemp("build")
    source, dist = folder / "source", folder / "dist"
    dist.mkdir()
    for name in _tracked():
        path = ROOT / name
        if path.is_symlink() or path.exists():
            target = source / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if path.is_symlink():
                target.symlink_to(path.readlink())
            else:
                target.write_bytes(path.read_bytes())
    hook = "import sys; from setuptools import build_meta as b; b.build_{}(sys.argv[1])"
    _python(hook.format("sdist"), dist, cwd=source)
    sdist = next(dist.glob("*.tar.gz"))
    with tarfile.open(sdist) as archive:
        archive.extractall(folder / "unpacked", filter="data")
    _python(hook.format("wheel"), dist, cwd=next((folder / "unpacked").iterdir()))
    return {"sdist": sdist, "wheel": next(dist.glob("*.whl"))}


def _environment() -> dict[str, str]:
    """This process's environment without the paths to this checkout."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


def _files(wheel: Path) -> set[str]:
    """The files of a wheel, without its metadata."""
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name and not name.endswith("/")}


def test_the_wheel_contains_every_file_of_the_package(distributions: dict[str, Path]) -> None:
    """Every module, template, word list, recipe and input, py.typed, and nothing else."""
    expected = set(_walk(PACKAGE))
    assert _files(distributions["wheel"]) == expected
    assert "selfinstruct/py.typed" in expected and "selfinstruct/recipe/builtin/logqa.toml" in expected


def _walk(folder: Path) -> list[str]:
    """Files below a folder, those behind links to folders too (``rglob`` follows no link before Python 3.13)."""
    found: list[str] = []
    for path in folder.iterdir():
        if path.is_dir():
            found += [] if path.name == "__pycache__" else _walk(path)
        else:
            found.append(path.relative_to(ROOT).as_posix())
    return found


def test_the_wheel_holds_the_inputs_once_and_no_tests(distributions: dict[str, Path]) -> None:
    """The inputs of the built-in recipes are in it, seeds/, tests/, benchmarks/ and docs/ are not."""
    files = _files(distributions["wheel"])
    assert {name.split("/")[0] for name in files} == {"selfinstruct"}
    inputs = {name.rpartition("/inputs/")[2] for name in files if "/inputs/" in name}
    seeds = {name.removeprefix("seeds/") for name in _tracked() if name.startswith("seeds/")}
    assert inputs == seeds


def test_the_wheel_is_pure_and_declares_its_script(distributions: dict[str, Path]) -> None:
    """One wheel for every platform, with the licence and the command in its metadata."""
    assert distributions["wheel"].name.endswith("-py3-none-any.whl")
    with zipfile.ZipFile(distributions["wheel"]) as archive:
        names = {name.rpartition(".dist-info/")[2]: name for name in archive.namelist() if ".dist-info/" in name}
        assert "licenses/LICENSE" in names
        assert "selfinstruct = selfinstruct.cli:main" in archive.read(names["entry_points.txt"]).decode()
        assert "Requires-Python: >=3.11" in archive.read(names["METADATA"]).decode()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["wheel", "sdist"])
def test_what_is_installed_runs(kind: str, distributions: dict[str, Path], tmp_path: Path) -> None:
    """In a new environment with this one's dependencies, the command grows a built-in recipe."""
    _python("import sys, venv; venv.create(sys.argv[1], with_pip=True, symlinks=True)", "new", cwd=tmp_path)
    python = next(path for path in (tmp_path / "new").glob("*/python*") if path.stem == "python" and path.is_file())
    options = ["--quiet", "--disable-pip-version-check", "--no-index", "--no-deps", "--no-build-isolation"]
    options += ["--ignore-installed"]  # this environment's own selfinstruct is left alone
    site = next(path for path in sys.path if path.endswith("site-packages"))
    ours = next((tmp_path / "new").rglob("site-packages"))
    (ours / "dependencies.pth").write_text(f"{site}\n", encoding="utf-8")
    for old in ours.glob("setuptools*"):  # Python 3.11 brings one that is too old to build this
        shutil.rmtree(old)
    install = [str(python), "-m", "pip", "install", *options, str(distributions[kind])]
    installed = subprocess.run(install, cwd=tmp_path, capture_output=True, text=True)
    assert installed.returncode == 0, installed.stdout + installed.stderr
    where = "import selfinstruct, sys; from selfinstruct.cli import main; print(selfinstruct.__file__); "
    run = f"{where} assert 'new' in selfinstruct.__file__; sys.exit(main(sys.argv[1:]))"
    command = [str(python), "-c", run, "run", "logqa", "--rows", "20"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=_environment())
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "outputs" / "logqa" / "rows.jsonl").read_text(encoding="utf-8").count("\n") == 20
