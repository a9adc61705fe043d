"""A lab's topics, groups and tables as they are now: the live picture on the console's page of the lab."""

from typing import Any

from confluent_kafka import ConsumerGroupTopicPartitions, ConsumerGroupType, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from runner.bench import Bench

MOST_GROUPS = 4   # Lab 3 makes a new one with each experiment.
MOST_TABLES = 12
TIMEOUT = 5.0     # Seconds for each answer of the brokers.
WITH_OFFSETS = {ConsumerGroupType.CLASSIC, ConsumerGroupType.CONSUMER}  # Share groups have none.

Json = dict[str, Any]


def picture(bench: Bench) -> Json:
    """Names ending in `_unknown` give the reason for a part that is missing."""
    found: Json = {"topics": [], "groups": [], "tables": tables(bench)}
    client = bench.admin()
    for part, look in (("topics", topics), ("groups", groups)):
        try:
            found[part] = look(client, bench.topic)
        except KafkaException as error:
            found[f"{part}_unknown"] = error.args[0].str()
            break  # Groups without topics show nothing, and would be another wait.
    return found


def topics(client: AdminClient, prefix: str) -> list[Json]:
    """Each partition with its first offset and its end."""
    known = client.list_topics(timeout=TIMEOUT).topics
    places = [TopicPartition(name, number) for name in sorted(known) if name.startswith(prefix)
              for number in sorted(known[name].partitions)]
    starts, ends = (offsets(client, places, spec) for spec in (OffsetSpec.earliest(), OffsetSpec.latest()))
    found: dict[str, list[Json]] = {}
    for place in places:
        at = (place.topic, place.partition)
        found.setdefault(place.topic, []).append({"partition": place.partition, "start": starts[at], "end": ends[at]})
    return [{"topic": name, "partitions": partitions} for name, partitions in found.items()]


def offsets(client: AdminClient, places: list[TopicPartition], spec: OffsetSpec) -> dict[tuple[str, int], int]:
    asked = client.list_offsets({place: spec for place in places}, request_timeout=TIMEOUT) if places else {}
    return {(place.topic, place.partition): answer.result().offset for place, answer in asked.items()}


def groups(client: AdminClient, prefix: str) -> list[Json]:
    """The groups of this attempt that have committed offsets, and how far they are."""
    listed = client.list_consumer_groups(types=WITH_OFFSETS, request_timeout=TIMEOUT).result()
    for error in listed.errors:  # Of a broker, so groups may be missing.
        insist_on_none(error)
    found: list[Json] = []
    for name in sorted(group.group_id for group in listed.valid if group.group_id.startswith(prefix)):
        places = committed(client, name)
        if places:
            found.append({"group": name, "offsets": places})
        if len(found) == MOST_GROUPS:
            break
    return found


def committed(client: AdminClient, group: str) -> list[Json]:
    """The group's offsets; none if it is deleted meanwhile."""
    asked = client.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)], request_timeout=TIMEOUT)
    try:
        places = asked[group].result().topic_partitions
    except KafkaException as error:
        if error.args[0].code() == KafkaError.GROUP_ID_NOT_FOUND:
            return []
        raise
    for place in places:
        insist_on_none(place.error)
    return [{"topic": place.topic, "partition": place.partition, "offset": place.offset} for place in places if place.offset >= 0]


def insist_on_none(error: KafkaError | KafkaException | None) -> None:
    if error is not None:
        raise error if isinstance(error, KafkaException) else KafkaException(error)


def tables(bench: Bench) -> list[Json]:
    folders = sorted(log.parent for log in bench.lake.glob("**/_delta_log"))
    return [{"table": str(folder.relative_to(bench.lake)), **facts(str(folder))} for folder in folders[:MOST_TABLES]]


def facts(path: str) -> Json:
    """As delta-rs reads the table's log."""
    try:
        table = DeltaTable(path)
        files = table.get_add_actions()
        counts = files.column("num_records").to_pylist()
        return {"version": table.version(), "files": len(counts), "bytes": sum(files.column("size_bytes").to_pylist()),
                "rows": None if None in counts else sum(counts)}
    except (DeltaError, OSError) as error:  # It is being created, or deleted.
        return {"unknown": str(error).splitlines()[0]}
