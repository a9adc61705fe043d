"""versitygw in a test: a second S3 server, which stores objects as files in a folder."""

import dataclasses
import os
import pathlib
import signal
import subprocess
import urllib.error
import urllib.request

from background_process import BackgroundProcess
from cluster import DEPS, MINIO_PASSWORD, MINIO_USER
from s3_bucket import Bucket
from waiting import wait_until

PROGRAM = DEPS / "versitygw/versitygw"
HEALTH = "/-/health"  # Not a valid bucket name.
ADMIN = (MINIO_USER, MINIO_PASSWORD)


class VersitygwServer:
    """Its objects and accounts outlive it, in `folder`. `tls`: files of a certificate and its key."""

    def __init__(self, folder: pathlib.Path, port: int, tls: tuple[pathlib.Path, pathlib.Path] | None = None):
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{port}"
        self._address = f"127.0.0.1:{port}"
        self._folder = folder
        self._tls = ["--cert", str(tls[0]), "--key", str(tls[1])] if tls else []
        self._process = BackgroundProcess("versitygw", folder)

    def start(self) -> None:
        if not self._process.running():
            assert PROGRAM.exists(), f"{PROGRAM} is missing: ./run setup --tests builds it"
            for name in ("data", "accounts"):
                (self._folder / name).mkdir(parents=True, exist_ok=True)
            self._process.start(
                [str(PROGRAM), "--port", self._address, "--access", ADMIN[0], "--secret", ADMIN[1],
                 "--health", HEALTH, "--quiet", "--iam-dir", str(self._folder / "accounts"), *self._tls,
                 "posix", str(self._folder / "data")],
                environment={name: value for name, value in os.environ.items() if not name.startswith(("VGW_", "ROOT_"))})
        wait_until(self._serves, 30, "versitygw serves")

    def stop(self) -> None:
        self._process.signal(signal.SIGTERM)
        if not self._process.wait(20):
            self.kill()

    def kill(self) -> None:
        self._process.kill()

    def add_account(self, access_key: str, secret_key: str) -> None:
        """An account that owns nothing, may create no bucket, and sees only what a bucket's policy grants it."""
        subprocess.run([PROGRAM, "admin", "--access", ADMIN[0], "--secret", ADMIN[1], "--endpoint-url", self.url,
                        "create-user", "--access", access_key, "--secret", secret_key, "--role", "user"],
                       check=True, capture_output=True, timeout=30)

    def _serves(self) -> bool:
        assert self._process.running(), f"versitygw ended while starting: {self._process.last_output()}"
        try:
            with urllib.request.urlopen(f"{self.url}{HEALTH}", timeout=2) as answer:
                return answer.status == 200
        except urllib.error.URLError as error:
            return "CERTIFICATE_VERIFY_FAILED" in str(error.reason)  # It answers, with a self-signed certificate.


@dataclasses.dataclass(frozen=True, kw_only=True)
class Versitygw(Bucket):
    server: VersitygwServer

    @property
    def endpoint(self) -> str:
        return self.server.url

    def start_server(self) -> None:
        self.server.start()

    def stop_server(self) -> None:
        self.server.stop()
