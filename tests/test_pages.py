"""The console's pages in a real browser, against a real pipeline."""

import json
import pathlib
import re
import uuid
from collections.abc import Iterator

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from playwright.sync_api import Browser, expect

from cluster import Cluster
from console_pages import PHONE, WIDE, ZOOMED, Visit, chromium, filled_world, labs, permission, start_console
from runner.bench import Bench
from runner.course import find
from runner.progress import Progress
from shopstream import Shopstream
from test_console_quality import Till, unique_version
from test_exactly_once import catch_up
from waiting import wait_until

TOKEN = "let-me-change-things"
RED_WITHIN_MS = 10_000  # 5 s, and as much for a machine that runs other tests.


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def world(session_cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shopstream]:
    """A topic, a lake with all three layers, and a console that may change things."""
    with filled_world(session_cluster, tmp_path_factory.mktemp("pages"), "pages-purchases", 3000, seed=7) as started:
        yield started


@pytest.fixture(scope="module")
def address(world: Shopstream) -> str:
    return start_console(world, **permission(world, f"{TOKEN}\n"), **labs(world))[1]


@pytest.fixture
def visit(cluster: Cluster, browser: Browser, address: str) -> Iterator[Visit]:
    with Visit(browser, address) as opened:
        yield opened
    assert opened.problems == []


def addresses(world: Shopstream) -> list[str]:
    topic, group = f"/kafka/topics/{world.topic}", f"/groups/{world.group}"
    return ["/", "/kafka", topic, f"{topic}?record=0/1", f"{topic}?show=partitions", f"{topic}?show=configuration",
            "/groups", group, "/schemas", f"/schemas/{world.topic}-value", "/lake", "/lake/bronze-events",
            "/lake/bronze-events?tab=files", "/lake/bronze-events?tab=columns", "/lake/bronze-events?tab=history", "/sql", "/quality", "/quality/quarantine",
            "/lineage?partition=0&offset=1", "/changes", "/labs", "/labs/1", "/runbook", "/about"]


@pytest.mark.parametrize("size, scheme", [(WIDE, "light"), (WIDE, "dark"), (PHONE, "light"), (ZOOMED, "dark")],
                         ids=["wide", "dark", "phone", "zoomed"])
def test_every_page_is_for_everybody(world: Shopstream, browser: Browser, address: str, size: tuple[int, int],
                                     scheme: str, tmp_path: pathlib.Path) -> None:
    """No page is wider than its window, keeps anybody out, breaks its own security policy, or logs an error."""
    found = []
    with Visit(browser, address, size, scheme) as visit:
        for path in addresses(world):
            page = visit.open(path)
            page.screenshot(path=tmp_path / f"{path.strip('/').replace('/', '_') or 'overview'}.png", full_page=True)
            barriers = visit.barriers() if size != ZOOMED else []  # They are those of the other sizes.
            found += [f"{path}: {problem}" for problem in barriers + visit.problems]
            if visit.overflow() > 0:
                found.append(f"{path} is {visit.overflow()} px wider than {size[0]} px")
            if rows := page.locator("tr.can-open:not(:has(a, button))").count():
                found.append(f"{path} has {rows} rows that only a mouse can open")
            if page.locator("main h1").count() != 1:
                found.append(f"{path} has {page.locator('main h1').count()} headings of the first level")
            visit.problems.clear()
    assert found == []


def test_a_stopped_broker_turns_red_within_five_seconds_and_green_again(visit: Visit, cluster: Cluster) -> None:
    page = visit.open("/")
    # By its name: the reasons of others may name it too.
    broker = page.locator("#health li > .break", has_text=cluster.bootstrap_servers.split(",")[1]).locator("..")
    expect(broker.locator(".state.up")).to_be_visible()
    cluster.kill_broker(2)
    try:
        expect(broker.locator(".state.down")).to_be_visible(timeout=RED_WITHIN_MS)
    finally:
        cluster.start_brokers()
    expect(broker.locator(".state.up")).to_be_visible(timeout=15_000)


