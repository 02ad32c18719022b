use super::*;
use crate::{
    suite::{DirectionResult, LatencyStats, Stage, Test},
    units::FrameSize,
};
use std::{fs, path::PathBuf};

/// Loses a frame of every hundred, and counts how often it is asked.
#[derive(Default)]
struct Device {
    trials: u32,
    ceilings: u32,
}

impl Trial for Device {
    fn directions(&self) -> &[Direction] {
        &[]
    }

    fn ceiling_fps(&mut self, _: &Frame) -> Result<Option<Ratio>, TrialError> {
        self.ceilings += 1;
        Ok(Some(Ratio::new(1_000_000_007, 3)))
    }

    fn run(&mut self, plan: &TrialPlan) -> Result<TrialResult, TrialError> {
        self.trials += 1;
        let tx_frames = plan.loads[0].stages[0].frames;
        let lost_frames = tx_frames / 100;
        // A mean that has no short decimal.
        let mean_ns = tx_frames as f64 / 0.3;
        let latency = LatencyStats {
            count: tx_frames,
            min_ns: -3,
            mean_ns,
            p50_ns: 1,
            p99_ns: 2,
            p999_ns: 3,
            max_ns: 4,
            uncertainty_ns: None,
        };
        let direction = DirectionResult {
            tx_frames,
            lost_frames,
            rx_unique_frames: tx_frames - lost_frames,
            latency: Some(latency),
            ..DirectionResult::default()
        };
        Ok(TrialResult {
            directions: vec![direction],
            latency: Some(latency),
            duration_ns: 1_000_000_000,
            duration_with_overheads_ns: 3_000_000_000,
            invalid: None,
        })
    }
}

fn header(config: &str) -> LogHeader {
    LogHeader { suite: "rfc2544".into(), config: config.into(), directions: Vec::new() }
}

fn plan(frames: u64) -> TrialPlan {
    let stage = Stage { fps: Ratio::new(312_500_000, 21), frames };
    TrialPlan::same(Test::Throughput, 1, &Frame::fixed(FrameSize::MIN), &[stage])
}

/// The ceiling and so many trials, each of more frames than the one before.
fn run(
    log: &mut TrialLog,
    device: &mut Device,
    trials: u64,
) -> Result<Vec<TrialResult>, TrialError> {
    let mut trouble = |error: &io::Error| panic!("{error}");
    let mut logged = Logged::new(device, log, &mut trouble);
    logged.ceiling_fps(&Frame::fixed(FrameSize::MIN))?;
    (1..=trials).map(|trial| logged.run(&plan(trial * 1000 + 7))).collect()
}

fn directory() -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("trials.jsonl");
    (directory, path)
}

#[test]
fn a_resumed_suite_asks_only_for_what_is_not_logged_and_ends_the_same() {
    let (_keep, path) = directory();
    let mut log = TrialLog::create(&path, header("a")).unwrap();
    let whole = run(&mut log, &mut Device::default(), 9).unwrap();
    drop(log);
    run(&mut TrialLog::create(&path, header("a")).unwrap(), &mut Device::default(), 4).unwrap();
    for trials in [6, 9] {
        let mut log = TrialLog::resume(&path, &header("a")).unwrap();
        let (logged, mut device) = (log.trials() as u64, Device::default());
        assert_eq!(run(&mut log, &mut device, trials).unwrap(), whole[..trials as usize]);
        assert_eq!((u64::from(device.trials), device.ceilings), (trials - logged, 0));
    }
    assert_eq!(TrialLog::resume(&path, &header("a")).unwrap().trials(), 9);
}

#[test]
fn every_trial_is_a_line_on_disk_before_the_next_begins() {
    let (_keep, path) = directory();
    let mut log = TrialLog::create(&path, header("a")).unwrap();
    let lines = || fs::read_to_string(&path).unwrap().lines().count();
    for trials in 1..4 {
        let (mut device, mut trouble) = (Device::default(), |error: &io::Error| panic!("{error}"));
        Logged::new(&mut device, &mut log, &mut trouble).run(&plan(trials)).unwrap();
        assert_eq!(lines() as u64, 1 + trials);
    }
}

