"""Writes the Grafana dashboard, deploy/grafana/dashboards/shopstream.json, from the panels below.

    python3 scripts/render_grafana.py
"""

import dataclasses
import json
import pathlib
import sys
from typing import Any

PATH = pathlib.Path(__file__).resolve().parent.parent / "deploy/grafana/dashboards/shopstream.json"
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
COLUMNS, HEIGHT = 24, 8  # Grafana's grid, and a panel's rows in it.
PER_ROW = 3


@dataclasses.dataclass(frozen=True)
class Panel:
    title: str
    unit: str  # Grafana's: short, s, bytes, percentunit, reqps, ...
    queries: tuple[tuple[str, str], ...]  # Expression and legend.
    kind: str = "timeseries"  # or stat
    stacked: bool = False
    least: int = 0  # Where the axis begins.


def rate(metric: str, by: str) -> str:
    return f"sum by ({by}) (rate({metric}[$__rate_interval]))"


def quantile(share: float, metric: str, by: str = "") -> str:
    return f"histogram_quantile({share}, sum by ({by + ', ' if by else ''}le) (rate({metric}_bucket[$__rate_interval])))"


def slow(title: str, metric: str, by: str = "") -> Panel:
    legend = f" {{{{{by}}}}}" if by else ""
    return Panel(title, "s", ((quantile(0.5, metric, by), f"p50{legend}"), (quantile(0.99, metric, by), f"p99{legend}")))


def lines(title: str, unit: str, *queries: tuple[str, str], stacked: bool = False, least: int = 0) -> Panel:
    return Panel(title, unit, queries, stacked=stacked, least=least)


def number(title: str, unit: str, expression: str, legend: str = "") -> Panel:
    return Panel(title, unit, ((expression, legend),), kind="stat")