def test_the_overview_shows_revenue_and_orders_of_each_region(visit: Visit, world: Shopstream) -> None:
    rows = world.json("query", "SELECT region, CAST(sum(orders) AS BIGINT) AS orders FROM gold_revenue_hourly "
                               "WHERE event_hour IN (SELECT DISTINCT event_hour FROM gold_revenue_hourly "
                               "ORDER BY event_hour DESC LIMIT 24) GROUP BY region")["rows"]
    assert len(rows) == 3
    shown = visit.open("/").locator("main .key")
    for row in rows:
        expect(shown).to_contain_text(re.compile(rf"{row['region']} [\d,.]+ · {row['orders']:,} order"))


def test_eight_tabs_share_one_stream_and_still_ask(visit: Visit) -> None:
    """A browser opens at most six connections to a server: a stream for each tab would block the rest."""
    pages = [visit.page] + [visit.context.new_page() for _ in range(7)]
    for page in pages:
        page.goto(f"{visit.address}/")
        page.wait_for_selector("main .pipeline")
    for page in pages:
        expect(page.locator(".live")).to_contain_text("live")
    answer = pages[-1].evaluate("""fetch('/api/session', {method: 'POST', headers: {'Content-Type': 'application/json'},
        body: '{"token": "wrong"}', signal: AbortSignal.timeout(5000)}).then(reply => reply.status)""")
    assert answer == 403
    visit.problems.clear()  # The browser logs the 403.


def sign_in(visit: Visit) -> None:
    """In the dialog of a change that is open."""
    visit.page.locator("dialog input[type=password]").fill(TOKEN)
    visit.page.locator("dialog").get_by_role("button", name="Sign in").click()
    expect(visit.page.locator("dialog input[type=password]")).to_have_count(0)  # The next field is that of the change.


def produce(world: Shopstream, key: str, value: bytes) -> tuple[int, int]:
    """Partition and offset of one message that a foreign client writes."""
    written: list[tuple[int, int]] = []
    producer = Producer({"bootstrap.servers": world.cluster.bootstrap_servers})
    producer.produce(world.topic, value, key.encode(),
                     on_delivery=lambda error, message: written.append((message.partition(), message.offset())))
    producer.flush(30)
    return written[0]


def test_a_search_finds_the_planted_message_and_says_where_it_looked(visit: Visit, world: Shopstream) -> None:
    partition, offset = produce(world, "needle-in-the-haystack", b"no frame at all")
    page = visit.open(f"/kafka/topics/{world.topic}")
    page.get_by_label("Key").fill("needle-in-the-haystack")
    page.get_by_role("button", name="Search", exact=True).click()
    row = page.locator("tr.line", has_text="needle-in-the-haystack")
    expect(row).to_have_count(1)
    assert page.url.endswith("key=needle-in-the-haystack")  # A link repeats the search.
    row.click()
    expect(page.locator("pre", has_text=b"no frame".hex(" "))).to_be_attached()
    assert f"record={partition}%2F{offset}" in page.url
    page.goto(f"{visit.address}/kafka/topics/{world.topic}?key=nobody-has-this-key")
    expect(page.locator("main [role=status]", has_text="None in ")).to_contain_text("offsets p0 0 to ")


def test_a_new_message_begins_as_one_that_was_found(visit: Visit, world: Shopstream) -> None:
    page, planted = visit.open(f"/kafka/topics/{world.topic}"), uuid.uuid4().hex
    page.get_by_role("button", name="Produce a message").click()
    sign_in(visit)
    text = page.locator("dialog textarea")
    value = json.loads(text.input_value())
    text.fill(json.dumps({**value, "event_id": planted}))
    page.locator("dialog .button.main").click()
    expect(page.locator("dialog [role=status]")).to_contain_text("Written to partition")
    page.goto(f"{visit.address}/kafka/topics/{world.topic}?text={planted}")
    expect(page.locator("main [role=status]", has_text="1 match in ")).to_be_visible()


