//! Programs that a run over AF_XDP does not load, and the ways of the analyser that such a run
//! does not take: whether this kernel's verifier takes them, and whether frames come and go. Over
//! a veth pair, for not every driver takes live frames and what is sent back; the judge is the
//! kernel, by its counters, its ping and its sockets.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};

use super::{
    Kernel,
    checks::{Bench, array, count, until},
    guest::load_module,
    nic::Nic,
};
use crate::{shell, stop};

const FLOWS: &str = "/run/programs.toml";
const RESULT: &str = "/run/programs.json";
const PCAP: &str = "/run/programs.pcap";
const CAPTURED: &str = "/run/programs.pcapng";
/// Of each flow, at a rate that a VM can do.
const FRAMES: u64 = 300;
/// Of the kernel at live0, and of the responder at live1.
const OURS: &str = "198.18.0.1";
const PLAYED: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 9);
/// Octets in the datagrams to it.
const DATAGRAMS: [u16; 4] = [0, 1, 17, 1400];

pub fn load(bench: &Bench) -> Result<()> {
    load_module(&bench.modules, "veth")?;
    let veth = ["link", "add", "live0", "type", "veth", "peer", "name", "live1"];
    shell::read(&mut shell::command("ip", &veth))?;
    let ends = ["live0", "live1"].map(|name| Nic { name: name.to_owned() });
    for end in &ends {
        // Long enough for frames in several buffers.
        end.ip(&["up", "mtu", "9000"])?;
    }
    ends.iter().try_for_each(Nic::await_carrier)?;

    sends(bench, &ends[1], "live_frames", &live_frames())?;
    sends(bench, &ends[1], "af_xdp", &checked_and_counted())?;
    linerate(bench, &["show", FLOWS, "--count", "5", "--pcap", PCAP])?;
    linerate(bench, &["replay", PCAP, "--tx", "live0", "--rx", "live1"])?;
    answers(bench, &ends)?;
    tests(bench)
}

fn linerate(bench: &Bench, arguments: &[&str]) -> Result<()> {
    let mut command = shell::command(&bench.linerate.to_string_lossy(), arguments);
    let outcome = shell::read(command.stdin(Stdio::null()));
    outcome.map(drop).with_context(|| format!("linerate {}", arguments[0]))
}

fn range(first: &str, last: &str) -> String {
    format!("{{ range = \"{first}-{last}\" }}")
}

fn flow(name: &str, settings: &str, ip: &str, rest: &str) -> String {
    format!(
        "[[flow]]\nname = \"{name}\"\ntx = \"live0\"\nrx = \"live1\"\n{settings}\n\
         rate = \"250pps\"\nframes = {FRAMES}\n\
         layers = [{{ eth = {{ dst = \"02:00:00:00:00:07\" }} }}, {{ ipv4 = {{ {ip} }} }}, \
         {rest}]\n\n"
    )
}

/// The program has a way of its own for one size and two fields, for more of either, and for
/// packets in each other.
fn live_frames() -> String {
    let hosts = format!("src = \"198.18.0.2\", dst = {}", range("198.19.0.1", "198.19.0.254"));
    let udp = "{ udp = { src = 49184, dst = 7 } }";
    let both = range("198.18.0.1", "198.18.0.9");
    let tunnel = "{ udp = { src = 49184, dst = 4789 } }, { vxlan = { vni = 7 } }, \
                  { eth = { src = \"02:00:00:00:00:08\", dst = \"02:00:00:00:00:09\" } }, \
                  { ipv4 = { src = \"10.0.0.1\", dst = \"10.0.0.2\" } }, ";
    flow("one", "size = 64", &hosts, udp)
        + &flow(
            "mixed",
            "size = [64, 512, 1518]",
            &format!("src = {both}, dst = {}", range("198.19.0.1", "198.19.0.254")),
            &format!(
                "{{ udp = {{ src = {}, dst = {} }} }}",
                range("49152", "49160"),
                range("9", "12")
            ),
        )
        + &flow("nested", "size = 256", &hosts, &format!("{tunnel}{udp}"))
}

/// The analyser reads a payload to its end, and tells frames without a tag by their headers.
fn checked_and_counted() -> String {
    let ip = "src = \"198.18.0.2\", dst = \"198.19.0.2\"";
    let udp = |port: u16| format!("{{ udp = {{ src = 49184, dst = {port} }} }}");
    flow("checked", "size = 512\nintegrity = \"full\"", ip, &udp(7))
        + &flow("counted", "size = 128\ntrack = \"count\"", ip, &udp(9))
}

