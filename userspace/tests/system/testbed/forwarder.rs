//! Devices under test that forward as real ones do: the kernel's bridge, the kernel's router,
//! and an XDP program with a limit.

use super::{Lab, Port, command};

/// What the XDP device does to UDP frames that come from the west for port 7.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Limit {
    /// Frames a second that it lets through; 0: all.
    pub(crate) pps: u32,
    /// Frames that it lets through at once.
    pub(crate) depth: u32,
    /// Every so many-th frame is dropped; 0: none.
    pub(crate) drop_every: u32,
}

impl Lab {
    /// A kernel bridge between west and east.
    pub(crate) fn with_bridge() -> Self {
        let lab = Self::with_device();
        let (west, east) = lab.device_ports();
        let bridge = |arguments: &[&str]| west.command("ip", arguments);
        bridge(&["link", "add", "br0", "type", "bridge", "stp_state", "0", "forward_delay", "0"]);
        for port in [west, east] {
            bridge(&["link", "set", "dev", &port.interface, "master", "br0"]);
        }
        bridge(&["link", "set", "dev", "br0", "up"]);
        lab
    }

    /// A kernel router between the networks of RFC 2544 C.2.2 and of RFC 5180, with routes to
    /// the remote networks.
    pub(crate) fn with_router() -> Self {
        let lab = Self::with_device();
        let (west, east) = lab.device_ports();
        let ip = |arguments: &[&str]| west.command("ip", arguments);
        for which in ["all", "default", "d0", "d1"] {
            west.set_sysctl(&format!("net/ipv6/conf/{which}/disable_ipv6"), "0");
        }
        for (port, v4, v6) in [
            (west, "198.18.1.1/24", "2001:2:0:1::1/64"),
            (east, "198.19.1.1/24", "2001:2:0:8001::1/64"),
        ] {
            ip(&["address", "add", v4, "dev", &port.interface]);
            ip(&["address", "add", v6, "dev", &port.interface, "nodad"]);
        }
        west.set_sysctl("net/ipv4/ip_forward", "1");
        west.set_sysctl("net/ipv6/conf/all/forwarding", "1");
        for (remote, router) in [
            ("2001:2:0:100::/56", "2001:2:0:1::a"),
            ("2001:2:0:8100::/56", "2001:2:0:8001::a"),
            ("198.18.64.0/18", "198.18.1.10"),
            ("198.18.128.0/17", "198.18.1.10"),
            ("198.19.64.0/18", "198.19.1.10"),
            ("198.19.128.0/17", "198.19.1.10"),
        ] {
            ip(&["route", "add", remote, "via", router]);
        }
        lab
    }

    /// An XDP program on both ports of the device, with this limit from west to east.
    pub(crate) fn with_limiter(limit: Limit) -> Self {
        let lab = Self::with_device();
        let (west, east) = lab.device_ports();
        // One queue, so that the program has one account of what it let through.
        for port in [&lab.west, west, east, &lab.east] {
            port.command("ethtool", &["-L", &port.interface, "rx", "1", "tx", "1"]);
        }
        load(&lab, west, east, limit);
        load(&lab, east, west, Limit::default());
        lab
    }

    fn device_ports(&self) -> (&Port, &Port) {
        self.device.as_ref().map(|(west, east)| (west, east)).expect("a lab with a device")
    }
}

/// Compiles the program for this way and attaches it with iproute2's own loader.
fn load(lab: &Lab, from: &Port, to: &Port, limit: Limit) {
    let source = lab.file("forwarder.bpf.c", include_bytes!("forwarder.bpf.c"));
    let object = source.with_extension("o");
    let paths = [&object, &source].map(|path| path.to_str().expect("a path of letters"));
    let define = |name: &str, value: u32| format!("-D{name}={value}");
    let index = to.command("cat", &[&format!("/sys/class/net/{}/ifindex", to.interface)]);
    let defines = [
        define("TO_IFINDEX", index.trim().parse().expect("an index")),
        define("RATE_PPS", limit.pps),
        define("DEPTH", limit.depth),
        define("DROP_EVERY", limit.drop_every),
    ];
    let headers = format!("-I/usr/include/{}-linux-gnu", std::env::consts::ARCH);
    let flags = ["-O2", "-g", "-target", "bpf", &headers, "-c", "-o", paths[0], paths[1]];
    let defines = defines.each_ref().map(String::as_str);
    command("clang", &[&flags[..], &defines].concat());
    from.command(
        "ip",
        &["link", "set", "dev", &from.interface, "xdp", "obj", paths[0], "sec", "xdp"],
    );
}
