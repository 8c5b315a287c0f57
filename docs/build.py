"""Build the documentation site, strictly: any warning, and any link that leads nowhere, is a failure.

Usage: `python docs/build.py [FOLDER]`, by default `build/docs/` at the top of the checkout. The site is in its folder
`html`, the sources that Sphinx saw in `source`. Needs the extra `docs`.
"""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path

from builder.checking import faults
from builder.staging import stage
from sphinx.cmd.build import build_main

ROOT = Path(__file__).resolve().parents[1]


def main(arguments: list[str]) -> int:
    """Build the site, say what is wrong with it, and return the exit code."""
    started = time.monotonic()
    folder = Path(arguments[0]) if arguments else ROOT / "build" / "docs"
    source, site = folder / "source", folder / "html"
    for old in (source, site, folder / "doctrees"):  # what a build finds of an earlier one may hide faults
        shutil.rmtree(old, ignore_errors=True)
    stage(ROOT, source)
    failed = build_main([
        "-W", "--keep-going", "-n", "-q", "-j", "auto", "-c", str(ROOT / "docs"), "-d", str(folder / "doctrees"), str(source), str(site),
    ])  # fmt: skip
    found = faults(site)
    print("\n".join(found), file=sys.stderr, end="\n" if found else "")
    if failed or found:
        return 1
    pages = sum(1 for _ in site.rglob("*.html"))
    print(f"{pages} pages in {site}, {time.monotonic() - started:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