PARTITION = "{{topic}} {{partition}}"
ROWS: dict[str, list[Panel]] = {
    "At a glance": [
        number("Alerts that fire", "short", 'count(ALERTS{alertstate="firing"}) or vector(0)'),
        number("Oldest record that is not in the lake", "s", "topic:shopstream_lag_seconds:max", "{{topic}}"),
        number("Time until the lake has everything", "s", "topic:shopstream_lag_clear_seconds:max", "{{topic}}"),
        lines("Records in and out", "cps", ("topic:shopstream_lag_in_per_second:sum", "Kafka received: {{topic}}"),
              ("topic:shopstream_lag_out_per_second:sum", "into the lake: {{topic}}")),
        lines("Complete through: age", "s", ("time() - max by (table) (shopstream_table_complete_through_timestamp_seconds)",
                                              "{{table}}")),
        lines("Ready", "short", ("shopstream_ready", "{{job}} {{instance}}"), ('up{job=~"shopstream-.*"}', "up: {{job}} {{instance}}")),
    ],
    "Lag": [
        lines("Lag", "short", ("topic_partition:shopstream_lag_records:max", PARTITION)),
        lines("Age of the first record that is not in the lake", "s",
              ("max by (topic, partition) (shopstream_lag_seconds)", PARTITION)),
        lines("Time to clear", "s", ("max by (topic, partition) (shopstream_lag_clear_seconds)", PARTITION)),
        lines("Received per second", "cps", ("max by (topic, partition) (shopstream_lag_in_per_second)", PARTITION)),
        lines("Into the lake per second", "cps", ("max by (topic, partition) (shopstream_lag_out_per_second)", PARTITION)),
        lines("Lost or stopped", "short",
              ("max by (topic, partition) (shopstream_lag_expired_records)", f"expired: {PARTITION}"),
              ("max by (topic, partition) (shopstream_partition_stopped)", f"stopped: {PARTITION}")),
        lines("Offsets", "short", ("max by (topic, partition) (shopstream_partition_log_start_offset)", f"log start {PARTITION}"),
              ("max by (topic, partition) (shopstream_lake_next_offset)", f"lake {PARTITION}"),
              ("max by (topic, partition) (shopstream_partition_end_offset)", f"end {PARTITION}")),
    ],
    "Kafka": [
        lines("Brokers up", "short", ("min by (broker, address) (shopstream_broker_up)", "{{broker}} {{address}}"),
              ("max(shopstream_brokers)", "registered")),
        lines("Leadership", "short", ("max by (broker) (shopstream_broker_leader_partitions)", "broker {{broker}}"), stacked=True),
        lines("Partitions in trouble", "short",
              ("max by (topic) (shopstream_topic_leaderless_partitions)", "no leader: {{topic}}"),
              ("max by (topic) (shopstream_topic_under_replicated_partitions)", "replicas behind: {{topic}}")),
        lines("Replicas in sync", "short", ("max by (topic, partition) (shopstream_partition_in_sync_replicas)", PARTITION),
              ("max by (topic, partition) (shopstream_partition_replicas)", f"all: {PARTITION}")),
        lines("Leaders and controller", "short", ("max by (topic, partition) (shopstream_partition_leader_id)", PARTITION),
              ("max(shopstream_controller_id)", "controller"), least=-1),  # -1: no leader.
        lines("Partitions", "short", ("topic:shopstream_topic_partitions:max", "{{topic}}")),
    ],
    "Groups": [
        lines("State", "short", ("max by (group, state) (shopstream_group_state)", "{{group}} {{state}}")),
        lines("Members and partitions", "short", ("max by (group) (shopstream_group_members)", "members: {{group}}"),
              ("max by (group) (shopstream_group_assigned_partitions)", "partitions: {{group}}")),
        lines("Lag of committed offsets", "short", ("sum by (group, topic) (max by (group, topic, partition) (shopstream_group_lag_records))", "{{group}} {{topic}}")),
    ],
    "Producers": [
        lines("Records", "cps", (rate("shopstream_producer_records_total", "instance"), "given to the client: {{instance}}"),
              (rate("shopstream_producer_acknowledged_total", "instance"), "acknowledged: {{instance}}")),
        lines("Not delivered", "cps", (rate("shopstream_producer_failed_total", "error"), "{{error}}")),
        slow("Delivery", "shopstream_producer_delivery_seconds"),
        lines("Bytes", "Bps", (rate("shopstream_producer_bytes_total", "instance"), "{{instance}}")),
    ],
    "Ingest": [
        lines("Records read, rows committed", "cps", (rate("shopstream_ingest_records_total", "instance"), "read: {{instance}}"),
              (rate("shopstream_ingest_rows_total", "instance"), "rows: {{instance}}")),
        slow("Freshness", "shopstream_ingest_freshness_seconds"),
        lines("Lag seen by ingest", "short", ("sum by (instance) (shopstream_ingest_lag_records)", "{{instance}}")),
        lines("Assignment", "short", ("shopstream_ingest_assigned_partitions", "partitions: {{instance}}"),
              ("sum by (instance) (shopstream_ingest_partition_stopped)", "stopped: {{instance}}")),
        lines("Rebalances and fences", "cps", (rate("shopstream_ingest_rebalances_total", "kind"), "{{kind}}"),
              (rate("shopstream_ingest_fences_total", "instance"), "fenced: {{instance}}")),
        lines("Paused", "short", ("max by (instance, reason) (shopstream_ingest_paused)", "{{instance}} {{reason}}"),
              ("sum by (instance, reason) (increase(shopstream_ingest_pauses_total[$__rate_interval]))", "began: {{instance}} {{reason}}")),
        lines("Cuts by reason", "cps", (rate("shopstream_ingest_cuts_total", "reason"), "{{reason}}"), stacked=True),
        slow("Cut, from sealed to readable", "shopstream_ingest_cut_seconds"),
        slow("Commit of the log", "shopstream_ingest_commit_seconds"),
        slow("Decoding of one poll", "shopstream_ingest_decode_seconds"),
        slow("Encoding of one file", "shopstream_lake_encode_seconds", "job"),
        lines("Commits, conflicts, retries", "cps", (rate("shopstream_ingest_commits_total", "instance"), "commits: {{instance}}"),
              (rate("shopstream_ingest_commit_conflicts_total", "instance"), "conflicts: {{instance}}"),
              (rate("shopstream_ingest_retries_total", "step"), "retries: {{step}}")),
        lines("Buffered", "bytes", ("shopstream_ingest_buffered_bytes", "{{instance}}")),
        lines("Bytes", "Bps", (rate("shopstream_ingest_consumed_bytes_total", "instance"), "read: {{instance}}"),
              (rate("shopstream_ingest_file_bytes_total", "instance"), "files: {{instance}}")),
        lines("Files", "cps", (rate("shopstream_ingest_files_total", "instance"), "{{instance}}")),
        lines("Time since the last commit", "s", ("time() - shopstream_ingest_last_commit_timestamp_seconds", "{{instance}}")),
        lines("Expired before they were read", "short", ("sum by (instance) (shopstream_ingest_expired_offsets_total)", "{{instance}}")),
    ],
    "Quarantine": [
        lines("Into quarantine", "cps", (rate("shopstream_ingest_quarantined_total", "cause"), "{{cause}}"), stacked=True),
        lines("In quarantine", "short", ("max by (cause) (shopstream_quarantine_rows)", "{{cause}}"), stacked=True),
        lines("Replay", "cps", (rate("shopstream_quarantine_replay_records_total", "outcome"), "{{outcome}}"),
              (rate("shopstream_quarantine_replay_commits_total", "instance"), "commits"),
              (rate("shopstream_quarantine_replay_retries_total", "instance"), "retries")),
    ],
    "Refine": [
        lines("Rows", "cps", (rate("shopstream_refine_rows_total", "instance"), "refined: {{instance}}"),
              (rate("shopstream_refine_silver_rows_total", "instance"), "to Silver: {{instance}}")),
        lines("Rejected by rule", "cps", (rate("shopstream_refine_rejected_total", "reason"), "{{reason}}"), stacked=True),
        lines("Warned by rule", "cps", (rate("shopstream_refine_warned_total", "rule"), "{{rule}}")),
        lines("Rows of Bronze that wait", "short", ("max(shopstream_refine_lag_rows)", "")),
        slow("Pass", "shopstream_refine_pass_seconds"),
        lines("Steps", "s", (quantile(0.99, "shopstream_refine_step_seconds", "step, table"), "p99 {{step}} {{table}}")),
        lines("Passes, retries, lost commits", "cps", (rate("shopstream_refine_passes_total", "instance"), "passes: {{instance}}"),
              (rate("shopstream_refine_retries_total", "instance"), "retries: {{instance}}"),
              (rate("shopstream_refine_lost_total", "instance"), "lost: {{instance}}")),
        lines("State", "short", ("shopstream_refine_halted", "halted: {{instance}}"),
              ("shopstream_refine_rules_degraded", "rules degraded: {{instance}}"),
              ("shopstream_refine_standby", "stands by: {{instance}}")),
        lines("Time since the last pass", "s", ("time() - max(shopstream_refine_last_pass_timestamp_seconds)", "")),
        lines("Rows without coordinates", "short", ("sum by (instance) (shopstream_refine_rows_without_coordinates_total)", "{{instance}}")),
    ],
    "Registry": [
        lines("Requests", "reqps", (rate("shopstream_registry_requests_total", "method, route, status"), "{{method}} {{route}} {{status}}")),
        slow("Answer", "shopstream_registry_request_seconds", "route"),
        lines("From outside", "short", ("max(shopstream_registry_up)", "up"), ("max(shopstream_registry_degraded)", "degraded"),
              ("max(shopstream_registry_subjects)", "subjects")),
        lines("Answer, from outside", "s", ("max(shopstream_registry_response_seconds)", "")),
    ],
    "Lake": [
        lines("Rows", "short", ("max by (table) (shopstream_table_rows)", "{{table}}")),
        lines("Bytes", "bytes", ("max by (table) (shopstream_table_bytes)", "{{table}}"), stacked=True),
        lines("Files", "short", ("max by (table) (shopstream_table_files)", "{{table}}"),
              ("max by (table) (shopstream_table_small_files)", "small: {{table}}")),
        lines("Share of small files", "percentunit", ("max by (table) (shopstream_table_small_files_ratio)", "{{table}}")),
        lines("Time since the last commit", "s", ("time() - max by (table) (shopstream_table_last_commit_timestamp_seconds)", "{{table}}")),
        lines("Version", "short", ("max by (table) (shopstream_table_version)", "{{table}}")),
        slow("Requests to storage", "shopstream_store_request_seconds", "operation"),
        lines("Failed requests to storage", "cps", (rate("shopstream_store_failures_total", "job, operation"), "{{job}} {{operation}}")),
        lines("Written to storage", "Bps", (rate("shopstream_store_put_bytes_total", "job"), "{{job}}")),
        *(panel for part in ("ingest", "refine") for panel in (
            lines(f"Compaction by {part}", "cps",
                  (rate(f"shopstream_{part}_compacted_files_total", "table"), "files merged: {{table}}"),
                  (rate(f"shopstream_{part}_compaction_commits_total", "table"), "commits: {{table}}"),
                  (rate(f"shopstream_{part}_compaction_conflicts_total", "table"), "discarded: {{table}}"),
                  (rate(f"shopstream_{part}_compaction_failures_total", "table"), "failed: {{table}}")),
            lines(f"Compacted by {part}", "Bps", (rate(f"shopstream_{part}_compacted_bytes_total", "table"), "{{table}}")),
            lines(f"Vacuum by {part}", "cps", (rate(f"shopstream_{part}_vacuumed_files_total", "table"), "files deleted: {{table}}"),
                  (rate(f"shopstream_{part}_vacuum_failures_total", "table"), "failed: {{table}}"),
                  (f"max by (table) (shopstream_{part}_small_files)", "small files: {{table}}")))),
    ],
    "Processes": [
        lines("CPU", "percentunit", (rate("process_cpu_seconds_total", "job, instance"), "{{job}} {{instance}}")),
        lines("Memory", "bytes", ("process_resident_memory_bytes", "{{job}} {{instance}}")),
        lines("Open file descriptors", "short", ("process_open_fds", "{{job}} {{instance}}"), ("process_max_fds", "limit: {{job}} {{instance}}")),
        lines("Time since the start", "s", ("time() - process_start_time_seconds", "{{job}} {{instance}}")),
        lines("What observe knows", "short", ("max by (part) (shopstream_observe_part_known)", "{{part}}")),
        lines("Samples of observe", "s", ("max by (part) (shopstream_observe_part_seconds)", "took: {{part}}"),
              ("time() - max by (part) (shopstream_observe_part_timestamp_seconds)", "age: {{part}}")),
    ],
}


