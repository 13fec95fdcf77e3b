#!/usr/bin/env python3
"""docs.py DIRECTORY: what is left to do with a site of mdBook.

Links that lead out of docs/ (to examples, to CHANGELOG.md) become links to the repository. All others, and their
anchors, have to exist.
"""

import re
import sys
from html import unescape
from pathlib import Path
from urllib.parse import unquote, urlsplit

REPOSITORY = "https://github.com/traefik-jwt-auth/jwt/blob/main/"
ROOT = Path(__file__).resolve().parent.parent
SITE = Path(sys.argv[1]).resolve()


def outside(page, path):
    """The file of the repository that `path` leads to from a page; None if it stays in the site."""
    target = (ROOT / "docs" / page.relative_to(SITE).parent / path).resolve()
    if target.is_relative_to(ROOT / "docs") and not path.endswith((".json", ".yml")):
        return None
    # mdBook has made .html of .md.
    markdown = target.with_suffix(".md")
    return markdown if target.suffix == ".html" and markdown.exists() else target


def main():
    pages = {path: path.read_text() for path in sorted(SITE.rglob("*.html"))}
    anchors = {path: set(re.findall(r'\bid="([^"]+)"', text)) for path, text in pages.items()}
    broken = []

    def link(page, match):
        href = unescape(match[1])
        parts = urlsplit(href)
        if parts.scheme or parts.netloc or not (parts.path or parts.fragment):
            return match[0]
        path = unquote(parts.path)
        if path and (file := outside(page, path)):
            if not file.exists():
                broken.append(f"{page.relative_to(SITE)}: {href}")
            return f'href="{REPOSITORY}{file.relative_to(ROOT)}{"#" + parts.fragment if parts.fragment else ""}"'
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or parts.fragment and target in anchors and unquote(parts.fragment) not in anchors[target]:
            broken.append(f"{page.relative_to(SITE)}: {href}")
        return match[0]

    for page, text in pages.items():
        # The page of all pages has its links relative to the others; the one for 404 has absolute ones.
        if page.name in ("print.html", "404.html", "toc.html"):
            continue
        page.write_text(re.sub(r'href="([^"]*)"', lambda match: link(page, match), text))
    if broken:
        sys.exit("error: links of the site that lead nowhere:\n" + "\n".join(broken))


main()
