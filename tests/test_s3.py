"""The lake in S3: real servers, reached directly or through a proxy that fails as networks do.

Tests of `s3` run with MinIO and with versitygw, those of `minio` with MinIO alone, because their subject is in front of
the server.
"""

import contextlib
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Iterator

import pytest
from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError
from pyarrow import fs

from background_process import BackgroundProcess
from cluster import BINARY, DEPS, ROOT
from conftest import free_ports
from documented import section as documented_section
from fault_proxy import Exchange, FaultProxy, fault_proxy, loses_reply, passes, resets
from minio import Minio
from s3_bucket import Bucket
from shopstream import COMMITS_SOON, Shopstream
from versitygw import Versitygw, VersitygwServer
from waiting import wait_until

LAKE_DOCUMENT = ROOT / "docs/lake.md"
ON_BUCKET = {"s3:ListBucket", "s3:ListBucketMultipartUploads", "s3:CreateBucket", "s3:ListAllMyBuckets"}
LAKE_TEST = ROOT / "build/asan/src/lake/lake_test"
PLAIN = {name: value for name, value in os.environ.items() if not name.startswith(("SHOPSTREAM_", "AWS_"))}
# So that no credentials of the machine are used.
NOBODY = {"AWS_EC2_METADATA_DISABLED": "true", "HOME": "/nonexistent"}


def where(bucket: Bucket) -> tuple[str, int]:
    url = urllib.parse.urlsplit(bucket.endpoint)
    return url.hostname, url.port


@pytest.fixture
def proxy(minio: Minio) -> Iterator[FaultProxy]:
    with fault_proxy(where(minio)) as found:
        yield found


def through(proxy: FaultProxy, bucket: Bucket) -> dict[str, str]:
    return {**bucket.environment, "SHOPSTREAM_S3_ENDPOINT": proxy.url}


