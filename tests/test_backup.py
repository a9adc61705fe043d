"""Backups of the whole lake: on disk and S3, beside writers, killed, damaged, and restored under a running shop."""

import json
import pathlib
import random
import re
import shlex
import shutil
import signal
import subprocess
import time
import urllib.parse
import urllib.request
from typing import Any

from deltalake import DeltaTable

import documented
from cluster import Cluster
from fault_proxy import Exchange, fault_proxy
from minio import Minio
from places import ROOT
from shopstream import Shopstream
from waiting import wait_until

BRONZE = "bronze-events"
TABLES = [BRONZE, "bronze-quarantine", "silver-events", "silver-rejects", "gold-metrics/revenue_hourly",
          "gold-metrics/product_daily", "gold-metrics/customer_daily", "gold-metrics/quality_daily"]
RUNBOOK = ROOT / "docs/runbook.md"
# A member that was killed leaves the group soon.
LEAVES_SOON = {"SHOPSTREAM_KAFKA_SECURITY_SESSION_TIMEOUT_MS": "6000"}
EAGER = {"SHOPSTREAM_INGEST_BATCH_SIZE": "1", "SHOPSTREAM_INGEST_COMMIT_INTERVAL_MS": "50"}


def content(lake: str | pathlib.Path, options: dict[str, str] | None = None) -> dict[str, list[str]]:
    """What delta-rs reads of every table: the rows as text, in any order."""
    read = {}
    for name in TABLES:
        rows = DeltaTable(f"{lake}/{name}", storage_options=options).to_pyarrow_table()
        read[name] = sorted(repr(sorted(row.items())) for row in rows.to_pylist())
    return read


def coordinates(lake: str | pathlib.Path, options: dict[str, str] | None = None) -> list[tuple[int, int]]:
    """Partition and offset of every row of Bronze and quarantine."""
    found: list[tuple[int, int]] = []
    for name in TABLES[:2]:
        table = DeltaTable(f"{lake}/{name}", storage_options=options)
        rows = table.to_pyarrow_table(columns=["kafka_partition", "kafka_offset"]).to_pylist()
        found += [(row["kafka_partition"], row["kafka_offset"]) for row in rows]
    return sorted(found)


def filled(world: Shopstream, count: int = 1000, **settings: str) -> None:
    world.run("topics", "setup")
    world.run("schema", "register", ROOT / "schemas/purchase_event.avsc")
    more(world, count, seed=1, **settings)


def more(world: Shopstream, count: int, seed: int, **settings: str) -> None:
    world.run("generate", "--count", count, "--malformed-share", "0.05", "--seed", seed)
    world.run("ingest", "--until-caught-up", **settings)
    world.run("refine", **settings)


def check_whole(world: Shopstream, **settings: str) -> None:
    """Audit and refine verify find nothing, and Bronze and quarantine have each offset once."""
    assert world.json("audit", **settings)["clean"]
    world.run("refine", "verify", **settings)


