"""Which writers may share a table on S3, as docs/lake.md says: another engine's commit and one of ours meet at the
same version, ours between the other one's check of the log and its put."""

import subprocess
import sys
import urllib.parse
from collections.abc import Callable
from typing import Any

from deltalake import DeltaTable

from fault_proxy import Exchange, FaultProxy, fault_proxy
from minio import Minio
from shopstream import Running, Shopstream
from waiting import wait_until

BRONZE = "bronze-events"
EVENTS = 100
# A commit for each handful of records, soon after they arrive.
EAGER = {"SHOPSTREAM_INGEST_BATCH_SIZE": "1", "SHOPSTREAM_INGEST_COMMIT_INTERVAL_MS": "50"}


def table(minio: Minio) -> DeltaTable:
    return DeltaTable(f"{minio.lake}/{BRONZE}", storage_options=minio.storage_options)


def rows(minio: Minio) -> int:
    files = minio.files()
    if not files.get_file_info(f"{minio.bucket}/lake/{BRONZE}/_delta_log/{0:020}.json").is_file:
        return 0
    return sum(table(minio).get_add_actions(flatten=True).column("num_records").to_pylist())


def ingesting(world: Shopstream, minio: Minio) -> Running:
    world.run("topics", "setup")
    world.run("generate", "--count", EVENTS, "--seed", 1)
    running = world.start("ingest", **EAGER, **minio.environment)
    wait_until(lambda: rows(minio) == EVENTS, 60, "the first events are committed")
    return running


def meet(world: Shopstream, minio: Minio, commit: Callable[[FaultProxy], None]) -> tuple[bool, int]:
    """Runs `commit` of another engine, and lets ours take its version before its put arrives: one record, which is one
    commit. Then ingest commits once more, and must have every row. Returns whether the put was conditional, and the
    rows lost until then."""
    running = ingesting(world, minio)
    version = table(minio).version() + 1
    conditional: list[bool] = []

    def ours_first(exchange: Exchange) -> None:
        if exchange.method == "PUT" and exchange.target.endswith(f"/_delta_log/{version:020}.json"):
            conditional.append(exchange.conditional)
            if len(conditional) == 1:
                world.run("generate", "--count", 1, "--seed", 2)
                wait_until(lambda: rows(minio) == EVENTS + 1, 60, "our commit is acknowledged")

    url = urllib.parse.urlsplit(minio.endpoint)
    with fault_proxy((url.hostname, url.port)) as proxy:
        proxy.before = ours_first
        commit(proxy)
    lost = EVENTS + 1 - rows(minio)
    world.run("generate", "--count", EVENTS, "--seed", 3)
    wait_until(lambda: rows(minio) == 2 * EVENTS + 1, 60, "ingest goes on")
    assert running.stop() == 0, running.words()
    assert world.json("audit", **minio.environment)["clean"]
    return conditional[0], lost


def test_delta_rs_and_ours_are_safe_together_on_s3(shopstream: Shopstream, minio: Minio) -> None:
    def commit(proxy: FaultProxy) -> None:
        # In a separate process: delta-rs blocks all other Python threads, and the proxy is one.
        options = {**minio.storage_options, "AWS_ENDPOINT_URL": proxy.url, "timeout": "120s"}
        code = (f"import deltalake; table = deltalake.DeltaTable('{minio.lake}/{BRONZE}', storage_options={options!r})\n"
                "table.alter.set_table_properties({'delta.logRetentionDuration': 'interval 2 days'})")
        subprocess.run([sys.executable, "-c", code], check=True, timeout=180)

    assert meet(shopstream, minio, commit) == (True, 0)
    assert table(minio).metadata().configuration["delta.logRetentionDuration"] == "interval 2 days"


def test_spark_on_s3_replaces_a_commit_of_ours_until_the_next_one_as_the_docs_warn(shopstream: Shopstream, minio: Minio,
                                                                spark: Any) -> None:
    def commit(proxy: FaultProxy) -> None:
        for name, value in (("endpoint", proxy.url), ("endpoint.region", minio.region), ("path.style.access", "true"),
                            ("access.key", minio.access_key), ("secret.key", minio.secret_key)):
            spark.conf.set(f"fs.s3a.{name}", value)
        uri = f"{minio.lake}/{BRONZE}".replace("s3://", "s3a://")
        spark.sql(f"ALTER TABLE delta.`{uri}` SET TBLPROPERTIES ('delta.logRetentionDuration' = 'interval 2 days')")

    assert meet(shopstream, minio, commit) == (False, 1)
