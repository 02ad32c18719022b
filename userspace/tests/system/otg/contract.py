"""Stateless traffic through the real snappi client, with exact counts."""

import time

from client import Lab, run, same
from scapy.all import (
    ARP, GRE, ICMP, IP, TCP, UDP, VXLAN, Dot1Q, Ether, ICMPv6EchoRequest, IPv6, Raw,
)
from scapy.contrib.mpls import MPLS

SRC, DST = "02:00:00:00:00:0a", "02:00:00:00:00:0b"


def ethernet(f):
    eth = f.packet.ethernet()[-1]
    eth.src.value, eth.dst.value = SRC, DST
    return eth


def ether(**more):
    return Ether(src=SRC, dst=DST, **more)


def ipv4(f, src="10.0.0.1", dst="20.0.0.1"):
    ip = f.packet.ipv4()[-1]
    ip.src.value, ip.dst.value = src, dst
    return ip


def ip4(**more):
    return IP(**{"src": "10.0.0.1", "dst": "20.0.0.1", "id": 0, **more})


def capture(lab, build, expected, packets=20, size=128, expect_size=None, warnings=0):
    """Sends one flow, and compares every frame of the capture in the order of sending."""
    cfg = lab.config()
    cfg.captures.add(name="c", port_names=["p2"])
    f = lab.flow(cfg, "f", packets=packets, size=size)
    build(f)
    answer = lab.api.set_config(cfg)
    assert len(answer.warnings) == warnings, answer.warnings
    lab.capturing("start")
    lab.traffic("start")
    lab.done(f=packets)
    lab.capturing("stop")
    frames = [frame for frame in lab.captured() if frame[6:12] == bytes.fromhex(SRC.replace(":", ""))]
    assert len(frames) == packets, len(frames)
    same(frames, expected, expect_size or size)


def version_and_example(lab):
    cfg = lab.config()
    f = lab.flow(cfg, "f1", packets=1000)
    eth, ip, udp = f.packet.ethernet().ipv4().udp()
    eth.src.value, eth.dst.value = "00:11:22:33:44:55", "00:11:22:33:44:66"
    ip.src.value, ip.dst.value = "10.1.1.1", "20.1.1.1"
    udp.src_port.increment.start, udp.src_port.increment.count = 5000, 10
    udp.dst_port.values = [6000, 6010]
    assert lab.api.set_config(cfg).warnings == []
    assert lab.api.get_config().flows[0].rate.pps == 1000
    assert lab.traffic("start").warnings == []
    lab.done(f1=1000)
    m = lab.flows("f1")["f1"]
    assert (m.bytes_tx, m.bytes_rx) == (128000, 128000), m
    assert (m.port_tx, m.port_rx) == ("p1", "p2"), m


def both_directions(lab):
    cfg = lab.config()
    for name, back in (("there", False), ("back", True)):
        f = lab.flow(cfg, name, packets=2000, pps=4000, back=back)
        ethernet(f), ipv4(f), f.packet.udp()
        f.metrics.loss = f.metrics.timestamps = f.metrics.latency.enable = True
    cfg.flows[1].metrics.latency.mode = "cut_through"
    lab.api.set_config(cfg)
    before = time.time_ns()
    lab.traffic("start")
    lab.wait("started", lambda: lab.flows()["there"].transmit == "started")
    time.sleep(0.25)
    running = lab.flows()["there"]
    if running.transmit == "started":
        assert 3000 < running.frames_tx_rate < 5000, running
        assert running.tx_rate_bps > 0 and running.tx_l1_rate_bps > running.tx_rate_bps
        assert lab.ports()["p1"].transmit == "started"
    lab.done(there=2000, back=2000)
    lab.traffic("stop")
    for m in lab.flows().values():
        assert m.loss == 0 and m.frames_tx_rate == 0, m
        assert 0 < m.latency.minimum_ns <= m.latency.average_ns <= m.latency.maximum_ns < 1e9, m
        stamps = m.timestamps
        assert before < stamps.first_timestamp_ns < stamps.last_timestamp_ns < time.time_ns(), m
        assert 0.4e9 < stamps.last_timestamp_ns - stamps.first_timestamp_ns < 0.6e9, m
    for p in lab.ports().values():
        assert (p.frames_tx, p.frames_rx, p.link, p.transmit) == (2000, 2000, "up", "stopped"), p
        assert p.capture == "stopped" and p.last_change > 1.7e18, p
    only = lab.ports("p1", columns=["frames_tx", "link"])
    assert list(only) == ["p1"] and only["p1"].frames_tx == 2000 and only["p1"].frames_rx is None
    only = lab.flows("back", columns=["frames_rx"])["back"]
    assert only.frames_rx == 2000 and only.frames_tx is None


