#!/usr/bin/env python3
"""Real OctoPrint servers with virtual printers, for the end-to-end tests and for trying things by hand.

  octoprint.py install [--version V]                             install that version, start nothing
  octoprint.py up [-n 3] [--version V] [--first-port P] [--fresh]  start servers; prints them as JSON
  octoprint.py down [PORT ...]                                   stop them, by process id; no port: all
  octoprint.py list                                              the running ones as JSON

The first use of a version (default 1.11.8) installs it, about a minute; a server then starts in five seconds. --fresh
forgets its files, settings and history. Servers listen on 127.0.0.1 only.

Every server has the users admin, operator, readonly, statusonly and nobody (password NAME-pass-1), each with an API key,
and the deprecated global key. Versions from 1.5 to 2.0 work; 1.9 and later need Python 3.11, from pyenv's folder or PATH, older
ones 3.9, which is installed with them. The virtual printer obeys debug commands sent as G-code, such as
"!!DEBUG:trigger_fatal_error_marlin", "!!DEBUG:drop_connection", "!!DEBUG:action_pause"; all that goes over its serial line is in
logs/serial.log of the server's folder.

Environment: OCTOPRINT_DIR, the folder for all this (default: octoprint in the cache folder of the tests).
"""

import argparse
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

import instance

# What each line of releases needs to install today: Python, build tools, extra pins.
RELEASES = {
    "2.": ("3.11", "wheel setuptools", ""),
    "1.11": ("3.11", "wheel setuptools<80", ""),
    "1.10": ("3.11", "wheel setuptools<80", "limits<4"),
    "1.9": ("3.11", "wheel setuptools<70", ""),
    "1.8": ("3.9", "pip<24 wheel setuptools<66", ""),
    "1.7": ("3.9", "pip<24 wheel setuptools<58", "Babel<2.11"),
    "1.6": ("3.9", "pip<24 wheel setuptools<58", "Babel<2.11"),
    "1.5": ("3.9", "pip<23 wheel setuptools<58", "Babel<2.11 Jinja2<3 markupsafe<2 itsdangerous<2 Werkzeug<1.1"),
}
START_SECONDS = 180
STOP_SECONDS = 15


def default_dir():
    cache = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(os.environ.get("OCTOPRINT2MQTT_E2E_CACHE") or pathlib.Path(cache, "octoprint2mqtt-e2e"), "octoprint")


DIR = pathlib.Path(os.environ.get("OCTOPRINT_DIR") or default_dir()).absolute()
RUN = DIR / "run"


def folder(port):
    """The folder of settings, files and logs of the server on this port."""
    return DIR / "servers" / str(port)


