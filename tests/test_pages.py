"""The console's pages in a real browser, against a real pipeline."""

import pathlib
import urllib.parse
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from cluster import Cluster
from console_pages import PHONE, WIDE, ZOOMED, Visit, chromium, start_console
from shopstream import Shopstream, shopstream_world
from test_exactly_once import catch_up
from waiting import wait_until


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def world(session_cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shopstream]:
    """A topic, a lake with all three layers, and a console that may change things."""
    session_cluster.start_brokers()
    session_cluster.start_registry()
    with shopstream_world(session_cluster, tmp_path_factory.mktemp("pages"), "pages-purchases") as started:
        started.run("topics", "setup")
        started.run("schema", "register")
        started.run("generate", "--count", 3000, "--seed", 7, "--malformed-share", 0.02)
        catch_up(started)
        started.run("refine", SHOPSTREAM_REFINE_STATE_FOLDER=str(started.folder / "state"))
        yield started


@pytest.fixture(scope="module")
def address(world: Shopstream) -> str:
    token = world.folder / "token"
    token.write_text("let-me-change-things\n")
    token.chmod(0o600)
    return start_console(world, SHOPSTREAM_CONSOLE_ALLOW_CHANGES="true", SHOPSTREAM_CONSOLE_TOKEN_FILE=str(token))[1]


@pytest.fixture
def visit(cluster: Cluster, browser: Browser, address: str) -> Iterator[Visit]:
    with Visit(browser, address) as opened:
        yield opened
    assert opened.problems == []


def addresses(world: Shopstream) -> list[str]:
    topic, group = urllib.parse.quote(world.topic), urllib.parse.quote(world.group)
    return ["/", "/quality", "/quality/quarantine", "/about", "/changes"]


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
            found += [f"{path}: {problem}" for problem in visit.barriers() + visit.problems]
            if visit.overflow() > 0:
                found.append(f"{path} is {visit.overflow()} px wider than {size[0]} px")
            if page.locator("main h1").count() != 1:
                found.append(f"{path} has {page.locator('main h1').count()} headings of the first level")
            visit.problems.clear()
    assert found == []


def test_a_stopped_broker_turns_red_within_five_seconds_and_green_again(visit: Visit, cluster: Cluster) -> None:
    page = visit.open("/")
    broker = page.locator("#health li", has_text=cluster.bootstrap_servers.split(",")[1])
    expect(broker.locator(".state.up")).to_be_visible()
    cluster.kill_broker(2)
    expect(broker.locator(".state.down")).to_be_visible(timeout=5000)
    cluster.start_brokers()
    expect(broker.locator(".state.up")).to_be_visible(timeout=15_000)


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