def udp_patterns(lab):
    def build(f):
        eth = ethernet(f)
        eth.src.value = SRC
        eth.dst.increment.start, eth.dst.increment.count = DST, 3
        ip = f.packet.ipv4()[-1]
        ip.src.increment.start, ip.src.increment.step, ip.src.increment.count = "10.0.0.1", "0.0.1.0", 4
        ip.dst.decrement.start, ip.dst.decrement.step, ip.dst.decrement.count = "20.0.0.9", "0.0.0.2", 3
        ip.time_to_live.values = [64, 65]
        ip.identification.increment.start, ip.identification.increment.count = 65534, 4
        ip.priority.dscp.phb.values = [46, 0, 10]
        ip.priority.dscp.ecn.value = 1
        ip.dont_fragment.value = 1
        udp = f.packet.udp()[-1]
        udp.src_port.values = [1, 2, 3, 4, 5]
        udp.dst_port.decrement.start, udp.dst_port.decrement.step, udp.dst_port.decrement.count = 7, 3, 4

    def expected(i):
        return (
            Ether(src=SRC, dst="02:00:00:00:00:%02x" % (0x0B + i % 3))
            / IP(
                src=f"10.0.{i % 4}.1", dst=f"20.0.0.{9 - 2 * (i % 3)}", ttl=64 + i % 2,
                id=(65534 + i % 4) % 65536, tos=[46, 0, 10][i % 3] << 2 | 1, flags="DF",
            )
            / UDP(sport=1 + i % 5, dport=(7 - 3 * (i % 4)) % 65536)
        )

    capture(lab, build, expected, packets=130)


def tcp_fields(lab):
    def build(f):
        ethernet(f), ipv4(f)
        tcp = f.packet.tcp()[-1]
        tcp.src_port.value, tcp.dst_port.value = 80, 443
        tcp.seq_num.increment.start, tcp.seq_num.increment.step, tcp.seq_num.increment.count = 7, 5, 3
        tcp.ack_num.value, tcp.window.value = 99, 4096
        tcp.ctl_syn.values, tcp.ctl_ack.value, tcp.ecn_cwr.values = [1, 0], 1, [0, 0, 1]

    def expected(i):
        flags = "A" + ("S" if i % 2 == 0 else "") + ("C" if i % 3 == 2 else "")
        return ether() / ip4() / TCP(
            sport=80, dport=443, seq=7 + 5 * (i % 3), ack=99, window=4096, flags=flags
        )

    capture(lab, build, expected)


def ipv6_and_icmpv6(lab):
    def six(f):
        ethernet(f)
        ip = f.packet.ipv6()[-1]
        ip.src.value = "2001::1"
        ip.dst.increment.start, ip.dst.increment.step, ip.dst.increment.count = "2001::2", "0:0:0:1::", 3
        ip.traffic_class.value, ip.flow_label.values, ip.hop_limit.value = 9, [1, 2], 7

    def six_expected(i):
        return ether() / IPv6(src="2001::1", dst=f"2001:0:0:{i % 3:x}::2", tc=9, fl=1 + i % 2, hlim=7)

    def icmp(f):
        six(f)
        echo = f.packet.icmpv6()[-1].echo
        echo.identifier.value, echo.sequence_number.increment.count = 5, 4

    capture(lab, lambda f: (six(f), f.packet.udp()), lambda i: six_expected(i) / UDP(sport=0, dport=0))
    capture(lab, icmp, lambda i: six_expected(i) / ICMPv6EchoRequest(id=5, seq=i % 4))


