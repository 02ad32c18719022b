"""Every header, every field of it, every form that the client's own classes give a field:
each is taken, and then on the wire as scapy builds it, or refused by its path."""

import inspect
from ipaddress import IPv4Address, IPv6Address

from client import run
from scapy.all import (
    ARP, GRE, ICMP, IP, TCP, UDP, VXLAN, Dot1Q, Ether, ICMPv6EchoRequest, IPv6, Raw,
    in4_chksum,
)
from scapy.contrib.mpls import MPLS
from snappi import snappi

FRAMES, SIZE = 9, 160
SRC, DST = "02:00:00:00:00:0a", "02:00:00:00:00:0b"

# What is below and above each header, by the names of the schema.
STACKS = {
    "ethernet": "ethernet ipv4 udp",
    "vlan": "ethernet vlan ipv4 udp",
    "mpls": "ethernet mpls ipv4 udp",
    "ipv4": "ethernet ipv4 udp",
    "ipv6": "ethernet ipv6 udp",
    "udp": "ethernet ipv4 udp",
    "tcp": "ethernet ipv4 tcp",
    "icmp": "ethernet ipv4 icmp",
    "icmpv6": "ethernet ipv6 icmpv6",
    "arp": "ethernet arp",
    "gre": "ethernet ipv4 gre ipv4 udp",
    "vxlan": "ethernet ipv4 udp vxlan ethernet ipv4 udp",
}

# Scapy's class of a header, and its names of fields where they differ from the schema's.
SCAPY = {
    "ethernet": (Ether, {"ether_type": "type"}),
    "vlan": (Dot1Q, {"priority": "prio", "cfi": "id", "id": "vlan", "tpid": "type"}),
    "mpls": (MPLS, {"traffic_class": "cos", "bottom_of_stack": "s", "time_to_live": "ttl"}),
    "ipv4": (IP, {
        "header_length": "ihl", "priority.raw": "tos", "total_length": "len",
        "identification": "id", "fragment_offset": "frag", "time_to_live": "ttl",
        "protocol": "proto", "header_checksum": "chksum",
    }),
    "ipv6": (IPv6, {
        "traffic_class": "tc", "flow_label": "fl", "payload_length": "plen",
        "next_header": "nh", "hop_limit": "hlim",
    }),
    "udp": (UDP, {"src_port": "sport", "dst_port": "dport", "length": "len", "checksum": "chksum"}),
    "tcp": (TCP, {
        "src_port": "sport", "dst_port": "dport", "seq_num": "seq", "ack_num": "ack",
        "data_offset": "dataofs", "checksum": "chksum",
    }),
    "icmp": (ICMP, {
        "echo.type": "type", "echo.code": "code", "echo.checksum": "chksum",
        "echo.identifier": "id", "echo.sequence_number": "seq",
    }),
    "icmpv6": (ICMPv6EchoRequest, {
        "echo.type": "type", "echo.code": "code", "echo.checksum": "cksum",
        "echo.identifier": "id", "echo.sequence_number": "seq",
    }),
    "arp": (ARP, {
        "hardware_type": "hwtype", "protocol_type": "ptype", "hardware_length": "hwlen",
        "protocol_length": "plen", "operation": "op", "sender_hardware_addr": "hwsrc",
        "sender_protocol_addr": "psrc", "target_hardware_addr": "hwdst",
        "target_protocol_addr": "pdst",
    }),
    "gre": (GRE, {
        "checksum_present": "chksum_present", "protocol": "proto", "checksum": "chksum",
        "reserved1": "offset",
    }),
    "vxlan": (VXLAN, {"reserved0": "reserved1", "reserved1": "reserved2"}),
}

