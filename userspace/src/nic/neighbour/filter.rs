//! A classic BPF program (linux/filter.h) that lets one kind of neighbour message
//! through, so that traffic at line rate wakes nobody.

use super::frame::{ARP, IPV6, MAX_TAGS, TPIDS};
use libc::sock_filter;

const LOAD_HALF: u16 = (libc::BPF_LD | libc::BPF_H | libc::BPF_ABS) as u16;
const LOAD_BYTE: u16 = (libc::BPF_LD | libc::BPF_B | libc::BPF_ABS) as u16;
const JUMP_EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;

const ICMPV6: u32 = 58;
const ACCEPT: sock_filter = operation(RETURN, u32::MAX);
const REJECT: sock_filter = operation(RETURN, 0);

/// Passes ARP with this operation and `ICMPv6` of this type, behind up to [`MAX_TAGS`]
/// tags. A load beyond the frame's end rejects it.
pub(super) fn neighbour_messages(arp_operation: u16, icmpv6_type: u8) -> Vec<sock_filter> {
    let mut program = Vec::new();
    for depth in 0..=MAX_TAGS as u32 {
        let payload = 14 + 4 * depth;
        program.extend([
            operation(LOAD_HALF, payload - 2),
            unless(ARP.into(), 4),
            operation(LOAD_HALF, payload + 6), // operation
            unless(arp_operation.into(), 1),
            ACCEPT,
            REJECT,
            unless(IPV6.into(), 6),
            operation(LOAD_BYTE, payload + 6), // next header
            unless(ICMPV6, 3),
            operation(LOAD_BYTE, payload + 40), // type
            unless(icmpv6_type.into(), 1),
            ACCEPT,
            REJECT,
        ]);
        if depth < MAX_TAGS as u32 {
            // Any of the tag types jumps over the rest of this list, to the next depth.
            let tests = TPIDS.iter().zip((1..=TPIDS.len() as u8).rev());
            program.extend(tests.map(|(tpid, skip)| sock_filter {
                code: JUMP_EQUAL,
                jt: skip,
                jf: 0,
                k: u32::from(*tpid),
            }));
        }
        program.push(REJECT);
    }
    program
}

const fn operation(code: u16, k: u32) -> sock_filter {
    sock_filter { code, jt: 0, jf: 0, k }
}

/// Skips so many operations unless the accumulator is `value`.
const fn unless(value: u32, skip: u8) -> sock_filter {
    sock_filter { code: JUMP_EQUAL, jt: 0, jf: skip, k: value }
}