def vlan_mpls_icmp_arp_gre_vxlan_custom(lab):
    def vlan(f):
        ethernet(f)
        outer, inner = f.packet.vlan()[-1], f.packet.vlan()[-1]
        outer.id.value, outer.priority.value, outer.cfi.value = 7, 3, 1
        inner.id.increment.start, inner.id.increment.count = 100, 3
        ipv4(f), f.packet.udp()

    def vlan_expected(i):
        tags = Dot1Q(vlan=7, prio=3, id=1) / Dot1Q(vlan=100 + i % 3)
        return ether(type=0x88A8) / tags / ip4() / UDP(sport=0, dport=0)

    capture(lab, vlan, vlan_expected)

    def mpls(f):
        ethernet(f)
        label = f.packet.mpls()[-1]
        label.label.values, label.traffic_class.value = [16, 17], 5
        f.packet.mpls()[-1].label.value = 99
        ipv4(f), f.packet.udp()

    def mpls_expected(i):
        stack = MPLS(label=16 + i % 2, cos=5, s=0, ttl=64) / MPLS(label=99, s=1, ttl=64)
        return ether(type=0x8847) / stack / ip4() / UDP(sport=0, dport=0)

    capture(lab, mpls, mpls_expected)

    def icmp(f):
        ethernet(f), ipv4(f)
        echo = f.packet.icmp()[-1].echo
        echo.identifier.values, echo.sequence_number.value = [1, 2], 9

    capture(lab, icmp, lambda i: ether() / ip4() / ICMP(id=1 + i % 2, seq=9))

    def arp(f):
        ethernet(f)
        a = f.packet.arp()[-1]
        a.operation.values = [1, 2]
        a.sender_hardware_addr.value, a.target_hardware_addr.value = SRC, DST
        a.sender_protocol_addr.increment.start, a.sender_protocol_addr.increment.count = "1.1.1.1", 2
        a.target_protocol_addr.value = "2.2.2.2"

    def arp_expected(i):
        return ether() / ARP(
            op=1 + i % 2, hwsrc=SRC, hwdst=DST, psrc=f"1.1.1.{1 + i % 2}", pdst="2.2.2.2"
        )

    capture(lab, arp, arp_expected)

    def gre(f):
        ethernet(f), ipv4(f), f.packet.gre()
        ipv4(f, "1.1.1.1", "2.2.2.2"), f.packet.udp()

    inner = lambda: IP(src="1.1.1.1", dst="2.2.2.2", id=0) / UDP(sport=0, dport=0)
    capture(lab, gre, lambda i: ether() / ip4() / GRE() / inner())

    def vxlan(f):
        ethernet(f), ipv4(f)
        udp = f.packet.udp()[-1]
        udp.src_port.value, udp.dst_port.value = 4789, 4789
        f.packet.vxlan()[-1].vni.values = [1000, 1001]
        ethernet(f), ipv4(f, "1.1.1.1", "2.2.2.2"), f.packet.udp()

    def vxlan_expected(i):
        tunnel = UDP(sport=4789, dport=4789) / VXLAN(vni=1000 + i % 2, flags=8)
        return ether() / ip4() / tunnel / ether() / inner()

    capture(lab, vxlan, vxlan_expected, size=200)

    def custom(f):
        ethernet(f).ether_type.value = 0x88B5
        f.packet.custom()[-1].bytes = "de ad be ef"

    capture(lab, custom, lambda i: ether(type=0x88B5) / Raw(bytes.fromhex("deadbeef")))


def random_values(lab):
    cfg = lab.config()
    cfg.captures.add(name="c", port_names=["p2"])
    f = lab.flow(cfg, "f", packets=60)
    ethernet(f)
    ip = f.packet.ipv4()[-1]
    ip.src.random.min, ip.src.random.max, ip.src.random.count = "10.0.0.0", "10.0.0.255", 20
    ip.dst.value = "20.0.0.1"
    udp = f.packet.udp()[-1]
    udp.src_port.random.min, udp.src_port.random.max, udp.src_port.random.count = 100, 110, 30
    lab.api.set_config(cfg)
    lab.capturing("start")
    lab.traffic("start")
    lab.done(f=60)
    lab.capturing("stop")
    packets = [Ether(frame) for frame in lab.captured() if frame[6:12].hex(":") == SRC]
    sources, ports = [p[IP].src for p in packets], [p[UDP].sport for p in packets]
    assert sources[:20] == sources[20:40] == sources[40:] and len(set(sources)) > 10, sources
    assert ports[:30] == ports[30:] and set(ports) <= set(range(100, 111)) and len(set(ports)) > 5


