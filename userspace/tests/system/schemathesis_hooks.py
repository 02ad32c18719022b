"""What JSON Schema cannot say of flows and suites: half of the cases that fit their schema get
documents that are flows and suites, so that there is something to get, stop and remove."""

import json
import zlib

import schemathesis

LAYERS = [
    {"eth": {"dst": "02:00:00:00:00:02"}},
    {"ipv4": {"src": "198.18.0.2", "dst": "198.18.1.1"}},
    {"udp": {"src": 49184, "dst": 7}},
]
FLOW = {"name": "f", "tx": "west", "rx": "east", "rate": "1kpps", "size": 128, "layers": LAYERS}
FLOWS = {"flow": [FLOW | {"frames": 2000}]}
SUITE = {
    "sizes": [64],
    "tests": ["throughput"],
    "topology": {"dut": "sim:link=1G,capacity=1Mpps", "direction": "forward"},
}
# Long enough to be stopped and resumed.
LONG = SUITE | {"tests": ["latency"], "latency": {"repeats": 100}}
REAL = {
    "sizes": [128],
    "tests": ["throughput"],
    "topology": {"pairs": [["west", "east"]]},
    "throughput": {"max_rate": "1kpps"},
}


def documents(path, body, dice):
    """The keys of the body that are to be documents."""
    suite = [SUITE, LONG, REAL, SUITE | {"flows": {"flow": [FLOW]}}][dice % 4]
    if path.startswith("/api/v1/suites"):
        return {"suite": suite, "kind": "rfc2544"}
    if path == "/api/v1/runs":
        return {"spec": FLOWS}
    if path.startswith("/api/v1/flows"):
        return {"spec": FLOWS}
    if path == "/api/v1/captures":
        return {"port": ["west", "east"][dice % 2]}
    return {}


@schemathesis.hook
def before_call(context, case, kwargs):
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    if not isinstance(case.body, dict):
        return
    dice = zlib.crc32(json.dumps(case.body, sort_keys=True, default=str).encode())
    if dice % 2:
        return
    names = documents(case.operation.path, case.body, dice // 2)
    # What the other keys ask for would be refused, for chance made it up.
    kept = {} if names else case.body
    if names and "name" in case.body:
        kept = {"name": case.body["name"]}
    case.body = kept | names
