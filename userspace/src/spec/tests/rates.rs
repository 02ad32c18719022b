//! Frames asked for, and rates against the line.

use super::{LAYERS, flow};
use crate::{
    spec::{Overrides, Spec},
    units::Ratio,
};
use proptest::prelude::*;

const TEN_GIG: u64 = 10_000_000_000;

#[test]
fn the_mean_size_is_that_of_a_cycle() {
    assert_eq!(flow("size = 64").mean_size(), Ratio::from(64));
    assert_eq!(flow("size = [64, 65]").mean_size(), Ratio::new(129, 2));
    assert_eq!(flow("size = \"imix\"").mean_size(), Ratio::new(4246, 12));
    assert_eq!(flow("size = \"imix:trex\"").mean_size(), Ratio::new(4342, 12));
}

#[test]
fn requested_frames_are_the_floor_of_rate_times_seconds() {
    for (lines, frames) in [
        ("rate = \"100kpps\"\nduration = \"10s\"", Some(1_000_000)),
        ("rate = \"100%\"\nduration = \"1s\"", Some(14_880_952)),
        ("rate = \"100%\"\nduration = \"7s\"", Some(104_166_666)),
        ("rate = \"10%\"\nduration = \"60s\"\nsize = 1518", Some(4_876_462)),
        ("rate = \"1Gbps-l1\"\nduration = \"3s\"\nsize = \"imix\"", Some(1_003_120)),
        ("rate = \"1.5pps\"\nduration = \"1s\"", Some(1)),
        ("rate = \"1pps\"\nduration = \"999ms\"", Some(0)),
        ("rate = \"3pps\"\nduration = \"1s\"", Some(3)),
        ("rate = \"0.3pps\"\nduration = \"10s\"", Some(3)),
        (
            "rate = \"33.333333%\"\nduration = \"720000h\"\nsize = {range = \"64-9216\"}",
            Some(231_759_654_334_763),
        ),
        ("rate = \"1pps\"\nframes = 12345", Some(12_345)),
        ("rate = \"1pps\"\nburst = {frames = 16, gap = \"1ms\", repeat = 100}", Some(1_600)),
        ("rate = \"1pps\"", None),
    ] {
        let flow = flow(lines);
        let pps = flow.frames_per_second(TEN_GIG).unwrap();
        assert_eq!(flow.requested_frames(pps), frames, "{lines}");
    }
    assert_eq!(flow("rate = \"max\"").frames_per_second(TEN_GIG), None);
}

#[test]
fn bursts_within_a_time_fill_it_up_to_the_last_part() {
    // Ten frames take 1 ms, then 1 ms of silence.
    let mut spec = Spec::from_toml(&super::file(&format!(
        "{LAYERS}\nrate = \"10kpps\"\nburst = {{frames = 10, gap = \"1ms\"}}"
    )))
    .unwrap();
    for (time, frames) in
        [("1s", 5_000), ("1ms", 10), ("2ms", 10), ("2500us", 15), ("100us", 1), ("99us", 0)]
    {
        let overrides =
            crate::spec::Overrides { duration: Some(time.into()), ..Default::default() };
        spec.apply(&overrides).unwrap();
        let pps = spec.flows[0].frames_per_second(TEN_GIG).unwrap();
        assert_eq!(spec.flows[0].requested_frames(pps), Some(frames), "{time}");
    }
}

/// What is said about flows with these rates from one port of 10G.
fn check(rates: &[&str]) -> Result<(), String> {
    let flow = |(at, rate): (usize, &&str)| {
        format!("[[flow]]\nname = \"f{at}\"\ntx = \"a\"\nrx = \"b\"\nrate = \"{rate}\"\n")
    };
    let flows = rates.iter().enumerate().map(flow).collect::<Vec<_>>().concat();
    let spec = Spec::from_toml(&format!("[defaults]\n{LAYERS}\n{flows}")).unwrap();
    spec.check_line_rates(&[TEN_GIG, 0]).map_err(|error| error.to_string())
}

#[test]
fn rates_up_to_the_line_pass_alone_and_together() {
    for rates in [
        ["100%"].as_slice(),
        &["10Gbps-l1"],
        &["7619047619.04bps"],
        &["14880952.3809pps"],
        &["50%", "50%", "max", "max"],
        &["33.333333%", "33.333333%", "33.333333%"],
        &["5Gbps-l1", "25%", "2.5Gbps-l1"],
        &["max"],
    ] {
        assert_eq!(check(rates), Ok(()), "{rates:?}");
    }
}

