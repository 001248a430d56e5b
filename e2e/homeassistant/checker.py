"""Home Assistant's view of a sequence of discovery messages; runs only where Home Assistant is installed (see validate.py)."""

import asyncio
import importlib
import json
import logging
import sys
import tempfile

import lint
import probatio
from homeassistant.components.mqtt import device_trigger, schemas, tag
from homeassistant.components.mqtt.const import ENTITY_PLATFORMS, SUPPORTED_COMPONENTS
from homeassistant.components.mqtt.discovery import (
    TOPIC_MATCHER,
    MQTTDiscoveryPayload,
    _replace_all_abbreviations,
    _replace_topic_base,
)
from homeassistant.core import HomeAssistant
from homeassistant.util.json import json_loads_object


def schema_of(platform):
    """The schema that a component of this platform has to pass."""
    if platform == "device_automation":
        return device_trigger.TRIGGER_DISCOVERY_SCHEMA
    if platform == "tag":
        return tag.DISCOVERY_SCHEMA
    return importlib.import_module("homeassistant.components.mqtt." + platform).DISCOVERY_SCHEMA


class Checker:
    """Takes messages in order and remembers what Home Assistant would know after them."""

    def __init__(self, prefix, quiet):
        self.prefix, self.quiet = prefix, quiet
        self.counts = {"OK": 0, "WARN": 0, "ERROR": 0}
        self.unique = {}  # platform and unique id, or a trigger's identity -> (topic, key)
        self.platforms = {}  # (topic, key) -> platform
        self.identifiers = {}  # device identifier -> topic
        self.parents = []  # (topic, via_device)

    def say(self, level, topic, key, text=""):
        self.counts[level] += 1
        if level != "OK" or not self.quiet:
            print(level, topic, key, text)

    def message(self, topic, payload):
        """One discovery message, as Home Assistant's discovery takes it apart."""
        match = TOPIC_MATCHER.fullmatch(topic.removeprefix(self.prefix + "/"))
        if not topic.startswith(self.prefix + "/") or not match:
            return self.say("ERROR", topic, "-", "illegal discovery topic")
        kind, _, object_id = match.groups()
        if kind != "device" and kind not in SUPPORTED_COMPONENTS:
            return self.say("ERROR", topic, "-", f"Home Assistant does not subscribe to {kind!r}")
        if payload in ("", None):
            self.forget(topic)
            return self.say("OK", topic, "-", "removal")
        try:
            content = MQTTDiscoveryPayload(json_loads_object(payload if isinstance(payload, str) else json.dumps(payload)))
        except ValueError as error:
            return self.say("ERROR", topic, "-", f"not a JSON object: {error}")
        _replace_all_abbreviations(content)
        if kind == "device":
            self.device(topic, object_id, content)
        else:
            self.single(topic, object_id, kind, content)

    def single(self, topic, object_id, platform, content):
        """A component with a topic of its own."""
        if "~" in content:
            _replace_topic_base(content)
        raw = {k: v for k, v in content.items() if k not in ("device", "origin")}
        self.component(topic, object_id, platform, content, content.get("device"), raw)

    def device(self, topic, object_id, content):
        """A device with its components: envelope first, for an error in it costs the whole device."""
        try:
            schemas.DEVICE_DISCOVERY_SCHEMA(content)
        except probatio.Invalid as error:
            return self.say("ERROR", topic, "-", f"Invalid MQTT device discovery payload for {object_id}, {error}")
        device = content["device"]
        for text in lint.device(device):
            self.say("WARN", topic, "-", text)
        if device.get("via_device"):
            self.parents.append((topic, device["via_device"]))
        identifiers = device.get("identifiers", [])
        for identifier in [identifiers] if isinstance(identifiers, str) else identifiers:
            if self.identifiers.setdefault(identifier, topic) != topic:
                self.say("WARN", topic, "-", f"identifier {identifier!r} also in {self.identifiers[identifier]}")
        for key, part in (content.get("components") or {}).items():
            self.part(topic, key, content, dict(part))

    def part(self, topic, key, content, part):
        """A component with what it inherits from the device's message."""
        platform = part.pop("platform")
        raw = {k: v for k, v in part.items() if k != "~"}
        if part:
            shared = {k: content[k] for k in schemas.SHARED_OPTIONS if k in content}
            part = MQTTDiscoveryPayload(shared | part | {"device": content["device"], "origin": content["origin"]})
            if "~" in part:
                _replace_topic_base(part)
        self.component(topic, key, platform, dict(part), content["device"], raw)

    def component(self, topic, key, platform, content, device, raw):
        known = self.platforms.get((topic, key), platform)
        if not raw:
            self.forget(topic, key)
            if known != platform:
                return self.say("ERROR", topic, key, f"removal as {platform}, but it was {known}")
            return self.say("OK", topic, key, f"[{platform}] removal")
        try:
            checked = schema_of(platform)(dict(content))
        except Exception as error:  # whatever a schema raises is what Home Assistant would log
            return self.say("ERROR", topic, key, f"[{platform}] {error}")
        if known != platform:
            return self.say("ERROR", topic, key, f"was {known} before: has to be removed as that first")
        self.platforms[topic, key] = platform
        if not self.claim(topic, key, platform, checked, device):
            return None
        warnings = list(lint.component(platform, schema_of(platform), checked, device or {}, raw))
        for text in warnings:
            self.say("WARN", topic, key, f"[{platform}] {text}")
        if not warnings:
            self.say("OK", topic, key, f"[{platform}]")

    def claim(self, topic, key, platform, checked, device):
        """Notes the component's identity; says so and returns False if another one has it."""
        if platform == "device_automation":
            identity = (json.dumps((device or {}).get("identifiers")), checked["type"], checked["subtype"])
        elif platform in ENTITY_PLATFORMS and checked.get("unique_id"):
            identity = (platform, checked["unique_id"])
        else:
            return True
        owner = self.unique.setdefault(identity, (topic, key))
        if owner != (topic, key):
            self.say("ERROR", topic, key, f"[{platform}] {identity} already used by {owner}")
        return owner == (topic, key)

    def forget(self, topic, key=None):
        gone = lambda owner: owner[0] == topic and key in (None, owner[1])
        self.unique = {k: owner for k, owner in self.unique.items() if not gone(owner)}
        self.platforms = {owner: v for owner, v in self.platforms.items() if not gone(owner)}

    def finish(self):
        for topic, parent in self.parents:
            if parent not in self.identifiers:
                self.say("WARN", topic, "-", f"via_device {parent!r} is in no message: Home Assistant makes an empty device")
        print("{OK} ok, {WARN} warnings, {ERROR} errors".format(**self.counts), file=sys.stderr)


async def check(lines, prefix, quiet, strict):
    HomeAssistant(tempfile.mkdtemp())  # templates only compile where an instance is known
    checker = Checker(prefix, quiet)
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            message = json.loads(line)
            topic = message["topic"]
        except (ValueError, KeyError, TypeError) as error:
            checker.say("ERROR", f"line {number}", "-", f"neither topic nor payload: {error}")
            continue
        checker.message(topic, message.get("payload", ""))
    checker.finish()
    return 1 if checker.counts["ERROR"] or strict and checker.counts["WARN"] else 0


def run(lines, prefix, quiet, strict):
    """Checks all lines; returns the exit code."""
    logging.disable(logging.CRITICAL)
    return asyncio.run(check(lines, prefix, quiet, strict))
