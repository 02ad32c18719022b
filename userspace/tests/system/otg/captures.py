"""Captures: filters against a judgement of their own over all frames, slices, sizes, formats."""

import io

from client import run
from scapy.all import IP, TCP, UDP, Dot1Q, Ether, IPv6, PcapNgReader

SRC, DST = "02:00:00:00:00:0a", "02:00:00:00:00:0b"


def mixed(lab, filters=lambda filters: None):
    """Frames of many kinds, which are the same each time."""
    cfg = lab.config()
    c = cfg.captures.add(name="c", port_names=["p2"])
    filters(c.filters)
    for name, build in {"plain": plain, "tcp": tcp, "one": one, "two": two, "six": six}.items():
        f = lab.flow(cfg, name, packets=40, size=128, pps=2000)
        eth = f.packet.ethernet()[-1]
        eth.src.value, eth.dst.values = SRC, [DST, "01:00:5e:00:00:01"]
        build(f)
        f.metrics.enable = False
    return cfg


def four(f):
    ip = f.packet.ipv4()[-1]
    ip.src.increment.start, ip.src.increment.count = "10.0.0.1", 5
    ip.dst.value, ip.time_to_live.values = "20.0.0.1", [64, 1, 2]
    ip.identification.increment.count = 40
    ip.dont_fragment.values = [0, 1]
    ip.priority.raw.values = [0, 0xB8]


def plain(f):
    four(f)
    f.packet.udp()[-1].dst_port.values = [7, 9, 53]


def tcp(f):
    four(f)
    f.packet.tcp()[-1].ctl_syn.values = [0, 1]


def one(f):
    v = f.packet.vlan()[-1]
    v.id.values, v.priority.values = [5, 6, 7], [0, 5]
    plain(f)


def two(f):
    f.packet.vlan()[-1].id.value = 100
    one(f)


def six(f):
    ip = f.packet.ipv6()[-1]
    ip.src.value, ip.dst.increment.start, ip.dst.increment.count = "2001::1", "2001::2", 4
    ip.flow_label.values, ip.hop_limit.values = [1, 0x12345], [64, 255]
    f.packet.udp()[-1].dst_port.value = 7


def ours(lab):
    return sorted(frame for frame in lab.captured() if frame[6:12].hex(":") == SRC)


def captured(lab, cfg):
    warnings = lab.api.set_config(cfg).warnings
    assert warnings == [], warnings
    lab.capturing("start")
    lab.traffic("start")
    lab.wait("sent", lambda: lab.ports()["p1"].frames_tx >= 200)
    lab.traffic("stop")
    lab.capturing("stop")
    return ours(lab)


def tags(packet):
    found, of = [], packet.payload
    while isinstance(of, Dot1Q):
        found.append(of)
        of = of.payload
    return found


