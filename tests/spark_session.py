"""Spark in a test: the session of docs/reading-the-lake.md, with the jars installed by set-up."""

import contextlib
import os
import pathlib
import sys
from collections.abc import Iterator
from typing import Any
from unittest import mock

import documented
from cluster import DEPS, ROOT

DOCUMENT = ROOT / "docs/reading-the-lake.md"
PACKAGES = "io.delta:delta-spark_2.13:4.0.0,org.apache.hadoop:hadoop-aws:3.4.1"

# Loopback only, no web UI, and no more threads and partitions than a small lake needs.
DEFAULTS = """
spark.master                    local[2]
spark.driver.host               127.0.0.1
spark.driver.bindAddress        127.0.0.1
spark.driver.extraClassPath     {jars}/*
spark.driver.memory             1g
spark.driver.extraJavaOptions   -XX:TieredStopAtLevel=1 -XX:+UseSerialGC
spark.ui.enabled                false
spark.ui.showConsoleProgress    false
spark.sql.shuffle.partitions    2
spark.databricks.delta.snapshotPartitions                       2
spark.sql.sources.parallelPartitionDiscovery.parallelism        2
spark.local.dir                 {folder}/local
spark.sql.warehouse.dir         {folder}/warehouse
"""


@contextlib.contextmanager
def spark_session(folder: pathlib.Path) -> Iterator[Any]:
    (folder / "spark-defaults.conf").write_text(DEFAULTS.format(jars=DEPS / "spark/jars", folder=folder))
    environment = {"SPARK_CONF_DIR": str(folder), "SPARK_LOCAL_IP": "127.0.0.1", "PYSPARK_PYTHON": sys.executable}
    # What Spark would download under these names is already in .deps, in the same versions.
    code = documented.replaced(documented.blocks(documented.section(DOCUMENT, "From disk", "Spark"))[0], {PACKAGES: ""})
    names: dict[str, Any] = {}
    with mock.patch.dict(os.environ, environment), mock.patch.object(sys, "path", [str(DEPS / "spark/python"), *sys.path]):
        documented.run(code, names)
        session = names["spark"]
        try:
            yield session
        finally:
            gateway = session.sparkContext._gateway
            session.stop()
            gateway.shutdown()
            gateway.proc.stdin.close()  # The JVM exits when this is closed.
            gateway.proc.wait(timeout=30)
