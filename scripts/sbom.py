"""Writes the bill of materials: everything that set-up has resolved, as CycloneDX 1.6 in JSON, to standard output.

    sbom.py > shopstream.cdx.json

Scopes: required: the program is compiled from it, linked with it, or serves it; optional: the local cluster; excluded:
only tests and development. A part that set-up has not installed is not listed. The same parts give the same bytes.
"""

import argparse
import dataclasses
import functools
import importlib.metadata
import json
import pathlib
import re
import subprocess
import sys
import uuid
import zipfile
from collections.abc import Iterable, Iterator

from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

import page_libraries
import setup
from places import BINARY, DEPS, ROOT

LINKED_FROM_PYPI = {"pyarrow"}  # Its wheel carries Arrow C++.
MAVEN_CACHE = pathlib.Path.home() / ".m2/repository"
ONLY_FOR_TESTS = {"libbenchmark-dev", "libgmock-dev", "libgtest-dev"}
Scope = ComponentScope


@dataclasses.dataclass(frozen=True)
class Part:
    purl: PackageURL
    scope: ComponentScope
    # Of its archive; PyPI's may be any of several, one for each platform.
    sha256: tuple[str, ...] = ()


def npm(package: str, sha256: str, scope: ComponentScope) -> Part:
    name, version = package.rsplit("@", 1)
    namespace, _, name = name.rpartition("/")
    return Part(PackageURL("npm", namespace, name, version), scope, (sha256,))


def npm_parts() -> Iterator[Part]:
    yield npm(setup.LIBRDKAFKA_PACKAGE, setup.LIBRDKAFKA_SHA256, Scope.REQUIRED)
    yield npm(setup.DUCKDB_LIBRARY_PACKAGE, setup.DUCKDB_LIBRARY_SHA256, Scope.REQUIRED)
    yield npm(setup.DUCKDB_HEADER_PACKAGE, setup.DUCKDB_HEADER_SHA256, Scope.REQUIRED)
    for package in page_libraries.packages():
        scope = Scope.EXCLUDED if package.name == page_libraries.ESBUILD_PACKAGE else Scope.REQUIRED
        yield npm(f"{package.name}@{package.version}", package.sha256, scope)
    if (DEPS / "axe").exists():
        yield npm(setup.AXE_PACKAGE, setup.AXE_SHA256, Scope.EXCLUDED)


def pypi_parts() -> Iterator[Part]:
    """Those of the lock that are installed beside this script."""
    locked = {name: tuple(re.findall(r"--hash=sha256:(\w+)", hashes)) for name, hashes in re.findall(
        r"^([\w.-]+)==\S+ \\\n((?:    --hash=\S+(?: \\)?\n)+)", setup.REQUIREMENTS.read_text(), re.MULTILINE)}
    for one in importlib.metadata.distributions():
        name = re.sub(r"[-_.]+", "-", one.metadata["Name"]).lower()
        scope = Scope.REQUIRED if name in LINKED_FROM_PYPI else Scope.EXCLUDED
        yield Part(PackageURL("pypi", None, name, one.version), scope, locked.get(name, ()))


def maven_parts(sums: pathlib.Path, jars: pathlib.Path, scope: ComponentScope) -> Iterator[Part]:
    """`sums` has the checksum of each file in `jars`."""
    if not jars.is_dir():
        return
    for line in sums.read_text().splitlines():
        sha256, name = line.split()
        yield Part(maven_name(jars / name), scope, (sha256,))


@functools.cache
def cached_jars() -> dict[str, pathlib.Path]:
    return {path.name: path for path in MAVEN_CACHE.rglob("*.jar")}


def maven_name(jar: pathlib.Path) -> PackageURL:
    """From where Maven keeps it, or else from the properties that Maven leaves in a jar. One that bundles others has
    several of them."""
    if cached := cached_jars().get(jar.name):  # group/with/slashes/name/version/name-version.jar
        *group, name, version = cached.relative_to(MAVEN_CACHE).parent.parts
        return PackageURL("maven", ".".join(group), name, version)
    with zipfile.ZipFile(jar) as content:
        for file in content.namelist():
            if re.fullmatch(r"META-INF/maven/[^/]+/[^/]+/pom\.properties", file):
                found = dict(line.split("=", 1) for line in content.read(file).decode().splitlines() if "=" in line)
                name, version = found["artifactId"].strip(), found["version"].strip()
                if jar.stem == f"{name}-{version}":
                    return PackageURL("maven", found["groupId"].strip(), name, version)
    name, version = re.fullmatch(r"(.+?)-(\d.*)", jar.stem).groups()
    return PackageURL("generic", None, name, version)


