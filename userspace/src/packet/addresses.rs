//! The L3 addresses of a flow, for ARP and ND.

use super::{program::network, values};
use crate::spec::{Layer, Values};
use std::{
    collections::HashSet,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

/// Above so many random values, membership is that of their whole interval.
const RANDOM_EXACT: u32 = 65_536;

/// The values of one address field, without their list where they are a range.
#[derive(Debug, Clone)]
pub struct AddressSet {
    v6: bool,
    values: Values,
    members: Members,
}

#[derive(Debug, Clone)]
enum Members {
    Listed(HashSet<u128>),
    Stepped { least: u128, step: u128, greatest: u128 },
}

impl AddressSet {
    pub(super) fn of(layers: &[Layer], source: bool) -> Option<Self> {
        let (v6, src, dst) = network(layers)?;
        let values = if source { src } else { dst }.clone();
        let members = match values::bounds(&values) {
            None => Members::Listed(HashSet::new()),
            Some((least, greatest)) => match &values {
                Values::Range { step, .. } => {
                    Members::Stepped { least, step: step.unsigned_abs().max(1), greatest }
                }
                Values::Random { count, .. } if *count > RANDOM_EXACT => {
                    Members::Stepped { least, step: 1, greatest }
                }
                listed => Members::Listed(
                    (0..values::period(listed)).map(|index| values::value(listed, index)).collect(),
                ),
            },
        };
        Some(Self { v6, values, members })
    }

    /// Whether the flow uses this address. Of more than 65,536 random addresses, all of
    /// their interval count as used; otherwise it is exact.
    pub fn contains(&self, address: IpAddr) -> bool {
        let value = match address {
            IpAddr::V4(v4) if !self.v6 => u128::from(v4.to_bits()),
            IpAddr::V6(v6) if self.v6 => v6.to_bits(),
            _ => return false,
        };
        match &self.members {
            Members::Listed(set) => set.contains(&value),
            Members::Stepped { least, step, greatest } => {
                (least..=greatest).contains(&&value) && (value - least).is_multiple_of(*step)
            }
        }
    }

    /// Number of addresses before they repeat; equal to that of [`Self::iter`].
    pub fn period(&self) -> u32 {
        values::bounds(&self.values).map_or(0, |_| values::period(&self.values))
    }

    /// The addresses in the order of the field's values, as
    /// [`NextHop::PerDestination`](super::NextHop::PerDestination) wants its answers; a
    /// list or a random set may name one twice.
    pub fn iter(&self) -> impl Iterator<Item = IpAddr> + '_ {
        (0..self.period()).map(|index| {
            let value = values::value(&self.values, index);
            if self.v6 {
                Ipv6Addr::from_bits(value).into()
            } else {
                Ipv4Addr::from_bits(value as u32).into()
            }
        })
    }
}

/// Values of the L3 destination field.
pub(super) fn destination_count(layers: &[Layer]) -> Option<u32> {
    network(layers).map(|(_, _, dst)| values::period(dst))
}