def storage_test(environment: dict[str, str], expect: int = 0) -> dict[str, dict]:
    """The steps of `storage test` by name."""
    done = subprocess.run([BINARY, "--json", "storage", "test"], env={**PLAIN, **NOBODY, **environment},
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == expect, f"{done.stdout}\n{done.stderr}"
    return {step["step"]: step for step in json.loads(done.stdout)}


def refused(environment: dict[str, str]) -> str:
    """The message of the first step that failed."""
    return next(step["detail"] for step in storage_test(environment, expect=1).values() if step["state"] == "failed")


def offsets(bucket: Bucket) -> list[tuple[int, int]]:
    """Partition and offset of every row of Bronze, as delta-rs reads them."""
    table = DeltaTable(f"{bucket.lake}/bronze-events", storage_options=bucket.storage_options)
    rows = table.to_pyarrow_table(columns=["kafka_partition", "kafka_offset"])
    return list(zip(rows["kafka_partition"].to_pylist(), rows["kafka_offset"].to_pylist()))


def assert_all_there_once(shopstream: Shopstream, bucket: Bucket, count: int) -> None:
    shopstream.run("audit", timeout=120, **bucket.environment)
    found = offsets(bucket)
    assert len(found) == count
    assert len(set(found)) == count


def fill(shopstream: Shopstream, count: int) -> None:
    shopstream.run("topics", "setup")
    shopstream.run("generate", "--count", count, "--seed", 7, timeout=120)


# --- The store -----------------------------------------------------------------------------------

def test_s3_keeps_the_contract_of_every_store(s3: Bucket) -> None:
    done = subprocess.run([LAKE_TEST, "--gtest_filter=*Contract*/S3"], capture_output=True, text=True, timeout=120,
                          env={**PLAIN, "SHOPSTREAM_TEST_S3_ENDPOINT": s3.endpoint,
                               "SHOPSTREAM_TEST_S3_BUCKET": s3.bucket,
                               "AWS_ACCESS_KEY_ID": s3.access_key, "AWS_SECRET_ACCESS_KEY": s3.secret_key})
    assert done.returncode == 0, done.stdout[-4000:]
    assert int(re.search(r"\[  PASSED  \] (\d+) tests", done.stdout).group(1)) >= 14


def test_storage_test_walks_the_contract_and_cleans_up(s3: Bucket) -> None:
    steps = storage_test(s3.environment)
    assert {step["state"] for step in steps.values()} == {"ok"}
    assert steps["second conditional write"]["detail"].startswith("refused")
    assert all(step["milliseconds"] > 0 for step in steps.values())
    assert _keys(s3) == []


def test_storage_test_of_a_disk(tmp_path: pathlib.Path) -> None:
    steps = storage_test({"SHOPSTREAM_LAKE_URI": str(tmp_path / "lake")})
    assert {step["state"] for step in steps.values()} == {"ok"}
    assert [path for path in (tmp_path / "lake").rglob("*") if path.is_file()] == []


def test_storage_test_creates_the_bucket(s3: Bucket) -> None:
    assert storage_test({**s3.environment, "SHOPSTREAM_LAKE_URI": f"s3://{s3.bucket}-new/lake"})


# --- Error messages ------------------------------------------------------------------------------

def test_a_wrong_key_is_told_apart_from_a_wrong_secret(s3: Bucket) -> None:
    assert "does not know this access key" in refused({**s3.environment, "SHOPSTREAM_S3_ACCESS_KEY": "nobody"})
    assert "secret key does not belong" in refused({**s3.environment, "SHOPSTREAM_S3_SECRET_KEY": "wrong-secret"})


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


def test_a_policy_that_demands_if_none_match_is_refused_as_the_docs_say(s3: Bucket) -> None:
    """AWS has the condition key. Once a server here knows it, docs/security.md is to recommend it, and this to test it."""
    entries = re.search(r'"Resource": "arn:aws:s3:::BUCKET/PREFIX/(.*)"', (ROOT / "docs/security.md").read_text())
    policy = {"Version": "2012-10-17", "Statement": [{
        "Effect": "Deny", "Principal": {"AWS": ["*"]}, "Action": ["s3:PutObject"],
        "Resource": [f"arn:aws:s3:::{s3.bucket}/lake/{entries[1]}"], "Condition": {"Null": {"s3:if-none-match": "true"}}}]}
    with pytest.raises(AssertionError, match="invalid condition key"):
        s3.ask("PUT", f"{s3.bucket}?policy=", data=json.dumps(policy))
    del policy["Statement"][0]["Condition"]
    s3.ask("PUT", f"{s3.bucket}?policy=", data=json.dumps(policy))  # The rest of it is right.


def temporary_credentials(minio: Minio, policy: dict) -> dict[str, str]:
    """A session limited to what `policy` allows."""
    done = subprocess.run(
        ["curl", "--silent", "--show-error", "--max-time", "30", "--aws-sigv4", f"aws:amz:{minio.region}:sts",
         "--user", f"{minio.access_key}:{minio.secret_key}", "--data-urlencode", f"Policy={json.dumps(policy)}",
         "--data", "Action=AssumeRole&Version=2011-06-15&DurationSeconds=3600", f"{minio.endpoint}/"],
        capture_output=True, text=True, check=True).stdout
    def value(name: str) -> str:
        return re.search(f"<{name}>(.*?)</{name}>", done).group(1)
    return {"AWS_ACCESS_KEY_ID": value("AccessKeyId"), "AWS_SECRET_ACCESS_KEY": value("SecretAccessKey"),
            "AWS_SESSION_TOKEN": value("SessionToken"), "SHOPSTREAM_S3_ACCESS_KEY": "", "SHOPSTREAM_S3_SECRET_KEY": ""}


def account(versitygw: Versitygw, policy: dict) -> dict[str, str]:
    """An account limited to what `policy` allows in this bucket. versitygw has no sessions."""
    key = f"key-{versitygw.bucket}"
    versitygw.server.add_account(key, "its-secret")
    statements = [{**statement, "Principal": {"AWS": [key]}} for statement in policy["Statement"]]
    versitygw.ask("PUT", f"{versitygw.bucket}?policy=", data=json.dumps({**policy, "Statement": statements}))
    return {"SHOPSTREAM_S3_ACCESS_KEY": key, "SHOPSTREAM_S3_SECRET_KEY": "its-secret"}


def granted(s3: Bucket, *actions: str, beside: str = "") -> dict[str, str]:
    """Credentials limited to `actions` in this bucket (and in `beside`, which does not exist), without permission to
    create buckets."""
    def policy(buckets: list[str]) -> dict:
        on_bucket = [action for action in actions if action in ON_BUCKET]
        on_objects = [action for action in actions if action not in ON_BUCKET]
        return {"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": chosen, "Resource": [f"arn:aws:s3:::{bucket}{what}" for bucket in buckets]}
            for chosen, what in ((on_bucket, ""), (on_objects, "/*"))]}
    if isinstance(s3, Versitygw):  # Its policies belong to a bucket.
        return account(s3, policy([s3.bucket]))
    return temporary_credentials(s3, policy([s3.bucket, beside] if beside else [s3.bucket]))


