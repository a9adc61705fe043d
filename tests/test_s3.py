"""The lake in S3: a real MinIO, reached directly or through a proxy that fails as networks do."""

import json
import os
import pathlib
import re
import socket
import subprocess
import time
import urllib.parse
from collections.abc import Iterator

import pytest
from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError
from pyarrow import fs

from background_process import BackgroundProcess
from cluster import BINARY, DEPS, ROOT
from fault_proxy import FaultProxy, fault_proxy, loses_reply, resets
from minio import Minio
from shopstream import Shopstream
from waiting import wait_until

LAKE_TEST = BINARY.parent / "src/lake/lake_test"
PLAIN = {name: value for name, value in os.environ.items() if not name.startswith(("SHOPSTREAM_", "AWS_"))}
# So that no credentials of the machine's own count.
NOBODY = {"AWS_EC2_METADATA_DISABLED": "true", "HOME": "/nonexistent"}


def where(minio: Minio) -> tuple[str, int]:
    url = urllib.parse.urlsplit(minio.endpoint)
    return url.hostname, url.port


@pytest.fixture
def proxy(minio: Minio) -> Iterator[FaultProxy]:
    with fault_proxy(where(minio)) as found:
        yield found


def through(proxy: FaultProxy, minio: Minio) -> dict[str, str]:
    return {**minio.environment, "SHOPSTREAM_S3_ENDPOINT": proxy.url}


