"""`cmake --install`: the installed program needs neither the checkout nor what set-up brought."""

import ctypes
import os
import pathlib
import re
import shutil
import subprocess

import pytest

from installed import install
from places import DEPS, ROOT

COMPLETIONS = {"bash": "share/bash-completion/completions/shopstream", "zsh": "share/zsh/site-functions/_shopstream",
               "fish": "share/fish/vendor_completions.d/shopstream.fish"}


@pytest.fixture(scope="module")
def prefix(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    return install(tmp_path_factory)


def run(prefix: pathlib.Path, *arguments: str, cwd: pathlib.Path) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SHOPSTREAM_")}
    return subprocess.run([prefix / "bin/shopstream", *arguments], cwd=cwd, env=environment, capture_output=True,
                          text=True, timeout=30)


def test_its_libraries_are_installed_or_the_systems(prefix: pathlib.Path) -> None:
    linked = subprocess.run(["ldd", prefix / "bin/shopstream"], check=True, capture_output=True, text=True).stdout
    found = [pathlib.Path(line.split()[2]).resolve() for line in linked.splitlines() if " => /" in line]
    ours = {path.name.partition(".")[0] for path in found if path.is_relative_to(prefix / "lib/shopstream")}
    assert "librdkafka" in ours and "not found" not in linked
    assert not [path for path in found if path.is_relative_to(DEPS.resolve()) or path.is_relative_to(ROOT)]


def test_it_runs_sql_with_the_installed_library(prefix: pathlib.Path, tmp_path: pathlib.Path) -> None:
    done = subprocess.run([prefix / "bin/shopstream", "--set", f"lake.uri={tmp_path}/lake", "query", "SELECT 7 AS n"],
                          env={"PATH": os.environ["PATH"], "LD_DEBUG": "files"}, cwd=tmp_path, capture_output=True,
                          text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "n\n7\n")
    loaded = {pathlib.Path(path).resolve() for path in re.findall(r"calling init: (\S*libduckdb\S*)", done.stderr)}
    assert loaded == {(prefix / "lib/shopstream/libduckdb.so").resolve()}
    assert (prefix / "share/doc/shopstream/LICENSE.duckdb").exists()


def test_its_sql_can_be_copied_and_changed(prefix: pathlib.Path, tmp_path: pathlib.Path) -> None:
    sql = shutil.copytree(prefix / "share/shopstream/sql", tmp_path / "my-sql")
    fixtures = prefix / "share/shopstream/config/refine/tests/late.yaml"
    test = ("refine", "test", "--set", f"refine.sql_folder={sql}", str(fixtures))
    assert run(prefix, *test, cwd=tmp_path).returncode == 0
    silver = sql / "silver.sql"
    silver.write_text(silver.read_text().replace("false) AS late", "true) AS late"))
    changed = run(prefix, *test, cwd=tmp_path)
    assert changed.returncode == 3 and "late" in changed.stdout, changed.stdout + changed.stderr


def test_it_finds_its_configuration(prefix: pathlib.Path, tmp_path: pathlib.Path) -> None:
    assert f"or in {prefix}/share/shopstream/config/pipeline.yaml:" in run(prefix, "--help", cwd=tmp_path).stdout
    config = prefix / "share/shopstream/config/pipeline.yaml"
    config.write_text(config.read_text().replace("uri: .shopstream/lake", "uri: the-lake"))
    assert f"{tmp_path}/the-lake" in run(prefix, "table", "list", cwd=tmp_path).stderr
    # One in the current folder comes first.
    (tmp_path / "config").mkdir()
    (tmp_path / "config/pipeline.yaml").write_text("lake:\n  uri: another\n")
    assert f"{tmp_path}/another" in run(prefix, "table", "list", cwd=tmp_path).stderr


def test_a_program_in_its_checkout_uses_the_checkouts_lake_from_anywhere(tmp_path: pathlib.Path) -> None:
    checkout = tmp_path / "checkout"
    (checkout / "build/release").mkdir(parents=True)
    shutil.copytree(ROOT / "config", checkout / "config")
    shutil.copy(ROOT / "build/release/shopstream", checkout / "build/release/shopstream")
    program = checkout / "build/release/shopstream"

    def lake(*arguments: str, **environment: str) -> str:
        done = subprocess.run([program, *arguments, "table", "list"], cwd=tmp_path, env={**os.environ, **environment},
                              capture_output=True, text=True, timeout=30)
        return done.stderr

    assert f"{checkout}/.shopstream/lake" in lake()
    assert f"{tmp_path}/mine" in lake("--set", "lake.uri=mine")
    assert f"{tmp_path}/mine" in lake(SHOPSTREAM_LAKE_URI="mine")


# ---- services of systemd

STOPS_WITHIN = 20  # Seconds; what ingest takes at most to commit the rows in memory.
PR_SET_MDWE = 65


@pytest.fixture(scope="module")
def units(prefix: pathlib.Path) -> dict[str, pathlib.Path]:
    return {path.stem.removeprefix("shopstream-"): path
            for path in (prefix / "lib/systemd/system").glob("shopstream-*.service")}


def settings_of(unit: pathlib.Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in unit.read_text().splitlines() if "=" in line and line[0] != "#")


def test_the_units_are_valid_and_confined(units: dict[str, pathlib.Path]) -> None:
    assert set(units) == {"registry", "ingest", "refine", "console"}
    checked = subprocess.run(["systemd-analyze", "verify", "--man=no", *units.values()], capture_output=True, text=True,
                             timeout=60)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")
    # An exposure of at most 2.0 of 10; a program without any confinement has 9.6.
    for unit in units.values():
        rated = subprocess.run(["systemd-analyze", "security", "--offline=yes", "--threshold=20", unit],
                               capture_output=True, text=True, timeout=60)
        assert rated.returncode == 0, rated.stdout[-200:] + rated.stderr


def test_the_units_start_commands_that_exist_and_let_them_finish(prefix: pathlib.Path, tmp_path: pathlib.Path,
                                                                 units: dict[str, pathlib.Path]) -> None:
    for name, unit in units.items():
        settings = settings_of(unit)
        program, _, config, *words = settings["ExecStart"].split()
        assert (program, config) == (f"{prefix}/bin/shopstream", "/etc/shopstream/pipeline.yaml")
        assert int(settings["TimeoutStopSec"].removesuffix("s")) > STOPS_WITHIN
        assert run(prefix, *words, "--help", cwd=tmp_path).returncode == 0, name


def test_the_program_writes_no_code_that_it_runs(prefix: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """As MemoryDenyWriteExecute demands, also of the library that SQL loads."""
    def confine() -> None:
        assert ctypes.CDLL(None, use_errno=True).prctl(PR_SET_MDWE, 1, 0, 0, 0) == 0, os.strerror(ctypes.get_errno())

    done = subprocess.run([prefix / "bin/shopstream", "--set", f"lake.uri={tmp_path}/lake", "query", "SELECT 7 AS n"],
                          env={"PATH": os.environ["PATH"]}, cwd=tmp_path, capture_output=True, text=True, timeout=60,
                          preexec_fn=confine)
    assert (done.returncode, done.stdout) == (0, "n\n7\n"), done.stderr


@pytest.mark.parametrize("shell", COMPLETIONS)
def test_the_shell_understands_its_completions(shell: str, prefix: pathlib.Path) -> None:
    file = prefix / COMPLETIONS[shell]
    assert "ingest" in file.read_text()
    if shutil.which(shell):
        checked = subprocess.run([shell, "-n", file], capture_output=True, text=True, timeout=30)
        assert (checked.returncode, checked.stderr) == (0, "")


def test_the_manual_page_is_well_formed(prefix: pathlib.Path) -> None:
    page = prefix / "share/man/man1/shopstream.1"
    assert "ingest" in page.read_text()
    if shutil.which("groff"):
        checked = subprocess.run(["groff", "-man", "-Tutf8", "-ww", page], capture_output=True, text=True, timeout=30)
        assert (checked.returncode, checked.stderr) == (0, "")