def interpreter(version):
    """Python 3.9 in a folder of its own; of another minor version the newest that is installed."""
    if version == "3.9":
        script = pathlib.Path(__file__).with_name("python39.sh").resolve()
        return subprocess.run([script, DIR / "python3.9"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    pyenv = pathlib.Path(os.environ.get("PYENV_ROOT") or pathlib.Path.home() / ".pyenv", "versions")
    found = sorted(pyenv.glob(f"{version}.*/bin/python"), key=lambda file: int(file.parts[-3].split(".")[2]))
    path = found[-1] if found else shutil.which(f"python{version}")
    return path or sys.exit(f"Python {version} isn't installed, which this OctoPrint needs")


def venv(version):
    """The virtual environment of one version, made on first use."""
    made = DIR / "venv" / version
    if (made / "ready").exists():
        return made
    python, tools, pins = next((v for k, v in RELEASES.items() if version.startswith(k)), None) or sys.exit(f"unknown version {version}")
    print(f"OctoPrint: installing {version}", file=sys.stderr, flush=True)
    made.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run([interpreter(python), "-m", "venv", "--clear", made], check=True)
    pip = [made / "bin/pip", "install", "-q", "--disable-pip-version-check"]
    old = ["--no-build-isolation"] if version.startswith(("1.5", "1.6", "1.7")) else []
    subprocess.run([*pip, "-U", *tools.split()], check=True)
    subprocess.run([*pip, *old, f"OctoPrint=={version}", *pins.split()], check=True)
    hash_passwords(made)
    (made / "ready").touch()
    return made


def hash_passwords(made):
    """Keeps users with password hashes as this version wants them: hashing is slow, so it is done once."""
    with tempfile.TemporaryDirectory() as scratch:
        for user in instance.USERS:
            add = [made / "bin/octoprint", "-b", scratch, "user", "add", user, "--password", instance.password(user)]
            admin = ["--admin"] if user == "admin" else []
            subprocess.run([*add, *admin], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        shutil.copy(pathlib.Path(scratch, "users.yaml"), made / "users.yaml")


def described(port):
    """What instance.py wrote about the server on this port, or None."""
    try:
        return json.loads((folder(port) / "server.json").read_text())
    except FileNotFoundError:
        return None


def pid_of(port):
    """The process id of the server on this port, if it runs: a noted id may belong to somebody else by now."""
    try:
        pid = int((RUN / f"{port}.pid").read_text())
        process = pathlib.Path(f"/proc/{pid}")
        state = process.joinpath("stat").read_text().rsplit(")", 1)[1].split()[0]
        arguments = process.joinpath("cmdline").read_bytes().split(b"\0")
    except (OSError, ValueError):
        return None
    starting = arguments == [b""]  # between fork and exec
    return pid if state != "Z" and (starting or str(folder(port)).encode() in arguments) else None


def start(port, version, fresh):
    """Starts a server, unless the right one runs; doesn't wait for it."""
    known = described(port)
    if known and known["version"] == version and not fresh and pid_of(port):
        return
    stop(port)
    if fresh or known and known["version"] != version:
        shutil.rmtree(folder(port), ignore_errors=True)
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            sys.exit(f"something listens on port {port} already; use another --first-port")
    made = venv(version)
    script = pathlib.Path(__file__).with_name("instance.py").resolve()
    subprocess.run([made / "bin/python", script, folder(port), str(port), version, made / "users.yaml"], check=True)
    (folder(port) / ".incomplete_startup").unlink(missing_ok=True)
    serve = [made / "bin/octoprint", "serve", "--iknowwhatimdoing", "--host", "127.0.0.1", "--port", str(port), "-b", folder(port)]
    with open(RUN / f"{port}.log", "wb") as log:
        process = subprocess.Popen(serve, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True)
    (RUN / f"{port}.pid").write_text(str(process.pid))


def ask(server, path, body=None):
    """One request as admin; the parsed answer."""
    headers = {"X-Api-Key": server["keys"]["admin"], "Content-Type": "application/json"}
    if body is not None:
        headers["X-OctoPrint-Api-Version"] = "2.0.0"  # connectors; releases before 2.0 know nothing of it
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(server["url"] + path, data, headers), timeout=5) as answer:
        return json.loads(answer.read() or b"null")


def operational(server):
    """Whether the virtual printer is connected, which may be printing still; connects it if nobody does."""
    try:
        state = ask(server, "/api/connection")["current"]["state"]
        if state in ("Closed", "Offline"):
            ask(server, "/api/connection", server["connect"])
    except (OSError, http.client.HTTPException, ValueError):
        return False  # while it starts, something that doesn't speak HTTP answers on its port
    return state in ("Operational", "Printing", "Paused")


def wait_until_ready(server):
    end = time.monotonic() + START_SECONDS
    while not operational(server):
        if time.monotonic() > end or not pid_of(server["port"]):
            sys.exit(f"OctoPrint on port {server['port']} did not start; see {RUN}/{server['port']}.log")
        time.sleep(0.2)


def stop(port):
    """Ends the server on this port, by force if it doesn't go."""
    end = time.monotonic() + STOP_SECONDS
    for number in (signal.SIGTERM, signal.SIGKILL):
        if pid := pid_of(port):
            os.kill(pid, number)
        while pid_of(port) and time.monotonic() < end:
            reap(pid)
            time.sleep(0.1)
    (RUN / f"{port}.pid").unlink(missing_ok=True)


def reap(pid):
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        pass  # started by an earlier run of this script


def noted_ports():
    return sorted(int(file.stem) for file in RUN.glob("*.pid"))


def up(options):
    RUN.mkdir(parents=True, exist_ok=True)
    ports = range(options.first_port, options.first_port + options.n)
    for port in ports:
        start(port, options.version, options.fresh)
    servers = [described(port) for port in ports]
    for server in servers:
        wait_until_ready(server)
    print(json.dumps(servers, indent=1))


def restart(options):
    """What OctoPrint's own restart command runs: waits for nothing and outlives the server that asked for it."""
    if os.fork():
        return
    os.setsid()
    time.sleep(0.3)
    version = described(options.port)["version"]
    stop(options.port)
    start(options.port, version, fresh=False)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    install_command, up_command = commands.add_parser("install"), commands.add_parser("up")
    for command in (install_command, up_command):
        command.add_argument("--version", default="1.11.8")
    up_command.add_argument("-n", type=int, default=3)
    up_command.add_argument("--first-port", type=int, default=int(os.environ.get("OCTOPRINT2MQTT_E2E_PORT") or 15500) + 11)
    up_command.add_argument("--fresh", action="store_true")
    commands.add_parser("down").add_argument("ports", nargs="*", type=int)
    commands.add_parser("list")
    commands.add_parser("_restart").add_argument("port", type=int)
    return parser.parse_args()


def main():
    options = arguments()
    if options.command == "install":
        venv(options.version)
    elif options.command == "up":
        up(options)
    elif options.command == "down":
        for port in options.ports or noted_ports():
            stop(port)
    elif options.command == "list":
        print(json.dumps([described(port) for port in noted_ports() if pid_of(port)], indent=1))
    else:
        restart(options)


if __name__ == "__main__":
    main()
