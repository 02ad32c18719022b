//! One stream that several ports receive.

use crate::common::{
    SECOND,
    frame::{IPV4, tag},
    now_ns, require_root, setup, take,
};
use xdp_ebpf::{Analyser, AnalyserSetup, Role, XdpMode};

#[test]
fn a_frame_that_came_to_two_ports_is_unique_once() {
    require_root();
    let shared = AnalyserSetup { shared_windows: true, ..setup(1) };
    let mut west = Analyser::load(&shared, XdpMode::Native).unwrap();
    let mut other = shared;
    // What one port expects and the other does not, has its window all the same.
    other.streams[0].role = Role::Elsewhere;
    let mut east = Analyser::load_beside(&other, XdpMode::Native, &west).unwrap();
    for trial in 1..=2 {
        let base_ns = now_ns() - 30 * SECOND;
        west.begin_trial(trial, base_ns);
        east.begin_trial(trial, base_ns);
        let frame = |sequence| {
            let mut tag = tag(sequence);
            (tag.stream, tag.trial) = (1, trial);
            IPV4.frame(tag)
        };
        for sequence in [0, 2, 3] {
            take(&west, &frame(sequence));
        }
        for sequence in [1, 2, 5] {
            take(&east, &frame(sequence));
        }
        let counts = [&west, &east].map(|analyser| {
            let record = analyser.record(1, 0);
            (record.unique, record.duplicate)
        });
        assert_eq!(counts, [(3, 0), (2, 1)], "trial {trial}");
        assert_eq!(west.window(1).word[0] as u32, 0b10_1111);
    }
}
