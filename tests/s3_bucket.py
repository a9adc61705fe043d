"""One bucket of a real S3 server in a test: where it is, how to get in."""

import abc
import dataclasses

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
        """By SIGTERM; what it acknowledged is there when it is started again."""

    @property
    def lake(self) -> str:
        """lake.uri of a lake that no other test uses."""
        return f"s3://{self.bucket}/lake"

    @property
    def environment(self) -> dict[str, str]:
        """What a shopstream reads to keep its lake here."""
        return {"SHOPSTREAM_S3_ENDPOINT": self.endpoint, "SHOPSTREAM_S3_REGION": self.region,
                "SHOPSTREAM_S3_ACCESS_KEY": self.access_key, "SHOPSTREAM_S3_SECRET_KEY": self.secret_key,
                "SHOPSTREAM_LAKE_URI": self.lake}

    @property
    def storage_options(self) -> dict[str, str]:
        """As deltalake and Polars call the same."""
        return {"AWS_ENDPOINT_URL": self.endpoint, "AWS_REGION": self.region, "AWS_ALLOW_HTTP": "true",
                "AWS_ACCESS_KEY_ID": self.access_key, "AWS_SECRET_ACCESS_KEY": self.secret_key}

    def files(self, **options: bool) -> fs.S3FileSystem:
        """Arrow's file system over it; paths begin with the bucket."""
        return fs.S3FileSystem(endpoint_override=self.endpoint, region=self.region,
                               access_key=self.access_key, secret_key=self.secret_key, **options)

    def create(self) -> None:
        self.files(allow_bucket_creation=True).create_dir(self.bucket)
