"""A port of another daemon behind the test API: counted as any, captured and cut off nowhere."""

from client import run
from contract import ethernet, ipv4


def both(lab, packets=1500):
    cfg = lab.config()
    for name, back in (("there", False), ("back", True)):
        f = lab.flow(cfg, name, packets=packets, pps=3000, back=back)
        ethernet(f), ipv4(f), f.packet.udp()
        f.metrics.loss = f.metrics.timestamps = True
    return cfg


def counts(lab):
    assert lab.api.set_config(both(lab)).warnings == []
    lab.traffic("start")
    lab.done(there=1500, back=1500)
    lab.traffic("stop")
    for m in lab.flows().values():
        assert m.loss == 0 and (m.bytes_tx, m.bytes_rx) == (1500 * 128, 1500 * 128), m
    for p in lab.ports().values():
        assert 1500 <= p.frames_tx < 1508 and 1500 <= p.frames_rx < 1508, p
        assert (p.link, p.transmit) == ("up", "stopped"), p
    # Once more: start clears.
    lab.traffic("start")
    lab.done(there=1500, back=1500)
    assert all(1500 <= p.frames_rx < 1508 for p in lab.ports().values()), lab.ports()


def pauses(lab):
    cfg = both(lab)
    for f in cfg.flows:
        f.duration.choice = "continuous"
    lab.api.set_config(cfg)
    lab.traffic("start")
    lab.wait("both come", lambda: all(m.frames_rx > 200 for m in lab.flows().values()))
    lab.traffic("stop")
    for m in lab.flows().values():
        assert m.frames_tx == m.frames_rx > 0 and m.transmit == "stopped", m


def refusals(lab):
    cfg = both(lab)
    cfg.captures.add(name="c", port_names=["p1", "p2"])
    lab.refused(cfg, "$.captures[0].port_names[1]", "another daemon")
    lab.api.set_config(both(lab))
    state = {"choice": "port", "port": {"choice": "link", "link": {"state": "down", "port_names": ["p2"]}}}
    answer = lab.post("/control/state", state)
    assert answer.status_code == 400, answer.text
    assert answer.json()["errors"][0].startswith("$.port.link.port_names[0]: "), answer.text
    cfg.captures.clear()
    cfg.ports[1].location = "[10.99.0.2]:8080/nowhere0"
    lab.refused(cfg, "$.ports[1].location", "nowhere0")


if __name__ == "__main__":
    run([counts, pauses, refusals])