# Bits within a field of scapy's: its name and how far the bits are from its low end.
BITS = {
    "ipv4.reserved": ("flags", 2), "ipv4.dont_fragment": ("flags", 1),
    "ipv4.more_fragments": ("flags", 0),
    "ipv4.priority.tos.precedence": ("tos", 5), "ipv4.priority.tos.delay": ("tos", 4),
    "ipv4.priority.tos.throughput": ("tos", 3), "ipv4.priority.tos.reliability": ("tos", 2),
    "ipv4.priority.tos.monetary": ("tos", 1), "ipv4.priority.tos.unused": ("tos", 0),
    "ipv4.priority.dscp.phb": ("tos", 2), "ipv4.priority.dscp.ecn": ("tos", 0),
    "tcp.ecn_ns": ("flags", 8), "tcp.ecn_cwr": ("flags", 7), "tcp.ecn_echo": ("flags", 6),
    "tcp.ctl_urg": ("flags", 5), "tcp.ctl_ack": ("flags", 4), "tcp.ctl_psh": ("flags", 3),
    "tcp.ctl_rst": ("flags", 2), "tcp.ctl_syn": ("flags", 1), "tcp.ctl_fin": ("flags", 0),
}

# Octets that scapy would lay the rest of the frame out by: where they are, and how far from
# the low end of that word.
RAW = {
    "arp.hardware_type": (14, 2, 0), "arp.protocol_type": (16, 2, 0),
    "arp.hardware_length": (18, 1, 0), "arp.protocol_length": (19, 1, 0),
    "gre.reserved0": (34, 2, 3), "vxlan.flags": (42, 1, 0),
}

# The schema has 5 of its 13 bits.
WIDER = {"ipv4.fragment_offset": 2**13 - 1}

# Nothing else may be refused, and all of this is.
REFUSED = {
    "ethernet.pfc_queue": "value values increment decrement",  # no octet of a frame
    "ipv4.src": "auto", "ipv4.dst": "auto", "ipv6.src": "auto", "ipv6.dst": "auto",  # DHCP
    "gre.checksum_present": "values increment decrement",  # headers of two lengths in turn
}


class Field:
    """A field as the client's classes describe it."""

    def __init__(self, header, path, of):
        self.name, self.header, self.path = ".".join([header, *path]), header, path
        self.forms = list(of._TYPES["choice"]["enum"])
        value = of._TYPES.get("value", {})
        self.kind = value.get("format", "checksum")
        self.most = value.get("maximum", {"mac": 2**48, "ipv6": 2**128}.get(self.kind, 2**32) - 1)
        self.most = WIDER.get(self.name, self.most)
        self.tags = "metric_tags" in of._TYPES
        self.default = self.number(of._DEFAULTS.get("value", 0))

    def number(self, value):
        if self.kind == "mac" and isinstance(value, str):
            return int(value.replace(":", ""), 16)
        if self.kind in ("ipv4", "ipv6") and isinstance(value, str):
            return int((IPv4Address if self.kind == "ipv4" else IPv6Address)(value))
        return value

    def written(self, number):
        """As a client writes it, and scapy too."""
        if self.kind == "mac":
            return number.to_bytes(6, "big").hex(":")
        if self.kind == "ipv4":
            return str(IPv4Address(number))
        return str(IPv6Address(number)) if self.kind == "ipv6" else number


def fields(header):
    """All fields of a header, by the client's classes."""

    def walk(of, path):
        for name, about in of._TYPES.items():
            inner = getattr(snappi, str(about.get("type")), None)
            if not inspect.isclass(inner) or not hasattr(inner, "_TYPES"):
                continue
            if inner.__name__.startswith("PatternFlow"):
                yield Field(header, [*path, name], inner)
            elif name != "dst_usids":  # not in the schema's 1.61; `refusals` has it
                yield from walk(inner, [*path, name])

    return list(walk(getattr(snappi, snappi.FlowHeader._TYPES[header]["type"]), []))


