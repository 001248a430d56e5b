#!/usr/bin/env python3
"""Prints the Python requirements of Home Assistant integrations and of those that they depend on.

reqs.py FOLDER_OF_THE_HOMEASSISTANT_PACKAGE DOMAIN...
"""

import json
import pathlib
import sys


def requirements(components: pathlib.Path, domains: list[str]) -> set[str]:
    """Follows the dependencies; a domain without a folder is left out."""
    todo, seen, found = list(domains), set(), set()
    while todo:
        domain = todo.pop()
        manifest = components / domain / "manifest.json"
        if domain in seen or not manifest.exists():
            continue
        seen.add(domain)
        content = json.loads(manifest.read_text())
        found.update(content.get("requirements", []))
        todo += content.get("dependencies", [])
    return found


if __name__ == "__main__":
    print("\n".join(sorted(requirements(pathlib.Path(sys.argv[1], "components"), sys.argv[2:]))))