#[test]
fn rates_over_the_line_name_the_flow_and_its_place() {
    for rates in [["10.000001Gbps-l1"], ["7619047619.05bps"], ["14880953pps"], ["1Tbps"]] {
        let said = check(&rates).unwrap_err();
        assert!(said.starts_with("line 7, column 8: flow[0].rate: flow \"f0\" asks for"), "{said}");
        assert!(said.ends_with("; allowed: at most 100% of L1 line rate"), "{said}");
    }
    for rates in [["50%", "50.000001%"], ["9.5Gbps-l1", "1Mpps"], ["1pps", "100%"]] {
        let said = check(&rates).unwrap_err();
        assert!(
            said.starts_with("line 12, column 8: flow[1].rate: with flow \"f1\" the flows of"),
            "{said}"
        );
    }
}

#[test]
fn only_the_transmitting_port_is_summed() {
    let spec = Spec::from_toml(&format!(
        r#"
        defaults = {{rate = "100%", {LAYERS}}}
        flow = [{{name = "a", tx = "w1", rx = "e"}}, {{name = "b", tx = "w2", rx = "e", bidir = false}}]
        "#
    ))
    .unwrap();
    assert!(spec.check_line_rates(&[TEN_GIG; 3]).is_ok());
}

#[test]
fn a_line_in_the_file_goes_before_what_the_link_reports() {
    let text = |line: &str, rate: &str| {
        let lines = format!("{LAYERS}\nrate = \"{rate}\"");
        format!("[ports]\nwest = {{if = \"a\"{line}}}\n{}", super::file(&lines))
    };
    let check = |line, rate, link| {
        let checked = Spec::from_toml(&text(line, rate)).unwrap().check_line_rates(&[link, link]);
        checked.map_err(|error| error.to_string())
    };
    assert_eq!(check("", "2Gbps-l1", TEN_GIG), Ok(()));
    let said = check(", line = \"1G\"", "2Gbps-l1", TEN_GIG).unwrap_err();
    assert!(said.contains("whose line carries 1Gbps-l1"), "{said}");
    assert_eq!(check(", line = \"1G\"", "50%", 0), Ok(()));
    assert_eq!(check("", "2Gbps", 0), Ok(()), "nothing is known against it");
    let said = check("", "50%", 0).unwrap_err();
    assert!(said.contains("does not report") && said.contains("line = \"10G\""), "{said}");
}

proptest! {
    /// Whatever digits a file and --scale combine, the arithmetic stays within its 128 bits.
    #[test]
    fn no_rate_that_can_be_written_overflows(
        digits in "[1-9][0-9]{0,11}", point in 0..10_usize, prefix in 0..5_usize, unit in 0..4_usize,
        scale in "[1-9][0-9]{0,2}\\.[0-9]{5}[1-9]", size in 0..3_usize, hours in 1..800_000_u32,
        line in prop_oneof![Just(10_u64), Just(10_000_000_000), Just(799_999_999_999), Just(999_999_999_999_999)],
    ) {
        let (prefix, unit) = (["", "k", "M", "G", "T"][prefix], ["pps", "bps", "bps-l1", "%"][unit]);
        let prefix = if unit == "%" { "" } else { prefix };
        let (whole, fraction) = digits.split_at(digits.len().saturating_sub(point));
        let whole = if whole.is_empty() { "0" } else { whole };
        let fraction = if fraction.is_empty() { "0" } else { fraction };
        let size = ["64", "{range = \"64-9216\"}", "{weights = {64 = 65521, 9216 = 13}}"][size];
        let lines = format!("{LAYERS}\nrate = \"{whole}.{fraction}{prefix}{unit}\"\nsize = {size}\nduration = \"{hours}h\"");
        let Ok(mut spec) = Spec::from_toml(&super::file(&lines)) else { return Ok(()) };
        let scale = Overrides { scale: Some(format!("{scale}%")), ..Overrides::default() };
        let _ = spec.apply(&scale);
        let _ = spec.check_line_rates(&[line, line]);
        let flow = &spec.flows[0];
        let frames = flow.requested_frames(flow.frames_per_second(line).unwrap_or(Ratio::ONE));
        prop_assert!(frames.is_some());
    }
}
