"""Metrics: every column, names, counts by the kernel, rates, states, loss, forms of numbers."""

import json
import re
import subprocess
import time

from client import run
from contract import ethernet, ipv4
from snappi import snappi


def kernel(location):
    """What the kernel itself has counted."""
    name, netns = location.split("@")
    words = ["ip", "-n", netns, "-s", "-j", "link", "show", name]
    told = json.loads(subprocess.run(words, capture_output=True, check=True).stdout)[0]["stats64"]
    return {
        "frames_tx": told["tx"]["packets"], "bytes_tx": told["tx"]["bytes"],
        "frames_rx": told["rx"]["packets"], "bytes_rx": told["rx"]["bytes"],
    }


def both(lab, there=1000, back=500, size=200, pps=2000):
    cfg = lab.config("speed_10_gbps")
    for name, packets, other in (("there", there, False), ("back", back, True)):
        f = lab.flow(cfg, name, packets=packets, size=size, pps=pps, back=other)
        ethernet(f), ipv4(f), f.packet.udp()
        f.metrics.loss = f.metrics.timestamps = f.metrics.latency.enable = True
        f.metrics.latency.mode = "cut_through" if other else "store_forward"
    return cfg


def columns(lab):
    lab.api.set_config(both(lab, there=100, back=50))
    lab.traffic("start")
    lab.done(there=100, back=50)
    for kind, names, of, request in (
        ("port", "column_names", "port_metrics", snappi.PortMetricsRequest),
        ("flow", "metric_names", "flow_metrics", snappi.FlowMetricsRequest),
    ):
        every = request._TYPES[names]["enum"]
        assert len(every) > 10
        for column in every:
            answer = lab.post("/monitor/metrics", {"choice": kind, kind: {names: [column]}}).json()
            assert len(answer[of]) == 2
            shown = [{"name", column}] * 2
            if kind == "flow":
                # These two, and what the flow itself asks for, are no columns to choose.
                always = {"port_tx", "port_rx", "loss", "timestamps", "latency"}
                shown = [{"name", column, *always}] * 2
            assert [set(row) for row in answer[of]] == shown, (column, answer)
        answer = lab.post("/monitor/metrics", {"choice": kind, kind: {names: every}}).json()
        assert all(set(every) < set(row) for row in answer[of]), answer
        answer = lab.post("/monitor/metrics", {"choice": kind, kind: {names: ["colour"]}})
        assert answer.status_code == 400, answer.text
        assert answer.json()["errors"][0].startswith(f"$.{kind}.{names}[0]: "), answer.text


def names(lab):
    cfg = both(lab, there=10, back=10)
    cfg.flows[1].metrics.enable = False
    lab.api.set_config(cfg)
    assert list(lab.ports("p2", "p1")) == ["p2", "p1"] and list(lab.ports("p2")) == ["p2"]
    assert list(lab.flows()) == ["there"] == list(lab.flows("there"))
    for kind, of, wrong, path in (
        ("port", "port_names", ["p1", "p3"], "$.port.port_names[1]: "),
        ("flow", "flow_names", ["there", "nowhere"], "$.flow.flow_names[1]: "),
        ("flow", "flow_names", ["back"], "$.flow.flow_names[0]: "),
    ):
        answer = lab.post("/monitor/metrics", {"choice": kind, kind: {of: wrong}})
        assert answer.status_code == 400 and answer.json()["errors"][0].startswith(path), answer.text


def counts(lab):
    lab.api.set_config(both(lab))
    before = {"p1": kernel(lab.west), "p2": kernel(lab.east)}
    started = time.time_ns()
    lab.traffic("start")
    lab.done(there=1000, back=500)
    lab.traffic("stop")
    ended = time.time_ns()
    after = {"p1": kernel(lab.west), "p2": kernel(lab.east)}
    for name, p in lab.ports().items():
        gained = {key: after[name][key] - before[name][key] for key in before[name]}
        assert (p.frames_tx, p.frames_rx) == (gained["frames_tx"], gained["frames_rx"]), (p, gained)
        # The kernel counts no FCS.
        assert p.bytes_tx == gained["bytes_tx"] + 4 * p.frames_tx, (p, gained)
        assert p.bytes_rx == gained["bytes_rx"] + 4 * p.frames_rx, (p, gained)
    ports = lab.ports()
    assert (ports["p1"].frames_tx, ports["p2"].frames_tx) == (1000, 500), ports
    # A veth under XDP counts no Ethernet header; what flows sent is told in full.
    assert {p.bytes_tx / p.frames_tx for p in ports.values()} <= {200, 186}, ports
    found = lab.flows()
    for name, frames in (("there", 1000), ("back", 500)):
        m = found[name]
        assert (m.bytes_tx, m.bytes_rx, m.loss) == (frames * 200, frames * 200, 0), m
        assert 0 < m.latency.minimum_ns <= m.latency.average_ns <= m.latency.maximum_ns < 1e9, m
        first, last = m.timestamps.first_timestamp_ns, m.timestamps.last_timestamp_ns
        assert started < first < last < ended, (started, m, ended)
        assert abs(last - first - (frames - 1) * 500_000) < 0.05e9, m


