//! Frames by hand, octet by octet.

/// A UDP frame of so many octets (without FCS), whose payload begins with a number.
pub(crate) fn udp_frame(octets: usize, number: u32) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0];
    let (l3, l4) = ((octets - 14) as u16, (octets - 34) as u16);
    frame.extend([0x45, 0]);
    frame.extend(l3.to_be_bytes());
    frame.extend([0, 0, 0x40, 0, 64, 17, 0, 0, 198, 18, 1, 1, 198, 19, 1, 1]);
    let sum: u32 =
        frame[14..].chunks(2).map(|two| u32::from(two[0]) << 8 | u32::from(two[1])).sum();
    let checksum = !((sum & 0xffff) + (sum >> 16)) as u16;
    frame[24..26].copy_from_slice(&checksum.to_be_bytes());
    frame.extend([0xc0, 0x20, 0, 7]);
    frame.extend(l4.to_be_bytes());
    frame.extend([0, 0]); // no checksum
    frame.extend(number.to_be_bytes());
    frame.resize(octets, 0x5a);
    frame
}