/// Every frame of every flow comes, by the kernel's count and by linerate's.
fn sends(bench: &Bench, east: &Nic, backend: &str, flows: &str) -> Result<()> {
    fs::write(FLOWS, flows)?;
    let before = east.frames()?;
    linerate(bench, &["run", FLOWS, "--backend", backend, "--quiet", "--json", RESULT])?;
    let came = east.frames()?.since(before).rx;
    let result: serde_json::Value = serde_json::from_str(&fs::read_to_string(RESULT)?)?;
    let rows = array(&result["flows"]);
    for row in rows {
        let (tx, lost) = (count(row, "tx_frames")?, count(row, "lost_frames")?);
        ensure!(tx == FRAMES && lost == 0, "{}: {tx} sent, {lost} lost", row["name"]);
    }
    let sent = rows.len() as u64 * FRAMES;
    ensure!(came == sent, "{backend}: by the kernel, {came} frames came of {sent}");
    Ok(())
}

/// Pings and datagrams of the kernel to an address that `respond` plays are answered, and
/// `capture` has the answers, by tcpdump.
fn answers(bench: &Bench, [west, east]: &[Nic; 2]) -> Result<()> {
    let address = format!("{OURS}/24");
    shell::read(&mut shell::command("ip", &["address", "add", &address, "dev", &west.name]))?;
    // A veth leaves checksums to nobody.
    shell::read(&mut shell::command("ethtool", &["-K", &west.name, "tx", "off"]))?;
    let played = PLAYED.to_string();
    let respond = ["respond", &east.name, "--udp-echo", "--addr", &played];
    // A veth takes what XDP sends back where a program is: that of `capture`.
    while_it_runs(bench, west, &["capture", &west.name, "--write", CAPTURED], || {
        while_it_runs(bench, east, &respond, || {
            let ping = shell::read(&mut shell::command("ping", &["-c", "3", "-W", "5", &played]))?;
            ensure!(ping.contains(" 3 received"), "{ping}");
            DATAGRAMS.iter().try_for_each(|&octets| echo(octets))
        })
    })?;
    let filter = format!("src host {played} and (icmp or udp)");
    let listing = shell::read(&mut shell::command("tcpdump", &["-nn", "-r", CAPTURED, &filter]))?;
    let (captured, answers) = (listing.lines().count(), 3 + DATAGRAMS.len());
    ensure!(captured == answers, "captured {captured} of {answers} answers");
    Ok(())
}

/// Runs linerate, which attaches there, until `what` is done.
fn while_it_runs(
    bench: &Bench,
    nic: &Nic,
    arguments: &[&str],
    what: impl FnOnce() -> Result<()>,
) -> Result<()> {
    let mut command = shell::command(&bench.linerate.to_string_lossy(), arguments);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
    let attached = until("its program is attached", || {
        ensure!(child.try_wait()?.is_none(), "it ended");
        Ok(nic.xdp_mode()? == Some("native"))
    });
    let outcome = attached.and_then(|()| what());
    stop::end(&mut child);
    let said = child.wait_with_output()?.stderr;
    let said = || format!("{}: {}", arguments[0], String::from_utf8_lossy(&said).trim());
    outcome.with_context(said)
}

/// A datagram to port 7 (RFC 862) comes back whole.
fn echo(octets: u16) -> Result<()> {
    let socket = UdpSocket::bind((OURS, 0))?;
    socket.set_read_timeout(Some(Duration::from_secs(5)))?;
    let (to, mut came) = (SocketAddr::from((PLAYED, 7)), [0; 2000]);
    let data: Vec<u8> = (0..octets).map(|octet| octet as u8).collect();
    socket.send_to(&data, to)?;
    let (length, from) = socket.recv_from(&mut came).context("no echo came")?;
    ensure!((from, &came[..length]) == (to, &data[..]), "{octets} octets: {length} from {from}");
    Ok(())
}

/// What the tests of xdp-ebpf ask better: the analyser that takes times from the NIC, and
/// whether root is needed.
fn tests(bench: &Bench) -> Result<()> {
    let mut names = vec!["attach::root_is_not_needed_where_three_capabilities_do"];
    // Before Linux 6.3 no program is bound to a device.
    if bench.kernel != Kernel::V6_1 {
        names.push("attach::the_nic_twin_loads_attaches_and_falls_back_where_nothing_is_stamped");
    }
    let said =
        shell::read(shell::command(&bench.program_tests.to_string_lossy(), &names).arg("--exact"))?;
    ensure!(said.contains(&format!("{} passed", names.len())), "{said}");
    Ok(())
}