def checksums(lab):
    def wrong(build, at, right):
        """The checksum at `at` differs from the right one in every frame."""
        cfg = lab.config()
        cfg.captures.add(name="c", port_names=["p2"])
        f = lab.flow(cfg, "f", packets=10)
        build(f)
        lab.api.set_config(cfg)
        lab.capturing("start")
        lab.traffic("start")
        lab.wait("sent", lambda: lab.flows()["f"].frames_tx == 10)
        lab.traffic("stop")
        lab.capturing("stop")
        frames = [frame for frame in lab.captured() if frame[6:12].hex(":") == SRC]
        assert len(frames) == 10
        for frame in frames:
            assert right(frame) != frame[at : at + 2], frame.hex()
        return frames

    def rebuilt(layer, at):
        def right(frame):
            packet = Ether(frame)
            del packet[layer].chksum
            return bytes(packet)[at : at + 2]

        return right

    def bad_udp(f):
        ethernet(f), ipv4(f)
        udp = f.packet.udp()[-1]
        udp.src_port.increment.count = 10
        udp.checksum.generated = "bad"

    def bad_tcp(f):
        ethernet(f), ipv4(f)
        f.packet.tcp()[-1].checksum.generated = "bad"

    def custom_tcp(f):
        ethernet(f), ipv4(f)
        f.packet.tcp()[-1].checksum.custom = 0x1234

    wrong(bad_udp, 40, rebuilt(UDP, 40))
    wrong(bad_tcp, 50, rebuilt(TCP, 50))
    frames = wrong(custom_tcp, 50, rebuilt(TCP, 50))
    assert all(frame[50:52] == b"\x12\x34" for frame in frames)


def sizes(lab):
    def build(set_size):
        def inner(f):
            ethernet(f), ipv4(f), f.packet.udp()
            set_size(f.size)

        return inner

    def increment(size):
        size.increment.start, size.increment.end, size.increment.step = 100, 300, 50

    expected = lambda i: ether() / ip4() / UDP(sport=0, dport=0)
    capture(lab, build(increment), expected, size=128, expect_size=lambda i: 100 + 50 * (i % 5))
    for mix, total in (("imix", 12), ("ipsec_imix", 0)):
        cfg = lab.config()
        f = lab.flow(cfg, "f", packets=1200, pps=10000)
        build(lambda size: setattr(size.weight_pairs, "predefined", mix))(f)
        lab.api.set_config(cfg)
        lab.traffic("start")
        lab.done(f=1200)
        if total:
            assert lab.flows()["f"].bytes_rx == 100 * (7 * 64 + 4 * 570 + 1518)
    cfg = lab.config()
    f = lab.flow(cfg, "f", packets=300)
    ethernet(f), ipv4(f), f.packet.udp()
    f.size.weight_pairs.custom.add(size=100, weight=1)
    f.size.weight_pairs.custom.add(size=200, weight=0.5)
    lab.api.set_config(cfg)
    lab.traffic("start")
    lab.done(f=300)
    assert lab.flows()["f"].bytes_tx == 200 * 100 + 100 * 200
    cfg = lab.config()
    f = lab.flow(cfg, "f", packets=500)
    ethernet(f), ipv4(f), f.packet.udp()
    f.size.random.min, f.size.random.max = 100, 1500
    lab.api.set_config(cfg)
    lab.traffic("start")
    lab.done(f=500)
    assert 500 * 700 < lab.flows()["f"].bytes_rx < 500 * 900, lab.flows()


