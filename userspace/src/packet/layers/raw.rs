//! Octets as they stand.

use crate::packet::builder::Builder;

pub(super) fn append(b: &mut Builder, bytes: &[u8]) {
    b.header(bytes);
}