def rates(lab):
    cfg = both(lab, size=250)
    for f in cfg.flows:
        f.duration.choice = "continuous"
    lab.api.set_config(cfg)
    lab.traffic("start")
    near = lambda value, wanted: abs(value - wanted) < 0.1 * wanted

    def as_asked():
        ports, flows = lab.ports(), lab.flows()
        time.sleep(0.3)
        return all(
            near(p.frames_tx_rate, 2000) and near(p.frames_rx_rate, 2000)
            and near(p.bytes_tx_rate, 2000 * 250) and p.transmit == "started"
            for p in ports.values()
        ) and all(
            near(m.frames_tx_rate, 2000) and near(m.frames_rx_rate, 2000)
            and near(m.tx_rate_bytes, 2000 * 250) and near(m.rx_rate_bytes, 2000 * 250)
            and near(m.tx_rate_bps, 4e6) and near(m.rx_rate_kbps, 4e3) and near(m.tx_rate_mbps, 4)
            and near(m.tx_l1_rate_bps, 2000 * 270 * 8) and near(m.rx_l1_rate_bps, 2000 * 270 * 8)
            for m in flows.values()
        )

    lab.wait("rates as asked", as_asked)
    lab.traffic("stop")
    for m in lab.flows().values():
        assert (m.frames_tx_rate, m.rx_rate_bps, m.tx_l1_rate_bps) == (0, 0, 0), m


def states(lab):
    cfg = both(lab)
    cfg.captures.add(name="c", port_names=["p2"])
    lab.api.set_config(cfg)
    assert {p.name: (p.capture, p.transmit, p.link) for p in lab.ports().values()} == {
        name: ("stopped", "stopped", "up") for name in ("p1", "p2")
    }
    assert {p.location for p in lab.ports().values()} == {lab.west, lab.east}
    assert {p.speed for p in lab.ports().values()} == {10_000_000_000}
    lab.capturing("start")
    assert [p.capture for p in lab.ports().values()] == ["stopped", "started"]
    lab.capturing("stop")
    assert [p.capture for p in lab.ports().values()] == ["stopped", "stopped"]
    up_since = lab.ports()["p1"].last_change
    cs = lab.api.control_state()
    cs.port.link.state, cs.port.link.port_names = "down", ["p1"]
    lab.api.set_control_state(cs)
    lab.wait("down", lambda: lab.ports()["p1"].link == "down")
    down_since = lab.ports()["p1"].last_change
    assert up_since < down_since < time.time_ns()
    cs.port.link.state = "up"
    lab.api.set_control_state(cs)
    lab.wait("up", lambda: lab.ports()["p1"].link == "up" and lab.ports()["p2"].link == "up")
    assert lab.ports()["p1"].last_change > down_since


def numbers(lab):
    """What Python, Go and people by hand write: numbers, strings, floats of whole numbers."""
    for one in (lambda n: n, str, float):
        cfg = both(lab, there=100, back=50).serialize("dict")
        for flow, packets in zip(cfg["flows"], (100, 50), strict=True):
            flow["duration"]["fixed_packets"]["packets"] = one(packets)
            flow["rate"]["pps"], flow["size"]["fixed"] = one(2000), one(200)
            flow["packet"][2]["udp"] = {"src_port": {"value": one(7)}}
        answer = lab.post("/config", cfg)
        assert answer.status_code == 200, answer.text
        lab.traffic("start")
        lab.done(there=100, back=50)
        raw = lab.post("/monitor/metrics", {"choice": "flow"}).text
        row = json.loads(raw)["flow_metrics"][0]
        for key in ("frames_tx", "frames_rx", "bytes_tx", "bytes_rx"):
            assert isinstance(row[key], str) and row[key].isdigit(), (key, raw)
        for key in ("frames_tx_rate", "loss", "tx_rate_bps"):
            assert isinstance(row[key], int | float), (key, raw)
        # A float with an exponent and no dot is a string to a reader of YAML 1.1.
        assert not re.search(r"[:,\[]\d+[eE]", raw), raw
        raw = lab.post("/monitor/metrics", {"choice": "port"}).text
        row = json.loads(raw)["port_metrics"][0]
        assert all(isinstance(row[key], str) for key in ("frames_tx", "last_change", "speed")), raw
    for wrong in ("many", 1.5, -1, None, True, "1e3"):
        cfg = both(lab).serialize("dict")
        cfg["flows"][0]["duration"]["fixed_packets"]["packets"] = wrong
        answer = lab.post("/config", cfg)
        taken = wrong is None  # as if it were left out
        assert (answer.status_code == 200) == taken, (wrong, answer.text)
        path = "$.flows[0].duration.fixed_packets.packets: "
        assert taken or answer.json()["errors"][0].startswith(path), answer.text


def loss(lab):
    """Through a device that drops every tenth frame."""
    cfg = lab.config("speed_10_gbps")
    f = lab.flow(cfg, "f", packets=2000, size=200, pps=2000)
    ethernet(f), ipv4(f)
    f.packet.udp()[-1].dst_port.value = 7
    f.metrics.loss = True
    lab.api.set_config(cfg)
    lab.traffic("start")
    lab.wait("sent", lambda: lab.flows()["f"].frames_tx == 2000)
    lab.traffic("stop")
    m = lab.flows()["f"]
    assert (m.frames_tx, m.frames_rx, m.bytes_rx) == (2000, 1800, 1800 * 200), m
    assert abs(m.loss - 10) < 1e-6, m


if __name__ == "__main__":
    run([columns, names, counts, rates, states, numbers, loss])
