//! Attaching to interfaces, in network namespaces of these tests. Needs root.

use crate::common::{
    CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON, drop_capabilities,
    frame::{IPV4, Shape, Tag, tag},
    keep_capabilities, moved,
    netns::{ifindex, ip, ip_says, send_raw, with_veth},
    now_ns, require_root, setup,
};
use std::time::Duration;
use xdp_ebpf::{Analyser, Error, XdpMode, abi};

/// Sends frames out of `west` as a stack would, without AF_XDP.
fn send(frames: &[Vec<u8>]) {
    send_raw("west", frames);
}

/// Waits until the banks have counted so many frames of stream 0, and adds them up.
fn unique(analyser: &Analyser, expected: u64) -> u64 {
    let count = || (0..analyser.banks()).map(|bank| analyser.record(0, bank).unique).sum();
    for _ in 0..500 {
        if count() >= expected {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    count()
}

/// Waits for it: a child that another test starts at this moment has our descriptors until it
/// becomes another program.
fn assert_detached(why: &str) {
    let shown = || ip_says(&["link", "show", "dev", "east"]);
    let waited = std::time::Instant::now();
    while shown().contains("xdp") {
        assert!(waited.elapsed() < Duration::from_secs(5), "{why}: {}", shown());
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn receives(mode: XdpMode) {
    with_veth(1, move || {
        let mut analyser = Analyser::load(&setup(1), mode).unwrap();
        analyser.attach(ifindex("east")).unwrap();
        assert_eq!(analyser.attach_mode(), mode);
        let shown = ip_says(&["link", "show", "dev", "east"]);
        let word = if mode == XdpMode::Native { " xdp " } else { " xdpgeneric " };
        assert!(shown.contains(word), "{shown}");

        analyser.begin_trial(1, now_ns());
        let frames: Vec<_> = (0..100).map(|sequence| IPV4.frame(tag(sequence))).collect();
        send(&frames);
        assert_eq!(unique(&analyser, 100), 100);

        drop(analyser);
        assert_detached("dropping detaches");
    });
}

#[test]
fn native_mode_counts_what_the_wire_brings() {
    receives(XdpMode::Native);
}

#[test]
fn generic_mode_counts_what_the_wire_brings() {
    receives(XdpMode::Generic);
}

#[test]
fn a_second_program_finds_the_port_busy() {
    with_veth(1, || {
        let east = ifindex("east");
        let mut first = Analyser::load(&setup(1), XdpMode::Native).unwrap();
        first.attach(east).unwrap();
        for mode in [XdpMode::Native, XdpMode::Generic] {
            let mut second = Analyser::load(&setup(1), mode).unwrap();
            let error = second.attach(east).unwrap_err();
            assert!(matches!(error, Error::Busy { ifindex } if ifindex == east), "{error}");
        }
        first.attach(east).expect("its own port it may take again");
        drop(first);
        let mut second = Analyser::load(&setup(1), XdpMode::Native).unwrap();
        second.attach(east).expect("the port is free again");
    });
}

#[test]
fn a_driver_without_native_mode_is_unsupported() {
    with_veth(1, || {
        let plain = ifindex("lo");
        let mut native = Analyser::load(&setup(1), XdpMode::Native).unwrap();
        let error = native.attach(plain).unwrap_err();
        assert!(matches!(error, Error::Unsupported { mode: XdpMode::Native, .. }), "{error}");
        let mut generic = Analyser::load(&setup(1), XdpMode::Generic).unwrap();
        generic.attach(plain).unwrap();
    });
}

#[test]
fn a_jumbo_port_takes_the_program_that_minds_several_buffers() {
    with_veth(1, || {
        ip(&["link", "set", "west", "mtu", "9000"]);
        ip(&["link", "set", "east", "mtu", "9000"]);
        let mut small = Analyser::load(&setup(1), XdpMode::Native).unwrap();
        let error = small.attach(ifindex("east")).unwrap_err();
        assert!(matches!(error, Error::Unsupported { .. }), "{error}");

        let setup = xdp_ebpf::AnalyserSetup { mtu: 9_000, ..setup(1) };
        let mut analyser = Analyser::load(&setup, XdpMode::Native).unwrap();
        analyser.attach(ifindex("east")).unwrap();
        analyser.begin_trial(1, now_ns());
        let jumbo = Shape { payload: 8_900, ..IPV4 };
        send(&(0..20).map(|sequence| jumbo.frame(tag(sequence))).collect::<Vec<_>>());
        send(&[jumbo.frame(Tag { stream: 2, ..tag(0) }), IPV4.frame(tag(20))]);
        assert_eq!(unique(&analyser, 21), 21);
        assert_eq!(moved(&analyser.record(2, 0)), [("unique", 1)], "checked in full");
    });
}

#[test]
fn an_interface_that_is_not_there_is_gone() {
    with_veth(1, || {
        let mut analyser = Analyser::load(&setup(1), XdpMode::Native).unwrap();
        let error = analyser.attach(4_711).unwrap_err();
        assert!(matches!(error, Error::Gone { ifindex: 4_711 }), "{error}");
    });
}

#[test]
fn more_than_memory_holds_is_refused_with_its_size() {
    require_root();
    let mut setup = setup(1_000_000);
    setup.streams = vec![xdp_ebpf::StreamSetup::default(); 65_536];
    let error = Analyser::load(&setup, XdpMode::Native).unwrap_err();
    assert!(matches!(error, Error::Memory { bytes } if bytes > 1 << 30), "{error}");
}

#[test]
fn an_analyser_may_move_to_another_thread() {
    require_root();
    let analyser = Analyser::load(&setup(1), XdpMode::Native).unwrap();
    let record = std::thread::spawn(move || analyser.record(0, 0)).join().unwrap();
    assert_eq!(record.unique, 0);
}

#[test]
fn the_nic_twin_loads_attaches_and_falls_back_where_nothing_is_stamped() {
    with_veth(1, || {
        let east = ifindex("east");
        let (mut analyser, mut fits) = Analyser::load_nic(&setup(1), east, None).unwrap();
        let error = analyser.attach(ifindex("west")).unwrap_err();
        assert!(matches!(error, Error::Unsupported { .. }), "bound to east alone: {error}");
        analyser.attach(east).unwrap();
        let begin = now_ns();
        // Whatever the line says, a stamp that is not there is none of it.
        let reach_ns = abi::NIC_REACH_MAX_NS;
        fits.publish(&abi::nic_fit { nic_ns: 0, monotonic_ns: 7, drift_q38: 0, reach_ns });
        analyser.begin_trial(1, begin);
        // veth says yes to a timestamp, and gives 0.
        send(&(0..50).map(|sequence| IPV4.frame(tag(sequence))).collect::<Vec<_>>());
        assert_eq!(unique(&analyser, 50), 50);
        let port = analyser.port_record(0);
        assert_eq!((port.stamped, port.unstamped, port.matched), (0, 50, 50));
        let record = analyser.record(0, 0);
        assert!(record.first_rx_ns >= begin && record.last_rx_ns <= now_ns(), "the kernel's clock");

        let error = analyser.test_run(&IPV4.frame(tag(50)), 0, 1).unwrap_err();
        assert!(matches!(error, Error::System { .. }), "{error}");
    });
}

#[test]
fn the_nic_twin_of_a_missing_interface_says_so() {
    with_veth(1, || {
        let error = Analyser::load_nic(&setup(1), 4_711, None).unwrap_err();
        assert!(error.to_string().contains("analyser_nic"), "{error}");
        assert!(!error.to_string().contains('\n'), "{error}");
    });
}

#[test]
fn an_unprivileged_process_is_told_which_capabilities_it_lacks() {
    require_root();
    // Only this thread loses its capabilities.
    let error = std::thread::spawn(|| {
        drop_capabilities();
        Analyser::load(&setup(1), XdpMode::Native).unwrap_err()
    });
    let error = error.join().unwrap();
    assert!(matches!(error, Error::Permission { .. }), "{error}");
    assert!(error.to_string().contains("CAP_BPF"), "{error}");
}

#[test]
fn root_is_not_needed_where_three_capabilities_do() {
    with_veth(1, || {
        let east = ifindex("east");
        keep_capabilities(&[CAP_NET_ADMIN, CAP_PERFMON, CAP_BPF]);
        let mut analyser = Analyser::load(&setup(1), XdpMode::Native).unwrap();
        analyser.attach(east).unwrap();
        keep_capabilities(&[CAP_NET_ADMIN, CAP_BPF]);
        let error = Analyser::load(&setup(1), XdpMode::Native).unwrap_err();
        assert!(matches!(error, Error::Permission { .. }), "{error}");
    });
}
