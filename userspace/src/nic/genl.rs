//! Generic netlink (linux/genetlink.h), as much of it as asking takes.

use super::exchange::{Exchange, HEADER_BYTES};
use netlink_sys::protocols::NETLINK_GENERIC;
use std::io;

const GENL_ID_CTRL: u16 = 16;
const CTRL_CMD_GETFAMILY: u8 = 3;
const CTRL_ATTR_FAMILY_ID: u16 = 1;
const CTRL_ATTR_FAMILY_NAME: u16 = 2;
/// struct genlmsghdr: command, version, 2 octets of nothing.
const GENL_HEADER_BYTES: usize = 4;
const ATTRIBUTE_HEADER_BYTES: usize = 4;
/// NLA_F_NESTED and NLA_F_NET_BYTEORDER.
const ATTRIBUTE_FLAGS: u16 = 0xc000;

/// A socket that asks one family of generic netlink.
#[derive(Debug)]
pub(super) struct Family {
    exchange: Exchange,
    id: u16,
}

impl Family {
    /// # Errors
    /// ENOENT where the kernel does not have the family.
    pub(super) fn open(name: &str) -> io::Result<Self> {
        let mut exchange = Exchange::open(NETLINK_GENERIC)?;
        let mut text = name.as_bytes().to_vec();
        text.push(0);
        let body = body(CTRL_CMD_GETFAMILY, &[(CTRL_ATTR_FAMILY_NAME, &text)]);
        let answers = exchange.ask(GENL_ID_CTRL, 0, &body)?;
        let id = answers.first().and_then(|answer| Attributes::of(answer).get(CTRL_ATTR_FAMILY_ID));
        let id = id.ok_or_else(|| io::Error::from_raw_os_error(libc::ENOENT))?;
        Ok(Self { exchange, id: id as u16 })
    }

    /// The answers to a command with one u32 attribute after another.
    pub(super) fn ask(
        &mut self,
        command: u8,
        flags: u16,
        attributes: &[(u16, u32)],
    ) -> io::Result<Vec<Attributes>> {
        let values: Vec<(u16, [u8; 4])> =
            attributes.iter().map(|&(kind, value)| (kind, value.to_ne_bytes())).collect();
        let values: Vec<(u16, &[u8])> =
            values.iter().map(|(kind, value)| (*kind, &value[..])).collect();
        let answers = self.exchange.ask(self.id, flags, &body(command, &values))?;
        Ok(answers.iter().map(|answer| Attributes::of(answer)).collect())
    }
}

/// The attributes of one answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Attributes(Vec<(u16, Vec<u8>)>);

impl Attributes {
    fn of(message: &[u8]) -> Self {
        let mut rest = message.get(HEADER_BYTES + GENL_HEADER_BYTES..).unwrap_or_default();
        let mut found = Vec::new();
        while let Some([a, b, c, d]) = rest.first_chunk() {
            let length = usize::from(u16::from_ne_bytes([*a, *b]));
            let kind = u16::from_ne_bytes([*c, *d]) & !ATTRIBUTE_FLAGS;
            let Some(value) = rest.get(ATTRIBUTE_HEADER_BYTES..length) else { break };
            found.push((kind, value.to_vec()));
            rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        }
        Self(found)
    }

    /// An unsigned number of 2, 4 or 8 octets; `None` if it is not there.
    pub(super) fn get(&self, wanted: u16) -> Option<u64> {
        let (_, value) = self.0.iter().find(|(kind, _)| *kind == wanted)?;
        match value[..] {
            [a, b] => Some(u16::from_ne_bytes([a, b]).into()),
            [a, b, c, d] => Some(u32::from_ne_bytes([a, b, c, d]).into()),
            _ => value.first_chunk().map(|octets| u64::from_ne_bytes(*octets)),
        }
    }
}

fn body(command: u8, attributes: &[(u16, &[u8])]) -> Vec<u8> {
    let mut body = vec![command, 1, 0, 0];
    for (kind, value) in attributes {
        body.extend(((ATTRIBUTE_HEADER_BYTES + value.len()) as u16).to_ne_bytes());
        body.extend(kind.to_ne_bytes());
        body.extend(*value);
        body.resize(body.len().next_multiple_of(4), 0);
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_every_width_are_read_and_a_cut_attribute_ends_the_list() {
        let mut message = vec![0; HEADER_BYTES];
        message.extend(body(
            7,
            &[(1, &5_u16.to_ne_bytes()), (2, &6_u32.to_ne_bytes()), (3, &7_u64.to_ne_bytes())],
        ));
        message.extend([200, 0, 4, 0, 1]);
        let attributes = Attributes::of(&message);
        let numbers = [1, 2, 3, 4].map(|kind| attributes.get(kind));
        assert_eq!(numbers, [Some(5), Some(6), Some(7), None]);
    }

    #[test]
    fn an_unknown_family_is_enoent() {
        let error = Family::open("no-such-family").unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::ENOENT));
    }
}