def test_a_reset_moves_the_group_after_its_name_is_typed(visit: Visit, world: Shopstream) -> None:
    group = f"{world.topic}-readers"
    client = Consumer({"bootstrap.servers": world.cluster.bootstrap_servers, "group.id": group})
    client.commit(offsets=[TopicPartition(world.topic, 0, 100)], asynchronous=False)
    client.close()
    page = visit.open(f"/groups/{group}")
    page.get_by_role("button", name="Show what it would change").click()
    page.get_by_role("button", name="Reset", exact=True).click()
    sign_in(visit)
    page.locator("dialog label.field input").fill(group)
    page.locator("dialog .button.main").click()
    expect(page.locator("dialog [role=status]")).to_contain_text("Changes")
    moved = world.json("group", "describe", group)
    assert [row["committed"] for row in moved if row["partition"] == 0] == [0]
    page.goto(f"{visit.address}/changes")
    expect(page.locator("tr.line", has_text=group)).to_be_visible()


def test_the_lineage_of_a_planted_event_ends_in_its_file_and_its_gold_cell(visit: Visit, world: Shopstream) -> None:
    row = world.json("query", "SELECT event_id, kafka_partition, kafka_offset, region, date FROM silver_events "
                              "ORDER BY kafka_partition, kafka_offset LIMIT 1 OFFSET 77")["rows"][0]
    page = visit.open(f"/lineage?event_id={row['event_id']}")
    place = f"partition {row['kafka_partition']} · offset {row['kafka_offset']}"
    expect(page.locator(".panel", has_text=place)).to_be_visible()
    file = page.locator(f"a[href^='/lineage?file=bronze-events']").first
    assert f"region={row['region']}/date={row['date']}/" in file.inner_text()
    assert (world.lake / file.inner_text()).is_file()
    expect(page.locator("li", has_text="revenue_hourly").last).to_contain_text(f"region {row['region']}")
    file.click()
    expect(page.get_by_text("without gaps")).to_be_visible()


def test_a_quarantined_record_is_replayed(visit: Visit, world: Shopstream) -> None:
    """Its schema is registered after it was quarantined."""
    till, later, event = Till(world), unique_version(), uuid.uuid4().hex
    known = till.register(unique_version())
    till.send(known + 1, later, event_id=event)
    catch_up(world)
    assert till.register(later) == known + 1, "the registry numbered otherwise"
    page = visit.open("/quality/quarantine?cause=unknown_schema")
    page.get_by_role("button", name="Replay unknown_schema").click()
    sign_in(visit)
    page.locator("dialog .button.main").click()
    expect(page.locator("dialog [role=status]")).to_contain_text("Changes", timeout=30_000)

    def arrived() -> bool:
        return bool(world.json("query", f"SELECT 1 FROM bronze_events WHERE event_id = '{event}'")["rows"])

    wait_until(arrived, 30, "the record is in Bronze")


def test_a_lab_is_predicted_failed_and_passed_on_its_page(visit: Visit, world: Shopstream) -> None:
    lab, home = find(1), world.folder / "labs"
    page = visit.open("/labs")
    expect(page.locator("tr.line", has_text=lab.concept)).to_contain_text(str(lab.minutes))
    page.get_by_role("link", name=lab.title).click()
    expect(page.locator("h2", has_text="Task")).to_be_visible()
    page.get_by_role("button", name="Start", exact=True).click()
    sign_in(visit)
    page.locator("dialog .button.main").click()
    page.get_by_label("c) about 6").check()
    page.get_by_role("button", name="Predict", exact=True).click()
    expect(page.locator(".panel", has_text="Your prediction")).to_contain_text("c (about 6)")

    bench = Bench(lab, Progress(home).attempts[lab.name], world.cluster, home)
    finding = page.locator(".panel", has=page.get_by_role("heading", name="Check", exact=True))
    for answer, verdict, words in (("wrong/key-is-step", "NOT YET", lab.wrong["key-is-step"]), ("solution", "PASSED", "in order")):
        bench.put(lab.folder / answer)
        bench.run("bash", "-e", "steps.sh")
        page.get_by_role("button", name="Check", exact=True).click()
        expect(finding.locator(".state")).to_have_text(verdict)
        expect(finding).to_contain_text(words)
    expect(finding).to_contain_text("As you predicted: c (about 6).")
    expect(page.locator(".panel", has_text="Why it is so")).to_contain_text("murmur2")
    expect(page.locator(".lab-picture h3", has_text=bench.topic).first).to_contain_text("300 records")
    for width, height in (WIDE, PHONE):
        page.set_viewport_size({"width": width, "height": height})
        assert visit.overflow() <= 0 and visit.barriers() == []

    page.get_by_role("button", name="Stop", exact=True).click()
    page.locator("dialog label.field input").fill("lab 1")
    page.locator("dialog .button.main").click()
    expect(page.get_by_role("button", name="Start", exact=True)).to_be_visible()
    assert not bench.folder.exists() and Progress(home).attempts[lab.name].passed
    page.goto(f"{visit.address}/changes")
    for what in ("started", "predicted the result of", "checked", "deleted the topic and folder of"):
        expect(page.locator("tr.line", has_text=f"{what} lab 1").first).to_be_visible()


