"""What Home Assistant accepts without a word although it can hardly be meant so; runs only beside checker.py."""

import re

from homeassistant.components.mqtt.const import ENTITY_PLATFORMS
from homeassistant.components.number import const as number_const
from homeassistant.components.sensor import const as sensor_const
from homeassistant.core import valid_entity_id

HVAC_MODES = {"auto", "off", "cool", "heat", "dry", "fan_only", "heat_cool"}


def device(content):
    if not content.get("name"):
        yield "the device has no name: Home Assistant names it after the broker"


def component(platform, schema, checked, of_device, raw):
    """Yields the warnings about a component that has passed its schema. raw: as it was sent, long names."""
    yield from unknown_keys(schema, raw)
    if platform in ENTITY_PLATFORMS:
        yield from naming(platform, checked, of_device)
    if platform in SPECIAL:
        yield from SPECIAL[platform](checked)


def keys_of(schema, depth=0):
    """Every key that a schema knows, at any level."""
    if depth > 12 or schema is None:
        return set()
    if isinstance(schema, dict):
        return {str(getattr(key, "schema", key)) for key in schema}
    inner, found = getattr(schema, "schema", None), set()
    if inner is not schema:
        found |= keys_of(inner, depth + 1)
    for part in getattr(schema, "validators", ()) or ():
        found |= keys_of(part, depth + 1)
    return found


def unknown_keys(schema, raw):
    known = keys_of(schema) | {"platform", "device", "origin"}
    if len(known) > 8:  # fewer: the schema is a function, its keys can't be seen
        for key in raw:
            if key not in known:
                yield f"unknown key {key!r} is ignored"


def naming(platform, checked, of_device):
    name, device_name, wanted = checked.get("name"), of_device.get("name"), checked.get("default_entity_id")
    if "name" not in checked and not checked.get("device_class"):
        yield "neither name nor device_class: the entity gets the platform's default name"
    if isinstance(name, str) and device_name and name.lower().startswith(device_name.lower()):
        yield f"name {name!r} repeats the device's name {device_name!r}, shown twice"
    if isinstance(name, str) and name != name.strip():
        yield "name has spaces at its ends"
    if wanted is not None and (wanted.split(".", 1)[0] != platform or not valid_entity_id(wanted)):
        yield f"default_entity_id {wanted!r} is no valid id of a {platform}"
    if not checked.get("unique_id"):
        yield "no unique_id: neither in the registry nor in a device"
    elif not re.fullmatch(r"[\x20-\x7e\u00a0-\uffff]+", checked["unique_id"]):
        yield "unique_id has odd characters"


def sensor(checked):
    kind, unit, state_class = (checked.get(k) for k in ("device_class", "unit_of_measurement", "state_class"))
    units = sensor_const.DEVICE_CLASS_UNITS.get(kind)
    if units and unit is None and None not in units:
        yield f"device_class {kind!r} without unit_of_measurement; valid: {sorted(map(str, units))}"
    if kind in sensor_const.NON_NUMERIC_DEVICE_CLASSES and unit is not None:
        yield f"device_class {kind!r} with a unit: the entity can't be added"
    allowed = sensor_const.DEVICE_CLASS_STATE_CLASSES.get(kind)
    if state_class and allowed is not None and state_class not in allowed:
        yield f"state_class {state_class!r} is impossible for device_class {kind!r}; allowed: {sorted(allowed)}"
    if kind == "enum" and not checked.get("options"):
        yield "enum without options"


def number(checked):
    kind, unit = checked.get("device_class"), checked.get("unit_of_measurement")
    units = number_const.DEVICE_CLASS_UNITS.get(kind)
    if units and unit not in units:
        yield f"unit {unit!r} is not valid for device_class {kind!r}; valid: {sorted(map(str, units))}"


def select(checked):
    if not all(isinstance(option, str) for option in checked["options"]):
        yield "options have to be strings: the state is compared as text"


def update(checked):
    if checked.get("command_topic") and not checked.get("payload_install"):
        yield "command_topic without payload_install: an installation would fail"


def climate(checked):
    for mode in checked["modes"]:
        if mode not in HVAC_MODES:
            yield f"{mode!r} is no mode of a climate"


SPECIAL = {"sensor": sensor, "number": number, "select": select, "update": update, "climate": climate}
