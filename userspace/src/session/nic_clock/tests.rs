use super::*;
use crate::{
    nic::{Timestamping, XdpFeatures},
    units::monotonic_ns,
};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use xdp_ebpf::{Analyser, AnalyserSetup, StreamSetup};

fn able() -> Capabilities {
    Capabilities {
        timestamping: Some(Timestamping {
            stamps: vec!["tx-hardware", "rx-hardware"],
            rx_filters: vec!["none", "all"],
            phc: Some(3),
        }),
        xdp: Some(XdpFeatures {
            xdp: vec!["basic"],
            zero_copy_segments: None,
            rx_metadata: vec!["timestamp", "hash"],
            xsk: Vec::new(),
        }),
        ..Capabilities::default()
    }
}

#[test]
fn the_nic_times_frames_where_it_has_all_that_it_takes() {
    assert_eq!(receive_clock(&able()), Ok(3));
    let refused = |change: fn(&mut Capabilities)| {
        let mut can = able();
        change(&mut can);
        receive_clock(&can).unwrap_err()
    };
    assert!(refused(|can| can.xdp = None).contains("does not say"));
    assert!(
        refused(|can| can.xdp.as_mut().unwrap().rx_metadata = vec!["hash"]).contains("gives XDP")
    );
    assert!(refused(|can| can.timestamping = None).contains("in hardware"));
    assert!(
        refused(|can| can.timestamping.as_mut().unwrap().stamps = vec!["rx-software"])
            .contains("in hardware")
    );
    assert!(
        refused(|can| can.timestamping.as_mut().unwrap().rx_filters = vec!["none", "ptpv2-event"])
            .contains("only some")
    );
    assert!(
        refused(|can| can.timestamping.as_mut().unwrap().phc = None).contains("cannot be read")
    );
}

/// A clock 1 h ahead at the kernel's 0 and faster by 50 ppm, which can be set.
#[derive(Clone, Default)]
struct Made(Arc<(AtomicI64, AtomicU64)>);

impl Made {
    fn shows(&self, monotonic_ns: u64) -> u64 {
        (monotonic_ns + monotonic_ns / 20_000 + 3_600_000_000_000)
            .wrapping_add_signed(self.0.0.load(Relaxed))
    }

    fn learned(&self) -> Learned<impl Read + use<>> {
        let clock = self.clone();
        let read = move || {
            clock.0.1.fetch_add(1, Relaxed);
            let before_ns = monotonic_ns();
            let nic_ns = clock.shows(before_ns);
            Ok(ClockReading { nic_ns, monotonic_ns: before_ns, error_ns: 1 })
        };
        learn_from(read).map_err(drop).unwrap()
    }

    /// Waits until it was read so often again.
    fn await_readings(&self, count: u64) {
        let until = self.0.1.load(Relaxed) + count;
        while self.0.1.load(Relaxed) < until {
            thread::sleep(Duration::from_millis(5));
        }
        // The reading is taken to the end.
        thread::sleep(Duration::from_millis(50));
    }
}

fn started(made: &Made) -> (NicClock, Arc<Mutex<Vec<Option<ClockLine>>>>) {
    let lines = Arc::<Mutex<Vec<_>>>::default();
    let heard = Arc::clone(&lines);
    let publish = move |line: Option<&ClockLine>| heard.lock().unwrap().push(line.copied());
    (NicClock::start(3, made.learned(), publish).unwrap(), lines)
}

#[test]
fn lines_follow_each_other_until_the_clock_is_dropped() {
    let made = Made::default();
    let (clock, lines) = started(&made);
    made.await_readings(3);
    let told = clock.told();
    assert!(told.trouble.is_none() && told.error_ns < 1_000, "{told:?}");
    drop(clock);
    let heard = lines.lock().unwrap().clone();
    assert!(heard.len() >= 4 && heard.iter().all(Option::is_some));
    for line in heard.into_iter().flatten() {
        let now = monotonic_ns();
        assert!(line.monotonic_at(made.shows(now)).abs_diff(now) < 1_000, "{line:?}");
    }
    thread::sleep(2 * BETWEEN);
    assert!(lines.lock().unwrap().len() < 6, "nobody reads it any more");
}

