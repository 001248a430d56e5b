#!/usr/bin/env python3
"""Checks MQTT discovery messages with the schemas of the installed Home Assistant, without running it.

  validate.py [-q] [-s] [-p PREFIX] [FILE.jsonl ...]     no file, or "-": standard input
    -q  only what is wrong   -s  strict: warnings, too, make the exit code 1   -p  discovery prefix (homeassistant)

A line is {"topic": "...", "payload": {...} or "text" or ""}. The lines are taken as messages in that order, so removals, reused
keys and duplicate ids are seen. Printed is one line per component: OK, ERROR (Home Assistant would refuse it, with the text
that it would log) or WARN (it would take it, but hardly as it was meant), then topic, component and reason.

Environment: see haclient.py. The script runs itself again inside the Debian folder that up.sh made.
"""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys

INSIDE = "E2E_VALIDATE_INSIDE"
SCRIPTS = ("validate.py", "checker.py", "lint.py")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-q", "--quiet", action="store_true")
    parser.add_argument("-s", "--strict", action="store_true")
    parser.add_argument("-p", "--prefix", default="homeassistant")
    parser.add_argument("files", nargs="*", default=["-"])
    return parser.parse_args()


def run_inside(options):
    """Runs this script by Home Assistant's Python; returns its exit code."""
    import haclient

    here, root = pathlib.Path(__file__).resolve().parent, haclient.DIR / "root"
    (root / "srv/validate").mkdir(exist_ok=True)
    for name in SCRIPTS:
        shutil.copy(here / name, root / "srv/validate" / name)
    read = lambda file: sys.stdin.buffer.read() if file == "-" else pathlib.Path(file).read_bytes()
    lines = b"\n".join(read(file) for file in options.files)
    flags = [flag for flag, on in (("-q", options.quiet), ("-s", options.strict)) if on] + ["-p", options.prefix]
    environment = ["/usr/bin/env", "-i", f"{INSIDE}=1", "LANG=C.UTF-8", "PYTHONDONTWRITEBYTECODE=1"]
    python = ["/opt/ha/bin/python", "-W", "ignore", "/srv/validate/validate.py"]
    return subprocess.run(["/usr/sbin/chroot", root, *environment, *python, *flags], input=lines).returncode


def main():
    options = arguments()
    if not os.environ.get(INSIDE):
        sys.exit(run_inside(options))
    import checker

    code = checker.run(sys.stdin, options.prefix, options.quiet, options.strict)
    sys.stdout.flush()
    os._exit(code)  # Home Assistant's threads would keep the process


if __name__ == "__main__":
    main()