def test_disk_to_s3_and_back_read_by_delta_rs(shopstream: Shopstream, minio: Minio) -> None:
    place, s3 = f"s3://{minio.bucket}/backups", minio.environment | {"SHOPSTREAM_LAKE_URI": str(shopstream.lake)}
    filled(shopstream)
    before = content(shopstream.lake)
    first = shopstream.json("backup", "create", place, **s3)
    assert [table["path"] for table in first["tables"]].index("silver-rejects") == 5  # Gold, Silver, rejects, Bronze.
    assert first["parts_missing"] == {} and first["copied_files"] > 0
    more(shopstream, 200, seed=2)
    second = shopstream.json("backup", "create", place, **s3)
    assert 0 < second["copied_files"] < first["copied_files"] + 20
    listed = shopstream.json("backup", "list", place, **s3)["backups"]
    assert [backup["id"] for backup in listed] == [first["id"], second["id"]]
    shopstream.run("backup", "verify", place, **s3)

    after = content(shopstream.lake)
    shutil.rmtree(shopstream.lake)
    started = int(time.time())
    restored = shopstream.json("backup", "restore", place, first["id"], **s3)
    assert content(shopstream.lake) == before
    assert all(table["version"] >= started * 1_000_000 for table in restored["tables"])
    refused = shopstream.run("backup", "restore", place, **s3, expect=1)
    assert BRONZE in refused.stderr and "--in-place" in refused.stderr
    shopstream.run("backup", "restore", place, "--in-place", **s3)
    assert content(shopstream.lake) == after
    check_whole(shopstream)
    more(shopstream, 100, seed=3)
    check_whole(shopstream)

    # From S3 to S3, and from there to disk.
    shopstream.run("backup", "restore", place, **minio.environment)
    assert content(minio.lake, minio.storage_options) == after
    on_disk = shopstream.folder / "backups"
    shopstream.run("backup", "create", on_disk, **minio.environment)
    shopstream.run("backup", "restore", on_disk, "--set", f"lake.uri={shopstream.folder}/again")
    assert content(shopstream.folder / "again") == after
    shopstream.run("audit", SHOPSTREAM_LAKE_URI=str(shopstream.folder / "again"))


def test_damage_is_found_and_named_and_prune_keeps_what_is_needed(shopstream: Shopstream) -> None:
    place = shopstream.folder / "backups"
    filled(shopstream, 300)
    first = shopstream.json("backup", "create", place)
    assert shopstream.json("backup", "create", place)["copied_files"] == 0
    more(shopstream, 300, seed=2)
    second = shopstream.json("backup", "create", place)
    shopstream.run("backup", "verify", place)
    pruned = shopstream.json("backup", "prune", place, "--keep", 1)
    assert first["id"] in pruned["removed"] and pruned["kept"] == [second["id"]] and pruned["files"] > 0
    shopstream.run("backup", "verify", place)  # All that the newest needs is there.

    damaged = sorted((place / "data" / BRONZE).rglob("*.parquet"))[0]
    content_before = damaged.read_bytes()
    damaged.write_bytes(bytes([content_before[0] ^ 1]) + content_before[1:])
    shopstream.run("backup", "verify", place, "--sizes")
    found = shopstream.run("--json", "backup", "verify", place, expect=3)
    assert [damage["object"] for damage in json.loads(found.stdout)["damages"]] == [str(damaged.relative_to(place))]
    refused = shopstream.run("backup", "restore", place, "--set", f"lake.uri={shopstream.folder}/other", expect=1)
    assert str(damaged.relative_to(place)) in refused.stderr
    assert not list((shopstream.folder / "other").rglob("*.json"))[1:]  # Only the marker: no table is visible.

    for arguments in (["prune", place], ["restore", place, "--part", "lke"]):
        shopstream.run("backup", *arguments, expect=2)
    inside = shopstream.run("backup", "create", shopstream.lake / "backups", expect=1)
    assert "inside" in inside.stderr
    assert "backup create" in shopstream.run("backup", "restore", shopstream.folder / "none", expect=1).stderr


def test_a_killed_create_is_finished_by_the_next(shopstream: Shopstream) -> None:
    place = shopstream.folder / "backups"
    filled(shopstream, 1000, **EAGER)
    chance = random.Random(20)
    for _ in range(4):
        running = shopstream.start("backup", "create", place)
        deadline = time.monotonic() + chance.uniform(0.01, 0.4)
        wait_until(lambda: time.monotonic() >= deadline or not running.running(), 10, "the moment to kill it", 0.005)
        running.kill()
    made = shopstream.json("backup", "create", place)
    shopstream.run("backup", "verify", place)
    shopstream.json("backup", "prune", place, "--keep", 1)  # Killed jobs do not count as running.
    assert shopstream.json("backup", "list", place)["unfinished"] == []
    before = content(shopstream.lake)
    shutil.rmtree(shopstream.lake)
    shopstream.run("backup", "restore", place, made["id"])
    assert content(shopstream.lake) == before