def storage_test(environment: dict[str, str], expect: int = 0) -> dict[str, dict]:
    """The steps of `storage test` by name."""
    done = subprocess.run([BINARY, "--json", "storage", "test"], env={**PLAIN, **NOBODY, **environment},
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == expect, f"{done.stdout}\n{done.stderr}"
    return {step["step"]: step for step in json.loads(done.stdout)}


def refused(environment: dict[str, str]) -> str:
    """What the first step that failed says."""
    return next(step["detail"] for step in storage_test(environment, expect=1).values() if step["state"] == "failed")


def offsets(minio: Minio) -> list[tuple[int, int]]:
    """Partition and offset of every row of Bronze, as delta-rs reads them."""
    table = DeltaTable(f"{minio.lake}/bronze-events", storage_options=minio.storage_options)
    rows = table.to_pyarrow_table(columns=["kafka_partition", "kafka_offset"])
    return list(zip(rows["kafka_partition"].to_pylist(), rows["kafka_offset"].to_pylist()))


def assert_all_there_once(shopstream: Shopstream, minio: Minio, count: int) -> None:
    shopstream.run("audit", timeout=120, **minio.environment)
    found = offsets(minio)
    assert len(found) == count
    assert len(set(found)) == count


def fill(shopstream: Shopstream, count: int) -> None:
    shopstream.run("topics", "setup")
    shopstream.run("generate", "--count", count, "--seed", 7, timeout=120)


# --- The store -----------------------------------------------------------------------------------

def test_s3_keeps_the_contract_of_every_store(minio: Minio) -> None:
    done = subprocess.run([LAKE_TEST, "--gtest_filter=*Contract*/S3"], capture_output=True, text=True, timeout=120,
                          env={**PLAIN, "SHOPSTREAM_TEST_S3_ENDPOINT": minio.endpoint,
                               "SHOPSTREAM_TEST_S3_BUCKET": minio.bucket,
                               "AWS_ACCESS_KEY_ID": minio.access_key, "AWS_SECRET_ACCESS_KEY": minio.secret_key})
    assert done.returncode == 0, done.stdout[-4000:]
    assert int(re.search(r"\[  PASSED  \] (\d+) tests", done.stdout).group(1)) >= 14


def test_storage_test_walks_the_contract_and_cleans_up(minio: Minio) -> None:
    steps = storage_test(minio.environment)
    assert {step["state"] for step in steps.values()} == {"ok"}
    assert steps["second conditional write"]["detail"].startswith("refused")
    assert all(step["milliseconds"] > 0 for step in steps.values())
    assert _keys(minio) == []


def test_storage_test_of_a_disk(tmp_path: pathlib.Path) -> None:
    steps = storage_test({"SHOPSTREAM_LAKE_URI": str(tmp_path / "lake")})
    assert {step["state"] for step in steps.values()} == {"ok"}
    assert [path for path in (tmp_path / "lake").rglob("*") if path.is_file()] == []


def test_storage_test_creates_the_bucket(minio: Minio) -> None:
    assert storage_test({**minio.environment, "SHOPSTREAM_LAKE_URI": f"s3://{minio.bucket}-new/lake"})


# --- What goes wrong, in words -------------------------------------------------------------------

def test_a_wrong_key_is_told_apart_from_a_wrong_secret(minio: Minio) -> None:
    assert "does not know this access key" in refused({**minio.environment, "SHOPSTREAM_S3_ACCESS_KEY": "nobody"})
    assert "secret key does not belong" in refused({**minio.environment, "SHOPSTREAM_S3_SECRET_KEY": "wrong-secret"})


def test_no_credentials_at_all(minio: Minio) -> None:
    environment = {**PLAIN, **NOBODY, **minio.environment, "SHOPSTREAM_S3_ACCESS_KEY": "", "SHOPSTREAM_S3_SECRET_KEY": ""}
    done = subprocess.run([BINARY, "storage", "test"], env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "no credentials" in done.stderr and "AWS_ACCESS_KEY_ID" in done.stderr


def test_credentials_of_the_environment_and_of_a_profile(minio: Minio, tmp_path: pathlib.Path) -> None:
    nothing = {**minio.environment, "SHOPSTREAM_S3_ACCESS_KEY": "", "SHOPSTREAM_S3_SECRET_KEY": ""}
    storage_test({**nothing, "AWS_ACCESS_KEY_ID": minio.access_key, "AWS_SECRET_ACCESS_KEY": minio.secret_key})
    profile = tmp_path / "credentials"
    profile.write_text(f"[shop]\naws_access_key_id = {minio.access_key}\naws_secret_access_key = {minio.secret_key}\n")
    storage_test({**nothing, "AWS_SHARED_CREDENTIALS_FILE": str(profile), "AWS_PROFILE": "shop"})


def temporary_credentials(minio: Minio, policy: dict) -> dict[str, str]:
    """A session that may do no more than `policy` says."""
    done = subprocess.run(
        ["curl", "--silent", "--show-error", "--max-time", "30", "--aws-sigv4", f"aws:amz:{minio.region}:sts",
         "--user", f"{minio.access_key}:{minio.secret_key}", "--data-urlencode", f"Policy={json.dumps(policy)}",
         "--data", "Action=AssumeRole&Version=2011-06-15&DurationSeconds=3600", f"{minio.endpoint}/"],
        capture_output=True, text=True, check=True).stdout
    def value(name: str) -> str:
        return re.search(f"<{name}>(.*?)</{name}>", done).group(1)
    return {"AWS_ACCESS_KEY_ID": value("AccessKeyId"), "AWS_SECRET_ACCESS_KEY": value("SecretAccessKey"),
            "AWS_SESSION_TOKEN": value("SessionToken"), "SHOPSTREAM_S3_ACCESS_KEY": "", "SHOPSTREAM_S3_SECRET_KEY": ""}


def allow(*actions: str) -> dict:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": list(actions),
                                                    "Resource": ["arn:aws:s3:::*"]}]}


def test_a_session_token_and_what_docs_ask_to_grant(minio: Minio) -> None:
    granted = temporary_credentials(minio, allow(
        "s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload", "s3:ListBucket",
        "s3:ListBucketMultipartUploads"))
    assert storage_test({**minio.environment, **granted})


def test_denied(minio: Minio) -> None:
    reader = temporary_credentials(minio, allow("s3:GetObject", "s3:ListBucket"))
    assert "access denied: grant this key" in refused({**minio.environment, **reader})


