"""For every alert: the series of a fault, for `promtool test rules` with the shipped durations."""

import dataclasses
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import render_prometheus

STEP = 15          # Seconds between two samples, as shipped.
EVERY = 60         # Seconds between two evaluations: the shipped 15 would take four times as long.
HEALTHY = 360      # Seconds before the fault, so that the windows of rates are full.
UNIT = {"s": 1, "m": 60, "h": 3600}


@dataclasses.dataclass(frozen=True)
class Case:
    """Each series is given by its value (or growth per sample, as "+N") before and in the fault; None: it is absent.
    `late`: seconds that the expression may need to see it, for rates that look back and for thresholds of time."""
    alert: str
    series: Mapping[str, tuple[float | str | None, float | str | None]]
    late: int = 0
    lingers: int = 300  # Seconds for which it sees the fault after the repair: `window`, unless it is longer.
    others: frozenset[str] = frozenset()  # Alerts that follow from it.



def bucket(metric: str, fast: str, slow: str, labels: str = "") -> dict[str, tuple[str, str]]:
    """A histogram of which all is below `fast` before the fault, and above `slow` in it."""
    begin = f'{metric}_bucket{{job="j"{labels},le='
    return {f'{begin}"{fast}"}}': ("+10", "+0"), f'{begin}"{slow}"}}': ("+10", "+0"), f'{begin}"+Inf"}}': ("+10", "+10")}


WINDOW, RECENTLY, LONG = 300, 120, 3600  # `window`, `recently` and `long`, as shipped; a test compares.
P = 'topic="t",partition="0"'
UP = {f'up{{job="shopstream-{job}",instance="i"}}': (1, 1) for job in ("ingest", "observe")}

