"""Runs every code block of docs/reading-the-lake.md and checks the counts."""

import pathlib
import re
from typing import Any

import duckdb
import polars
import pyarrow as pa
import pytest
from pyarrow import fs

import documented
from cluster import ROOT, Cluster
from s3_bucket import Bucket
from shopstream import shopstream_world

DOCUMENT = ROOT / "docs/reading-the-lake.md"
READERS = ["delta-rs", "Polars", "DuckDB"]
EVENTS = 3000


@pytest.fixture(scope="module")
def checkout(session_cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A folder with a lake at the place where a checkout has its own."""
    session_cluster.start_brokers()
    session_cluster.start_registry()
    folder = tmp_path_factory.mktemp("checkout")
    with shopstream_world(session_cluster, folder, f"reading-the-lake-{folder.name}") as world:
        world.lake = folder / ".shopstream/lake"
        world.run("topics", "setup")
        world.run("generate", "--count", EVENTS, "--seed", 1, "--start", "2017-10-24T00:00:00Z")
        world.run("ingest", "--until-caught-up")
    return folder


@pytest.fixture(scope="module")
def expected(checkout: pathlib.Path) -> dict[str, int]:
    """Rows per region, by a reader without Delta support: the folder has only committed files."""
    files = f"{checkout}/.shopstream/lake/bronze-events/region=*/date=*/*.parquet"
    counted = duckdb.sql(f"SELECT region, count(*) FROM read_parquet('{files}', hive_partitioning=true) GROUP BY ALL")
    counts = dict(counted.fetchall())
    assert set(counts) == {"US", "EU", "ASIA"} and sum(counts.values()) == EVENTS
    return counts


@pytest.fixture
def in_checkout(checkout: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The paths in the document are relative to the root of the checkout."""
    monkeypatch.chdir(checkout)


@pytest.fixture
def bucket(s3: Bucket, checkout: pathlib.Path) -> Bucket:
    """The same lake in S3: nothing in it contains its location."""
    fs.copy_files(str(checkout / ".shopstream/lake"), f"{s3.bucket}/lake", source_filesystem=fs.LocalFileSystem(),
                  destination_filesystem=s3.files(), use_threads=False)
    return s3


def counts(value: Any) -> dict[str, int] | None:
    """Converts a reader's own kind of table; None if `value` is not a count by region."""
    match value:
        case pa.Table():
            rows = [tuple(row.values()) for row in value.to_pylist()]
        case polars.DataFrame():
            rows = value.rows()
        case duckdb.DuckDBPyRelation():
            rows = value.fetchall()
        case _ if hasattr(value, "sparkSession"):
            rows = [tuple(row) for row in value.collect()]
        case _:
            return None
    return dict(rows) if all(len(row) == 2 for row in rows) else None


def run_all(text: str, replacements: dict[str, str], names: dict[str, Any] | None = None) -> list[Any]:
    codes = documented.blocks(text)
    assert codes, "a section without a block"
    names = {} if names is None else names
    return [documented.run(documented.replaced(code, replacements), names) for code in codes]


def here(bucket: Bucket, scheme: str = "s3") -> dict[str, str]:
    """The document's MinIO settings, replaced by those of this test."""
    return {"http://127.0.0.1:9000": bucket.endpoint, f"{scheme}://shopstream/lake": f"{scheme}://{bucket.bucket}/lake"}


@pytest.mark.parametrize("reader", READERS)
def test_from_disk(reader: str, in_checkout: None, expected: dict[str, int]) -> None:
    values = run_all(documented.section(DOCUMENT, "From disk", reader), {})
    assert counts(values[0]) == expected


def test_delta_rs_reads_one_partition_and_the_past(in_checkout: None) -> None:
    _, day, _, _, first_version = run_all(documented.section(DOCUMENT, "From disk", "delta-rs"), {})
    assert day.num_rows > 0 and day.column_names == ["event_id", "amount", "currency"]
    assert set(day["currency"].to_pylist()) == {"EUR"}
    assert isinstance(first_version, int)


@pytest.mark.parametrize(("reader", "position", "condition"), [
    ("delta-rs", 2, "currency IN ('EUR', 'JPY') AND amount >= 100"),
    ("Polars", 1, "currency <> 'USD' AND amount >= 100"), ("DuckDB", 1, "currency <> 'USD' AND amount >= 100")])
def test_filters_on_ordinary_columns(reader: str, position: int, condition: str, in_checkout: None,
                                     checkout: pathlib.Path) -> None:
    found = run_all(documented.section(DOCUMENT, "From disk", reader), {})[position]
    ids = {row[0] for row in found.fetchall()} if reader == "DuckDB" else set(pa.table(found)["event_id"].to_pylist())
    files = f"{checkout}/.shopstream/lake/bronze-events/region=*/date=*/*.parquet"
    right = duckdb.sql(f"SELECT event_id FROM read_parquet('{files}') WHERE {condition}").fetchall()
    assert ids == {row[0] for row in right} and ids


@pytest.mark.parametrize("reader", READERS)
def test_from_s3(reader: str, bucket: Bucket, expected: dict[str, int]) -> None:
    values = run_all(documented.section(DOCUMENT, "From S3", reader), here(bucket))
    assert counts(values[0]) == expected


def test_spark_from_disk_and_from_s3(spark: Any, in_checkout: None, bucket: Bucket, expected: dict[str, int],
                                     checkout: pathlib.Path) -> None:
    # Java cannot change its working directory: it does not follow `in_checkout`.
    session, *reads = documented.blocks(documented.section(DOCUMENT, "From disk", "Spark"))
    names = {"spark": spark}
    for code in reads:
        there = documented.replaced(code, {".shopstream/lake": f"{checkout}/.shopstream/lake"})
        assert counts(documented.run(there, names)) == expected
    values = run_all(documented.section(DOCUMENT, "From S3", "Spark"), here(bucket, "s3a"), names)
    assert counts(values[0]) == expected


def test_the_document_names_the_versions_that_are_tested() -> None:
    text = DOCUMENT.read_text()
    locked = dict(re.findall(r"^([a-z0-9-]+)==([0-9.]+)", (ROOT / "tests/requirements.txt").read_text(), re.MULTILINE))
    for name in ("deltalake", "polars", "duckdb"):
        assert set(re.findall(rf"`{name}` ([0-9.]+)", text)) == {locked[name]}
    spark = re.search(r"^pyspark==([0-9.]+)", (ROOT / "tests/spark/requirements.txt").read_text(), re.MULTILINE)[1]
    assert set(re.findall(r"pyspark(?:==|` )([0-9.]+[0-9])", text)) == {spark}
    pom = (ROOT / "tests/spark/pom.xml").read_text()
    for name, coordinates in (("delta", "io.delta:delta-spark_2.13"), ("hadoop", "org.apache.hadoop:hadoop-aws")):
        version = re.search(rf"<{name}.version>(.*)</{name}.version>", pom)[1]
        assert set(re.findall(rf"{re.escape(coordinates)}:([0-9.]+[0-9])", text)) == {version}