def filters(lab):
    everything = captured(lab, mixed(lab))
    assert len(everything) == 200, len(everything)
    judged = 0

    def judge(build, keeps):
        nonlocal judged
        found = captured(lab, mixed(lab, build))
        wanted = [frame for frame in everything if keeps(Ether(frame), frame)]
        assert 0 < len(wanted) < 200, len(wanted)
        assert found == wanted, (build, len(found), len(wanted))
        judged += 1

    def field(header, name, value, mask=None, negate=None):
        def build(filters):
            of = getattr(getattr(filters, header)()[-1], name)
            of.value = value
            if mask is not None:
                of.mask = mask
            if negate is not None:
                of.negate = negate

        return build

    judge(field("ethernet", "dst", "01005e000001"), lambda p, _: p.dst == "01:00:5e:00:00:01")
    # Bits that are 1 in a mask are not compared.
    judge(field("ethernet", "dst", "010000000000", "feffffffffff"), lambda p, _: int(p.dst[:2], 16) & 1)
    judge(field("ethernet", "dst", "02000000000b", negate=True), lambda p, _: p.dst != DST)
    judge(field("ethernet", "ether_type", "0800"), lambda p, _: p.type == 0x0800)
    judge(field("vlan", "id", "5"), lambda p, _: tags(p) and tags(p)[0].vlan == 5)
    judge(field("vlan", "id", "064", negate=True), lambda p, _: tags(p) and tags(p)[0].vlan != 100)
    judge(field("vlan", "priority", "05"), lambda p, _: tags(p) and tags(p)[0].prio == 5)
    judge(field("vlan", "protocol", "8100"), lambda p, _: len(tags(p)) == 2)
    judge(lambda filters: filters.ipv4(), lambda p, _: IP in p)
    judge(field("ipv4", "src", "0a000003"), lambda p, _: IP in p and p[IP].src == "10.0.0.3")
    judge(field("ipv4", "src", "0a000000", "00000003"), lambda p, _: IP in p and p[IP].src[-1] in "0123")
    judge(field("ipv4", "time_to_live", "01", negate=True), lambda p, _: IP in p and p[IP].ttl != 1)
    judge(field("ipv4", "protocol", "06"), lambda p, _: TCP in p)
    judge(field("ipv4", "dont_fragment", "01"), lambda p, _: IP in p and p[IP].flags.DF)
    judge(field("ipv4", "priority", "b8"), lambda p, _: IP in p and p[IP].tos == 0xB8)
    judge(field("ipv4", "identification", "0007"), lambda p, _: IP in p and p[IP].id == 7)
    judge(field("ipv6", "flow_label", "12345"), lambda p, _: IPv6 in p and p[IPv6].fl == 0x12345)
    judge(
        field("ipv6", "dst", "20010000000000000000000000000004"),
        lambda p, _: IPv6 in p and p[IPv6].dst == "2001::4",
    )

    def second_tag(filters):
        filters.ethernet()
        filters.vlan()[-1].id.value = "064"
        filters.vlan()[-1].id.value = "6"

    judge(second_tag, lambda p, _: len(tags(p)) == 2 and [t.vlan for t in tags(p)] == [100, 6])

    def port(filters):
        filters.ipv4()[-1].protocol.value = "11"
        # UDP's second word.
        filters.custom()[-1].set(offset=16, bit_length=16, value="0035")

    judge(port, lambda p, _: IP in p and UDP in p and p[UDP].dport == 53)

    def odd_bits(filters):
        # Version and the high half of TTL's octet, told by bits of the whole frame.
        filters.custom()[-1].set(offset=14 * 8, bit_length=4, value="4")
        filters.custom()[-1].set(offset=7 * 8 + 4 + 1, bit_length=3, value="4", negate=True)

    judge(odd_bits, lambda _, f: f[14] >> 4 == 4 and f[22] >> 4 & 7 != 4)
    assert judged == 21


def slices(lab):
    cfg = mixed(lab)
    whole = captured(lab, cfg)
    req = lab.api.capture_request()
    req.port_name = "p2"
    every = len(list(lab.frames(req)))
    assert every >= len(whole) == 200
    req.packets.choice = "all"
    assert len(list(lab.frames(req))) == every
    req.packets.slice.initial.start, req.packets.slice.initial.count = 11, 30
    part = list(lab.frames(req))
    req.packets.slice.initial.start, req.packets.slice.initial.count = 1, 40
    assert len(part) == 30 and list(lab.frames(req))[10:] == part
    answer = lab.post("/monitor/capture", {"port_name": "p2", "packets": {"choice": "slice", "slice": {"initial": {"start": 0}}}})
    assert answer.status_code == 400 and answer.json()["errors"][0].startswith("$.packets.slice.initial"), answer.text


def sizes_and_formats(lab):
    cfg = mixed(lab)
    cfg.captures[0].packet_size, cfg.captures[0].format = 60, "pcapng"
    lab.api.set_config(cfg)
    lab.capturing("start")
    lab.traffic("start")
    lab.wait("sent", lambda: lab.ports()["p1"].frames_tx >= 200)
    lab.traffic("stop")
    lab.capturing("stop")
    req = lab.api.capture_request()
    req.port_name = "p2"
    with PcapNgReader(io.BytesIO(lab.api.get_capture(req).read())) as file:
        kept = [packet for packet in file if packet.src == SRC]
    assert len(kept) == 200
    assert all((len(packet), packet.wirelen) == (60, 128) for packet in kept)


if __name__ == "__main__":
    run([filters, slices, sizes_and_formats])