def cases(field):
    """Each form with what it is set to and the values of the first frames; None: any that
    `accept` takes."""
    most = field.most
    picked = [most, most // 3, 0, most // 2] if most > 3 else [most, 0, 0]
    show = field.written

    def turn(values):
        return [values[i % len(values)] for i in range(FRAMES)]

    def count(sign, start, step, n):
        return turn([(start + sign * step * i) % (most + 1) for i in range(n)])

    for form in field.forms:
        if form == "value":
            yield form, {"value": show(picked[1])}, turn(picked[1:2])
        elif form == "values":
            yield form, {"values": [show(v) for v in picked]}, turn(picked)
        elif form in ("increment", "decrement"):
            sign = 1 if form == "increment" else -1
            start, step = (most - 1, 2) if most > 3 else (0, 1)
            start = start if sign > 0 else min(3, most)
            counter = {"start": show(start), "step": show(step), "count": 5}
            yield form, {form: counter}, count(sign, start, step, 5)
            # What is left out has the schema's value.
            yield form, {form: {"count": 3}}, count(sign, field.default, 1, 3)
        elif form == "random":
            low, high = most // 4, most // 4 + 1000
            draw = {"min": show(low), "max": show(high), "seed": 7, "count": 4}
            yield form, {"random": draw}, (low, high, 4)
        elif form == "generated":
            yield form, {"generated": "good"}, None
            yield form, {"generated": "bad"}, "bad"
        elif form == "custom":
            yield form, {"custom": 0x1234}, [0x1234] * FRAMES
        else:
            assert form == "auto", form
            yield form, {"choice": "auto"}, None


def base(stack, mark):
    """The headers that the field is tried in, as the client's JSON and as scapy's packet."""
    given, packet = [], None
    for index, header in enumerate(stack):
        values, made = {}, SCAPY[header][0]()
        if header == "ethernet":
            values = {"src": {"value": SRC}, "dst": {"value": DST}}
            made = Ether(src=SRC, dst=DST)
        elif header == "ipv4":
            # Frames are told apart by the outermost identification, or by Ethernet's source.
            number = mark if index == 1 else 0
            values = {
                "src": {"value": "10.0.0.1"}, "dst": {"value": "20.0.0.1"},
                "identification": {"value": number},
            }
            made = IP(src="10.0.0.1", dst="20.0.0.1", id=number)
        elif header == "ipv6":
            values = {"src": {"value": "2001::1"}, "dst": {"value": "2001::2"}}
            made = IPv6(src="2001::1", dst="2001::2")
        elif header == "udp":
            tunnel = stack[index + 1 : index + 2] == ["vxlan"]
            port = 4789 if tunnel else 7
            values = {"src_port": {"value": port}, "dst_port": {"value": port}}
            made = UDP(sport=port, dport=port)
        elif header == "tcp":
            made = TCP(sport=0, dport=0, flags=0, window=0)
        elif header == "arp":
            made = ARP(hwsrc="0:0:0:0:0:0", psrc="0.0.0.0", pdst="0.0.0.0")
        elif header == "vxlan":
            made = VXLAN(flags=8)
        elif header == "vlan":
            made = Dot1Q(vlan=0)
        elif header == "mpls":
            made = MPLS(label=16, ttl=64)
        given.append({"choice": header, header: values})
        packet = made if packet is None else packet / made
    return given, packet


def layer(packet, stack, header):
    """Scapy's layer of the header that is tried: the outermost of its kind."""
    for _ in range(stack.index(header)):
        packet = packet.payload
    return packet


def put(field, packet, stack, value):
    """Sets the field in scapy's packet."""
    of = layer(packet, stack, field.header)
    if field.name in BITS:
        name, shift = BITS[field.name]
        setattr(of, name, int(getattr(of, name)) | value << shift)
    else:
        name = ".".join(field.path)
        setattr(of, SCAPY[field.header][1].get(name, name), field.written(value))


def built(field, frame, stack, value):
    """The octets of a frame as scapy builds them, with this value of the field."""
    if value is None:
        return bytes(frame)
    if field.name in RAW:
        at, octets, shift = RAW[field.name]
        whole = bytearray(bytes(frame))
        word = int.from_bytes(whole[at : at + octets], "big")
        if field.header == "vxlan":
            word, whole[40:42] = 0, bytes(2)
        whole[at : at + octets] = (word | value << shift if shift else value).to_bytes(octets, "big")
        if field.header == "vxlan":
            sum_of_all = in4_chksum(17, IP(bytes(whole[14:34])), bytes(whole[34:]))
            whole[40:42] = sum_of_all.to_bytes(2, "big")
        return bytes(whole)
    if field.name == "ipv4.total_length":
        # Scapy's checksum of UDP would follow it; that of the RFC is over UDP's own length.
        frame = Ether(bytes(frame))
        del frame[IP].chksum
    put(field, frame, stack, value)
    return bytes(frame)


def one(field, header, form, given, index):
    """A flow with one field in one form."""
    stack = STACKS[header].split()
    source = (0x0200_0000_1000 + index).to_bytes(6, "big").hex(":")
    packet, frame = base(stack, index)
    if header != "ethernet":
        packet[0]["ethernet"]["src"]["value"] = source
        frame.src = source
    at = packet[stack.index(header)][header]
    for step in field.path[:-1]:
        if step in ("raw", "tos", "dscp"):
            at["choice"] = step
        at = at.setdefault(step, {})
    if field.path == ["priority", "raw"]:
        at["choice"] = "raw"
    if field.name in ("gre.checksum", "gre.reserved1"):
        at["checksum_present"] = {"value": 1}
        layer(frame, stack, header).chksum_present = 1
    at[field.path[-1]] = {"choice": form, **given}
    flow = {
        "name": f"{index} {field.name} {form}",
        "tx_rx": {"choice": "port", "port": {"tx_name": "p1", "rx_names": ["p2"]}},
        "packet": packet,
        "size": {"fixed": SIZE},
        "rate": {"choice": "pps", "pps": 200},
        "duration": {"choice": "fixed_packets", "fixed_packets": {"packets": FRAMES}},
    }
    return flow, frame


def document(lab, flows):
    cfg = lab.config().serialize("dict")
    cfg["captures"] = [{"name": "c", "port_names": ["p2"]}]
    cfg["flows"] = flows
    return cfg


def check(field, form, given, values, frame, stack, frames):
    """Octet by octet, each frame in its turn."""
    payload = SIZE - 4 - len(frame)
    plain = Raw(bytes(at % 256 for at in range(payload)))
    where = f"{field.name} {given}"
    assert len(frames) == FRAMES, (where, len(frames))
    if isinstance(values, tuple):
        low, high, count = values
        name = SCAPY[field.header][1].get(field.path[-1], field.path[-1])
        values = [
            field.number(getattr(layer(Ether(sent), stack, field.header), name)) for sent in frames
        ]
        assert all(low <= value <= high for value in values), (where, values)
        assert values == [values[i % count] for i in range(FRAMES)], (where, values)
        assert len(set(values)) > 1, (where, values)
    for index, sent in enumerate(frames):
        whole = frame.copy() / plain
        if values is None and field.name == "ethernet.dst":
            # Whoever answered ARP for the destination.
            assert sent[:6] == frames[0][:6] != bytes(6) and not sent[0] & 1, sent.hex()
            whole.dst = sent[:6].hex(":")
        want = built(field, whole, stack, values[index] if isinstance(values, list) else None)
        wrong = [at for at, (a, b) in enumerate(zip(want, sent, strict=True)) if a != b]
        if values == "bad":
            assert wrong and wrong[-1] - wrong[0] < 2, (where, wrong)
        elif wrong:
            raise AssertionError(
                f"{where}, frame {index}, octets {wrong}:\n{sent.hex()}\nand not\n{want.hex()}"
            )


def tried(lab, header):
    """All fields of a header: first each by itself, then all that is taken, on the wire."""
    taken, refused = [], {}
    for field in fields(header):
        for form, given, values in cases(field):
            flow, frame = one(field, header, form, given, len(taken))
            answer = lab.post("/config", document(lab, [flow]))
            if answer.status_code == 200:
                taken.append((field, form, given, values, flow, frame))
                continue
            error = answer.json()
            at = STACKS[header].split().index(header)
            path = f"$.flows[0].packet[{at}].{field.name}"
            assert (error["code"], error["kind"]) == (400, "validation"), error
            assert error["errors"][0].startswith(path), (field.name, given, error)
            refused.setdefault(field.name, []).append(form)
    expected = {name: forms.split() for name, forms in REFUSED.items() if name.startswith(header + ".")}
    refused = {name: list(dict.fromkeys(forms)) for name, forms in refused.items()}
    assert {n: sorted(f) for n, f in refused.items()} == {n: sorted(f) for n, f in expected.items()}, refused
    answer = lab.post("/config", document(lab, [flow for *_, flow, _ in taken]))
    assert answer.status_code == 200 and answer.json() == {"warnings": []}, answer.text
    lab.capturing("start")
    lab.traffic("start")
    total = len(taken) * FRAMES
    lab.wait(f"{total} frames", lambda: lab.ports()["p1"].frames_tx >= total)
    lab.traffic("stop")
    lab.capturing("stop")
    found = {}
    for frame in lab.captured():
        mark = frame[18:20] if header == "ethernet" else frame[10:12]
        found.setdefault(int.from_bytes(mark, "big") & 0xFFF, []).append(frame)
    faults = []
    for index, (field, form, given, values, _, frame) in enumerate(taken):
        try:
            check(field, form, given, values, frame, STACKS[header].split(), found.get(index, []))
        except AssertionError as fault:
            faults.append(str(fault))
    assert not faults, "\n".join(faults)
    print(f"{header}: {len(taken)} on the wire, {len(refused)} refused", flush=True)


def every_field(lab):
    for header in STACKS:
        tried(lab, header)


def what_is_not_there(lab):
    """Headers, objects and tags that are not supported are refused where they stand."""

    def refused(packet, path):
        flow, _ = one(fields("udp")[0], "udp", "value", {"value": 1}, 0)
        answer = lab.post("/config", document(lab, [{**flow, "packet": packet(flow["packet"])}]))
        assert answer.status_code == 400, (path, answer.text)
        error = answer.json()
        assert error["kind"] == "validation" and error["errors"][0].startswith(f"$.flows[0].packet{path}"), error

    choices = snappi.FlowHeader._TYPES["choice"]["enum"]
    assert {*STACKS, "custom"} < {*choices}
    for kind in {*choices} - {*STACKS, "custom"}:
        refused(lambda packet, kind=kind: [packet[0], {"choice": kind}], "[1].choice")
        refused(lambda packet, kind=kind: [packet[0], {kind: {}}], f"[1].{kind}")
    tagged = 0
    for header in STACKS:
        stack = STACKS[header].split()
        for field in fields(header):
            if not field.tags:
                continue
            flow, _ = one(field, header, "value", {"value": field.written(1)}, 0)
            at = flow["packet"][stack.index(header)][header]
            for step in field.path:
                at = at[step]
            at["metric_tags"] = [{"name": "t"}]
            refused(lambda _, flow=flow: flow["packet"], f"[{stack.index(header)}].{field.name}.metric_tags")
            tagged += 1
    assert tagged > 60, tagged
    options = {"choice": "ipv4", "ipv4": {"options": [{"choice": "router_alert"}]}}
    refused(lambda packet: [packet[0], options], "[1].ipv4.options")
    usids = {"choice": "ipv6", "ipv6": {"dst_usids": {}}}
    refused(lambda packet: [packet[0], usids], "[1].ipv6.dst_usids")
    custom = {"choice": "custom", "custom": {"bytes": "00", "metric_tags": [{"name": "t"}]}}
    refused(lambda packet: [*packet, custom], "[3].custom.metric_tags")


if __name__ == "__main__":
    run([every_field, what_is_not_there])
