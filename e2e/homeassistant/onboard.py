#!/usr/bin/env python3
"""Waits for a started Home Assistant, makes the user test with a lasting token, and connects it to the broker.

Doing it again to a Home Assistant that has all that changes nothing. Environment: see haclient.py, also BROKER_PORT
and WAIT_BIRTH (if set: wait until Home Assistant has sent its birth message in this run).
"""

import json
import os
import sys
import time
import urllib.error

import haclient
from haclient import Socket, rest

CLIENT = haclient.URL + "/"
END = time.monotonic() + 240


def wait_for(what, probe):
    """Asks until the answer is neither None nor False; gives up with the process or when the time is over."""
    while True:
        answer = probe()
        if answer is not None and answer is not False:
            return answer
        try:
            os.kill(int((haclient.DIR / "run/ha.pid").read_text()), 0)
        except (OSError, ValueError):
            sys.exit("Home Assistant has ended; see run/ha.out and config/ha.log")
        if time.monotonic() > END:
            sys.exit(f"Home Assistant: no {what} in time; see config/ha.log")
        time.sleep(0.2)


def onboarding():
    """The onboarding steps, an empty list once they are over, None while nobody answers."""
    try:
        answer = rest("GET", "/api/onboarding", auth="")
    except urllib.error.HTTPError as error:
        return [] if error.code == 404 else None
    except OSError:
        return None
    return answer if isinstance(answer, list) else None


def exchange(code):
    data = {"client_id": CLIENT, "grant_type": "authorization_code", "code": code}
    return rest("POST", "/auth/token", data, auth="", form=True)["access_token"]


def make_user(steps):
    """Makes the first user and ends the remaining steps; returns an access token."""
    user = {"client_id": CLIENT, "name": "test", "username": "test", "password": "test", "language": "en"}
    access = exchange(rest("POST", "/api/onboarding/users", user, auth="")["auth_code"])
    bodies = {"core_config": {}, "analytics": {}, "integration": {"client_id": CLIENT, "redirect_uri": CLIENT}}
    for step, body in bodies.items():
        if not steps.get(step):
            rest("POST", "/api/onboarding/" + step, body, auth=access)
    return access


def log_in():
    flow = rest("POST", "/auth/login_flow", {"client_id": CLIENT, "handler": ["homeassistant", None], "redirect_uri": CLIENT}, auth="")
    answer = {"client_id": CLIENT, "username": "test", "password": "test"}
    return exchange(rest("POST", "/auth/login_flow/" + flow["flow_id"], answer, auth="")["result"])


def keep_token(access):
    """Exchanges a short-lived token for one that lasts, and stores it."""
    session = Socket(access)
    for known in session.command("auth/refresh_tokens"):
        if known["type"] == "long_lived_access_token":
            session.command("auth/delete_refresh_token", refresh_token_id=known["id"])
    lasting = session.command("auth/long_lived_access_token", client_name="tests", lifespan=3650)
    haclient.TOKEN_FILE.touch(mode=0o600)
    haclient.TOKEN_FILE.write_text(lasting + "\n")


def token_works():
    try:
        rest("GET", "/api/config")
    except (urllib.error.HTTPError, FileNotFoundError):
        return False
    return True


def add_mqtt(port):
    """Goes through the dialog that adds the MQTT integration."""
    settings = {
        "broker": "127.0.0.1", "port": port, "protocol": "5",
        "other_settings": {"set_client_cert": False, "set_ca_cert": "off", "transport": "tcp"},
    }  # fmt: skip
    path = "/api/config/config_entries/flow"
    step = rest("POST", path, {"handler": "mqtt"})
    if step["type"] == "menu":
        step = rest("POST", f"{path}/{step['flow_id']}", {"next_step_id": "broker"})
    if step["type"] == "form":
        step = rest("POST", f"{path}/{step['flow_id']}", settings)
    if step["type"] != "create_entry":
        sys.exit("MQTT could not be added: " + json.dumps(step))


def hide_repairs(session):
    """Hides the advice on how Home Assistant is installed: it spoils pictures."""
    for issue in session.command("repairs/list_issues")["issues"]:
        if issue["issue_id"].startswith("deprecated_") and not issue.get("ignored"):
            session.command("repairs/ignore_issue", domain=issue["domain"], issue_id=issue["issue_id"], ignore=True)


def main():
    steps = {s["step"]: s["done"] for s in wait_for("web server", onboarding)}
    if steps and not steps.get("user"):
        keep_token(make_user(steps))
    elif not token_works():
        keep_token(log_in())
    wait_for("start", lambda: rest("GET", "/api/config")["state"] == "RUNNING")
    session = Socket()
    if not haclient.mqtt_entry(session):
        add_mqtt(int(os.environ["BROKER_PORT"]))
    wait_for("MQTT connection", lambda: haclient.mqtt_entry(session)["state"] == "loaded")
    hide_repairs(session)
    if os.environ.get("WAIT_BIRTH"):
        wait_for("birth message", lambda: "birth message sent" in haclient.LOG_FILE.read_text(errors="replace"))


if __name__ == "__main__":
    main()