CASES = [
    Case("ShopstreamIngestDown", {'up{job="shopstream-ingest",instance="i"}': (1, 0)},
         others=frozenset({"ShopstreamProcessDown"})),
    Case("ShopstreamObserveDown", {'up{job="shopstream-observe",instance="i"}': (1, None)}, late=WINDOW),
    Case("ShopstreamProcessDown", {'up{job="shopstream-registry",instance="i"}': (1, 0)}),
    Case("ShopstreamNotReady", {'shopstream_ready{job="j",instance="i"}': (1, 0)}),
    Case("ShopstreamFileDescriptors", {'process_open_fds{job="shopstream-ingest"}': (10, 90),
                                       'process_max_fds{job="shopstream-ingest"}': (100, 100)}),
    Case("ShopstreamKafkaDown", {f'shopstream_broker_up{{broker="{n}",address="b:{n}"}}': (1, 0) for n in (1, 2)},
         others=frozenset({"ShopstreamBrokerDown"})),
    Case("ShopstreamBrokerDown", {'shopstream_broker_up{broker="1",address="b:1"}': (1, 1),
                                  'shopstream_broker_up{broker="2",address="b:2"}': (1, 0)}),
    Case("ShopstreamTopicMissing", {'shopstream_topic_partitions{topic="t"}': (3, 0)}),
    Case("ShopstreamPartitionsLeaderless", {'shopstream_topic_leaderless_partitions{topic="t"}': (0, 1)}),
    Case("ShopstreamTopicUnderReplicated", {'shopstream_topic_under_replicated_partitions{topic="t"}': (0, 1)}),
    Case("ShopstreamLeadersUneven", {'shopstream_broker_leader_partitions{broker="1"}': (4, 10),
                                     'shopstream_broker_leader_partitions{broker="2"}': (4, 1),
                                     'shopstream_broker_leader_partitions{broker="3"}': (4, 1),
                                     "shopstream_brokers": (3, 3), 'shopstream_topic_partitions{topic="t"}': (12, 12)}),
    Case("ShopstreamPartitionsUnassigned", {'shopstream_ingest_assigned_partitions{instance="a"}': (1, 1),
                                            'shopstream_ingest_assigned_partitions{instance="b"}': (1, 0),
                                            'shopstream_lag_records{topic="t",partition="0"}': (0, 0),
                                            'shopstream_lag_records{topic="t",partition="1"}': (0, 0)}),
    Case("ShopstreamRebalancing", {'shopstream_ingest_rebalances_total{job="j",kind="assigned"}': ("+0", "+1")},
         late=WINDOW),
    Case("ShopstreamProducerIdle", {f"shopstream_lag_in_per_second{{{P}}}": (5, 0)}),
    Case("ShopstreamDeliveryFailing", {'shopstream_producer_failed_total{error="MSG_TIMED_OUT"}': (None, "+3")}),
    Case("ShopstreamDeliverySlow", bucket("shopstream_producer_delivery_seconds", "0.5", "5"), late=WINDOW),
    Case("ShopstreamLagHigh", {f"shopstream_lag_seconds{{{P}}}": (3, 400)}),
    Case("ShopstreamLagNotClearing", {f"shopstream_lag_clear_seconds{{{P}}}": (3, "Inf")}),
    Case("ShopstreamLagUnknown", {'shopstream_lag_records{topic="t",partition="0"}': (0, 0),
                                  'shopstream_lag_records{topic="t",partition="1"}': (0, None),
                                  'shopstream_topic_partitions{topic="t"}': (2, 2)}, late=WINDOW),
    Case("ShopstreamPartitionStopped", {f"shopstream_partition_stopped{{{P}}}": (0, 1)}),
    Case("ShopstreamRecordsExpired", {f"shopstream_lag_expired_records{{{P}}}": (0, 7)}),
    Case("ShopstreamRecordsExpired", {"shopstream_ingest_expired_offsets_total": ("+0", "+1")}, late=2 * STEP,
         lingers=LONG),
    Case("ShopstreamObserveBlind", {'shopstream_observe_part_known{part="topics"}': (1, 0)}),
    Case("ShopstreamIngestPaused", {'shopstream_ingest_paused{instance="i",reason="storage"}': (0, 1)}),
    Case("ShopstreamCommitFailing", {'shopstream_ingest_retries_total{instance="i",step="log"}': ("+0", "+1"),
                                     'shopstream_ingest_commits_total{instance="i"}': ("+1", "+0")}, late=RECENTLY),
    Case("ShopstreamCommitSlow", bucket("shopstream_ingest_cut_seconds", "1", "20"), late=WINDOW),
    Case("ShopstreamQuarantineRising", {'shopstream_ingest_records_total{job="j"}': ("+100", "+100"),
                                        'shopstream_ingest_quarantined_total{job="j",cause="corrupt"}': ("+0", "+20")},
         late=WINDOW),
    *(Case("ShopstreamMaintenanceFailing", {f'shopstream_{part}_{work}_failures_total{{table="t"}}': ("+0", "+1")},
           late=2 * STEP, lingers=LONG) for part in ("ingest", "refine") for work in ("compaction", "vacuum")),
    Case("ShopstreamSmallFiles", {'shopstream_table_small_files{table="t"}': (10, 2000)}),
    Case("ShopstreamRefineHalted", {'shopstream_refine_halted{instance="i"}': (0, 1)}),
    Case("ShopstreamRefineRulesDegraded", {'shopstream_refine_rules_degraded{instance="i"}': (0, 1)}),
    Case("ShopstreamRefineBehind", {"shopstream_refine_lag_rows": (0, 9),
                                    "shopstream_refine_last_pass_timestamp_seconds": (0, 0)}),
    Case("ShopstreamRefineFailing", {'shopstream_refine_retries_total{instance="i"}': ("+0", "+1"),
                                     'shopstream_refine_passes_total{instance="i"}': ("+1", "+0")}, late=RECENTLY),
    Case("ShopstreamRejectsRising", {'shopstream_refine_rows_total{job="j"}': ("+100", "+100"),
                                     'shopstream_refine_rejected_total{job="j",reason="currency"}': ("+1", "+50")},
         late=WINDOW),
    Case("ShopstreamRefineContention", {"shopstream_refine_lost_total": ("+0", "+1")}, late=WINDOW),
    Case("ShopstreamRefineAllStandby", {'shopstream_refine_standby{instance="a"}': (0, 1),
                                        'shopstream_refine_standby{instance="b"}': (1, 1)}),
    Case("ShopstreamForeignRows", {"shopstream_refine_rows_without_coordinates_total": ("+0", "+1")}, late=2 * STEP,
         lingers=LONG),
    Case("ShopstreamRegistryDown", {"shopstream_registry_up": (1, 0)}),
    Case("ShopstreamRegistryDegraded", {"shopstream_registry_degraded": (0, 1)}),
    Case("ShopstreamRegistryErrors", {'shopstream_registry_requests_total{instance="i",status="500"}': ("+0", "+1"),
                                      'shopstream_registry_requests_total{instance="i",status="200"}': ("+9", "+9")},
         late=WINDOW),
    Case("ShopstreamSchemaRefused", {'shopstream_registry_requests_total{instance="i",status="409"}': (None, "+1")}),
    Case("ShopstreamSchemaRefused", {'shopstream_registry_requests_total{instance="i",status="409"}': ("+0", "+1")},
         late=2 * STEP),
]