def test_what_docs_ask_to_grant_is_enough(s3: Bucket) -> None:
    """With MinIO by a session token, with versitygw by a separate key."""
    documented = re.findall(r"s3:\w+", documented_section(LAKE_DOCUMENT, "On S3"))
    asked = set(documented) - {"s3:CreateBucket", "s3:ListAllMyBuckets"}  # Without a bucket, or with a bare s3://.
    assert len(asked) == 6
    steps = storage_test({**s3.environment, **granted(s3, *sorted(asked))})
    assert {step["state"] for step in steps.values()} == {"ok"}


def test_denied(s3: Bucket) -> None:
    reader = granted(s3, "s3:GetObject", "s3:ListBucket")
    assert "access denied: grant this key" in refused({**s3.environment, **reader})


def test_no_such_bucket_and_none_to_be_made(s3: Bucket) -> None:
    writer = granted(s3, "s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket", beside=f"{s3.bucket}-none")
    said = refused({**s3.environment, **writer, "SHOPSTREAM_LAKE_URI": f"s3://{s3.bucket}-none/lake"})
    assert f"bucket {s3.bucket}-none" in said and "denied" in said
    done = subprocess.run([BINARY, "table", "list"], capture_output=True, text=True, timeout=60,
                          env={**PLAIN, **s3.environment, "SHOPSTREAM_LAKE_URI": f"s3://{s3.bucket}-none/lake"})
    assert done.returncode == 1 and "there is no such bucket" in done.stderr


def test_the_endpoint_is_down(minio: Minio) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        down = f"http://127.0.0.1:{free.getsockname()[1]}"
        begun = time.monotonic()
        assert "is the service running" in refused({**minio.environment, "SHOPSTREAM_S3_ENDPOINT": down})
    assert time.monotonic() - begun < 30


def test_a_clock_that_is_wrong(s3: Bucket, tmp_path: pathlib.Path) -> None:
    library = tmp_path / "skewed_clock.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, ROOT / "tests/skewed_clock.c", "-ldl"], check=True)
    said = refused({**s3.environment, "LD_PRELOAD": str(library), "SKEW_SECONDS": "7200"})
    assert "clock" in said and "NTP" in said
    assert "2 h 0 min" in said or "1 h 59 min" in said