def go_parts(program: pathlib.Path, scope: ComponentScope) -> Iterator[Part]:
    """The modules that the Go compiler recorded in a program. Their `h1:` sums are those of go.sum, not of an archive."""
    if not program.exists():
        return
    listed = subprocess.run(["go", "version", "-m", program], capture_output=True, text=True, check=True).stdout
    for module, version in re.findall(r"^\t(?:mod|dep)\t(\S+)\t(v\S+)", listed, re.MULTILINE):
        namespace, _, name = module.rpartition("/")
        yield Part(PackageURL("golang", namespace, name, version), scope)


def debian_parts() -> Iterator[Part]:
    """Of what the program is linked with, and of what compiles it: headers become part of it."""
    linked = subprocess.run([ROOT / "deploy/runtime_packages", BINARY], capture_output=True, text=True, check=True,
                            env={"PATH": "/usr/bin:/bin", "SHOPSTREAM_DEPS": str(DEPS)}).stdout.split()
    headers = {name for name in setup.PACKAGES if name.endswith("-dev")} - ONLY_FOR_TESTS
    names = {**dict.fromkeys(setup.PACKAGES, Scope.EXCLUDED), **dict.fromkeys({*linked, *headers}, Scope.REQUIRED)}
    shown = subprocess.run(["dpkg-query", "-W", "-f", "${Package} ${Version} ${Architecture}\n", *names],
                           capture_output=True, text=True, check=True).stdout
    for name, version, architecture in map(str.split, shown.splitlines()):
        yield Part(PackageURL("deb", "debian", name, version, {"arch": architecture}), names[name])


def all_parts() -> Iterator[Part]:
    yield from npm_parts()
    yield from pypi_parts()
    yield from debian_parts()
    yield from maven_parts(setup.KAFKA / "SHA256SUMS", DEPS / "kafka/libs", Scope.OPTIONAL)
    yield from maven_parts(setup.AVRO / "SHA256SUMS", DEPS / "avro/libs", Scope.EXCLUDED)
    yield from maven_parts(setup.MIRROR / "SHA256SUMS", DEPS / "mirror/libs", Scope.EXCLUDED)
    yield from maven_parts(setup.SPARK / "SHA256SUMS", DEPS / "spark/jars", Scope.EXCLUDED)
    yield from go_parts(DEPS / "minio/minio", Scope.OPTIONAL)
    yield from go_parts(DEPS / "versitygw/versitygw", Scope.EXCLUDED)
    yield from go_parts(DEPS / "registry-clients/registry-clients", Scope.EXCLUDED)
    if (DEPS / "apicurio").exists():
        group, name, version, *_ = setup.APICURIO_ARTIFACT.split(":")
        yield Part(PackageURL("maven", group, name, version), Scope.EXCLUDED, (setup.APICURIO_SHA256,))


def once(parts: Iterable[Part]) -> list[Part]:
    """A part with several uses has the strongest scope."""
    strongest = {Scope.REQUIRED: 0, Scope.OPTIONAL: 1, Scope.EXCLUDED: 2}
    found: dict[str, Part] = {}
    for part in parts:
        key = part.purl.to_string()
        if key not in found or strongest[part.scope] < strongest[found[key].scope]:
            found[key] = part
    return [found[key] for key in sorted(found)]


def component(part: Part) -> Component:
    hashes = [HashType(alg=HashAlgorithm.SHA_256, content=sha256) for sha256 in part.sha256]
    purl = part.purl.to_string()
    reference = ExternalReference(type=ExternalReferenceType.DISTRIBUTION, url=XsUri(purl), hashes=hashes)
    return Component(type=ComponentType.LIBRARY, group=part.purl.namespace or None, name=part.purl.name,
                     version=part.purl.version, purl=part.purl, bom_ref=purl, scope=part.scope,
                     external_references=[reference] if hashes else [])


def bill() -> str:
    version = subprocess.run([BINARY, "--version"], capture_output=True, text=True, check=True).stdout.split()[-1]
    program = Component(type=ComponentType.APPLICATION, name="shopstream", version=version, bom_ref="shopstream")
    parts = once(all_parts())
    components = [component(part) for part in parts]
    bom = Bom(components=components, serial_number=uuid.uuid5(uuid.NAMESPACE_OID, "\n".join([version, *map(str, parts)])))
    bom.metadata.component = program
    bom.register_dependency(program, [one for one in components if one.scope == Scope.REQUIRED])
    written = json.loads(JsonV1Dot6(bom).output_as_string())
    del written["metadata"]["timestamp"]  # The same parts give the same bytes.
    return json.dumps(written, indent=2, sort_keys=True)


def main() -> int:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    print(bill())
    return 0


if __name__ == "__main__":
    sys.exit(main())
