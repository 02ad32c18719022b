//! The edit program in C (edit.h), as the program in the kernel has it, against the cursor.

use super::{
    compile,
    flows::{any_flow, eth, ipv4, range, udp},
    stamp,
};
use crate::{
    packet::{Cursor, TagStamp},
    spec::{Flow, Layer, Track, Values, Vary},
};
use proptest::prelude::*;
use xdp_ebpf::{GeneratorPlan, abi, host::Editor};

const CHUNK_BYTES: usize = 2048;

/// A flow of any shape, every other one inside a VXLAN tunnel with varying fields of its own.
fn any_live_flow() -> impl Strategy<Value = Flow> {
    (any_flow(), any::<bool>()).prop_map(|(flow, tunnelled)| {
        // Zipped fields are all of one period, which those inside have chosen.
        let varying = |first, count| match flow.vary {
            Vary::Zip => Values::One(first),
            _ => range(first, count),
        };
        let outer = [
            eth(),
            ipv4(varying(0xc612_0001, 5), Values::One(0xc612_0101)),
            udp(varying(49_152, 7), Values::One(4789)),
            Layer::Vxlan { vni: varying(1, 3) },
        ];
        let outer = outer.into_iter().filter(|_| tunnelled);
        Flow { layers: outer.chain(flow.layers).collect(), ..flow }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn the_kernel_writes_octet_for_octet_what_af_xdp_writes(
        flow in any_live_flow(), streams in 1_u32..9, which: prop::sample::Index, dirt: u8
    ) {
        let first = which.index(streams as usize) as u32;
        let mut cursor = Cursor::new(compile(&flow), first, streams);
        let TagStamp { magic, stream, .. } = stamp(0);
        let mut plan = GeneratorPlan { magic, ..GeneratorPlan::default() };
        // What another stream has laid out before must not matter.
        for cursor in [Cursor::new(compile(&flow), 0, 1), cursor.clone()] {
            let mut live = abi::live_stream { left: u64::MAX, stream, ..Default::default() };
            cursor.lay_out(&mut live, &mut plan);
            plan.streams.push(live);
        }
        let mut editor = Editor::new(&plan, 1);
        for number in 0..60 {
            let stamp = stamp(number);
            let mut expected = vec![0; CHUNK_BYTES];
            cursor.fill(&mut expected);
            let length = cursor.write(&mut expected, &stamp);
            // A page comes back with anything in it.
            let mut frame = vec![dirt; CHUNK_BYTES];
            prop_assert_eq!(editor.write(stamp.time_ns, &mut frame), Some(length));
            prop_assert_eq!(&frame[..length], &expected[..length], "frame {}", number);
            prop_assert!(editor.advance());
        }
    }
}

#[test]
fn a_frame_that_does_not_fit_is_not_begun() {
    let flow = Flow { track: Track::None, ..super::flow(vec![eth()], &[64]) };
    let mut plan = GeneratorPlan::default();
    let mut live = abi::live_stream::default();
    Cursor::new(compile(&flow), 0, 1).lay_out(&mut live, &mut plan);
    plan.streams.push(live);
    assert_eq!(Editor::new(&plan, 0).write(0, &mut [0; 59]), None);
    assert_eq!(Editor::new(&plan, 0).write(0, &mut [0; 60]), Some(60));
}
