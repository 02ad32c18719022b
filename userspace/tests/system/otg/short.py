"""Frames that are too short for a tag: counted exactly, and said to be no more than that."""

import time

from client import run
from scapy.all import IP, TCP, Ether, IPv6, Raw

SRC, DST = "02:00:00:00:00:0a", "02:00:00:00:00:0b"


def ethernet(f):
    eth = f.packet.ethernet()[-1]
    eth.src.value, eth.dst.value = SRC, DST


def four(f, dst="20.0.0.1"):
    ethernet(f)
    ip = f.packet.ipv4()[-1]
    ip.src.value, ip.dst.value = "10.0.0.1", dst
    return f.packet.tcp()[-1]


def six(f):
    ethernet(f)
    ip = f.packet.ipv6()[-1]
    ip.src.value = "2001::1"
    ip.dst.increment.start, ip.dst.increment.count = "2001::2", 5
    return f.packet.tcp()[-1]


def measured(f):
    f.metrics.loss = f.metrics.timestamps = f.metrics.latency.enable = True


def counts(lab):
    cfg = lab.config()
    back = lab.flow(cfg, "back", packets=3000, size=64, pps=6000, back=True)
    short = lab.flow(cfg, "short", packets=3000, size=64, pps=6000)
    tcp6 = lab.flow(cfg, "six", packets=3000, size=78, pps=6000)
    long = lab.flow(cfg, "long", packets=3000, size=128, pps=6000)
    for f, tcp in ((back, four(back)), (short, four(short)), (tcp6, six(tcp6)), (long, four(long))):
        tcp.src_port.increment.count, tcp.dst_port.value = 9, 7
        measured(f)
    warnings = lab.api.set_config(cfg).warnings
    assert len(warnings) == 3, warnings
    for index, least in ((0, 72), (1, 72), (2, 92)):
        found = [text for text in warnings if f"flows[{index}].size" in text]
        assert len(found) == 1 and f"takes {least}" in found[0], warnings
        for word in ("counted", "latency", "order", "duplicates"):
            assert word in found[0], found
    before = time.time_ns()
    for _ in range(2):
        lab.traffic("start")
        lab.done(back=3000, short=3000, six=3000, long=3000)
        lab.traffic("stop")
    found = lab.flows()
    for name, size in (("back", 64), ("short", 64), ("six", 78), ("long", 128)):
        m = found[name]
        assert (m.bytes_tx, m.bytes_rx, m.loss) == (3000 * size, 3000 * size, 0), m
        assert before < m.timestamps.first_timestamp_ns < m.timestamps.last_timestamp_ns, m
        assert (m.latency.minimum_ns is not None) == (name == "long"), m
    kernel = lab.ports()
    assert (kernel["p2"].frames_rx, kernel["p1"].frames_rx) == (9000, 3000), kernel


def frames(lab):
    """Nothing stands in the frames but headers and payload."""
    cfg = lab.config()
    cfg.captures.add(name="c", port_names=["p2"])
    f, g = (lab.flow(cfg, name, packets=50, size=size) for name, size in (("f", 64), ("g", 78)))
    four(f).seq_num.increment.count = 50
    six(g).seq_num.increment.count = 50
    lab.api.set_config(cfg)
    lab.capturing("start")
    lab.traffic("start")
    lab.done(f=50, g=50)
    lab.capturing("stop")
    ours = [frame for frame in lab.captured() if frame[6:12] == bytes.fromhex(SRC.replace(":", ""))]
    assert len(ours) == 100, len(ours)
    head = Ether(src=SRC, dst=DST)
    ports = {"sport": 0, "dport": 0, "flags": 0, "window": 0}
    for index in range(50):
        tcp = TCP(seq=index, **ports)
        short = head / IP(src="10.0.0.1", dst="20.0.0.1", id=0) / tcp / Raw(bytes(range(6)))
        assert bytes(short) in ours, (index, bytes(short).hex(), ours[0].hex())
        bare = head / IPv6(src="2001::1", dst=f"2001::{2 + index % 5}") / tcp
        assert bytes(bare) in ours, (index, bytes(bare).hex())


def refusals(lab):
    cfg = lab.config()
    f = lab.flow(cfg, "f", size=64)
    six(f)
    lab.refused(cfg, "$.flows[0].size", "headers of 74", "78")
    cfg = lab.config()
    for name in ("f", "g"):
        four(lab.flow(cfg, name, size=64))
    lab.api.set_config(cfg)
    try:
        lab.traffic("start")
    except Exception as raised:
        error = lab.api.from_exception(raised)
        assert error is not None and error.code == 400, raised
        said = error.errors[0]
        assert "flows[1].metrics" in said and '"f"' in said and '"g"' in said, said
    else:
        raise AssertionError("two flows that nobody can tell apart were sent")


if __name__ == "__main__":
    run([counts, frames, refusals])