@pytest.mark.parametrize("server", ["minio", "versitygw"])
def test_tls_with_an_authority_of_ones_own(server: str, tmp_path: pathlib.Path) -> None:
    certificates = tmp_path / "certs"
    certificates.mkdir()
    certificate, key = certificates / "public.crt", certificates / "private.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out", certificate],
                   check=True, capture_output=True)
    port = free_ports().minio
    settings = {"SHOPSTREAM_S3_ENDPOINT": f"https://127.0.0.1:{port}", "SHOPSTREAM_S3_ACCESS_KEY": "minioadmin",
                "SHOPSTREAM_S3_SECRET_KEY": "minioadmin", "SHOPSTREAM_LAKE_URI": "s3://secret-lake"}
    start = tls_minio if server == "minio" else tls_versitygw
    with start(tmp_path, port, certificate, key):
        trusted = {**settings, "SHOPSTREAM_S3_CA_FILE": str(certificate)}
        assert {step["state"] for step in storage_test(trusted).values()} == {"ok"}
        assert "set s3.ca_file" in refused(settings)
        assert "s3.ca_file '/none'" in refused({**settings, "SHOPSTREAM_S3_CA_FILE": "/none"})


@contextlib.contextmanager
def tls_minio(folder: pathlib.Path, port: int, certificate: pathlib.Path, _: pathlib.Path) -> Iterator[None]:
    server = BackgroundProcess("minio with TLS", folder / "minio")
    server.start([str(DEPS / "minio/minio"), "server", "--address", f"127.0.0.1:{port}", "--certs-dir",
                  str(certificate.parent), str(folder / "data")],
                 environment={**PLAIN, "MINIO_ROOT_USER": "minioadmin", "MINIO_ROOT_PASSWORD": "minioadmin",
                              "MINIO_BROWSER": "off", "MINIO_UPDATE": "off"})
    try:
        wait_until(lambda: _connects(port) and server.running(), 60, "MinIO with TLS serves")
        yield
    finally:
        server.kill()


@contextlib.contextmanager
def tls_versitygw(folder: pathlib.Path, port: int, certificate: pathlib.Path, key: pathlib.Path) -> Iterator[None]:
    server = VersitygwServer(folder / "versitygw", port, (certificate, key))
    try:
        server.start()
        yield
    finally:
        server.kill()


