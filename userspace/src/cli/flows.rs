//! Flows from a file or from flags, with what the flags override.

use super::{Failure, args::FlowArgs};
use crate::spec::{Overrides, QuickFlow, Spec};

pub(super) fn spec(args: &FlowArgs) -> Result<Spec, Failure> {
    let (spec, duration) = match &args.file {
        Some(path) => (Spec::from_path(path), args.duration.clone()),
        None => (Spec::from_quick(&quick(args)), None),
    };
    let overrides = Overrides { duration, scale: args.scale.clone(), ports: args.ports.clone() };
    spec.and_then(|mut spec| {
        spec.apply(&overrides)?;
        Ok(spec)
    })
    .map_err(|error| Failure::usage(error.to_string()))
}

fn quick(args: &FlowArgs) -> QuickFlow {
    QuickFlow {
        tx: args.tx.clone(),
        rx: args.rx.clone(),
        eth: args.eth.clone(),
        vlan: args.vlan.clone(),
        ipv4: args.ipv4.clone(),
        ipv6: args.ipv6.clone(),
        udp: args.udp.clone(),
        tcp: args.tcp.clone(),
        size: args.size.clone(),
        track: args.track.clone(),
        rate: args.rate.clone(),
        bidir: args.bidir,
        duration: args.duration.clone(),
        frames: args.frames.clone(),
    }
}