def test_a_backup_beside_all_writers_restores_to_a_clean_lake(shopstream: Shopstream) -> None:
    place = shopstream.folder / "backups"
    filled(shopstream, 300)
    ingest = shopstream.start("ingest", **EAGER, **LEAVES_SOON)
    refine = shopstream.start("refine", "--watch", SHOPSTREAM_REFINE_INTERVAL_MS="100")
    traffic = shopstream.start("generate", "--rate", 200, "--malformed-share", "0.05", "--seed", 5)
    version = DeltaTable(f"{shopstream.lake}/{BRONZE}").version()
    wait_until(lambda: DeltaTable(f"{shopstream.lake}/{BRONZE}").version() > version + 5, 30, "ingest commits")
    for _ in range(3):
        shopstream.run("table", "optimize", BRONZE)
        shopstream.run("backup", "create", place)
    traffic.stop()
    assert (ingest.stop(), refine.stop()) == (0, 0)
    restored = {"SHOPSTREAM_LAKE_URI": str(shopstream.folder / "restored"),
                "SHOPSTREAM_KAFKA_GROUP": f"{shopstream.group}-restored"}
    for backup in shopstream.json("backup", "list", place)["backups"][-1:]:
        shopstream.run("backup", "restore", place, backup["id"], **restored)
        shopstream.run("refine", **restored)
        shopstream.run("refine", "verify", **restored)
        shopstream.run("ingest", "--until-caught-up", **restored)
        shopstream.run("refine", **restored)
        check_whole(shopstream, **restored)
    shopstream.run("ingest", "--until-caught-up")
    assert coordinates(shopstream.folder / "restored") == coordinates(shopstream.lake)


def test_the_runbooks_drill_brings_a_destroyed_lake_back(shopstream: Shopstream) -> None:
    """The section's own commands, in their order, under a running shop of which one ingest is asleep."""
    place = shopstream.folder / "backups"
    text = documented.section(RUNBOOK, "Situations", "The lake is lost")
    lines = [line.replace("/backups", str(place)) for line in re.findall(r"^ {4,}(shopstream .*)$", text, re.MULTILINE)]
    assert [line.split()[1:3] for line in lines][1:3] == [["backup", "verify"], ["backup", "restore"]]
    filled(shopstream, 500)
    shopstream.run("backup", "create", place)
    sleeper = shopstream.start("ingest", **EAGER, **LEAVES_SOON)
    traffic = shopstream.start("generate", "--rate", 300, "--seed", 7)
    version = DeltaTable(f"{shopstream.lake}/{BRONZE}").version()
    wait_until(lambda: DeltaTable(f"{shopstream.lake}/{BRONZE}").version() > version + 3, 30, "ingest commits")
    sleeper.signal(signal.SIGSTOP)
    shutil.rmtree(shopstream.lake)
    traffic.stop()

    began = time.monotonic()
    for line in lines:
        done = shopstream.run(*shlex.split(line)[1:], expect=None if "table list" in line else 0, **LEAVES_SOON)
        if "table list" in line:
            assert BRONZE not in done.stdout
        if line.split()[1:3] == ["backup", "restore"]:
            sleeper.signal(signal.SIGCONT)
            assert sleeper.wait(30) == 1, sleeper.words()
            assert sleeper.says("replaced by another one") or sleeper.says("is gone"), sleeper.words()
    print(f"RTO {time.monotonic() - began:.1f} s, RPO 0 records")
    check_whole(shopstream)
    found = coordinates(shopstream.lake)
    assert len(found) > 500 and len(found) == len(set(found))
    for partition in {partition for partition, _ in found}:  # Every offset of Kafka, from 0 on.
        offsets = [offset for at, offset in found if at == partition]
        assert offsets == list(range(len(offsets)))


