"""A small client of Home Assistant's REST and WebSocket interfaces; standard library only.

Environment: HA_DIR (the folder that up.sh fills), HA_URL, HA_TOKEN (default: the file "token" in HA_DIR).
"""

import base64
import json
import os
import pathlib
import socket
import struct
import time
import urllib.error
import urllib.parse
import urllib.request


def default_dir() -> pathlib.Path:
    """The cache folder of settings.sh, said once more for use by hand."""
    cache = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(os.environ.get("OCTOPRINT2MQTT_E2E_CACHE") or pathlib.Path(cache, "octoprint2mqtt-e2e"), "homeassistant")


def default_url() -> str:
    first = int(os.environ.get("OCTOPRINT2MQTT_E2E_PORT") or 15500)
    return f"http://127.0.0.1:{first + 1}"


DIR = pathlib.Path(os.environ.get("HA_DIR") or default_dir())
URL = (os.environ.get("HA_URL") or default_url()).rstrip("/")
TOKEN_FILE = DIR / "token"
LOG_FILE = DIR / "root/config/ha.log"


def token() -> str:
    return os.environ.get("HA_TOKEN") or TOKEN_FILE.read_text().strip()


def fetch(method, path, data=None, auth=None, form=False, timeout=60):
    """Sends a request and returns status, headers and body. auth: a token, "" for none, None for the usual one."""
    headers, body = {}, None
    if auth != "":
        headers["Authorization"] = f"Bearer {auth or token()}"
    if data is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded" if form else "application/json"
        body = (urllib.parse.urlencode(data) if form else json.dumps(data)).encode()
    request = urllib.request.Request(URL + path, data=body, headers=headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        error.msg += ": " + error.read().decode("utf-8", "replace")[:2000]
        raise


def rest(method, path, data=None, auth=None, form=False):
    """Sends a request and returns the answer, parsed if it is JSON."""
    body = fetch(method, path, data, auth, form)[2]
    try:
        return json.loads(body)
    except ValueError:
        return body.decode("utf-8", "replace")


class Socket:
    """An authenticated WebSocket session."""

    def __init__(self, auth=None, timeout=60):
        address = urllib.parse.urlparse(URL)
        self.tcp = socket.create_connection((address.hostname, address.port or 80), timeout)
        self.buffer, self.last_id, self.events = b"", 0, []
        self._handshake(address.netloc)
        self._expect("auth_required")
        self.send({"type": "auth", "access_token": auth or token()})
        self.version = self._expect("auth_ok")["ha_version"]

    def _handshake(self, host):
        key = base64.b64encode(os.urandom(16)).decode()
        self.tcp.sendall(
            f"GET /api/websocket HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        while b"\r\n\r\n" not in self.buffer:
            self._fill()
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        if b" 101 " not in head.split(b"\r\n")[0]:
            raise ConnectionError(head.decode())

    def _expect(self, kind):
        message = self.receive()
        if message["type"] != kind:
            raise PermissionError(message)
        return message

    def _fill(self):
        data = self.tcp.recv(65536)
        if not data:
            raise ConnectionError("closed")
        self.buffer += data

    def _read(self, length):
        while len(self.buffer) < length:
            self._fill()
        data, self.buffer = self.buffer[:length], self.buffer[length:]
        return data

    def _write(self, opcode, data):
        mask, size = os.urandom(4), len(data)
        if size < 126:
            head = bytes([0x80 | opcode, 0x80 | size])
        elif size < 65536:
            head = bytes([0x80 | opcode, 0xFE]) + struct.pack(">H", size)
        else:
            head = bytes([0x80 | opcode, 0xFF]) + struct.pack(">Q", size)
        self.tcp.sendall(head + mask + bytes(b ^ mask[i & 3] for i, b in enumerate(data)))

    def _read_frame(self):
        first, second = self._read(2)
        size = second & 0x7F
        if size == 126:
            (size,) = struct.unpack(">H", self._read(2))
        elif size == 127:
            (size,) = struct.unpack(">Q", self._read(8))
        return first & 0x80, first & 15, self._read(size)

    def send(self, message):
        self._write(1, json.dumps(message).encode())

    def receive(self):
        """The next message; answers pings on the way."""
        data = b""
        while True:
            final, opcode, part = self._read_frame()
            if opcode == 8:
                raise ConnectionError("closed by the server")
            if opcode == 9:
                self._write(10, part)
            elif opcode != 10:
                data += part
                if final:
                    return json.loads(data)

    def command(self, kind, **arguments):
        """Sends a command and returns its result; events that come in between are kept for listen."""
        self.last_id += 1
        self.send({"id": self.last_id, "type": kind, **arguments})
        while True:
            message = self.receive()
            if message["type"] == "event":
                self.events.append(message)
            elif message.get("id") == self.last_id and message["type"] == "result":
                if not message["success"]:
                    raise RuntimeError(json.dumps(message["error"]))
                return message["result"]

    def listen(self, seconds):
        """Yields events until the time is over."""
        end = time.monotonic() + seconds
        while self.events:
            yield self.events.pop(0)
        while (left := end - time.monotonic()) > 0:
            self.tcp.settimeout(left)
            try:
                message = self.receive()
            except TimeoutError:
                return
            if message["type"] == "event":
                yield message


def mqtt_entry(session):
    """The configuration entry of the MQTT integration, or None."""
    return next((e for e in session.command("config_entries/get") if e["domain"] == "mqtt"), None)


def find_device(session, what):
    """The device with this id, name or identifier, or None."""
    for device in session.command("config/device_registry/list"):
        identifiers = [value for _, value in device["identifiers"]]
        if what in (device["id"], device.get("name"), device.get("name_by_user"), *identifiers):
            return device
    return None
