"""One bucket of a real S3 server in a test: its address and credentials."""

import abc
import dataclasses
import hashlib
import subprocess
import urllib.parse

from pyarrow import fs

from cluster import MINIO_PASSWORD, MINIO_USER


@dataclasses.dataclass(frozen=True)
class Bucket(abc.ABC):
    bucket: str
    access_key: str = MINIO_USER
    secret_key: str = MINIO_PASSWORD
    region: str = "us-east-1"

    @property
    @abc.abstractmethod
    def endpoint(self) -> str:
        """The server's address."""

    @abc.abstractmethod
    def start_server(self) -> None:
        """Returns once it serves."""

    @abc.abstractmethod
    def stop_server(self) -> None:
        """By SIGTERM; acknowledged writes are there after a restart."""

    @property
    def lake(self) -> str:
        """lake.uri of a lake that no other test uses."""
        return f"s3://{self.bucket}/lake"

    @property
    def environment(self) -> dict[str, str]:
        """The variables with which a shopstream keeps its lake here."""
        return {"SHOPSTREAM_S3_ENDPOINT": self.endpoint, "SHOPSTREAM_S3_REGION": self.region,
                "SHOPSTREAM_S3_ACCESS_KEY": self.access_key, "SHOPSTREAM_S3_SECRET_KEY": self.secret_key,
                "SHOPSTREAM_LAKE_URI": self.lake}

    @property
    def storage_options(self) -> dict[str, str]:
        """The same under the names of deltalake and Polars."""
        return {"AWS_ENDPOINT_URL": self.endpoint, "AWS_REGION": self.region, "AWS_ALLOW_HTTP": "true",
                "AWS_ACCESS_KEY_ID": self.access_key, "AWS_SECRET_ACCESS_KEY": self.secret_key}

    def files(self, **options: bool) -> fs.S3FileSystem:
        """Arrow's file system over it; paths begin with the bucket."""
        return fs.S3FileSystem(endpoint_override=self.endpoint, region=self.region,
                               access_key=self.access_key, secret_key=self.secret_key, **options)

    def create(self) -> None:
        self.files(allow_bucket_creation=True).create_dir(self.bucket)

    def ask(self, method: str, *targets: str, data: str = "") -> str:
        """Sends signed requests one after another; `targets`: paths and queries. Returns the answers."""
        sent = ["--header", f"x-amz-content-sha256: {hashlib.sha256(data.encode()).hexdigest()}",
                *(["--data", data] if data else [])]
        done = subprocess.run(
            ["curl", "--silent", "--show-error", "--fail-with-body", "--max-time", "30", "--path-as-is", "--request", method,
             "--aws-sigv4", f"aws:amz:{self.region}:s3", "--user", f"{self.access_key}:{self.secret_key}", *sent,
             *(f"{self.endpoint}/{target}" for target in targets)], capture_output=True, text=True)
        assert done.returncode == 0, f"{method} {targets}: {done.stdout}{done.stderr}"
        return done.stdout

    def remove(self, bucket: str) -> None:
        """Removes a bucket of this server with its content. Arrow would leave marker objects for folders."""
        found = self.files().get_file_info(fs.FileSelector(bucket, recursive=True))
        keys = [urllib.parse.quote(entry.path) for entry in found if entry.is_file]
        self.ask("DELETE", *keys, bucket)
