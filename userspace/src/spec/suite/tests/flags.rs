//! Flags go before the file, the file before the profile.

use super::{TOPOLOGY, no_flags, rfc2544, simulated};
use crate::{
    spec::suite::*,
    units::{Rate, Ratio, format_duration},
};
use proptest::prelude::*;
use std::time::Duration;

#[test]
fn flags_alone_are_enough() {
    let flags = SuiteFlags {
        tx: Some("ens1f0".to_owned()),
        rx: Some("gen1@lab".to_owned()),
        tests: Some("throughput,back-to-back".to_owned()),
        sizes: Some("64,1518,imix".to_owned()),
        resolution: Some("1fps".to_owned()),
        max_rate: Some("50%".to_owned()),
        profile: Some("rfc".to_owned()),
        ..SuiteFlags::default()
    };
    let spec = SuiteFile::from_flags(&flags).unwrap().rfc2544().unwrap();
    let pairs = vec![("ens1f0".to_owned(), "gen1@lab".to_owned())];
    assert_eq!(spec.suite.topology, Topology::Pairs { pairs, both: false });
    assert_eq!(spec.suite.ports.len(), 2);
    assert_eq!(spec.suite.frames.len(), 3);
    assert_eq!(spec.throughput.resolution, Resolution::Fps(Ratio::ONE));
    assert_eq!(spec.throughput.max_rate, Rate::LineShare(Ratio::new(1, 2)));
    assert_eq!(spec.throughput.trial, Duration::from_mins(1));
    assert!(spec.back_to_back.is_some() && spec.latency.is_none() && spec.loss.is_none());
}

#[test]
fn a_device_of_the_flag_stands_instead_of_the_ports_of_the_file() {
    let suite = rfc2544(TOPOLOGY, &simulated()).suite;
    let device = "link=10G".to_owned();
    assert_eq!(suite.topology, Topology::Simulated { device: device.clone(), both: true });
    assert!(suite.ports.is_empty());
    let alone = SuiteFile::from_flags(&simulated()).unwrap().rfc2544().unwrap().suite;
    assert_eq!(alone.topology, Topology::Simulated { device: device.clone(), both: false });
    let both = SuiteFlags { bidir: true, ..simulated() };
    let both = SuiteFile::from_flags(&both).unwrap().rfc2544().unwrap().suite;
    assert_eq!(both.topology, Topology::Simulated { device, both: true });
}

#[test]
fn ports_of_flags_stand_instead_of_those_of_the_file() {
    let flags = SuiteFlags {
        tx: Some("ens1f0".to_owned()),
        rx: Some("ens1f1".to_owned()),
        ..SuiteFlags::default()
    };
    let suite = rfc2544("[topology]\ndut = \"sim:link=1G\"\n", &flags).suite;
    let names: Vec<_> = suite.ports.iter().map(|port| port.name.as_str()).collect();
    assert_eq!(names, ["ens1f0", "ens1f1"]);
}

#[test]
fn rfc_stands_for_seven_sizes() {
    let flags = SuiteFlags { sizes: Some("rfc".to_owned()), ..simulated() };
    assert_eq!(rfc2544("sizes = [9000]", &flags).suite.frames.len(), 7);
}

#[test]
fn a_flag_hides_no_mistake_of_the_file() {
    let flags = SuiteFlags { trial: Some("5s".to_owned()), ..simulated() };
    let file = SuiteFile::from_toml("[throughput]\ntrial = \"never\"\n", &flags).unwrap();
    assert!(file.rfc2544().unwrap_err().to_string().contains("throughput.trial"));
}

#[test]
fn bounds_for_rows_that_a_flag_leaves_out_are_kept_and_harm_nobody() {
    let flags = SuiteFlags { sizes: Some("1518".to_owned()), ..simulated() };
    let spec = rfc2544("sizes = [64]\n[pass]\nthroughput = {64 = \">=95%\"}\n", &flags);
    assert_eq!(spec.suite.frames.len(), 1);
}

fn milliseconds() -> impl Strategy<Value = Duration> {
    (10..600_000_u64).prop_map(Duration::from_millis)
}

proptest! {
    #[test]
    fn trial_and_repeats_set_every_chosen_test(
        trial in milliseconds(),
        repeats in 1..1000_u32,
        in_file in milliseconds(),
    ) {
        let file = format!(
            "[throughput]\ntrial = \"{0}\"\n[latency]\nrepeats = 7\n[recovery]\noverload = \"{0}\"\n",
            format_duration(in_file)
        );
        let of_file = rfc2544(&file, &simulated());
        prop_assert_eq!(of_file.throughput.trial, in_file);
        prop_assert_eq!(of_file.latency.as_ref().unwrap().repeats, 7);
        let flags = SuiteFlags {
            trial: Some(format_duration(trial)),
            repeats: Some(repeats.to_string()),
            ..simulated()
        };
        let spec = rfc2544(&file, &flags);
        let latency = spec.latency.unwrap();
        prop_assert_eq!(spec.throughput.trial, trial);
        prop_assert_eq!(latency.trial, trial);
        prop_assert_eq!(latency.from, trial / 2);
        prop_assert_eq!(spec.loss.unwrap().trial, trial);
        prop_assert_eq!(spec.recovery.unwrap().overload, trial);
        prop_assert_eq!(latency.repeats, repeats);
        prop_assert_eq!(spec.back_to_back.unwrap().repeats, repeats);
        prop_assert_eq!(spec.recovery.unwrap().repeats, repeats);
    }

    #[test]
    fn ratios_are_read_exactly(digits in 1..100_000_000_u64) {
        // Eight decimals of a percentage.
        let shown = format!("{}.{:08}%", digits / 100_000_000, digits % 100_000_000);
        let file = format!("[throughput]\nmax_loss = \"{shown}\"\nresolution = \"{shown}\"\n");
        let exact = Ratio::new(digits.into(), 10_000_000_000);
        let spec = rfc2544(&file, &simulated());
        prop_assert_eq!(spec.throughput.max_loss, exact);
        prop_assert_eq!(spec.throughput.resolution, Resolution::Share(exact));
    }

    #[test]
    fn no_text_panics(words in prop::collection::vec("[-0-9.a-z%>=<\"\\[\\]{}, ]{0,16}", 6)) {
        let keys = ["sizes", "throughput.trial", "latency.at", "pass.throughput", "topology.pairs", "mlrsearch.goals"];
        let lines: Vec<_> = keys.iter().zip(&words).map(|(key, word)| format!("{key} = {word}")).collect();
        let file = lines.join("
");
        if let Ok(file) = SuiteFile::from_toml(&file, &no_flags()) {
            let _ = (file.rfc2544(), file.mlrsearch(), file.y1564());
        }
        let flags = SuiteFlags {
            sizes: Some(words[0].clone()), trial: Some(words[1].clone()), tests: Some(words[2].clone()),
            resolution: Some(words[3].clone()), max_rate: Some(words[4].clone()), goals: Some(words[5].clone()),
            ..simulated()
        };
        let _ = SuiteFile::from_flags(&flags).and_then(|file| file.rfc2544());
    }
}
