"""Every stack of headers in every form of size: lengths and checksums, inner and outer, as
scapy makes them and tshark reads them, and the FCS of every frame of a capture."""

import subprocess

from client import run
from scapy.all import Ether, Packet, Raw

STACKS = """
ethernet
ethernet ipv4
ethernet ipv4 udp
ethernet ipv4 tcp
ethernet ipv4 icmp
ethernet ipv6
ethernet ipv6 udp
ethernet ipv6 tcp
ethernet ipv6 icmpv6
ethernet arp
ethernet vlan ipv4 udp
ethernet vlan vlan ipv6 tcp
ethernet mpls ipv4 udp
ethernet mpls mpls ipv6 udp
ethernet vlan mpls ipv4 tcp
ethernet ipv4 gre ipv4 udp
ethernet ipv4 gre ipv6 tcp
ethernet ipv6 gre ipv4 icmp
ethernet ipv4 gre! ipv4 udp
ethernet ipv6 gre! ipv6 udp
ethernet ipv4 udp vxlan ethernet ipv4 udp
ethernet ipv4 udp vxlan ethernet ipv6 tcp
ethernet ipv6 udp vxlan ethernet ipv4 icmp
ethernet ipv6 udp vxlan ethernet vlan ipv6 udp
ethernet vlan ipv4 udp vxlan ethernet arp
ethernet ipv4 ipv4 udp
ethernet ipv6 ipv4 tcp
ethernet ipv4 custom
ethernet ipv4 udp custom
""".strip().splitlines()

SIZES = {
    "fixed": lambda size: setattr(size, "fixed", 201),
    "increment": lambda size: size.increment.set(start=190, end=1300, step=37),
    "random": lambda size: size.random.set(min=190, max=1500),
    "weights": lambda size: [size.weight_pairs.custom.add(size=s, weight=w) for s, w in ((190, 2), (777, 1))],
}
FRAMES = 30

# What senders compute: without these scapy computes it.
COMPUTED = {
    "IP": ("len", "chksum"), "IPv6": ("plen",), "UDP": ("len", "chksum"), "TCP": ("chksum",),
    "ICMP": ("chksum",), "ICMPv6 Echo Request": ("cksum",), "GRE": ("chksum",),
}


def headers(f, words):
    for at, word in enumerate(words):
        name = word.rstrip("!")
        header = getattr(f.packet, name)()[-1]
        if name == "ethernet":
            header.dst.value = "02:00:00:00:00:0b"
            header.src.value = "02:00:00:00:00:0a"
            if len(words) == 1:
                header.ether_type.value = 0x88B5
        elif name in ("ipv4", "ipv6"):
            src, dst = ("10.0.0.1", "20.0.0.1") if name == "ipv4" else ("2001::1", "2001::2")
            header.src.value, header.dst.value = src, dst
            if at + 1 == len(words) or words[at + 1] == "custom":
                (header.protocol if name == "ipv4" else header.next_header).value = 253
        elif name == "udp":
            port = 4789 if words[at + 1 : at + 2] == ["vxlan"] else 7
            header.src_port.value = header.dst_port.value = port
        elif name == "gre" and word.endswith("!"):
            header.checksum_present.value = 1
        elif name == "custom":
            header.bytes = "c0ffee"


def layers(packet):
    while isinstance(packet, Packet) and packet.name != "NoPayload":
        yield packet
        packet = packet.payload


def rebuilt(frame):
    """The frame as scapy makes it when it computes all that can be computed."""
    packet = Ether(frame)
    last = packet.lastlayer()
    if last.name == "Padding":
        # What follows ARP; a tunnel's lengths count it.
        under = last.underlayer
        under.remove_payload()
        under.add_payload(Raw(last.load))
    for layer in layers(packet):
        for field in COMPUTED.get(layer.name, ()):
            if field == "chksum" and layer.name == "GRE" and not layer.chksum_present:
                continue
            delattr(layer, field)
    return bytes(packet)


def tshark(octets, *more):
    checks = [f"{of}.check_checksum:TRUE" for of in ("ip", "udp", "tcp")]
    # All flows have the same sequence numbers, which are nobody's stream.
    checks += ["eth.fcs:Always", "eth.check_fcs:TRUE", "tcp.desegment_tcp_streams:FALSE"]
    options = [word for check in checks for word in ("-o", check)]
    # It would take any payload for its own.
    words = ["tshark", "-r", "-", "--disable-protocol", "lbttcp", *options, *more]
    done = subprocess.run(words, input=octets, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode().splitlines()


def every_stack(lab):
    cfg = lab.config()
    cfg.captures.add(name="c", port_names=["p2"])
    expected = {}
    for stack in STACKS:
        for name, set_size in SIZES.items():
            f = lab.flow(cfg, f"{stack}: {name}", packets=FRAMES, pps=100)
            headers(f, stack.split())
            number = len(expected)
            source = (0x0200_0000_1000 + number).to_bytes(6, "big").hex(":")
            f.packet[0].src.value = source
            set_size(f.size)
            expected[source] = f.name
    assert lab.api.set_config(cfg).warnings == []
    lab.capturing("start")
    lab.traffic("start")
    lab.done(**{name: FRAMES for name in expected.values()})
    lab.traffic("stop")
    lab.capturing("stop")
    req = lab.api.capture_request()
    req.port_name = "p2"
    octets = lab.api.get_capture(req).read()
    seen = {}
    # `captured` checks each FCS.
    for frame in lab.captured():
        if (name := expected.get(frame[6:12].hex(":"))) is None:
            continue
        seen.setdefault(name, []).append(len(frame) + 4)
        made = rebuilt(frame)
        wrong = [at for at, (a, b) in enumerate(zip(made, frame, strict=False)) if a != b]
        assert made == frame, f"{name}, octets {wrong}:\n{frame.hex()}\nand not\n{made.hex()}\n{Ether(frame)!r}"
    assert set(seen) == set(expected.values())
    for name, sizes in seen.items():
        of = name.rsplit(" ", 1)[1]
        turn = {
            "fixed": lambda i: 201,
            "increment": lambda i: 190 + 37 * (i % 31),
        }.get(of)
        assert len(sizes) == FRAMES, (name, len(sizes))
        assert turn is None or sizes == [turn(i) for i in range(FRAMES)], (name, sizes)
        assert of != "random" or (len(set(sizes)) > 20 and all(190 <= s <= 1500 for s in sizes)), name
        assert of != "weights" or sorted(sizes) == [190] * 20 + [777] * 10, (name, sizes)
    total = len(expected) * FRAMES
    ours = "eth.src[0:4] == 02:00:00:00"
    assert len(tshark(octets, "-Y", ours)) == total
    faults = " || ".join([
        "_ws.malformed", "ip.checksum.status == 0", "udp.checksum.status == 0",
        "tcp.checksum.status == 0", "icmp.checksum.status == 0", "icmpv6.checksum.status == 0",
        "gre.checksum.status == 0", "eth.fcs.status == 0", "ip.bogus_ip_length",
        "ipv6.plen_exceeds_framing", "udp.length.bad",
    ])
    found = tshark(octets, "-Y", f"{ours} && ({faults})")
    assert found == [], "\n".join(found[:5])
    lacking = tshark(octets, "-Y", f"{ours} && !(eth.fcs.status == 1)")
    assert lacking == [], (len(lacking), lacking[:3], lacking[-3:])


if __name__ == "__main__":
    run([every_stack])
