use super::{
    details::{details, speed},
    table::table,
    *,
};
use crate::nic::testbed::{Lab, without_capability};
use crate::packet::format_mac;
use caps::Capability;

fn stripped(write: impl FnOnce(&mut dyn Write)) -> String {
    let mut out = anstream::StripStream::new(Vec::new());
    write(&mut out);
    String::from_utf8(out.into_inner()).unwrap()
}

fn all(width: Option<u16>) -> String {
    let (ports, hidden) = everywhere().unwrap();
    stripped(|out| list(&ports, hidden, width, out).unwrap())
}

fn one(port: &PortInfo, width: Option<u16>) -> String {
    let report = PortsReport::new(std::slice::from_ref(port), 2, &SIZES).unwrap();
    stripped(|out| details(port, &report.ports[0], width, out).unwrap())
}

#[test]
fn the_table_has_the_ports_of_every_named_namespace() {
    let lab = Lab::new();
    lab.west.ip("addr add 198.18.0.2/24 dev west");
    lab.west.ip("addr add 2001:2::2/64 dev west");
    lab.east.ip("link set east down");
    let text = all(None);
    let (west, east) = (lab.west.info(), lab.east.info());
    let line = |port: &PortInfo| {
        let name = port.name.to_string();
        let found = text.lines().find(|line| line.starts_with(&format!("{name} ")));
        found.unwrap_or_else(|| panic!("no {name} in\n{text}")).to_owned()
    };
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let mac = format_mac(west.mac);
    let expected = format!("{} veth no carrier - 2/2 1500 {mac} - 198.18.0.2/24", west.name);
    assert_eq!(words(&line(&west)), words(&expected));
    assert_eq!(words(&line(&east))[2], "down");
    assert!(text.contains("2001:2::2/64") && !text.contains("fe80:"), "{text}");
    let start = |line: &str, part: &str| line.find(part).unwrap();
    let header = text.lines().next().unwrap();
    assert_eq!(start(header, "MAC"), start(&line(&west), &mac), "aligned:\n{text}");
}

#[test]
fn a_narrow_terminal_goes_without_the_mac_first() {
    let lab = Lab::new();
    let ports = [lab.west.info()];
    let text = |width| stripped(|out| table(&ports, width, out).unwrap());
    let full = text(None).lines().map(str::len).max().unwrap() as u16;
    assert!(text(Some(full)).contains("MAC"));
    let narrower = text(Some(full - 1));
    assert!(!narrower.contains("MAC") && narrower.contains("DRIVER"), "{narrower}");
    let least = text(Some(1));
    assert!(least.contains("PORT") && least.contains("STATE"), "{least}");
}

#[test]
fn one_port_is_told_in_full() {
    let lab = Lab::new();
    lab.west.exec("ethtool -L west tx 1");
    let info = lab.west.info();
    let text = one(&info, None);
    for line in [
        format!("port          {}", info.name),
        "speed         10Gbit/s (a constant of the driver)".to_owned(),
        "MTU           1500 (frames of up to 1518 octets with FCS)".to_owned(),
        "XDP           no program".to_owned(),
        "queues        2 RX, 1 of 2 TX".to_owned(),
        "RX metadata   timestamp hash vlan-tag".to_owned(),
        "timestamps    tx-software rx-software".to_owned(),
        "timed by      the kernel: it stamps nothing in hardware".to_owned(),
        "  64    1.000M  1 queue, 1000 ns a frame (the kernel copies)".to_owned(),
    ] {
        assert!(text.lines().any(|shown| shown == line), "no `{line}` in\n{text}");
    }
    for address in &info.addresses {
        assert!(text.contains(&format!("address       {address}\n")), "{text}");
    }
}

#[test]
fn a_namespace_that_may_not_be_entered_is_said_to_be_missing() {
    let lab = Lab::new();
    let text = without_capability(Capability::CAP_SYS_ADMIN, || all(None));
    let line = text.lines().find(|line| line.starts_with("CAP_SYS_ADMIN")).unwrap();
    assert!(line.contains(&lab.west.netns()) && line.contains(&lab.east.netns()), "{text}");
}

#[test]
fn speeds_are_short() {
    let speeds = [100_000_000, 1_000_000_000, 2_500_000_000, 25_000_000_000].map(speed);
    assert_eq!(speeds, ["100M", "1G", "2.5G", "25G"]);
}

#[test]
fn on_a_narrow_terminal_no_value_is_cut() {
    let lab = Lab::new();
    let info = lab.west.info();
    let (wide, narrow) = (one(&info, None), one(&info, Some(44)));
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(words(&wide), words(&narrow));
    let (values, _) = narrow.split_once("\n\n").unwrap();
    assert!(values.lines().all(|line| line.len() <= 44), "{narrow}");
    assert!(values.lines().any(|line| line.starts_with("              ")), "{narrow}");
}

#[test]
fn the_json_has_the_ports_with_what_they_can_do() {
    let lab = Lab::new();
    let report = PortsReport::new(&[lab.west.info()], 2, &SIZES).unwrap();
    let json: serde_json::Value = serde_json::from_str(&report.to_json().unwrap()).unwrap();
    assert_eq!(json["schema"], "linerate.ports/1");
    let port = &json["ports"][0];
    assert_eq!((&port["driver"], &port["kind"]), (&"veth".into(), &"veth".into()));
    assert!(port["link_bps"].is_null() && port["capabilities"]["rings"].is_null(), "{port:#}");
    assert_eq!(port["capabilities"]["channels"]["tx_max"], 2);
    assert_eq!(port["ceilings"].as_array().unwrap().len(), SIZES.len());
    let ceiling = &port["ceilings"][0];
    assert_eq!(
        (&ceiling["limit"]["kind"], &ceiling["limit"]["queues"]),
        (&"queues".into(), &2.into())
    );
    assert!(ceiling["measured"].is_null());
}
