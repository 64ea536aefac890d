"""The built site in a real browser: ``make site-test``. Needs doc/_build/html and a Chromium.

Playwright drives the browser that is installed on the machine (``CHROMIUM=/path/to/chromium`` names another); it downloads none.
"""

import os
import re
import shutil
import threading
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from playwright.sync_api import sync_playwright

SITE = Path(__file__).parents[1] / "_build" / "html"
PAGES = sorted(path for path in SITE.rglob("*.html") if "_static" not in path.parts)
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
SLIDERS = {"why-add": "why_add", "one-weight": "one_weight", "just-right": "just_right", "when-not": "when_not"}
LOOKS = {"light": ("light", 1280), "dark": ("dark", 1280), "narrow": ("light", 390)}


@pytest.fixture(scope="module")
def browser():
    assert (SITE / "index.html").exists(), "run `make doc` first"
    assert CHROMIUM, "install Chromium (Debian: apt-get install chromium), or set CHROMIUM"
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


class Quiet(SimpleHTTPRequestHandler):
    """A file server that keeps no log."""

    def log_message(self, *args):
        """No line for every request."""

    def do_GET(self):
        """Browsers ask every server for an icon."""
        if self.path == "/favicon.ico":
            self.send_response(204)
            self.end_headers()
        else:
            super().do_GET()