def test_every_page_can_be_used_without_a_mouse(visit: Visit, world: Shopstream) -> None:
    page = visit.open("/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the page"
    reached = []
    for _ in range(12):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.textContent"))
    assert ["Overview", "Kafka", "Groups", "Schemas", "Lake", "SQL", "Quality", "Lineage", "Changes", "Labs"] == reached[1:11]
    page.goto(f"{visit.address}/kafka")
    visit.drawn()
    page.locator("tr.line a").first.focus()
    page.keyboard.press("ArrowDown")
    name = page.evaluate("document.activeElement.textContent")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text(name)


def test_a_user_signs_in_and_out_on_the_page(world: Shopstream, browser: Browser) -> None:
    """Also when the session ends elsewhere, while only the live stream notices it."""
    users = world.folder / "users"
    # `openssl passwd -5 -salt saltsalt secret`
    users.write_text("ann:$5$saltsalt$0IyaXrmV7.sGNS6tirgqHLqX/G.FBvgkYA.lpPdS5sA:reader\n")
    _, address = start_console(world, SHOPSTREAM_CONSOLE_USERS=str(users), SHOPSTREAM_CONSOLE_ALLOW_CHANGES="true",
                               SHOPSTREAM_CONSOLE_CHANGE_LOG=str(world.folder / "changes-of-users.jsonl"))
    with Visit(browser, address) as visit:
        page, heading = visit.page, visit.page.locator("main h1")
        page.goto(f"{address}/runbook")  # To which alerts link.
        expect(page.locator(".live")).to_have_text("signed out")
        expect(heading).to_have_text("Runbook")
        page.goto(f"{address}/groups/{world.group}")
        expect(heading).to_have_text("Sign in")
        assert visit.barriers() == [] and visit.overflow() <= 0
        page.get_by_label("User").fill("ann")
        page.get_by_label("Password").fill("wrong")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_have_text("the user or the password is wrong")
        page.get_by_label("Password").fill("secret")
        page.keyboard.press("Enter")
        expect(heading).to_have_text(world.group)
        expect(page.locator(".live")).to_contain_text("live")
        page.goto(f"{address}/kafka/topics/{world.topic}")
        page.get_by_role("button", name="Produce a message").click()
        expect(page.locator("dialog")).to_contain_text("You are signed in as ann, who has the role reader.")
        page.goto(f"{address}/about")
        page.get_by_role("button", name="Sign out").click()
        expect(heading).to_have_text("Sign in")
        page.get_by_label("User").fill("ann")
        page.get_by_label("Password").fill("secret")
        page.keyboard.press("Enter")
        expect(heading).to_have_text("About")
        page.goto(f"{address}/")
        expect(page.locator(".live")).to_contain_text("live")
        users.write_text(users.read_text().replace("ann", "bob"))
        expect(heading).to_have_text("Sign in")


def test_a_first_page_is_small(browser: Browser, address: str) -> None:
    """Compressed, as it is sent: at most 80 KB for the first page, and 220 KB for SQL with its editor."""
    for path, most in (("/", 80_000), ("/sql", 220_000)):
        with Visit(browser, address) as visit:
            page = visit.open(path)
            if path == "/sql":
                page.wait_for_selector(".cm-editor")
            sizes = page.evaluate("""performance.getEntriesByType('resource').concat(performance.getEntriesByType('navigation'))
                .filter(e => !e.name.includes('/api/')).map(e => [e.name, e.encodedBodySize])""")
            assert 0 < sum(size for _, size in sizes) <= most, sizes
