//! Streams and queues are not the same thing: one stream on several receive queues,
//! one flow on several transmit queues.

use crate::testbed::{
    Act, Behaviour, Device, Lab, Linerate, Port, RunResult, much_of_the_machine, one_flow,
};

const FRAMES: u64 = 10_000;

fn flow() -> String {
    one_flow(&format!("rate = \"10kpps\"\nframes = {FRAMES}"))
}

/// Frames that native XDP saw on each of two receive queues.
fn received_by_queue(port: &Port) -> [u64; 2] {
    ["rx_queue_0_xdp_packets", "rx_queue_1_xdp_packets"].map(|name| port.driver_statistic(name))
}

#[test]
fn one_stream_sprayed_over_two_receive_queues_is_counted_exactly() {
    let lab = Lab::with_device();
    let device = Device::eastward(&lab, Behaviour { spray: true, ..Behaviour::default() });
    let result = Linerate::run(&lab.flow_file(&flow())).exits(0).result();
    assert_eq!(device.stop().forwarded, FRAMES);
    assert_eq!(received_by_queue(&lab.east), [FRAMES / 2; 2], "the testbed did not spray");
    // Order is judged per receiving queue, and there nothing was out of order.
    result.flow("f").assert_clean(FRAMES);
}

#[test]
fn a_copy_on_another_queue_is_a_duplicate() {
    let lab = Lab::with_device();
    let behaviour = Behaviour { spray: true, ..Behaviour::of(|_| Act::Duplicate) };
    let device = Device::eastward(&lab, behaviour);
    let result = Linerate::run(&lab.flow_file(&flow())).exits(0).result();
    assert_eq!(device.stop().duplicated, FRAMES);
    assert_eq!(received_by_queue(&lab.east), [FRAMES; 2], "the testbed did not spray");
    let row = result.flow("f");
    row.assert_counts(&[("rx_unique_frames", FRAMES), ("lost_frames", 0)]);
    row.assert_counts(&[("duplicate_frames", FRAMES), ("rx_frames", 2 * FRAMES)]);
    row.assert_counts(&[("corrupt_frames", 0), ("late_frames", 0)]);
}

#[test]
fn loss_and_duplicates_across_queues_do_not_hide_each_other() {
    let lab = Lab::with_device();
    let act = |number| match number % 10 {
        3 => Act::Drop,
        6 => Act::Duplicate,
        _ => Act::Pass,
    };
    let device = Device::eastward(&lab, Behaviour { spray: true, ..Behaviour::of(act) });
    let result = Linerate::run(&lab.flow_file(&flow())).exits(0).result();
    device.stop();
    let [first, second] = received_by_queue(&lab.east);
    assert!(first > FRAMES / 3 && second > FRAMES / 3, "queues had {first} and {second}");
    let row = result.flow("f");
    row.assert_counts(&[("rx_unique_frames", 9000), ("lost_frames", 1000)]);
    row.assert_counts(&[("duplicate_frames", 1000), ("rx_frames", FRAMES)]);
}

#[test]
fn a_flow_striped_over_two_transmit_queues_is_one_row() {
    let _alone = much_of_the_machine();
    let lab = Lab::cable();
    let file = lab.flow_file(&one_flow("rate = \"max\"\nframes = 200000"));
    let before = lab.east.counters();
    let result = Linerate::run(&file).exits(0).result();
    let [first, second] = received_by_queue(&lab.east);
    assert!(first > 50_000 && second > 50_000, "not striped: queues had {first} and {second}");
    let row = result.flow("f");
    row.assert_counts(&[("tx_frames", 200_000), ("duplicate_frames", 0), ("corrupt_frames", 0)]);
    row.assert_counts(&[("reordered_frames", 0), ("late_frames", 0)]);
    // At "max" the veth ring may overflow; what got through is counted exactly.
    let arrived = lab.east.counters().rx_packets - before.rx_packets;
    row.assert_counts(&[("rx_unique_frames", arrived)]);
    assert_eq!(first + second, arrived);
}

/// The same frames of so many tuples in turn, and what the device did to them.
fn by_tuple(tuples: u32, order: &str, act: fn(u64) -> Act) -> RunResult {
    let lab = Lab::with_device();
    let device = Device::eastward(&lab, Behaviour::of(act));
    let last = 49_183 + tuples;
    let text = flow()
        .replace("src = 49184", &format!("src = {{range = \"49184-{last}\"}}"))
        .replace("rx = \"east\"", &format!("rx = \"east\"\norder = \"{order}\""));
    let result = Linerate::run(&lab.flow_file(&text)).exits(0).result();
    assert_eq!(device.stop().seen, FRAMES);
    lab.assert_nothing_attached();
    result
}

#[test]
fn frames_of_other_tuples_may_overtake_where_the_order_is_that_of_a_tuple() {
    let swap = |number| if number % 10 == 5 { Act::SwapWithNext } else { Act::Pass };
    // Neighbours are of different tuples, but for the last line, where there is one alone.
    for (tuples, order, reordered) in [(2, "queue", 1000), (2, "tuple", 0), (1, "tuple", 1000)] {
        let result = by_tuple(tuples, order, swap);
        let row = result.flow("f");
        row.assert_counts(&[("reordered_frames", reordered), ("rx_unique_frames", FRAMES)]);
        row.assert_counts(&[("duplicate_frames", 0), ("late_frames", 0), ("lost_frames", 0)]);
    }
}

#[test]
fn losses_and_copies_are_exact_over_a_hundred_tuples() {
    let act = |number| match number % 10 {
        3 => Act::Drop,
        6 => Act::Duplicate,
        _ => Act::Pass,
    };
    let result = by_tuple(100, "tuple", act);
    let row = result.flow("f");
    row.assert_counts(&[("requested_frames", FRAMES), ("tx_frames", FRAMES)]);
    row.assert_counts(&[("rx_unique_frames", 9000), ("lost_frames", 1000)]);
    row.assert_counts(&[("duplicate_frames", 1000), ("reordered_frames", 0)]);
}

#[test]
fn tuples_without_a_fixed_turn_are_refused_by_name() {
    let lab = Lab::cable();
    for (source, vary) in [("{list = [5, 5, 9]}", "independent"), ("{list = [5, 9]}", "random")] {
        let settings = format!("rx = \"east\"\norder = \"tuple\"\nvary = \"{vary}\"");
        let text = flow()
            .replace("src = 49184", &format!("src = {source}"))
            .replace("rx = \"east\"", &settings);
        Linerate::run(&lab.flow_file(&text)).exits(64).says(&["order", "fixed turn", "\"queue\""]);
    }
    lab.assert_nothing_attached();
}