def dashboard() -> dict[str, Any]:
    panels: list[dict[str, Any]] = []
    y = 0
    for title, row in ROWS.items():
        panels.append({"id": len(panels) + 1, "type": "row", "title": title, "collapsed": False, "panels": [],
                       "gridPos": {"x": 0, "y": y, "w": COLUMNS, "h": 1}})
        for i, panel in enumerate(row):
            place = {"x": i % PER_ROW * (COLUMNS // PER_ROW), "y": y + 1 + i // PER_ROW * HEIGHT,
                     "w": COLUMNS // PER_ROW, "h": HEIGHT}
            panels.append({"id": len(panels) + 1, "gridPos": place, **drawn(panel)})
        y += 1 + -(-len(row) // PER_ROW) * HEIGHT
    return {
        "uid": "shopstream", "title": "ShopStream", "tags": ["shopstream"], "schemaVersion": 38, "version": 1,
        "editable": False, "graphTooltip": 1, "refresh": "15s", "time": {"from": "now-1h", "to": "now"}, "timezone": "utc",
        "templating": {"list": [{"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Prometheus"}]},
        "annotations": {"list": [{
            "name": "Alerts", "enable": True, "iconColor": "red", "datasource": DATASOURCE, "titleFormat": "{{alertname}}",
            "expr": 'ALERTS{alertstate="firing", alertname=~"Shopstream.*"}', "step": "60s"}]},
        "panels": panels,
    }


def drawn(panel: Panel) -> dict[str, Any]:
    custom = {"stacking": {"mode": "normal"}, "fillOpacity": 20} if panel.stacked else {"fillOpacity": 5}
    options: dict[str, Any] = {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}}
    if panel.kind == "stat":
        custom, options = {}, {"reduceOptions": {"calcs": ["lastNotNull"]}}
    return {
        "type": panel.kind, "title": panel.title, "datasource": DATASOURCE, "options": options,
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": panel.least, "custom": custom}, "overrides": []},
        "targets": [{"refId": chr(ord("A") + i), "datasource": DATASOURCE, "expr": expression, "legendFormat": legend}
                    for i, (expression, legend) in enumerate(panel.queries)],
    }


def text() -> str:
    return json.dumps(dashboard(), indent=1) + "\n"


def main() -> int:
    PATH.write_text(text())
    print(f"wrote {PATH}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