def _connects(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


# --- A store that breaks its guarantees ----------------------------------------------------------

def test_a_store_that_ignores_if_none_match_is_refused(shopstream: Shopstream, minio: Minio, proxy: FaultProxy) -> None:
    files = minio.files()

    def forget_the_condition(exchange) -> None:
        # The signature covers the header, so the header cannot be removed; the object it protects can.
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


def test_a_store_that_looks_first_and_writes_afterwards_is_refused(shopstream: Shopstream, minio: Minio,
                                                                   proxy: FaultProxy) -> None:
    files = minio.files()

    def looks_and_writes(exchange: Exchange) -> None:
        if not exchange.conditional:
            return passes(exchange)
        path = urllib.parse.unquote(exchange.target.partition("?")[0]).lstrip("/")
        if files.get_file_info(path).is_file:
            return exchange.answer(412)
        time.sleep(0.01)  # The time between check and write in a server without locks.
        with files.open_output_stream(path) as stream:
            stream.write(exchange.body)
        exchange.answer(200)

    proxy.on("PUT", "", looks_and_writes, times=sys.maxsize)
    steps = storage_test(through(proxy, minio), expect=1)
    # One after another, everything is correct.
    assert steps["second conditional write"]["state"] == "ok"
    raced = steps["concurrent conditional writes"]
    assert raced["state"] == "failed"
    assert "ignores `If-None-Match: *`" in raced["detail"] and "reported that they had created it" in raced["detail"]
    fill(shopstream, 100)
    done = shopstream.run("ingest", "--until-caught-up", expect=1, **through(proxy, minio))
    assert "ignores `If-None-Match: *`" in done.stderr
    assert _keys(minio) == []


def test_a_start_proves_the_store_once(shopstream: Shopstream, minio: Minio, proxy: FaultProxy) -> None:
    fill(shopstream, 100)
    proved: list[str] = []
    proxy.before = lambda exchange: proved.append(exchange.target) if (
        exchange.method == "PUT" and "put-if-absent" in exchange.target) else None
    shopstream.run("ingest", "--until-caught-up", timeout=120, **through(proxy, minio))
    assert len(proved) == 20 * 16 + 2
    assert len({re.search(r"put-if-absent-([0-9a-f-]{36})", target).group(1) for target in proved}) == 1


def _keys(bucket: Bucket) -> list[str]:
    return [entry.path for entry in bucket.files().get_file_info(fs.FileSelector(bucket.bucket, recursive=True))
            if entry.is_file]


# --- Ingest --------------------------------------------------------------------------------------

def test_ingest_into_s3(shopstream: Shopstream, s3: Bucket) -> None:
    fill(shopstream, 20_000)
    shopstream.run("ingest", "--until-caught-up", timeout=120, **s3.environment)
    assert_all_there_once(shopstream, s3, 20_000)
    assert any("region=US/date=" in key for key in _keys(s3))
    assert not [key for key in _keys(s3) if "put-if-absent" in key]


def test_a_query_of_s3_reads_what_it_needs(shopstream: Shopstream, s3: Bucket) -> None:
    fill(shopstream, 2_000)
    shopstream.run("ingest", "--until-caught-up", timeout=120, **s3.environment)

    def ask(sql: str) -> tuple[dict, dict]:
        answer = shopstream.json("query", sql, **s3.environment)
        row, = answer["rows"]
        table, = answer["statistics"]["tables"]
        return row, table

    row, table = ask("SELECT count(*) AS n FROM bronze_events")
    assert row == {"n": 2_000} and table["files_read"] == table["bytes_read"] == 0
    row, table = ask("SELECT count(amount) AS n FROM bronze_events WHERE region = 'EU'")
    assert 0 < row["n"] < 2_000 and 0 < table["files_read"] < table["files"]
    rows = DeltaTable(f"{s3.lake}/bronze-events", storage_options=s3.storage_options).to_pyarrow_table(columns=["region"])
    assert row["n"] == sum(1 for region in rows["region"].to_pylist() if region == "EU")
    assert "there is no table silver_events yet" in shopstream.run(
        "query", "SELECT * FROM silver_events", expect=1, **s3.environment).stderr


def test_a_bucket_for_each_table(shopstream: Shopstream, s3: Bucket) -> None:
    fill(shopstream, 2_000)
    environment = {**s3.environment, "SHOPSTREAM_LAKE_URI": "s3://"}
    try:
        shopstream.run("ingest", "--until-caught-up", timeout=120, **environment)
        shopstream.run("audit", **environment)
        listed = shopstream.json("table", "list", **environment)
        assert {"bronze-events", "bronze-quarantine"} <= {table["table"] for table in listed}
        table = DeltaTable("s3://bronze-events", storage_options=s3.storage_options)
        assert len(table.to_pyarrow_table(columns=["kafka_offset"])) == 2_000
    finally:
        for bucket in ("bronze-events", "bronze-quarantine"):
            s3.remove(bucket)


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
    ingest = shopstream.start("ingest", **minio.environment, **COMMITS_SOON)
    wait_until(lambda: _rows(minio) == 5_000, 60, "the first rows are in Bronze")
    minio.stop_server()
    gone = time.monotonic()
    shopstream.run("generate", "--count", 5_000, "--seed", 8)
    wait_until(lambda: time.monotonic() - gone > 20, 30, "20 s without MinIO")
    assert ingest.running(), ingest.words()
    minio.start_server()
    wait_until(lambda: _rows(minio) == 10_000, 90, "the rows that waited are in Bronze")
    assert ingest.stop() == 0, ingest.words()
    assert_all_there_once(shopstream, minio, 10_000)


def _rows(bucket: Bucket) -> int:
    try:
        table = DeltaTable(f"{bucket.lake}/bronze-events", storage_options=bucket.storage_options)
    except TableNotFoundError:
        return 0
    return sum(table.get_add_actions(flatten=True).column("num_records").to_pylist())
