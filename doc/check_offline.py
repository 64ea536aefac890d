"""Fail if a page of the built site loads anything from elsewhere: ``python doc/check_offline.py doc/_build/html``."""

import sys
from html.parser import HTMLParser
from pathlib import Path

LOADS = {
    "script": "src",
    "img": "src",
    "iframe": "src",
    "source": "src",
    "video": "src",
    "audio": "src",
    "embed": "src",
}


class Loads(HTMLParser):
    """Collect the addresses that a browser fetches by itself when it shows the page."""

    def __init__(self, page):
        super().__init__()
        self.found = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        """Note what this tag loads, if it does."""
        attrs = dict(attrs)
        address = attrs.get(LOADS.get(tag, ""))
        if tag == "link" and not {"canonical", "index", "search", "next", "prev"} & set(attrs.get("rel", "").split()):
            address = attrs.get("href")
        if address and address.startswith(("http:", "https:", "//")):
            self.found.append(address)


def main(site):
    """Return what is loaded from elsewhere, as lines to read."""
    pages = sorted(Path(site).rglob("*.html"))
    if not pages:
        return [f"no pages in {site}"]
    return [f"{page}: {address}" for page in pages for address in Loads(page.read_text(encoding="utf-8")).found]


if __name__ == "__main__":
    problems = main(sys.argv[1])
    sys.exit("\n".join(["These pages load from elsewhere:", *problems]) if problems else 0)
