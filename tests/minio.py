"""MinIO in a test: one bucket of the cluster's server."""

import dataclasses

from cluster import Cluster
from s3_bucket import Bucket


@dataclasses.dataclass(frozen=True, kw_only=True)
class Minio(Bucket):
    cluster: Cluster  # Tests may use its stop_minio, kill_minio and start_minio.

    @property
    def endpoint(self) -> str:
        return self.cluster.minio_url

    def start_server(self) -> None:
        self.cluster.start_minio()

    def stop_server(self) -> None:
        self.cluster.stop_minio()
