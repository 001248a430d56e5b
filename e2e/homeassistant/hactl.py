#!/usr/bin/env python3
"""Looks into a running Home Assistant and presses its buttons.

  hactl.py states [PART...]            entities whose id contains a part: id, state, attributes
  hactl.py call DOMAIN.SERVICE [JSON]  call a service; JSON may hold "target"
  hactl.py devices [-a] [PART]         device registry, of MQTT (-a: all)
  hactl.py entities [-a] [PART]        entity registry, of MQTT (-a: all)
  hactl.py log [-a]                    warnings and errors of MQTT (-a: all)
  hactl.py filelog [REGEX]             lines of the log file
  hactl.py triggers DEVICE             device triggers, one JSON object per line
  hactl.py debug DEVICE                what MQTT knows of a device
  hactl.py remove DEVICE               delete a device
  hactl.py render TEMPLATE             render a template
  hactl.py ws JSON                     any WebSocket command
  hactl.py get PATH [FILE]             any REST path, into a file if one is given
  hactl.py post PATH [JSON]            the same with POST
  hactl.py wait ENTITY STATE [SECONDS] wait until an entity has a state (20 s)
  hactl.py watch [SECONDS]             print changes of states (30 s)
  hactl.py event TYPE [SECONDS]        print events of a type (30 s)
  hactl.py dashboard NAME FILE         make or replace the dashboard /NAME/0 from a JSON file

A DEVICE is given by its id, name or identifier. Environment: see haclient.py.
"""

import json
import pathlib
import re
import sys
import time
import urllib.error

import haclient
from haclient import Socket, rest

REGISTRY_KEYS = (
    "unique_id", "name", "original_name", "device_id", "entity_category", "disabled_by", "hidden_by",
    "platform", "device_class", "original_device_class",
)  # fmt: skip


def text(value, indent=None):
    return json.dumps(value, ensure_ascii=False, indent=indent)


def filled(mapping):
    return {k: v for k, v in mapping.items() if v not in (None, [], {})}


def split_all(arguments):
    """Takes the flag -a out of the arguments; the rest joined is what to look for."""
    return "-a" in arguments, [a for a in arguments if a != "-a"]


def device_of(session, what):
    return haclient.find_device(session, what) or sys.exit(f"no device {what!r}")


def states(*parts):
    for state in sorted(rest("GET", "/api/states"), key=lambda s: s["entity_id"]):
        if not parts or any(part in state["entity_id"] for part in parts):
            print(state["entity_id"], repr(state["state"]), text(state["attributes"]), sep="\t")


def call(service, data="{}"):
    domain, name = service.split(".", 1)
    content = json.loads(data)
    target = {"target": content.pop("target")} if "target" in content else {}
    print(text(Socket().command("call_service", domain=domain, service=name, service_data=content, **target)))


def devices(*arguments):
    everything, parts = split_all(arguments)
    for device in Socket().command("config/device_registry/list"):
        if everything or any(kind == "mqtt" for kind, _ in device["identifiers"]):
            if all(part in text(device) for part in parts):
                print(text(filled(device), indent=1))


def entities(*arguments):
    everything, parts = split_all(arguments)
    for entity in sorted(Socket().command("config/entity_registry/list"), key=lambda e: e["entity_id"]):
        if (everything or entity["platform"] == "mqtt") and all(part in text(entity) for part in parts):
            shown = {k: v for k, v in filled(entity).items() if k in REGISTRY_KEYS}
            print(entity["entity_id"], text(shown), sep="\t")


def log(*arguments):
    everything, _ = split_all(arguments)
    for entry in reversed(Socket().command("system_log/list")):
        for message in entry["message"]:
            if everything or "mqtt" in entry["name"] + message:
                print(f"{entry['level']} [{entry['name']}] x{entry['count']} {message}")
                print(entry.get("exception") or "", end="")


def filelog(regex=""):
    with haclient.LOG_FILE.open(errors="replace") as lines:
        sys.stdout.writelines(line for line in lines if re.search(regex, line))


def triggers(device):
    session = Socket()
    identifier = device_of(session, device)["id"]
    for trigger in session.command("device_automation/trigger/list", device_id=identifier):
        print(text(trigger))


def debug(device):
    session = Socket()
    print(text(session.command("mqtt/device/debug_info", device_id=device_of(session, device)["id"]), indent=1))


def remove(device):
    session = Socket()
    print(text(session.command("config/device_registry/remove", device_id=device_of(session, device)["id"])))


def render(template):
    print(rest("POST", "/api/template", {"template": template}))


def ws(message):
    content = json.loads(message)
    print(text(Socket().command(content.pop("type"), **content), indent=1))


def get(path, file=None):
    if file:
        status, headers, body = haclient.fetch("GET", path)
        pathlib.Path(file).write_bytes(body)
        print(status, headers.get("Content-Type"), len(body))
        return
    answer = rest("GET", path)
    print(answer if isinstance(answer, str) else text(answer, indent=1))


def post(path, data="{}"):
    print(text(rest("POST", path, json.loads(data))))


def wait(entity, wanted, seconds="20"):
    end, seen = time.monotonic() + float(seconds), None
    while time.monotonic() < end:
        try:
            seen = rest("GET", "/api/states/" + entity)["state"]
        except urllib.error.HTTPError:
            seen = None
        if seen == wanted:
            return
        time.sleep(0.1)
    sys.exit(f"{entity} is {seen!r}")


def watch(seconds="30"):
    session = Socket()
    session.command("subscribe_events", event_type="state_changed")
    for message in session.listen(float(seconds)):
        data = message["event"]["data"]
        new = data.get("new_state") or {"state": None, "attributes": {}}
        print(message["event"]["time_fired"], data["entity_id"], repr(new["state"]), text(new["attributes"]), flush=True)


def event(kind, seconds="30"):
    session = Socket()
    session.command("subscribe_events", event_type=kind)
    for message in session.listen(float(seconds)):
        print(text(message["event"]), flush=True)


def dashboard(name, file):
    session = Socket()
    if not any(d["url_path"] == name for d in session.command("lovelace/dashboards/list")):
        session.command("lovelace/dashboards/create", url_path=name, title=name, mode="storage")
    session.command("lovelace/config/save", url_path=name, config=json.loads(pathlib.Path(file).read_text()))
    print(f"/{name}/0")


COMMANDS = {
    f.__name__: f
    for f in (
        states, call, devices, entities, log, filelog, triggers, debug, remove,
        render, ws, get, post, wait, watch, event, dashboard,
    )
}  # fmt: skip


def main(arguments):
    if not arguments or arguments[0] not in COMMANDS:
        sys.exit(__doc__)
    COMMANDS[arguments[0]](*arguments[1:])


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except BrokenPipeError:
        pass
