//! Case 2 of reference measurements, a device that is limited by headers, with every test.

use crate::report::suite::*;
use crate::report::{Host, Tool};
use serde_json::json;

/// A result with everything in it.
pub(in crate::report::suite) fn sample() -> BenchResult {
    SuiteResult {
        schema: "linerate.rfc2544/1".into(),
        tool: Tool { name: "linerate".into(), version: "0.1.0".into(), git: None },
        host: Host {
            name: "lab".into(),
            kernel: "6.18.0".into(),
            machine: "x86_64".into(),
            cpu: None,
            cpus: 2,
        },
        started: "2026-01-02T03:04:05Z".into(),
        ended: "2026-01-02T04:04:05Z".into(),
        duration_ns: 3_600_000_000_000,
        verdict: SuiteVerdict::Done,
        reasons: vec!["64: <script>alert(1)</script> & \"quotes\"".into()],
        ports: vec![port("west"), port("east")],
        setup: setup(),
        rows: vec![
            row("64", 14_880_952.380_952_38, 10_000_017.0),
            row("1518", 812_743.823, 812_743.823),
        ],
        trials: vec![
            trial(1, 14_880_952.38, 4_880_000),
            trial(2, 7_440_476.19, 0),
            trial(3, 10_000_017.0, 0),
        ],
    }
}

fn port(name: &str) -> SuitePort {
    SuitePort {
        name: name.into(),
        interface: "ens1f0".into(),
        driver: "ice".into(),
        tx_mode: Some("zero-copy".into()),
        rx_mode: Some("native".into()),
        clock: "monotonic".into(),
        queues: 4,
        link_bps: Some(10_000_000_000),
        calibration: None,
        settings_changed: vec![json!({"setting": "lro", "from": "on", "to": "off"})],
    }
}

fn setup() -> SuiteSetup {
    SuiteSetup {
        profile: "quick".into(),
        simulated: None,
        seed: None,
        device: Some("Router <X> 1.2".into()),
        directions: vec![
            DirectionSetup { tx: "west".into(), rx: "east".into(), link_bps: 10_000_000_000 },
            DirectionSetup { tx: "east".into(), rx: "west".into(), link_bps: 10_000_000_000 },
        ],
        frames: "appendix-c".into(),
        networks: 1,
        modifiers: Vec::new(),
        media_overhead_bytes: 20,
        definition: Some("store-and-forward".into()),
        timing: Timing {
            learning_frames: 3,
            learning_refresh_ns: 60_000_000_000,
            before_ns: 100_000_000,
            residual_ns: 2_000_000_000,
            after_ns: 100_000_000,
        },
        compliance: Compliance {
            level: Some("none".into()),
            deviations: vec!["trials of 1s rather than 60s (RFC 2544 section 24, SHOULD)".into()],
        },
        config: Configuration {
            sha256: "0".repeat(64),
            arguments: vec!["linerate".into(), "rfc2544".into()],
            suite_file: Some("sizes = [64, 1518] # <b>".into()),
            flow_file: None,
            effective: json!({"profile": "quick"}),
        },
    }
}

