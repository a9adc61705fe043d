"""MinIO in a test: where it is, how to get in, and one bucket."""

import dataclasses

from pyarrow import fs

from cluster import MINIO_PASSWORD, MINIO_USER, Cluster


@dataclasses.dataclass(frozen=True)
class Minio:
    cluster: Cluster  # Its stop_minio, kill_minio and start_minio are there to be used.
    bucket: str
    access_key: str = MINIO_USER
    secret_key: str = MINIO_PASSWORD
    region: str = "us-east-1"

    @classmethod
    def with_bucket(cls, cluster: Cluster, bucket: str) -> "Minio":
        minio = cls(cluster, bucket)
        minio.files(allow_bucket_creation=True).create_dir(bucket)
        return minio

    @property
    def endpoint(self) -> str:
        return self.cluster.minio_url

    @property
    def lake(self) -> str:
        """lake.uri of a lake that no other test uses."""
        return f"s3://{self.bucket}/lake"

    @property
    def environment(self) -> dict[str, str]:
        """What a shopstream reads to keep its lake here."""
        return {**self.cluster.s3_environment, "SHOPSTREAM_LAKE_URI": self.lake}

    @property
    def storage_options(self) -> dict[str, str]:
        """As deltalake and Polars call the same."""
        return {"AWS_ENDPOINT_URL": self.endpoint, "AWS_REGION": self.region, "AWS_ALLOW_HTTP": "true",
                "AWS_ACCESS_KEY_ID": self.access_key, "AWS_SECRET_ACCESS_KEY": self.secret_key}

    def files(self, **options: bool) -> fs.S3FileSystem:
        """Arrow's file system over it; paths begin with the bucket."""
        return fs.S3FileSystem(endpoint_override=self.endpoint, region=self.region,
                               access_key=self.access_key, secret_key=self.secret_key, **options)
