#!/usr/bin/env python3
"""Writes the folder of one OctoPrint server: users, settings, and server.json, which describes it to the tests.

instance.py FOLDER PORT VERSION USERS_YAML

Run by octoprint.py with OctoPrint's own Python, which brings the YAML module. What is there already stays.
"""

import json
import pathlib
import shutil
import sys

USERS = ("admin", "operator", "readonly", "statusonly", "nobody")
SECRET = "guarded-connector-secret"  # of a printer connection
GROUPS = {"admin": ["admins", "users"], "operator": ["users"], "readonly": ["readonly"], "statusonly": [], "nobody": []}


def password(user):
    return f"{user}-pass-1"


def api_key(port, user):
    return (f"e2e{port}-{user}-key-" + "x" * 43)[:43]


def users(port, template):
    """The template's users with groups, permissions and API keys; other entries of the file stay as they are."""
    result = {name: entry for name, entry in template.items() if name not in USERS}
    for name in USERS:
        result[name] = template[name] | {
            "apikey": api_key(port, name),
            "groups": GROUPS[name],
            "permissions": ["STATUS"] if name == "statusonly" else [],
            "roles": ["user", "admin"] if name == "admin" else ["user"],
        }
    return result


def commands(folder, port):
    """System commands that only leave a trace, but for the restart."""
    script = pathlib.Path(__file__).resolve().with_name("octoprint.py")
    return {
        "serverRestartCommand": f"{sys.executable} {script} _restart {port}",
        "systemRestartCommand": f"date >> {folder}/system-reboot.called",
        "systemShutdownCommand": f"date >> {folder}/system-shutdown.called",
    }


def actions(folder):
    return [
        {"action": "lamp_on", "name": "Lamp on", "command": f"echo on > {folder}/lamp"},
        {"action": "divider"},
        {"action": "lamp_off", "name": "Lamp off", "command": f"echo off > {folder}/lamp", "confirm": "Turn the lamp off?"},
        {"action": "fails", "name": "Failing command", "command": "echo boom >&2; exit 3"},
    ]


def server(folder, port):
    """No set-up dialog, no calls to the internet."""
    off = {"enabled": False}
    return {
        "firstRun": False, "secretKey": "s" * 32, "host": "127.0.0.1", "port": port,
        "onlineCheck": off, "pluginBlacklist": off, "pythonEolCheck": off, "ignoreIncompleteStartup": True,
        "seenWizards": {"corewizard": 4, "backup": None, "classicwebcam": 1, "tracking": None, "virtual_printer": None},
        "commands": commands(folder, port),
    }  # fmt: skip


def plugins(port):
    return {
        "virtual_printer": {"enabled": True, "_config_version": 1, "simulated_errors": []},
        "announcements": {"enabled_channels": [], "_config_version": 1},
        "softwareupdate": {"notify_users": False},
        "tracking": {"enabled": False},
        "errortracking": {"enabled": False},
        "discovery": {"upnpUuid": f"00000000-0000-0000-0000-{port:012d}"},
        "serial_connector": {"log": True, "_config_version": 3},
    }


def guarded(version):
    """Whether the printer is behind the connector of guarded_connector.py."""
    return version.startswith("2.")


def connect(version):
    """The request that connects the printer. Releases before 2.0 have no connectors."""
    serial = {"port": "VIRTUAL", "baudrate": 115200}
    if guarded(version):
        return {"command": "connect", "connector": "guarded", "parameters": serial | {"access_code": SECRET}}
    return {"command": "connect"} | serial


def connection(version):
    """To be connected at the start."""
    if guarded(version):
        preferred = {key: connect(version)[key] for key in ("connector", "parameters")}
        return {"printerConnection": {"autoconnect": True, "preferred": preferred}}
    return {"serial": {"port": "VIRTUAL", "baudrate": 115200, "autoconnect": True, "log": True}}


def settings(folder, port, version):
    presets = [{"name": "ABS", "extruder": 210, "bed": 100, "chamber": 0}, {"name": "PLA", "extruder": 180, "bed": 60, "chamber": 0}]
    return {
        "accessControl": {"salt": "salt-salt-salt-salt-salt-salt-12"},
        "api": {"key": api_key(port, "global")},
        "appearance": {"name": f"Printer {port}"},
        "server": server(folder, port),
        "system": {"actions": actions(folder)},
        "devel": {"webassets": {"clean_on_startup": False, "minify": False}, "cache": {"preemptive": False}, "enableRateLimiter": False},
        "temperature": {"profiles": presets},
        "plugins": plugins(port),
    } | connection(version)


def write(folder, port, version, template):
    import yaml

    folder.mkdir(parents=True, exist_ok=True)
    content = {
        "users.yaml": lambda: yaml.safe_dump(users(port, yaml.safe_load(template.read_text()))),
        "config.yaml": lambda: yaml.safe_dump(settings(folder, port, version)),
    }
    for name, make in content.items():
        if not (folder / name).exists():
            (folder / name).write_text(make())
    if guarded(version):
        (folder / "plugins").mkdir(exist_ok=True)
        shutil.copy(pathlib.Path(__file__).with_name("guarded_connector.py"), folder / "plugins")
    description = {
        "port": port, "version": version, "url": f"http://127.0.0.1:{port}", "folder": str(folder),
        "keys": {user: api_key(port, user) for user in (*USERS, "global")},
        "passwords": {user: password(user) for user in USERS},
        "connect": connect(version), "secrets": [SECRET] if guarded(version) else [],
    }  # fmt: skip
    (folder / "server.json").write_text(json.dumps(description, indent=1))


if __name__ == "__main__":
    write(pathlib.Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], pathlib.Path(sys.argv[4]))