def test_a_writer_suspended_in_its_put_does_not_write_into_the_restored_log(shopstream: Shopstream,
                                                                            minio: Minio) -> None:
    """The put of the next entry is on its way when ingest is stopped and the lake is lost and restored."""
    place, s3 = shopstream.folder / "backups", minio.environment
    shopstream.run("topics", "setup")
    shopstream.run("schema", "register", ROOT / "schemas/purchase_event.avsc")
    shopstream.run("generate", "--count", 200, "--seed", 1)
    shopstream.run("ingest", "--until-caught-up", **s3)
    shopstream.run("backup", "create", place, **s3)
    url = urllib.parse.urlsplit(minio.endpoint)
    restored: list[Any] = []
    with fault_proxy((url.hostname, url.port)) as proxy:
        ingest = shopstream.start("ingest", **s3 | {"SHOPSTREAM_S3_ENDPOINT": proxy.url}, **EAGER)

        def asleep(exchange: Exchange) -> None:
            if exchange.method != "PUT" or not re.search(rf"{BRONZE}/_delta_log/\d+\.json", exchange.target) or restored:
                return
            restored.append(None)
            ingest.signal(signal.SIGSTOP)
            stopped_at = time.monotonic()
            minio.files().delete_dir(f"{minio.bucket}/lake")
            restored.append(shopstream.json("backup", "restore", place, **s3))
            wait_until(lambda: time.monotonic() > stopped_at + 2.2, 10, "ingest was asleep for more than 2 s")
            ingest.signal(signal.SIGCONT)

        proxy.before = asleep
        shopstream.run("generate", "--count", 10, "--seed", 2)
        assert ingest.wait(50) == 1, ingest.words()
    assert len(restored) == 2 and ingest.says("replaced by another one"), ingest.words()
    assert sum(DeltaTable(f"{minio.lake}/{BRONZE}", storage_options=minio.storage_options)
               .get_add_actions(flatten=True).column("num_records").to_pylist()) == 200
    shopstream.run("ingest", "--until-caught-up", **s3)
    assert shopstream.json("audit", **s3)["clean"]


def test_a_lost_registry_gets_its_ids_back(shopstream: Shopstream, tmp_path: pathlib.Path) -> None:
    place, subject = shopstream.folder / "backups", f"{shopstream.topic}-value"
    schema = json.loads((ROOT / "schemas/purchase_event.avsc").read_text())
    filled(shopstream, 1000)
    schema["fields"].append({"name": "note", "type": "string", "default": ""})
    newer = tmp_path / "newer.avsc"
    newer.write_text(json.dumps(schema))
    shopstream.run("schema", "register", newer)
    ask(shopstream.cluster, "PUT", f"/config/{subject}", {"compatibility": "FULL"})
    versions = schemas_of(shopstream.cluster, subject)
    # Two deleted ones, of which the second refers to the first.
    used, user = f"{subject}.used", f"{subject}.user"
    record = {"type": "record", "name": "Used", "fields": [{"name": "n", "type": "int"}]}
    ask(shopstream.cluster, "POST", f"/subjects/{used}/versions", {"schema": json.dumps(record)})
    references = [{"name": "Used", "subject": used, "version": 1}]
    ask(shopstream.cluster, "POST", f"/subjects/{user}/versions",
        {"schema": json.dumps({"type": "array", "items": "Used"}), "references": references})
    for name in (user, used):
        ask(shopstream.cluster, "DELETE", f"/subjects/{name}")
    shopstream.run("backup", "create", place)

    for name in (user, used):
        ask(shopstream.cluster, "DELETE", f"/subjects/{name}?permanent=true")
    for permanent in ("", "?permanent=true"):
        ask(shopstream.cluster, "DELETE", f"/subjects/{subject}{permanent}")
    assert schemas_of(shopstream.cluster, subject) == []
    restored = shopstream.json("backup", "restore", place, "--part", "registry")[0]
    assert restored["registered"] == 4
    live = ask(shopstream.cluster, "GET", f"/schemas?subjectPrefix={subject}")
    assert live == versions
    assert {one["subject"] for one in schemas_of(shopstream.cluster, subject)} == {subject, used, user}
    assert ask(shopstream.cluster, "GET", f"/config/{subject}")["compatibilityLevel"] == "FULL"
    assert shopstream.json("backup", "restore", place, "--part", "registry")[0]["registered"] == 0
    ask(shopstream.cluster, "DELETE", f"/subjects/{subject}/versions/2")
    assert shopstream.json("backup", "restore", place, "--part", "registry")[0]["registered"] == 1
    assert ask(shopstream.cluster, "GET", f"/schemas?subjectPrefix={subject}") == versions
    shutil.rmtree(shopstream.lake)
    shopstream.run("ingest", "--until-caught-up")
    assert shopstream.json("audit")["clean"]
    assert len(DeltaTable(f"{shopstream.lake}/{BRONZE}").to_pyarrow_table(columns=["schema_id"])) > 900  # All decode.

    shopstream.run("backup", "restore", place, "--part", "topics")
    settings = next((place / "backups").glob("*/parts/settings.txt")).read_text()
    assert f"kafka.topic={shopstream.topic}\n" in settings