def alerts() -> dict[str, int]:
    """The shipped alerts, and for how many seconds the condition of each must hold."""
    text = render_prometheus.render("rules.yml", render_prometheus.shipped())
    found: dict[str, int] = {}
    for rule in re.split(r"^      - alert: ", text, flags=re.MULTILINE)[1:]:
        holds = re.search(r"^        for: (\d+)([smh])$", rule, re.MULTILINE)
        found[rule.split("\n")[0]] = int(holds[1]) * UNIT[holds[2]] if holds else 0
    return found


def series_of(case: Case, seconds: int) -> list[dict[str, str]]:
    """Healthy, then the fault, then healthy again."""
    counts = HEALTHY // STEP, seconds // STEP, (case.lingers + HEALTHY) // STEP
    shown = {name: ((1, 1) if name not in case.series else case.series[name]) for name in [*UP, *case.series]}
    return [{"series": name, "values": _values(((before, counts[0]), (after, counts[1]), (before, counts[2])))} for name, (before, after) in shown.items()]


def _values(spans: Sequence[tuple[float | str | None, int]]) -> str:
    """Each value for so many samples; "+N" grows by N with each."""
    total, samples = 0.0, []
    for value, count in spans:
        for _ in range(count):
            grows = isinstance(value, str) and value.startswith("+")
            total += float(value or 0) if grows else 0
            samples.append("_" if value is None else f"{total:g}" if grows else str(value))
    return " ".join(samples)


def unit_tests(rules: str) -> str:
    """The input of `promtool test rules`: JSON, which is YAML."""
    return json.dumps({"rule_files": [rules], "evaluation_interval": f"{EVERY}s",
                       "tests": [unit_test(case, alerts()[case.alert]) for case in CASES]})


def unit_test(case: Case, holds: int) -> dict[str, Any]:
    """Silent before the fault, silent until it has lasted `holds` seconds, then firing, and silent after the repair."""
    lasts = holds + case.late + 2 * EVERY
    fires, cleared = HEALTHY + lasts - STEP, HEALTHY + lasts + case.lingers + 2 * EVERY
    firing = 'max by (alertname) (ALERTS{alertstate="firing"})'
    shown = [f'{{alertname="{name}"}}' for name in sorted({case.alert, *case.others})]
    silent = [HEALTHY - STEP, cleared] + ([HEALTHY + holds - EVERY] if holds else [])
    return {"name": case.alert, "interval": f"{STEP}s", "input_series": series_of(case, lasts),
            "promql_expr_test": [
                *({"expr": firing, "eval_time": f"{at}s"} for at in silent),
                {"expr": firing, "eval_time": f"{fires}s",
                 "exp_samples": [{"labels": labels, "value": 1} for labels in shown]}]}