#[test]
fn a_clock_that_is_set_is_not_believed_until_it_is_known_again() {
    let made = Made::default();
    let (clock, lines) = started(&made);
    made.await_readings(1);
    made.0.0.store(-3_000_000, Relaxed);
    made.await_readings(2);
    let trouble = clock.told().trouble.unwrap();
    let by: i64 = trouble.split(' ').nth(2).unwrap().parse().unwrap();
    assert!(trouble.starts_with("jumped by") && (by + 3_000_000).abs() < 10_000, "{trouble}");
    assert_eq!(lines.lock().unwrap().last(), Some(&None));
    made.await_readings(8);
    let line = lines.lock().unwrap().last().copied().flatten().expect("it is known again");
    let now = monotonic_ns();
    assert!(line.monotonic_at(made.shows(now)).abs_diff(now) < 1_000);
    assert!(clock.told().trouble.is_some(), "of this trial");
    clock.begin();
    assert_eq!(clock.told().trouble, None, "the next one is not touched");
}

/// A frame without IP of stream 0 in trial 1 of the session with nonce 1.
fn frame(sequence: u32) -> Vec<u8> {
    let tag = u128::from(1_u32 << 6 | 1) << 88
        | u128::from(sequence) << 40
        | u128::from(monotonic_ns() & ((1 << 40) - 1));
    let tag = tag.to_be_bytes();
    [&[0; 12][..], &[0x88, 0xb5], &[0; 32], &tag[2..]].concat()
}

#[test]
fn frames_are_timed_by_the_lines_as_well_as_the_clock_is_said_to_be_known() {
    let streams = vec![StreamSetup::default()];
    let setup = AnalyserSetup { streams, ..AnalyserSetup::default() };
    let (mut analyser, mut fits) = Analyser::load_clock(&setup).unwrap();
    // The clock that analyser_clock.bpf.c makes up.
    let read = || {
        let before_ns = monotonic_ns();
        let nic_ns = before_ns - (before_ns >> 14) + 1_000_000_000_000;
        Ok(ClockReading { nic_ns, monotonic_ns: before_ns, error_ns: 10 })
    };
    let learned = learn_from(read).map_err(drop).unwrap();
    let clock = NicClock::start(0, learned, move |line| fits.publish(&fit_of(line))).unwrap();
    analyser.begin_trial(1, monotonic_ns());
    let mut worst_ns = 0;
    for sequence in 0..100 {
        let before_ns = monotonic_ns();
        analyser.test_run(&frame(sequence), 0, 1).unwrap();
        let arrived_ns = analyser.record(0, 0).last_rx_ns;
        worst_ns = worst_ns
            .max(before_ns.saturating_sub(arrived_ns))
            .max(arrived_ns.saturating_sub(monotonic_ns()));
        thread::sleep(BETWEEN / 20);
    }
    let port = analyser.port_record(0);
    assert_eq!((port.stamped, port.unstamped), (75, 25), "one in four has no stamp");
    let told = clock.told();
    assert_eq!(told.trouble, None);
    assert!(worst_ns <= told.error_ns, "{worst_ns} {told:?}");
}

#[test]
fn a_clock_that_cannot_be_read_is_none() {
    let why = learn_from(|| Err(io::Error::from_raw_os_error(libc::EOPNOTSUPP)));
    assert!(why.map(drop).unwrap_err().contains("not supported"));
    let error = learn(4_711).map(drop).unwrap_err();
    assert!(error.starts_with("/dev/ptp4711: No such file"), "{error}");
    assert_eq!(clock_in_words(4_711), error);
}

#[test]
fn the_note_says_which_frames_the_nic_timed() {
    let made = Made::default();
    let (clock, _) = started(&made);
    let note = |stamped, unstamped| {
        clock.note(&PortTotals { stamped, unstamped, ..PortTotals::default() })
    };
    assert_eq!(note(0, 0), "the NIC times its frames, by /dev/ptp3");
    assert!(note(9, 0).starts_with("the NIC timed its frames, by /dev/ptp3, known to +-"));
    assert!(note(0, 9).starts_with("the kernel timed its frames: the NIC gave none of 9 a stamp"));
    let mixed = note(999_999, 1);
    assert!(mixed.starts_with("the NIC timed 999999 of 1000000 frames (99.999 %)"), "{mixed}");
    assert!(mixed.contains("the kernel timed the others"), "{mixed}");
}
