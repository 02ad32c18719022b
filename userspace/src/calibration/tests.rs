use super::*;

fn end(port: &str) -> End {
    End {
        port: port.into(),
        mac: "02:00:00:00:00:01".into(),
        driver: "igb".into(),
        firmware: Some("3.1".into()),
        mtu: 1500,
        mode: "copy".into(),
        link_bps: Some(1_000_000_000),
    }
}

fn setting() -> Setting {
    Setting {
        tool: "0.1.0".into(),
        kernel: "6.18.0".into(),
        definition: "host".into(),
        clock: "monotonic".into(),
        tx: end("west"),
        rx: end("east@lab"),
    }
}

fn point(frame_bytes: u16, rate_pps: f64, min_ns: i64, p50_ns: i64, p99_ns: i64) -> Point {
    Point { frame_bytes, rate_pps, frames: 1000, min_ns, p50_ns, p99_ns, max_ns: 90_000 }
}

fn calibration() -> Calibration {
    Calibration {
        schema: SCHEMA.into(),
        measured: "2026-01-01T00:00:00Z".parse().unwrap(),
        setting: setting(),
        points: vec![
            point(64, 1e3, 900, 1000, 1300),
            point(64, 1e5, 500, 1200, 1500),
            point(1518, 1e3, 1900, 2000, 2100),
            point(1518, 1e5, 2300, 2400, 2450),
        ],
    }
}

fn at(time: &str) -> jiff::Timestamp {
    time.parse().unwrap()
}

#[test]
fn a_measured_point_gives_its_own_bias_and_spread() {
    let correction = calibration().correction(&(64..=64), 1000.0).unwrap();
    assert_eq!(correction, Correction { bias_ns: 1000, uncertainty_ns: 300 });
    let below = calibration().correction(&(64..=64), 1e5).unwrap();
    assert_eq!(below, Correction { bias_ns: 1200, uncertainty_ns: 700 }, "the least is further");
}

#[test]
fn between_points_what_they_differ_by_is_uncertain_too() {
    let rate = calibration().correction(&(64..=64), 5e4).unwrap();
    assert_eq!(rate, Correction { bias_ns: 1100, uncertainty_ns: 700 + 100 });
    let both = calibration().correction(&(64..=1000), 5e4).unwrap();
    assert_eq!(both, Correction { bias_ns: 1700, uncertainty_ns: 700 + 700 });
}

#[test]
fn what_was_not_measured_is_not_guessed() {
    let refused = |sizes, rate| calibration().correction(&sizes, rate).unwrap_err();
    assert_eq!(refused(64..=9000, 1e4), "it covers frames of 64 to 1518 octets");
    assert_eq!(refused(60..=64, 1e4), "it covers frames of 64 to 1518 octets");
    assert!(refused(64..=64, 2e5).contains("the port sends 200000"));
    assert!(refused(64..=64, 10.0).contains("1000 to 100000 frames/s"));
    let empty = Calibration { points: Vec::new(), ..calibration() };
    assert!(empty.correction(&(64..=64), 1e3).is_err());
}

#[test]
fn every_change_makes_it_stale_and_is_named() {
    let now = at("2026-01-02T00:00:00Z");
    assert_eq!(calibration().stale(&setting(), now), None);
    let stale = |edit: &dyn Fn(&mut Setting)| {
        let mut changed = setting();
        edit(&mut changed);
        calibration().stale(&changed, now).unwrap_or_default()
    };
    let expect = |edit: &dyn Fn(&mut Setting), text: &str| assert_eq!(stale(edit), text);
    expect(&|s| s.kernel = "7".into(), "the kernel was 6.18.0 and is 7");
    expect(&|s| s.tool = "0.2.0".into(), "linerate was 0.1.0 and is 0.2.0");
    expect(&|s| s.clock = "nic".into(), "the clock was monotonic and is nic");
    expect(&|s| s.tx.driver = "ice".into(), "the driver of west was igb and is ice");
    expect(&|s| s.rx.firmware = None, "the firmware of east@lab was 3.1 and is none");
    expect(&|s| s.rx.mtu = 9000, "the MTU of east@lab was 1500 and is 9000");
    expect(&|s| s.tx.mode = "zero-copy".into(), "the mode of west was copy and is zero-copy");
    assert!(stale(&|s| s.tx.mac = "02:00:00:00:00:02".into()).contains("hardware address"));
    assert!(stale(&|s| s.rx.link_bps = None).contains("1000000000 bit/s and is none"));
}

#[test]
fn it_ages() {
    let stale = |now: &str| calibration().stale(&setting(), at(now));
    assert_eq!(stale("2026-01-31T00:00:00Z"), None);
    assert_eq!(stale("2026-02-01T00:00:00Z").unwrap(), "it is 31 days old, over 30");
    assert_eq!(stale("2025-12-31T00:00:00Z"), None, "a clock that went back is no age");
}

#[test]
fn what_was_kept_is_read_again_and_other_kinds_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let load = || load(&state, "west", "east@lab");
    assert_eq!(load().unwrap(), None);
    let path = save(&state, &calibration()).unwrap();
    assert_eq!(load().unwrap(), Some(calibration()));
    std::fs::write(&path, "{").unwrap();
    assert!(load().unwrap_err().to_string().contains("calibrate again"));
    std::fs::write(&path, r#"{"schema": "linerate.calibration/2"}"#).unwrap();
    assert!(load().unwrap_err().to_string().contains("linerate.calibration/2"));
}
