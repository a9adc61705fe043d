"""/livez and /readyz of an ingest whose brokers are down. Those of every command at work: tests/test_metrics.py."""

from places import ROOT
from probes import get, served_at
from shopstream import RECONNECTS_SOON, Shopstream
from waiting import wait_until


def test_an_ingest_without_brokers_is_live_and_not_ready(shopstream: Shopstream) -> None:
    running = shopstream.start("ingest", SHOPSTREAM_METRICS_LISTEN="127.0.0.1:0",
                               SHOPSTREAM_KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1")
    base = served_at(running)
    assert get(f"{base}/livez") == (200, "ok\n")
    assert get(f"{base}/readyz") == (503, "starting\n")


def test_an_ingest_is_not_ready_while_no_broker_answers(shopstream: Shopstream) -> None:
    shopstream.run("topics", "setup")
    shopstream.run("schema", "register", ROOT / "schemas/purchase_event.avsc")
    running = shopstream.start("ingest", SHOPSTREAM_METRICS_LISTEN="127.0.0.1:0", **RECONNECTS_SOON)
    base = served_at(running)
    wait_until(lambda: get(f"{base}/readyz")[0] == 200, 60, "ingest is ready")
    for broker in (1, 2, 3):
        shopstream.cluster.kill_broker(broker)
    wait_until(lambda: get(f"{base}/readyz")[1].startswith("no broker answers"), 60, "ingest is not ready")
    assert get(f"{base}/livez")[0] == 200
    shopstream.cluster.start_brokers()
    wait_until(lambda: get(f"{base}/readyz")[0] == 200, 60, "ingest is ready again")
