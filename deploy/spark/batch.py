"""Silver, rejects and Gold from all of Bronze by Apache Spark and Delta, with the SQL that shopstream prints.

    shopstream refine sql --engine spark > batch.sql
    spark-submit --packages io.delta:delta-spark_2.13:4.0.0 deploy/spark/batch.py LAKE batch.sql --compare
    spark-submit --packages io.delta:delta-spark_2.13:4.0.0 deploy/spark/batch.py LAKE batch.sql --write FOLDER

--compare reads the tables that `shopstream refine` made, and exits with 3 if a row differs. --write makes the tables below
FOLDER, as Delta tables with the same names and partitions. docs/scale.md says when to use it."""

import argparse
import pathlib
import re
import sys
from typing import Any

from pyspark.sql import DataFrame, SparkSession

# Of Silver and rejects: what another run decides otherwise. Of several copies of a purchase, any one may be the one that stays.
OF_A_PASS = {"refine_pass", "refined_at"}
OF_A_COPY = {"kafka_topic", "kafka_topic_id", "kafka_partition", "kafka_offset", "kafka_timestamp", "schema_id", "ingested_at",
             "late"}
PARTITIONS = {"silver_events": ["region", "date"]}
SHOWN = 5
VIEW = re.compile(r"CREATE OR REPLACE TEMP VIEW ((?:silver|gold)_\w+) AS\s")


def statements(script: str) -> list[str]:
    """The script's statements; each ends with ";" and a line break."""
    lines = [line for line in script.splitlines() if not line.lstrip().startswith("--")]
    return [text for text in "\n".join(lines).split(";\n") if text.strip(" ;\n")]


def defined(spark: SparkSession, script: str, begin: str = "") -> list[str]:
    """Runs the statements, or those that define a table whose name begins so. The names of the tables, now views."""
    tables = []
    for statement in statements(script):
        found = VIEW.match(statement.lstrip())
        if found and found[1].startswith(begin):
            tables.append(found[1])
        elif begin:
            continue
        spark.sql(statement.rstrip(" ;\n"))
    return tables


def write(spark: SparkSession, table: str, path: str) -> None:
    writer = spark.table(table).write.format("delta").mode("overwrite").option("overwriteSchema", "true")
    writer.partitionBy(*PARTITIONS.get(table, ["date"])).save(path)


def differences(expected: DataFrame, found: DataFrame, table: str) -> list[str]:
    """Rows that only one of them has, without what may differ, and columns that only one has."""
    left_out = OF_A_PASS | (OF_A_COPY if table.startswith("silver_") else set())
    names = [name for name in expected.columns if name not in left_out]
    unknown = set(found.columns) ^ set(expected.columns)
    if unknown - OF_A_PASS:
        return [f"{table}: only one of the two has the columns {', '.join(sorted(unknown - OF_A_PASS))}"]
    ours, theirs = found.select(*names), expected.select(*names)
    return ([f"{table}: missing {row.asDict()}" for row in theirs.exceptAll(ours).take(SHOWN)]
            + [f"{table}: not expected {row.asDict()}" for row in ours.exceptAll(theirs).take(SHOWN)])


def read(spark: SparkSession, path: str) -> DataFrame:
    return spark.read.format("delta").load(path)


def finish(spark: SparkSession, table: str, path: str, writes: bool) -> list[str]:
    """Writes the table, or compares it with the one in the lake."""
    if writes:
        write(spark, table, path)
        print(f"{table}: {read(spark, path).count():,} rows")
        return []
    rows = differences(spark.table(table), read(spark, path), table)
    print("\n".join(rows) if rows else f"{table}: equal, {spark.table(table).count():,} rows")
    return rows


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lake", help="the root that lake.uri names, as Spark writes it: a path or s3a://...")
    parser.add_argument("sql", type=pathlib.Path, help="the output of `shopstream refine sql --engine spark`")
    parser.add_argument("--bronze", default="bronze-events", help="lake.bronze_table [bronze-events]")
    parser.add_argument("--silver", default="silver-events", help="refine.silver_table [silver-events]")
    parser.add_argument("--rejects", default="silver-rejects", help="refine.rejects_table [silver-rejects]")
    parser.add_argument("--gold", default="gold-metrics", help="refine.gold_folder [gold-metrics]")
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("--compare", action="store_true", help="with the tables in the lake")
    action.add_argument("--write", metavar="FOLDER", help="the tables below this folder")
    return parser.parse_args(arguments)


def main(arguments: list[str], spark: Any = None) -> int:
    flags = parse(arguments)
    spark = spark or (SparkSession.builder.appName("shopstream batch")
                      .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
                      .config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog")
                      .config("spark.sql.session.timeZone", "UTC").getOrCreate())
    folder, script = flags.write or flags.lake, flags.sql.read_text()
    paths = {"silver_events": f"{folder}/{flags.silver}", "silver_rejects": f"{folder}/{flags.rejects}"}
    read(spark, f"{flags.lake}/{flags.bronze}").createOrReplaceTempView("bronze_events")
    defined(spark, script)
    found = [row for table, path in paths.items() for row in finish(spark, table, path, bool(flags.write))]
    # Gold from what was written or compared: computed once, and with the same copies of purchases.
    for table, path in paths.items():
        read(spark, path).createOrReplaceTempView(table)
    for table in defined(spark, script, "gold_"):
        found += finish(spark, table, f"{folder}/{flags.gold}/{table.removeprefix('gold_')}", bool(flags.write))
    return 3 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
