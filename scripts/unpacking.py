"""Bringing a package's files into place, with its checksum verified."""

import hashlib
import pathlib
import tarfile

from setup_step import SetupError, Step


def unpack_npm(step: Step, package: str, sha256: str, *paths: str) -> None:
    """Leaves these files, and those in these folders, in the step's folder `package`."""
    step.command("npm", "pack", package, "--pack-destination", step.folder)
    archive, = step.folder.glob("*.tgz")
    verify(archive, sha256)
    with tarfile.open(archive) as tar:
        wanted = tuple(f"package/{path}" for path in paths)
        tar.extractall(step.folder, [member for member in tar.getmembers() if member.name.startswith(wanted)],
                       filter="data")
    archive.unlink()


def replace(new: pathlib.Path, old: pathlib.Path) -> None:
    """Moves a finished folder into the place of its predecessor."""
    old.parent.mkdir(parents=True, exist_ok=True)
    if old.exists():
        old.rename(new.with_name("replaced"))
    new.rename(old)


def verify(path: pathlib.Path, sha256: str) -> None:
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != sha256:
        raise SetupError(f"{path} has checksum {found}, expected {sha256}: the download is broken, or "
                         "it is not the file that this project was tested with")