def rates_and_durations(lab):
    def seconds(set_rate, frames, speed="speed_1_gbps"):
        cfg = lab.config(speed)
        f = lab.flow(cfg, "f", size=1000)
        ethernet(f), ipv4(f), f.packet.udp()
        f.duration.fixed_seconds.seconds = 0.5
        set_rate(f.rate)
        lab.api.set_config(cfg)
        lab.traffic("start")
        lab.done(f=frames)

    # L2 bits with FCS, and for the percentage L1 bits.
    seconds(lambda rate: setattr(rate, "pps", 2001), 1000)
    seconds(lambda rate: setattr(rate, "bps", 8_000_000), 500)
    seconds(lambda rate: setattr(rate, "kbps", 8_000), 500)
    seconds(lambda rate: setattr(rate, "mbps", 8), 500)
    seconds(lambda rate: setattr(rate, "percentage", 1.02), 625)

    cfg = lab.config("speed_10_gbps")
    f = lab.flow(cfg, "late", pps=2000)
    ethernet(f), ipv4(f), f.packet.udp()
    f.duration.fixed_packets.packets = 100
    f.duration.fixed_packets.delay.microseconds = 700_000
    f.metrics.timestamps = True
    b = lab.flow(cfg, "burst", pps=2000)
    ethernet(b), ipv4(b, dst="20.0.0.2"), b.packet.udp()
    b.duration.burst.bursts, b.duration.burst.packets = 5, 20
    b.duration.burst.inter_burst_gap.nanoseconds = 50_000_000
    b.metrics.timestamps = True
    e = lab.flow(cfg, "endless", pps=1000)
    ethernet(e), ipv4(e, dst="20.0.0.3"), e.packet.udp()
    e.duration.continuous.gap = 12
    lab.api.set_config(cfg)
    lab.traffic("start")
    lab.done(late=100, burst=100)
    found = lab.flows()
    assert found["endless"].transmit == "started", found
    late, burst = found["late"].timestamps, found["burst"].timestamps
    assert late.first_timestamp_ns - burst.first_timestamp_ns > 0.6e9, found
    # Four silences, and five trains of 19 gaps of 0.5 ms.
    assert 0.24e9 < burst.last_timestamp_ns - burst.first_timestamp_ns < 0.3e9, found
    lab.traffic("stop")
    endless = lab.flows()["endless"]
    assert endless.transmit == "stopped" and endless.frames_tx == endless.frames_rx > 0, endless


def control(lab):
    cfg = lab.config()
    for name in ("a", "b"):
        f = lab.flow(cfg, name, pps=1000)
        ethernet(f), ipv4(f, dst="20.0.0." + str(ord(name))), f.packet.udp()
        f.duration.choice = "continuous"
    lab.api.set_config(cfg)
    lab.traffic("start", ["a"])
    lab.wait("a sends", lambda: lab.flows()["a"].frames_rx > 100)
    assert lab.flows()["b"].transmit == "stopped" and lab.flows()["b"].frames_tx == 0
    lab.traffic("start", ["b"])
    lab.wait("b sends", lambda: lab.flows()["b"].frames_rx > 100)
    assert lab.flows()["a"].transmit == "started"
    lab.traffic("pause", ["a"])
    time.sleep(0.4)
    paused = lab.flows()["a"]
    assert paused.transmit == "paused", paused
    time.sleep(0.4)
    assert lab.flows()["a"].frames_tx == paused.frames_tx > 0
    lab.traffic("resume", ["a"])
    lab.wait("a goes on", lambda: lab.flows()["a"].frames_tx > paused.frames_tx)

    faster = lab.api.config_update()
    f = faster.flows.flows.add(name="a")
    f.tx_rx.port.tx_name = "p1"
    f.rate.pps = 4000
    faster.flows.property_names = ["rate"]
    lab.api.update_config(faster)
    lab.wait("a is faster", lambda: 3500 < lab.flows()["a"].frames_tx_rate < 4500)
    assert lab.api.get_config().flows[0].rate.pps == 4000

    lab.traffic("stop", ["a"])
    assert lab.flows()["a"].transmit == "stopped" and lab.flows()["b"].transmit == "started"
    lab.traffic("stop")
    counts = lab.flows()
    for m in counts.values():
        assert m.frames_tx == m.frames_rx > 0 and m.transmit == "stopped", m
    lab.traffic("start")
    assert lab.flows()["a"].frames_tx < counts["a"].frames_tx, "start clears the counters"
    lab.traffic("stop")

    cs = lab.api.control_state()
    cs.protocol.all.state = "start"
    assert len(lab.api.set_control_state(cs).warnings) == 1
    cs = lab.api.control_state()
    cs.port.link.state, cs.port.link.port_names = "down", ["p1"]
    lab.api.set_control_state(cs)
    lab.wait("the link is down", lambda: lab.ports()["p1"].link == "down")
    cs.port.link.state = "up"
    lab.api.set_control_state(cs)
    lab.wait("the link is up", lambda: lab.ports()["p2"].link == "up")


