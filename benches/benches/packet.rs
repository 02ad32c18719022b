//! What one frame costs before it is handed to the NIC: `Cursor::write` over chunks that
//! lie as in a UMEM, 64 to a burst, the tag stamped with one clock value per burst.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use linerate::{
    packet::{Cursor, NextHop, Program, TagStamp},
    spec::{
        End, Expect, Flow, Integrity, Layer, MacAddress, Order, Spacing, Track, UdpChecksum,
        Values, Vary,
    },
    units::{FrameSize, Rate},
};
use std::{hint::black_box, sync::Arc};

const CHUNK_BYTES: usize = 2048;
const BURST: usize = 64;

fn one(value: u128) -> Values {
    Values::One(value)
}

fn range(first: u128, count: u32) -> Values {
    Values::Range { first, step: 1, count }
}

fn ipv4(dst: Values) -> Layer {
    Layer::Ipv4 {
        src: one(0xc612_0002),
        dst,
        dscp: one(0),
        ecn: one(0),
        id: one(0),
        df: false,
        ttl: one(64),
        protocol: None,
    }
}

fn udp(src: Values) -> Layer {
    Layer::Udp { src, dst: one(7), checksum: UdpChecksum::Auto }
}

fn cursor(vary: Vary, sizes: &[u16], layers: Vec<Layer>) -> Cursor {
    let eth = Layer::Eth { dst: MacAddress::Auto, src: MacAddress::Auto, ethertype: None };
    let flow = Flow {
        name: "bench".into(),
        tx: 0,
        rx: None,
        more_rx: Vec::new(),
        rate: Rate::Max,
        sizes: sizes.iter().filter_map(|&size| FrameSize::new(size)).collect(),
        delay: std::time::Duration::ZERO,
        settings: Vec::new(),
        end: End::Never,
        schedule: Vec::new(),
        spacing: Spacing::Constant,
        burst: None,
        layers: [eth].into_iter().chain(layers).collect(),
        vary,
        track: Track::Tag,
        integrity: Integrity::Tag,
        order: Order::Queue,
        expect: Expect::default(),
    };
    let program = Program::compile(&flow, [2, 0, 0, 0, 0, 1], &NextHop::One([2, 0, 0, 0, 0, 2]));
    Cursor::new(Arc::new(program.expect("the flow is sound")), 0, 2)
}

fn write(c: &mut Criterion) {
    let mut group = c.benchmark_group("packet/write");
    group.throughput(Throughput::Elements(BURST as u64));
    let imix = [64, 570, 64, 570, 64, 1518, 64, 570, 64, 570, 64, 64];
    let list = || Values::List((0..1000).map(|last| 0xc612_0100 + last * 7).collect());
    let vlan = || Layer::Vlan { id: range(1, 4000), pcp: range(0, 8), dei: one(0), tpid: None };
    let v6 = Layer::Ipv6 {
        src: one(0x2001_0002 << 96 | 1),
        dst: range(0x2001_0002 << 96 | 0x1_0000, 50_000),
        traffic_class: one(0),
        flow_label: one(0),
        hop_limit: one(64),
        next_header: None,
    };
    let cases = [
        ("64 fixed", cursor(Vary::Independent, &[64], vec![ipv4(one(1)), udp(one(1))])),
        (
            "64 two ranges",
            cursor(Vary::Independent, &[64], vec![ipv4(range(1, 254)), udp(range(49_152, 1000))]),
        ),
        (
            "65 two ranges, tag at an odd offset",
            cursor(Vary::Independent, &[65], vec![ipv4(range(1, 254)), udp(range(49_152, 1000))]),
        ),
        (
            "64 list and range",
            cursor(Vary::Independent, &[64], vec![ipv4(list()), udp(range(49_152, 1000))]),
        ),
        (
            "64 product",
            cursor(Vary::Product, &[64], vec![ipv4(range(1, 254)), udp(range(49_152, 1000))]),
        ),
        (
            "64 random",
            cursor(Vary::Random, &[64], vec![ipv4(range(1, 254)), udp(range(49_152, 1000))]),
        ),
        (
            "128 vlan, ipv6, four ranges",
            cursor(Vary::Independent, &[128], vec![vlan(), v6, udp(range(49_152, 1000))]),
        ),
        (
            "imix two ranges",
            cursor(Vary::Independent, &imix, vec![ipv4(range(1, 254)), udp(range(49_152, 1000))]),
        ),
    ];
    for (name, mut cursor) in cases {
        let mut chunks = vec![0; BURST * CHUNK_BYTES];
        chunks.chunks_mut(CHUNK_BYTES).for_each(|chunk| cursor.fill(chunk));
        let mut laid = [cursor.variant(); BURST];
        let mut stamp =
            TagStamp { magic: TagStamp::magic(7, 1), stream: 3, sequence: 0, time_ns: 0 };
        group.bench_function(name, |b| {
            b.iter(|| {
                stamp.time_ns += 1000;
                for (chunk, was) in chunks.chunks_mut(CHUNK_BYTES).zip(&mut laid) {
                    cursor.refit(chunk, *was);
                    *was = cursor.variant();
                    cursor.write(chunk, &stamp);
                    stamp.sequence = stamp.sequence.wrapping_add(1);
                }
                black_box(&mut chunks);
            });
        });
    }
    group.finish();
}

/// Many streams in turn, each frame in a chunk that another stream used last, as a worker
/// does it: what the cache no longer holds is the difference.
fn streams(c: &mut Criterion) {
    let mut group = c.benchmark_group("packet/streams");
    group.throughput(Throughput::Elements(1));
    for count in [1, 100, 10_000] {
        let mut cursors: Vec<_> = (0..count)
            .map(|_| {
                let layers = vec![ipv4(range(1, 254)), udp(range(49_152, 1000))];
                cursor(Vary::Independent, &[64], layers)
            })
            .collect();
        let mut chunk = vec![0; CHUNK_BYTES];
        let stamp = TagStamp { magic: TagStamp::magic(7, 1), stream: 3, sequence: 0, time_ns: 0 };
        let mut turn = 0;
        group.bench_function(format!("{count}"), |b| {
            b.iter(|| {
                turn = if turn + 1 < cursors.len() { turn + 1 } else { 0 };
                cursors[turn].fill(&mut chunk);
                cursors[turn].write(black_box(&mut chunk), &stamp)
            });
        });
    }
    group.finish();
}

criterion_group!(benches, write, streams);
criterion_main!(benches);