def schemas_of(cluster: Cluster, subject: str) -> list[dict[str, Any]]:
    return ask(cluster, "GET", f"/schemas?subjectPrefix={subject}&deleted=true")


def ask(cluster: Cluster, method: str, path: str, body: Any = None) -> Any:
    request = urllib.request.Request(f"{cluster.registry_url}{path}", method=method,
                                     data=None if body is None else json.dumps(body).encode(),
                                     headers={"Content-Type": "application/vnd.schemaregistry.v1+json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def test_no_secret_is_in_a_backup(shopstream: Shopstream) -> None:
    place = shopstream.folder / "backups"
    filled(shopstream, 50)
    secret = "Hunter2-very-secret"
    shopstream.run("backup", "create", place, SHOPSTREAM_REGISTRY_PASSWORD=secret, SHOPSTREAM_S3_SECRET_KEY=secret)
    assert subprocess.run(["grep", "-r", secret, str(place)], capture_output=True).returncode == 1


def test_the_files_of_the_pipeline_are_in_a_backup_and_brokers_without_acls_are_named(shopstream: Shopstream) -> None:
    place, sql, out = shopstream.folder / "backups", shopstream.folder / "sql", shopstream.folder / "files"
    filled(shopstream, 50)
    (sql / "gold").mkdir(parents=True)
    source = ROOT / "src/refine/sql"
    shutil.copy(source / "silver.sql", sql)
    for file in (source / "gold").glob("*.sql"):
        shutil.copy(file, sql / "gold")
    made = shopstream.json("backup", "create", place, SHOPSTREAM_REFINE_SQL_FOLDER=str(sql))
    assert made["parts_missing"] == {}
    shopstream.run("backup", "verify", place)
    shopstream.run("backup", "restore", place, "--part", "files", "--to", out)
    for file in sql.rglob("*.sql"):
        assert (out / "sql" / file.relative_to(sql)).read_bytes() == file.read_bytes()
    rules = ROOT / "config/refine/rules.yaml"
    assert (out / "rules.yaml").read_bytes() == rules.read_bytes() and "kafka.topic=" in (out / "settings.txt").read_text()
    assert "not empty" in shopstream.run("backup", "restore", place, "--part", "files", "--to", out, expect=1).stderr
    assert "--to FOLDER" in shopstream.run("backup", "restore", place, "--part", "files", expect=2).stderr
    assert "no ACLs" in shopstream.run("backup", "restore", place, "--part", "acls").stdout
    changed = next((place / "backups").glob("*/parts/sql/silver.sql"))
    changed.write_text("SELECT 1")
    shutil.rmtree(out)
    assert "damaged" in shopstream.run("backup", "restore", place, "--part", "files", "--to", out, expect=1).stderr
    gone = shopstream.json("backup", "create", place, SHOPSTREAM_REFINE_SQL_FOLDER=str(shopstream.folder / "absent"))
    assert "cannot read" in gone["parts_missing"]["sql/gold"]
