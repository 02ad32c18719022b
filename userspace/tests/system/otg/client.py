"""What the scripts share: the real snappi client, every answer of it checked against the
schema as Go clients do (no unknown field), and captures compared with what scapy builds."""

import io
import struct
import sys
import time
import zlib

import snappi
from google.protobuf import json_format
from scapy.all import Ether, Raw, conf
from snappi import otg_pb2

conf.verb = 0
TAG = 14
ANSWERS = {
    ("GET", "/config"): "Config",
    ("POST", "/config"): "Warning",
    ("PATCH", "/config"): "Warning",
    ("POST", "/control/state"): "Warning",
    ("POST", "/monitor/metrics"): "MetricsResponse",
    ("GET", "/capabilities/version"): "Version",
}


def check_answer(method, url, response):
    """Go clients refuse unknown fields and wrong types: protojson, strictly."""
    path = "/" + url.split("://", 1)[1].split("/", 1)[1]
    if path == "/monitor/capture" and response.status_code == 200:
        assert response.headers["content-type"] == "application/octet-stream"
        return
    name = ANSWERS.get((method.upper(), path)) if response.status_code == 200 else "Error"
    json_format.Parse(response.text, getattr(otg_pb2, name)(), ignore_unknown_fields=False)
    assert "null" not in response.text.replace('"null"', ""), response.text


class Lab:
    """The daemon at a URL, and two ports joined by a cable."""

    def __init__(self, url, west, east):
        self.url, self.west, self.east = url, west, east
        self.api = snappi.api(location=url, verify=False, version_check=True)
        session = self.session()
        inner = session.request

        def request(method, url, **more):
            response = inner(method, url, **more)
            check_answer(method, url, response)
            return response

        session.request = request

    def session(self):
        for holder in (self.api, getattr(self.api, "_transport", None)):
            for value in vars(holder or object()).values() if holder else ():
                if hasattr(value, "request") and hasattr(value, "mount"):
                    return value
        raise AssertionError("snappi keeps its session elsewhere")

    def post(self, path, body):
        """What the client's own classes would not let through, or write otherwise."""
        return self.session().request(
            "post", self.url + path, json=body, headers={"Content-Type": "application/json"}, verify=False
        )

    def config(self, speed=None):
        cfg = self.api.config()
        cfg.ports.add(name="p1", location=self.west)
        cfg.ports.add(name="p2", location=self.east)
        if speed:
            cfg.layer1.add(name="ly", port_names=["p1", "p2"], speed=speed)
        return cfg

    def flow(self, cfg, name, packets=20, size=128, pps=1000, back=False):
        f = cfg.flows.add(name=name)
        f.tx_rx.port.tx_name, f.tx_rx.port.rx_names = ("p2", ["p1"]) if back else ("p1", ["p2"])
        f.size.fixed, f.rate.pps, f.metrics.enable = size, pps, True
        f.duration.fixed_packets.packets = packets
        return f

    def traffic(self, state, names=()):
        cs = self.api.control_state()
        cs.traffic.flow_transmit.state = state
        cs.traffic.flow_transmit.flow_names = list(names)
        return self.api.set_control_state(cs)

    def capturing(self, state, names=()):
        cs = self.api.control_state()
        cs.port.capture.state = state
        cs.port.capture.port_names = list(names)
        return self.api.set_control_state(cs)

    def flows(self, *names, columns=()):
        req = self.api.metrics_request()
        req.flow.flow_names = list(names)
        if columns:
            req.flow.metric_names = list(columns)
        return {m.name: m for m in self.api.get_metrics(req).flow_metrics}

    def ports(self, *names, columns=()):
        req = self.api.metrics_request()
        req.port.port_names = list(names)
        if columns:
            req.port.column_names = list(columns)
        return {m.name: m for m in self.api.get_metrics(req).port_metrics}

    def wait(self, what, condition, seconds=10):
        """As clients do: ask again and again, and give up after ten seconds."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if condition():
                return
            time.sleep(0.1)
        raise AssertionError(f"not within {seconds} s: {what}: {self.flows()}")

    def done(self, **counts):
        """Waits until every flow has stopped with exactly so many frames sent and received."""

        def all_there():
            found = self.flows()
            return all(
                found[name].transmit == "stopped"
                and (found[name].frames_tx, found[name].frames_rx) == (count, count)
                for name, count in counts.items()
            )

        self.wait(f"all of {counts}", all_there)

    def refused(self, cfg, *words):
        """The configuration is refused, and the error says all these words."""
        try:
            self.api.set_config(cfg)
        except Exception as raised:
            error = self.api.from_exception(raised)
            assert error is not None, raised
            assert (error.code, error.kind) == (400, "validation"), error
            for word in words:
                assert word in error.errors[0], (word, error.errors)
            return
        raise AssertionError(f"taken: {words}")

    def captured(self, port="p2"):
        """The frames of a capture without their FCS, which is checked."""
        req = self.api.capture_request()
        req.port_name = port
        return list(self.frames(req))

    def frames(self, request):
        return read_pcap(self.api.get_capture(request).read())


def read_pcap(octets):
    """Classic pcap, by hand; every record is a whole frame with a right FCS."""
    file = io.BytesIO(octets)
    magic, _, _, _, _, _, link = struct.unpack("<IHHiIII", file.read(24))
    assert (magic, link) == (0xA1B23C4D, 1), (hex(magic), link)
    while head := file.read(16):
        _, _, kept, whole = struct.unpack("<IIII", head)
        assert kept == whole, "cut off"
        frame = file.read(kept)
        assert struct.unpack("<I", frame[-4:])[0] == zlib.crc32(frame[:-4]), "FCS"
        yield frame[:-4]


def same(frames, expected, size):
    """Octet by octet: scapy's frame around the payload that was captured, whose octets
    count up from 0 until the tag."""
    for index, frame in enumerate(frames):
        want = size(index) if callable(size) else size
        assert len(frame) + 4 == want, (index, len(frame) + 4, want)
        headers = expected(index)
        length = len(headers)
        payload = frame[length:]
        plain = bytes(at % 256 for at in range(len(payload)))
        assert payload[:-TAG] == plain[:-TAG], (index, payload.hex())
        built = bytes(headers / Raw(payload))
        if built != frame:
            for at, (a, b) in enumerate(zip(built, frame)):
                assert a == b, f"frame {index}, octet {at}: {b:#x}, not {a:#x}\n{Ether(frame)!r}"
        assert len(built) == len(frame)


def run(cases):
    """Runs the cases named on the command line, or all."""
    url, west, east, *names = sys.argv[1:]
    lab = Lab(url, west, east)
    failed = 0
    for case in cases:
        if names and case.__name__ not in names:
            continue
        try:
            case(lab)
            print("ok", case.__name__, flush=True)
        except BaseException:
            import traceback

            traceback.print_exc()
            print("FAILED", case.__name__, flush=True)
            failed += 1
    sys.exit(1 if failed else 0)