fn row(name: &str, theoretical_fps: f64, fps: f64) -> BenchRow {
    let ratio = fps / theoretical_fps;
    BenchRow {
        frame: FrameResult {
            kind: "fixed".into(),
            name: name.into(),
            size: name.parse().ok(),
            mean_bytes: name.parse().unwrap_or(353.833),
        },
        theoretical_fps,
        verdict: SuiteVerdict::Done,
        reasons: Vec::new(),
        thresholds: Vec::new(),
        throughput: Some(ThroughputResult {
            bound: ThroughputBound::Exact,
            limited_by: Some("device".into()),
            max_loss: 0.0,
            resolution_fps: Some(1.0),
            fps: Some(fps),
            ratio: Some(ratio),
            next_failing_fps: Some(fps + 1.0),
            next_failing_loss_ratio: Some(1e-9),
            verified_duration_ns: Some(60_000_000_000),
            trial: Some(3),
            trials: 3,
            load_independent_loss_ratio: None,
            reason: None,
            per_direction: ["west", "east"]
                .map(|tx| DirectionRate {
                    tx: tx.into(),
                    rx: "other".into(),
                    fps: fps / 2.0,
                    ratio,
                })
                .to_vec(),
        }),
        latency: Some(vec![latency("50%", fps / 2.0, 10_000), latency("throughput", fps, 90_000)]),
        frame_loss: Some(vec![
            loss(1.0, theoretical_fps, 32_799_885),
            loss(0.6, theoretical_fps * 0.6, 0),
        ]),
        back_to_back: Some(BackToBackResult {
            valid: true,
            reason: None,
            repeats: 50,
            frames_mean: Some(3119.0),
            frames_min: Some(3100),
            frames_max: Some(3130),
            frames_stddev: Some(4.5),
            implied_buffer_ns: Some(209_597.0),
            corrected_buffer_ns: Some(68_748.0),
            corrected_buffer_frames: Some(1023.03),
            max_rate_fps: theoretical_fps,
            verifications: 1,
            bursts_frames: vec![3100, 3130],
            throughput_fps: Some(fps),
            step_frames: 1,
            burst_limit_ns: 2_000_000_000,
        }),
        system_recovery: Some(RecoveryResult {
            valid: true,
            reason: None,
            repeats: 3,
            overload_fps: Some(fps * 1.1),
            reduced_fps: Some(fps * 0.55),
            mean_ns: Some(102_000.0),
            min_ns: Some(100_000),
            max_ns: Some(104_000),
            times_ns: vec![100_000, 104_000],
        }),
        reset: Some(ResetResult {
            valid: true,
            reason: None,
            repeats: 1,
            rate_fps: Some(fps),
            by_loss_mean_ns: Some(42_000_000_000.0),
            by_time_mean_ns: Some(42_100_000_000.0),
            by_loss_ns: vec![42_000_000_000],
            by_time_ns: vec![42_100_000_000],
        }),
        goals: Some(vec![GoalResult {
            name: "NDR".into(),
            final_trial_ns: 1_000_000_000,
            duration_sum_ns: 21_000_000_000,
            loss_ratio: 0.0,
            exceed_ratio: 0.5,
            initial_trial_ns: 1_000_000_000,
            width: 0.005,
            relevant_lower_bound_fps: Some(fps * 0.999),
            relevant_upper_bound_fps: Some(fps * 1.001),
            conditional_throughput_fps: Some(fps * 0.999),
            regular: true,
            reason: None,
            trials: 12,
        }]),
    }
}

fn latency(at: &str, rate_fps: f64, mean_ns: i64) -> LatencyAtResult {
    LatencyAtResult {
        at: at.into(),
        rate_fps,
        derated: false,
        mean_ns: Some(mean_ns as f64),
        min_ns: Some(-714),
        p50_ns: Some(mean_ns),
        p99_ns: Some(mean_ns * 2),
        p999_ns: Some(mean_ns * 3),
        max_ns: Some(mean_ns * 4),
        uncertainty_ns: Some(120),
        definition: "store-and-forward".into(),
        repeats: 20,
        lost_frames: 0,
        valid: true,
        reason: None,
        per_direction: Vec::new(),
    }
}

fn loss(offered_ratio: f64, offered_fps: f64, lost_frames: u64) -> FrameLossResult {
    FrameLossResult {
        offered_ratio,
        offered_fps,
        actual_fps: Some(offered_fps),
        valid: true,
        reason: None,
        trial: Some(1),
        tx_frames: Some(100_000_000),
        rx_unique_frames: Some(100_000_000 - lost_frames),
        lost_frames: Some(lost_frames),
        loss_ratio: Some(lost_frames as f64 / 1e8),
        duplicate_frames: Some(0),
        reordered_frames: Some(0),
    }
}

fn trial(id: u32, intended_fps: f64, lost_frames: u64) -> TrialRow {
    TrialRow {
        id,
        test: "throughput".into(),
        frame: "64".into(),
        goal: None,
        intended_fps,
        actual_fps: Some(intended_fps),
        duration_ns: 1_000_000_000,
        tx_frames: intended_fps as u64,
        rx_unique_frames: intended_fps as u64 - lost_frames,
        lost_frames,
        loss_ratio: Some(lost_frames as f64 / intended_fps),
        unsent_frames: 0,
        duplicate_frames: 0,
        reordered_frames: 0,
        corrupt_frames: 0,
        stale_frames: 0,
        tester_drops: 0,
        latency_mean_ns: None,
        latency_p99_ns: None,
        lower_fps: None,
        upper_fps: None,
        valid: true,
        reason: None,
    }
}