def test_no_such_bucket_and_none_to_be_made(minio: Minio) -> None:
    writer = temporary_credentials(minio, allow("s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket"))
    said = refused({**minio.environment, **writer, "SHOPSTREAM_LAKE_URI": f"s3://{minio.bucket}-none/lake"})
    assert f"bucket {minio.bucket}-none" in said and "denied" in said
    done = subprocess.run([BINARY, "table", "list"], capture_output=True, text=True, timeout=60,
                          env={**PLAIN, **minio.environment, "SHOPSTREAM_LAKE_URI": f"s3://{minio.bucket}-none/lake"})
    assert done.returncode == 1 and "there is no such bucket" in done.stderr


def test_the_endpoint_is_down(minio: Minio) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        down = f"http://127.0.0.1:{free.getsockname()[1]}"
    begun = time.monotonic()
    assert "is the service running" in refused({**minio.environment, "SHOPSTREAM_S3_ENDPOINT": down})
    assert time.monotonic() - begun < 30


def test_a_clock_that_is_wrong(minio: Minio, tmp_path: pathlib.Path) -> None:
    library = tmp_path / "skewed_clock.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, ROOT / "tests/skewed_clock.c", "-ldl"], check=True)
    said = refused({**minio.environment, "LD_PRELOAD": str(library), "SKEW_SECONDS": "7200"})
    assert "clock" in said and "NTP" in said
    assert "2 h 0 min" in said or "1 h 59 min" in said


def test_tls_with_an_authority_of_ones_own(tmp_path: pathlib.Path) -> None:
    certificates = tmp_path / "certs"
    certificates.mkdir()
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                    "-keyout", certificates / "private.key", "-out", certificates / "public.crt"],
                   check=True, capture_output=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    server = BackgroundProcess("minio with TLS", tmp_path / "minio")
    server.start([str(DEPS / "minio/minio"), "server", "--address", address, "--certs-dir", str(certificates),
                  str(tmp_path / "data")],
                 environment={**PLAIN, "MINIO_ROOT_USER": "minioadmin", "MINIO_ROOT_PASSWORD": "minioadmin",
                              "MINIO_BROWSER": "off", "MINIO_UPDATE": "off"})
    settings = {"SHOPSTREAM_S3_ENDPOINT": f"https://{address}", "SHOPSTREAM_S3_ACCESS_KEY": "minioadmin",
                "SHOPSTREAM_S3_SECRET_KEY": "minioadmin", "SHOPSTREAM_LAKE_URI": "s3://secret-lake"}
    try:
        wait_until(lambda: _connects(address) and server.running(), 60, "MinIO with TLS serves")
        trusted = {**settings, "SHOPSTREAM_S3_CA_FILE": str(certificates / "public.crt")}
        assert {step["state"] for step in storage_test(trusted).values()} == {"ok"}
        assert "set s3.ca_file" in refused(settings)
        assert "s3.ca_file '/none'" in refused({**settings, "SHOPSTREAM_S3_CA_FILE": "/none"})
    finally:
        server.kill()


def _connects(address: str) -> bool:
    host, port = address.split(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) == 0


# --- A store that does not keep its word ---------------------------------------------------------

def test_a_store_that_ignores_if_none_match_is_refused(shopstream: Shopstream, minio: Minio, proxy: FaultProxy) -> None:
    files = minio.files()

    def forget_the_condition(exchange) -> None:
        # The signature covers the header, so it cannot be taken away: what it protects can.
        if exchange.method == "PUT" and exchange.conditional:
            path = urllib.parse.unquote(exchange.target.partition("?")[0]).lstrip("/")
            if files.get_file_info(path).is_file:
                files.delete_file(path)

    proxy.before = forget_the_condition
    said = refused(through(proxy, minio))
    assert "ignores `If-None-Match: *`" in said
    fill(shopstream, 100)
    done = shopstream.run("ingest", "--until-caught-up", expect=1, **through(proxy, minio))
    assert "ignores `If-None-Match: *`" in done.stderr
    assert _keys(minio) == []