@pytest.fixture
def served():
    """Address of the site on a server of its own."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=SITE)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class Visit:
    """A page, and everything that went wrong or out while it was open."""

    def __init__(self, browser, scheme="light", width=1280):
        self.page = browser.new_page(color_scheme=scheme, viewport={"width": width, "height": 900})
        self.troubles, self.base = [], SITE.as_uri()
        self.page.on("request", self._request)
        self.page.on("requestfailed", lambda request: self.troubles.append(f"failed: {request.url}"))
        self.page.on("pageerror", lambda error: self.troubles.append(f"error: {error}"))
        self.page.on("console", self._console)

    def _request(self, request):
        inside = request.url.startswith(self.base) or request.url.startswith(("data:", "blob:"))
        if not inside:
            self.troubles.append(f"leaves the site: {request.url}")

    def _console(self, message):
        # The theme says this at the first visit of every reader: no mode is stored yet.
        if message.type == "error" and "Got invalid theme mode" not in message.text:
            self.troubles.append(f"console: {message.text}")

    def open(self, name):
        self.page.goto((SITE / name).as_uri(), wait_until="load")
        return self.page


@pytest.fixture(params=LOOKS)
def visit(request, browser):
    visit = Visit(browser, *LOOKS[request.param])
    yield visit
    visit.page.close()
    assert visit.troubles == []


def drawn_curve(page, kind):
    """Points of a curve, in pixels."""
    points = page.locator(f"svg polyline.line.{kind}[points]").last.get_attribute("points")
    return [tuple(map(float, point.split(","))) for point in points.split()]


def drawn_dot(page, kind):
    """Centre of a dot of the picture (not of the key), in pixels; None if there is none."""
    dot = page.locator(f".slider-panels circle.{kind}")
    return (float(dot.last.get_attribute("cx")), float(dot.last.get_attribute("cy"))) if dot.count() else None


def stops(page, keys):
    """Press keys on the slider and yield what it says after each."""
    page.locator(".slider input[type=range]").focus()
    for key in keys:
        page.keyboard.press(key)
        yield page.locator(".slider input[type=range]").get_attribute("aria-valuetext")


def lowest(curve):
    return max(curve, key=lambda point: point[1])  # pixels count downwards


def near(a, b, pixels):
    return abs(a[0] - b[0]) <= pixels and abs(a[1] - b[1]) <= pixels


def test_why_add_the_dot_follows_the_lowest_point_of_the_sum(visit):
    page = visit.open("understand/why_add.html")
    places = []
    for _ in stops(page, ["ArrowRight"] * 5 + ["PageUp"] * 2 + ["End"]):
        curve, dot = drawn_curve(page, "sum"), drawn_dot(page, "lowest")
        spacing = curve[1][0] - curve[0][0]
        assert near(dot, lowest(curve), spacing), "the dot is not where the drawn sum is lowest"
        places.append(dot[0])
    assert places == sorted(places, reverse=True)
    assert len(set(places)) == len(places)
    list(stops(page, ["Home"]))
    assert drawn_dot(page, "lowest") is None
    curve = drawn_curve(page, "sum")
    assert lowest(curve) in (curve[0], curve[-1]), "the sum has a lowest point inside the picture"
    assert "falls without end" in page.locator(".slider output").inner_text()


def test_one_weight_the_bars_are_equal_and_opposite(visit):
    page = visit.open("understand/one_weight.html")
    penalties = page.locator(".slider input[type=radio]")
    assert penalties.count() >= 2
    for k in range(penalties.count()):
        penalties.nth(k).check()
        seen = set()
        for _ in stops(page, ["Home", "PageUp", "ArrowRight", *["PageUp"] * 5, "ArrowLeft", "End"]):
            bars = page.evaluate(
                """() => Object.fromEntries(["data-pull", "penalty-pull"].map((kind) => [kind,
                    [...document.querySelectorAll(`.slider-panels rect.${kind}`)].map((bar) => Number(bar.getAttribute("width")))]))"""
            )
            assert len(bars["data-pull"]) == 10
            assert all(abs(a - b) < 1 for a, b in zip(*bars.values(), strict=True))
            seen.add(tuple(round(width, 1) for width in bars["data-pull"]))
        # Where alpha is small MCP pulls at no weight of this size: two stops may look the same.
        assert len(seen) >= 3, "the picture does not move"


def test_just_right_the_dots_run_along_their_curves(visit):
    page = visit.open("understand/just_right.html")
    fits, heights = set(), []
    for k, _ in enumerate(stops(page, ["Home"] + ["ArrowRight"] * 33)):
        training, new = drawn_curve(page, "quiet"), drawn_curve(page, "sum")
        assert near(drawn_dot(page, "before"), training[k], 0.5)
        assert near(drawn_dot(page, "now"), new[k], 0.5)
        assert near(drawn_dot(page, "lowest"), lowest(new), 0.5)
        heights.append(drawn_dot(page, "before")[1])
        fits.add(tuple(drawn_curve(page, "fit")))
    assert heights == sorted(heights, reverse=True), "the error in training must rise"
    assert len(fits) == 34


def test_when_not_the_lowest_point_moves_to_the_left(visit):
    page = visit.open("understand/when_not.html")
    places = []
    for _ in stops(page, ["Home"] + ["ArrowRight"] * 6):
        curve, dot = drawn_curve(page, "sum"), drawn_dot(page, "lowest")
        assert any(near(dot, point, 0.02) for point in curve), "the dot is not on the curve"
        assert abs(dot[1] - lowest(curve)[1]) < 0.02, "there is a lower point"
        places.append(drawn_dot(page, "lowest")[0])
    assert places == sorted(places, reverse=True)
    assert places[0] > places[-1] + 50


@pytest.mark.parametrize("name", SLIDERS.values())
def test_nothing_is_wider_than_the_screen_and_text_can_be_read(visit, name):
    page = visit.open(f"understand/{name}.html")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1")
    for text in page.locator(".slider svg text").all():
        box, picture = text.bounding_box(), page.locator(".slider").bounding_box()
        assert picture["x"] - 1 <= box["x"]
        assert box["x"] + box["width"] <= picture["x"] + picture["width"] + 1
    # Contrast of the text and the lines with the ground: WCAG asks for 4.5 and 3.
    ratios = page.evaluate(
        """() => {
            const light = (colour) => {
                const rgb = colour.match(/[0-9.]+/g).slice(0, 3).map((c) => c / 255)
                    .map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
                return 0.2126 * rgb[0] + 0.7152 * rgb[1] + 0.0722 * rgb[2];
            };
            const ground = light(getComputedStyle(document.body).backgroundColor);
            const ratio = (colour) => (Math.max(light(colour), ground) + 0.05) / (Math.min(light(colour), ground) + 0.05);
            const seen = (selector, what) => [...document.querySelectorAll(selector)].map((node) => ratio(getComputedStyle(node)[what]));
            return [Math.min(...seen(".slider svg text", "fill")), Math.min(9, ...seen(".slider polyline", "stroke"))];
        }"""
    )
    assert ratios[0] >= 4.5, ratios
    assert ratios[1] >= 3, ratios


def test_every_page_opens_on_a_telephone_without_a_request_that_leaves_the_site(browser):
    assert len(PAGES) > 40
    troubles = {}
    # A few at a time, they load side by side; on a telephone, where a page that is too wide shows.
    visits = [Visit(browser, width=390) for _ in range(4)]
    for start in range(0, len(PAGES), len(visits)):
        batch = list(zip(visits, PAGES[start : start + len(visits)], strict=False))
        for visit, path in batch:
            visit.troubles.clear()
            visit.page.goto(path.as_uri(), wait_until="commit")
        for visit, path in batch:
            visit.page.wait_for_load_state("load")
            # The link that a heading shows under the mouse may stand out.
            over = visit.page.evaluate(
                """() => Math.max(...["html", ".bd-article-container"].map((box) => document.querySelector(box))
                    .map((box) => box ? box.scrollWidth - box.clientWidth : 0))"""
            )
            if over > 30:
                visit.troubles.append(f"{over} pixels too wide")
            if visit.troubles:
                troubles[path.name] = list(visit.troubles)
    for visit in visits:
        visit.page.close()
    assert troubles == {}


def test_every_page_of_the_api_shows_where_its_name_is_used():
    pages = [path for path in PAGES if path.parent.name == "generated"]
    assert len(pages) > 50
    assert [path.stem for path in pages if "Examples using" not in path.read_text(encoding="utf-8")] == []


def test_search_finds_a_page(visit, served):
    # From files it finds the same, but browsers do not let it read the summaries.
    visit.base, page = served, visit.page
    page.goto(f"{served}/search.html?q=elastic")
    page.locator("#search-results li").first.wait_for(timeout=10000)
    page.wait_for_load_state("networkidle")


class Links(HTMLParser):
    """Addresses that a page points to, and the anchors that it has."""

    def __init__(self, text):
        super().__init__()
        self.hrefs, self.ids = [], set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.ids |= {attrs[name] for name in ("id", "name") if attrs.get(name)}
        for name in ("href", "src"):
            if attrs.get(name):
                self.hrefs.append(attrs[name])


def test_links_inside_the_site_lead_somewhere():
    pages = {path.resolve(): Links(path.read_text(encoding="utf-8")) for path in PAGES}
    assert pages, "run `make doc` first"
    broken = []
    for path, links in pages.items():
        for href in links.hrefs:
            parts = urlsplit(href)
            if parts.scheme or parts.netloc or href == "#":
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.exists() or (
                parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].ids
            ):
                broken.append(f"{path.relative_to(SITE)}: {href}")
    assert sorted(set(broken)) == []
    external = {href for links in pages.values() for href in links.hrefs if re.match("http:", href)}
    assert not external, "addresses without https"
