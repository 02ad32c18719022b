//! Streams and queues are not the same thing: one stream on several receive queues,
//! one flow on several transmit queues.

use crate::testbed::{Act, Behaviour, Device, Lab, Linerate, Port, much_of_the_machine, one_flow};

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
