"""The step of set-up that makes the libraries of the console's page: src/console/vendor/packages.txt lists the npm
packages with their checksums, and each script beside it becomes one module without further imports."""

import dataclasses
import json
import pathlib

from places import DEPS, ROOT
from setup_step import SetupError, Step
from unpacking import replace, unpack_npm

VENDOR = ROOT / "src/console/vendor"
ESBUILD_PACKAGE = "@esbuild/linux-x64"
STYLES = {"uplot": "dist/uPlot.min.css"}
# CodeMirror's styles are a <style> element of the document, which the console's Content-Security-Policy forbids, or a
# style sheet object in a shadow root. This makes it an object everywhere.
STYLE_MODULE = "style-mod/src/style-mod.js"
ELEMENT_IN_DOCUMENTS = "if (!root.head && root.adoptedStyleSheets"
OBJECT_EVERYWHERE = "if (root.adoptedStyleSheets"


@dataclasses.dataclass(frozen=True)
class Package:
    name: str
    version: str
    sha256: str


def page_step(needs_packages: bool) -> Step:
    inputs = [path.read_text() for path in [pathlib.Path(__file__), *sorted(VENDOR.iterdir())]]
    return Step("page", install_page, inputs, [DEPS / "page/licences.json", DEPS / "esbuild/esbuild"],
                needs_packages)


def packages() -> list[Package]:
    lines = [line.split() for line in (VENDOR / "packages.txt").read_text().splitlines()]
    return [Package(*name.rsplit("@", 1), sha256) for sha256, name in lines]


def install_page(step: Step) -> None:
    modules = step.folder / "node_modules"
    for package in packages():
        unpack_npm(step, f"{package.name}@{package.version}", package.sha256, "")
        target = modules / package.name
        target.parent.mkdir(parents=True, exist_ok=True)
        (step.folder / "package").rename(target)
    styles = modules / STYLE_MODULE
    text = styles.read_text()
    if text.count(ELEMENT_IN_DOCUMENTS) != 1:
        raise SetupError(f"{STYLE_MODULE} is not as page_libraries.py expects it: look for where it creates <style>")
    styles.write_text(text.replace(ELEMENT_IN_DOCUMENTS, OBJECT_EVERYWHERE))
    compiler = modules / ESBUILD_PACKAGE / "bin/esbuild"
    stage = step.folder / "stage"
    entries = []
    for path in sorted(VENDOR.glob("*.js")):
        entries.append(step.folder / path.name)  # Beside node_modules, where their imports are looked up.
        entries[-1].write_text(path.read_text())
    for entry in entries:
        # preact.js is not repeated in others: only it imports preact.
        step.command(compiler, entry, "--bundle", "--minify", "--format=esm", "--target=es2022", "--charset=utf8",
                     "--legal-comments=none", f"--outfile={stage / entry.name}")
    for package, file in STYLES.items():
        source = modules / package / file
        (stage / source.name).write_bytes(source.read_bytes())
    (stage / "licences.json").write_text(json.dumps(licences(modules), indent=1))
    replace(stage, DEPS / "page")
    (step.folder / "esbuild").mkdir()
    compiler.rename(step.folder / "esbuild/esbuild")
    replace(step.folder / "esbuild", DEPS / "esbuild")


def licences(modules: pathlib.Path) -> list[dict[str, str]]:
    """Of what the page contains; the compiler is no part of it."""
    return [{"name": package.name, "version": package.version,
             "licence": json.loads((modules / package.name / "package.json").read_text())["license"],
             "text": (modules / package.name / "LICENSE").read_text().strip()}
            for package in packages() if package.name != ESBUILD_PACKAGE]
