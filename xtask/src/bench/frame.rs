//! The one frame that the other generators send, 60 octets without the FCS, in the
//! forms in which they want it.

/// Ethernet, IPv4, UDP, and zeros up to the least size of a frame.
pub const FRAME_BYTES: usize = 60;

const SOURCE_MAC: [u8; 6] = [2, 0, 0, 0, 0x57, 1];
const DESTINATION_MAC: [u8; 6] = [2, 0, 0, 0, 0x57, 2];

pub fn frame() -> [u8; FRAME_BYTES] {
    let mut frame = [0; FRAME_BYTES];
    frame[..6].copy_from_slice(&DESTINATION_MAC);
    frame[6..12].copy_from_slice(&SOURCE_MAC);
    frame[12..14].copy_from_slice(&0x0800_u16.to_be_bytes());
    let ip_bytes = (FRAME_BYTES - 14) as u16;
    let ip = [0x45, 0, (ip_bytes >> 8) as u8, ip_bytes as u8, 0, 0, 0, 0, 64, 17, 0, 0];
    frame[14..26].copy_from_slice(&ip);
    frame[26..34].copy_from_slice(&[198, 18, 1, 2, 198, 19, 1, 2]);
    let checksum = !ones_complement_sum(&frame[14..34]);
    frame[24..26].copy_from_slice(&checksum.to_be_bytes());
    for (at, value) in [(34, 49184), (36, 7), (38, ip_bytes - 20)] {
        frame[at..at + 2].copy_from_slice(&value.to_be_bytes());
    }
    frame
}

/// RFC 1071.
fn ones_complement_sum(octets: &[u8]) -> u16 {
    let words = octets.chunks(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]])));
    let mut sum: u32 = words.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}

/// A capture file with copies of the frame: with only one, tcpreplay would mostly
/// be busy starting over.
pub fn pcap(copies: u32) -> Vec<u8> {
    let mut file = Vec::new();
    // Magic, version 2.4, zone, accuracy, longest frame, Ethernet.
    for word in [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 65535, 1] {
        file.extend(word.to_le_bytes());
    }
    for i in 0..copies {
        for word in [0, i, FRAME_BYTES as u32, FRAME_BYTES as u32] {
            file.extend(word.to_le_bytes());
        }
        file.extend(frame());
    }
    file
}

/// The frame in trafgen's language.
pub fn trafgen() -> String {
    language(&octets())
}

/// The same with two changing fields and both checksums computed in every frame: what
/// linerate does, but for the tag.
pub fn trafgen_two_fields() -> String {
    let mut octets = octets();
    octets[33] = String::from("dinc(1, 250)");
    octets[35] = String::from("dinc(0, 255)");
    // An expression stands for two octets, the checksums'.
    octets.splice(40..42, ["csumudp(14, 34)".to_owned()]);
    octets.splice(24..26, ["csumip(14, 33)".to_owned()]);
    language(&octets)
}

fn octets() -> Vec<String> {
    frame().iter().map(|octet| format!("0x{octet:02x}")).collect()
}

fn language(octets: &[String]) -> String {
    format!("{{ {} }}\n", octets.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_frame_is_one_that_a_router_would_take() {
        let frame = frame();
        assert_eq!(ones_complement_sum(&frame[14..34]), 0xffff, "the header checksum");
        assert_eq!(u16::from_be_bytes([frame[16], frame[17]]) as usize, frame.len() - 14);
        assert_eq!(u16::from_be_bytes([frame[38], frame[39]]) as usize, frame.len() - 34);
    }

    #[test]
    fn a_capture_file_holds_what_its_headers_say() {
        assert_eq!(pcap(3).len(), 24 + 3 * (16 + FRAME_BYTES));
        assert_eq!(trafgen().matches("0x").count(), FRAME_BYTES);
    }
}