#[test]
fn a_line_that_was_torn_is_measured_again() {
    let (_keep, path) = directory();
    run(&mut TrialLog::create(&path, header("a")).unwrap(), &mut Device::default(), 3).unwrap();
    let octets = fs::read(&path).unwrap();
    for cut in [1, 2, 100] {
        fs::write(&path, &octets[..octets.len() - cut]).unwrap();
        let mut log = TrialLog::resume(&path, &header("a")).unwrap();
        assert_eq!(log.trials(), 2);
        let mut device = Device::default();
        run(&mut log, &mut device, 3).unwrap();
        assert_eq!(device.trials, 1);
    }
    assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 1 + 1 + 3);
}

#[test]
fn a_log_of_something_else_is_refused_and_left_alone() {
    let (_keep, path) = directory();
    run(&mut TrialLog::create(&path, header("a")).unwrap(), &mut Device::default(), 1).unwrap();
    let octets = fs::read(&path).unwrap();
    let way = Direction { tx: "west".into(), rx: "east".into(), link_bps: 1 };
    for (other, word) in [
        (header("b"), "another configuration"),
        (LogHeader { suite: "y1564".into(), ..header("a") }, "the suite rfc2544"),
        (LogHeader { directions: vec![way], ..header("a") }, "other ports"),
    ] {
        let error = TrialLog::resume(&path, &other).unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
    }
    assert_eq!(fs::read(&path).unwrap(), octets);
    fs::write(&path, "{\"schema\": \"linerate.run/1\"}\n").unwrap();
    assert!(matches!(TrialLog::resume(&path, &header("a")), Err(LogError::Foreign { .. })));
    fs::write(&path, "").unwrap();
    assert!(matches!(TrialLog::resume(&path, &header("a")), Err(LogError::Foreign { .. })));
    let absent = path.with_file_name("absent");
    assert!(matches!(TrialLog::resume(&absent, &header("a")), Err(LogError::Io { .. })));
}

#[test]
fn a_damaged_line_in_the_middle_is_named() {
    let (_keep, path) = directory();
    run(&mut TrialLog::create(&path, header("a")).unwrap(), &mut Device::default(), 3).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    let lines: Vec<_> =
        text.lines().enumerate().map(|(at, line)| if at == 2 { "{}" } else { line }).collect();
    fs::write(&path, lines.join("\n") + "\n").unwrap();
    let error = TrialLog::resume(&path, &header("a")).unwrap_err();
    assert!(matches!(error, LogError::Damaged { line: 3, .. }), "{error}");
}

#[test]
fn a_search_that_goes_another_way_is_no_answer() {
    let (_keep, path) = directory();
    run(&mut TrialLog::create(&path, header("a")).unwrap(), &mut Device::default(), 3).unwrap();
    let mut log = TrialLog::resume(&path, &header("a")).unwrap();
    let (mut device, mut trouble) = (Device::default(), |error: &io::Error| panic!("{error}"));
    let mut logged = Logged::new(&mut device, &mut log, &mut trouble);
    // The log has a ceiling first.
    let error = logged.run(&plan(1)).unwrap_err();
    assert!(matches!(error, TrialError::Failed { exit_code: 64, .. }), "{error}");
    assert_eq!(device.trials, 0);
}

#[test]
fn a_log_has_one_writer() {
    let (_keep, path) = directory();
    let log = TrialLog::create(&path, header("a")).unwrap();
    assert!(matches!(TrialLog::resume(&path, &header("a")), Err(LogError::Busy { .. })));
    assert!(matches!(TrialLog::create(&path, header("b")), Err(LogError::Busy { .. })));
    drop(log);
    assert!(TrialLog::resume(&path, &header("a")).is_ok());
}