def _keys(minio: Minio) -> list[str]:
    return [entry.path for entry in minio.files().get_file_info(fs.FileSelector(minio.bucket, recursive=True))
            if entry.is_file]


# --- Ingest --------------------------------------------------------------------------------------

def test_ingest_into_minio(shopstream: Shopstream, minio: Minio) -> None:
    fill(shopstream, 20_000)
    shopstream.run("ingest", "--until-caught-up", timeout=120, **minio.environment)
    assert_all_there_once(shopstream, minio, 20_000)
    assert any("region=US/date=" in key for key in _keys(minio))
    assert not [key for key in _keys(minio) if "put-if-absent" in key]


def test_a_bucket_for_each_table(shopstream: Shopstream, minio: Minio) -> None:
    fill(shopstream, 2_000)
    environment = {**minio.environment, "SHOPSTREAM_LAKE_URI": "s3://"}
    try:
        shopstream.run("ingest", "--until-caught-up", timeout=120, **environment)
        shopstream.run("audit", **environment)
        listed = shopstream.json("table", "list", **environment)
        assert {"bronze-events", "bronze-quarantine"} <= {table["table"] for table in listed}
        table = DeltaTable("s3://bronze-events", storage_options=minio.storage_options)
        assert len(table.to_pyarrow_table(columns=["kafka_offset"])) == 2_000
    finally:
        files = minio.files(allow_bucket_deletion=True)
        for bucket in ("bronze-events", "bronze-quarantine"):
            files.delete_dir(bucket)


def test_half_of_the_requests_fail(shopstream: Shopstream, minio: Minio, proxy: FaultProxy) -> None:
    fill(shopstream, 20_000)
    proxy.share = 0.5
    shopstream.run("ingest", "--until-caught-up", timeout=300, **through(proxy, minio))
    assert sum(count for name, count in proxy.seen.items() if name != "passes") >= 10, proxy.seen
    assert_all_there_once(shopstream, minio, 20_000)


def test_the_reply_to_a_commit_is_lost(shopstream: Shopstream, minio: Minio, proxy: FaultProxy) -> None:
    fill(shopstream, 5_000)
    proxy.on("PUT", r"/bronze-events/_delta_log/0+1\.json", loses_reply)
    proxy.on("PUT", r"/bronze-events/_delta_log/0+1\.json", resets)
    shopstream.run("ingest", "--until-caught-up", timeout=120, **through(proxy, minio))
    assert proxy.seen["loses_reply"] == 1 and proxy.seen["resets"] == 1
    assert_all_there_once(shopstream, minio, 5_000)


def test_minio_is_gone_for_twenty_seconds(shopstream: Shopstream, minio: Minio) -> None:
    fill(shopstream, 5_000)
    ingest = shopstream.start("ingest", **minio.environment)
    wait_until(lambda: _rows(minio) == 5_000, 60, "the first rows are in Bronze")
    minio.cluster.stop_minio()
    gone = time.monotonic()
    shopstream.run("generate", "--count", 5_000, "--seed", 8)
    wait_until(lambda: time.monotonic() - gone > 20, 30, "20 s without MinIO")
    assert ingest.running(), ingest.words()
    minio.cluster.start_minio()
    wait_until(lambda: _rows(minio) == 10_000, 90, "the rows that waited are in Bronze")
    assert ingest.stop() == 0, ingest.words()
    assert_all_there_once(shopstream, minio, 10_000)


def _rows(minio: Minio) -> int:
    try:
        table = DeltaTable(f"{minio.lake}/bronze-events", storage_options=minio.storage_options)
    except TableNotFoundError:
        return 0
    return sum(table.get_add_actions(flatten=True).column("num_records").to_pylist())