def updates(lab):
    """PATCH /config, by the client's own call."""
    cfg = lab.config()
    for name in ("a", "b"):
        f = lab.flow(cfg, name, packets=200, size=128, pps=2000)
        ethernet(f), ipv4(f, dst="20.0.0." + str(ord(name))), f.packet.udp()
    lab.api.set_config(cfg)

    def update(properties, change, *names):
        new = lab.api.config_update()
        for name in names:
            f = new.flows.flows.add(name=name)
            f.tx_rx.port.tx_name = "p1"
            change(f)
        new.flows.property_names = properties
        return lab.api.update_config(new)

    def larger(f):
        f.size.fixed, f.rate.pps = 400, 4000

    def sent():
        lab.traffic("start")
        lab.done(a=200, b=200)
        lab.traffic("stop")
        return {m.name: (m.bytes_tx, m.bytes_rx) for m in lab.flows().values()}

    def refused(path, *words):
        def of(call, *args):
            try:
                call(*args)
            except Exception as raised:
                error = lab.api.from_exception(raised)
                assert (error.code, error.kind) == (400, "validation"), error
                assert error.errors[0].startswith(path), error
                assert all(word in error.errors[0] for word in words), error
                return
            raise AssertionError(f"taken: {path}")

        return of

    small, large = (200 * 128,) * 2, (200 * 400,) * 2
    assert sent() == {"a": small, "b": small}
    # Only what is named changes, and only where.
    assert update(["size"], larger, "a").warnings == []
    now = lab.api.get_config().flows
    assert [f.size.fixed for f in now] == [400, 128] and [f.rate.pps for f in now] == [2000, 2000]
    assert sent() == {"a": large, "b": small}
    update(["rate", "size"], larger, "a", "b")
    now = lab.api.get_config().flows
    assert [(f.size.fixed, f.rate.pps) for f in now] == [(400, 4000)] * 2
    assert sent() == {"a": large, "b": large}
    # Right after the last frame, while stragglers are still awaited, it is taken too.
    lab.traffic("start")
    lab.wait("all sent", lambda: all(m.transmit == "stopped" for m in lab.flows().values()))
    update(["size"], lambda f: setattr(f.size, "fixed", 128), "b")
    assert sent() == {"a": large, "b": small}

    cfg = lab.api.get_config()
    for f in cfg.flows:
        f.duration.choice = "continuous"
    lab.api.set_config(cfg)
    lab.traffic("start")
    lab.wait("sending", lambda: lab.flows()["b"].frames_tx > 0)
    refused("$.flows.flows[0].size: ", "stop all flows", "start again")(update, ["size"], larger, "b")
    update(["rate"], lambda f: setattr(f.rate, "percentage", 0.001), "b")
    assert lab.flows()["b"].transmit == "started"
    assert lab.api.get_config().flows[1].rate.percentage > 0
    lab.traffic("stop")
    refused("$.flows.flows[0].name: ", "\"c\"")(update, ["size"], larger, "c")
    refused("$.flows[1].size.fixed: ")(update, ["size"], lambda f: setattr(f.size, "fixed", 20), "b")
    assert lab.api.get_config().flows[1].size.fixed == 128
    answer = lab.session().request("patch", lab.url + "/config", json={"choice": "protocols"}, verify=False)
    assert answer.status_code == 400 and answer.json()["errors"][0].startswith("$.choice: "), answer.text


def refusals(lab):
    cfg = lab.config()
    f = lab.flow(cfg, "f", size=60)
    ethernet(f), ipv4(f)
    lab.refused(cfg, "$.flows[0].size.fixed", "60")
    cfg = lab.config()
    cfg.devices.add(name="d")
    lab.refused(cfg, "$.devices", "unknown field")
    cfg = lab.config()
    f = lab.flow(cfg, "f")
    ethernet(f)
    f.packet.gtpv1()
    lab.refused(cfg, "$.flows[0].packet[1]", "gtpv1")
    cfg = lab.config()
    cfg.ports[1].location = "nowhere0"
    lab.refused(cfg, "$.ports[1].location", "nowhere0")
    cfg = lab.config()
    lab.flow(cfg, "p1")
    lab.refused(cfg, "$.flows[0].name", "p1")


CASES = [
    version_and_example, both_directions, udp_patterns, tcp_fields, ipv6_and_icmpv6,
    vlan_mpls_icmp_arp_gre_vxlan_custom, random_values, checksums, sizes, rates_and_durations,
    control, updates, refusals,
]

if __name__ == "__main__":
    run(CASES)
