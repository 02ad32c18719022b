//! Opening a session: checks first, then ports one by one, then next hops.

use super::{
    Peer, RateControl, Session, SessionError, Settings,
    backend::Demand,
    calibrate::Corrections,
    counted::Counted,
    links::Links,
    next_hop::Known,
    plan,
    port::{Port, Watching},
    remote::{self, FarPort, Reach},
    stamping,
};
use crate::{
    collect::Collector,
    nic::{Hold, PortInfo, are_joined, wait_for_carriers},
    packet::{AddressSet, NextHop, Program, tuple_turn},
    spec::{Flow, Integrity, Layer, Order, PortSpec, Spec, SpecError},
    tx::Backend,
    units::{QueueId, Rate, StreamId},
};
use std::{net::IpAddr, sync::Arc, thread, time::Duration};
use xdp_ebpf::{AnalyserSetup, Role, Stamping, StreamSetup, abi};

/// An attach may reset the link for seconds (igb: 3 to 8).
const CARRIER_WAIT: Duration = Duration::from_secs(10);

impl Session {
    /// Takes the ports, attaches the analysers, binds the queues and finds the next hops.
    ///
    /// What can be known to be wrong is found before anything is attached. On an error
    /// everything is as it was.
    pub fn open(spec: Spec, settings: Settings) -> Result<Self, SessionError> {
        let reach = Reach::connect(&spec.ports)?;
        let infos = spec.ports.iter().map(|port| reach.port_info(&port.interface));
        let infos = infos.collect::<Result<Vec<_>, SessionError>>()?;
        check(&spec, &infos)?;
        let limits: Vec<_> = infos
            .iter()
            .zip(&spec.ports)
            .map(|(info, port)| plan::PortLimits {
                link_bps: port.line_bps.or(info.link_bps).unwrap_or(0),
                tx_queues: info.tx_queues,
                physical: info.physical,
                wire_bps: stamping::wire_bps(info, port.line_bps),
            })
            .collect();
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let phases = plan::phases(&spec, |port| limits[port].link_bps);
        let streams = plan::assign(&spec, &limits, cores);
        if streams.len() > usize::from(u16::MAX) {
            return Err(SessionError::TooManyStreams {
                flows: spec.flows.len(),
                streams: streams.len(),
            });
        }

        let counted = Counted::new(&spec, &infos, &streams)?;
        let groups = remote::groups(&reach, &spec, &infos, &streams, settings.backend)?;
        let watch = Links::start(&infos, |port| remote::place(&groups, port))?;
        let nonce = session_nonce();
        let setups: Vec<_> = (0..infos.len())
            .map(|index| {
                let (stamping, why) = stamping::choose(&spec, &limits, index, settings.backend);
                let info = &infos[index];
                let setup = analyser_setup(&spec, &streams, index, info, nonce, &settings, &limits);
                let counted = counted.rules[index].clone();
                (AnalyserSetup { stamping, counted, ..setup }, why)
            })
            .collect();
        let mut far: Vec<Option<FarPort>> = infos.iter().map(|_| None).collect();
        for group in &groups {
            let theirs: Vec<_> = group.ports.iter().map(|&port| setups[port].0.clone()).collect();
            let opened = group.open(&spec, &streams, &phases, &theirs)?;
            for (&port, opened) in group.ports.iter().zip(opened) {
                far[port] = Some(opened);
            }
        }
        let mut ports = Vec::with_capacity(infos.len());
        for (index, ((setup, stamping), far)) in setups.into_iter().zip(far).enumerate() {
            let expects = |stream: StreamId| expects(&spec, &streams, stream, index);
            let nic_setup = stamping::nic_setup(&spec, &streams, index, &setup, &limits);
            let watching = Watching {
                setup,
                nic_setup,
                stamping,
                streams: 0..streams.len() as u16,
                expects: &expects,
                interval: settings.interval,
            };
            let info = infos[index].clone();
            if let Some(far) = far {
                ports.push(Port::far(&spec.ports[index], info, &watching, far));
                continue;
            }
            let first = ports.first().and_then(|first: &Port| first.receiver.source().here());
            let first = first.filter(|_| watching.setup.shared_windows);
            let port = Port::take(&spec.ports[index], info, &watching, first)?;
            let listened = settings.listened.contains(&spec.ports[index].interface);
            if let Some(analyser) = port.receiver.source().here() {
                analyser.set_listened(listened);
            }
            ports.push(port);
        }
        let here: Vec<_> = infos.into_iter().filter(|info| info.name.daemon.is_none()).collect();
        wait_for_carriers(&here, CARRIER_WAIT)?;
        for (index, port) in ports.iter_mut().enumerate().filter(|(_, port)| port.far.is_none()) {
            prepare(&spec, &streams, index, port, settings.backend)?;
            port.answer_for(behind(&spec, index), addresses(&spec.ports[index]))?;
        }
        join(&mut ports)?;
        // A zero-copy bind may reset the link again.
        wait_for_carriers(&here, CARRIER_WAIT)?;
        for (index, port) in ports.iter().enumerate() {
            watch.wait_for_carrier(index, CARRIER_WAIT)?;
            port.queues.iter().for_each(|queue| queue.wake_receiver());
        }
        groups.iter().try_for_each(remote::Group::resolve)?;
        let next_hops = next_hops(&spec, &ports)?;
        let programs = compile(&spec, &ports, &next_hops)?;
        let link_bps = ports.iter().map(|port| port.link_bps.unwrap_or(0)).collect();
        let unsteerable = ports.iter().map(Port::unsteerable).collect();
        let spec = Arc::new(spec);
        let collector = Collector::new(spec.flows.len(), settings.samples, settings.interval);
        let mut session = Self {
            control: RateControl::new(&spec, link_bps, unsteerable),
            settings,
            streams,
            known_everywhere: counted.everywhere,
            phases,
            next_hops,
            programs,
            spec,
            ports,
            groups,
            watch,
            collector,
            corrections: Corrections::default(),
            tx_gaps: Vec::new(),
            nonce,
            base_ns: 0,
            clock_offset_ns: 0,
            trial_number: 0,
        };
        if let Some(directory) = session.settings.calibrations.clone() {
            session.corrections = session.corrections(&directory);
        }
        Ok(session)
    }
}

/// Opens the queues that the streams of a port were assigned to.
pub(super) fn prepare(
    spec: &Spec,
    streams: &[plan::Stream],
    index: usize,
    port: &mut Port,
    backend: Backend,
) -> Result<(), SessionError> {
    let mine = streams.iter().filter(|stream| stream.port == index);
    let mut queues: Vec<QueueId> = mine.map(|stream| stream.queue).collect();
    queues.sort_unstable();
    queues.dedup();
    let sizes = spec.flows.iter().filter(|flow| flow.tx == index).flat_map(|flow| &flow.sizes);
    let frame_bytes_max = sizes.map(|size| usize::from(size.without_fcs())).max();
    port.open_queues(&Demand {
        queues,
        frame_bytes_max: frame_bytes_max.unwrap_or(0),
        is_fast: plan::is_fast(spec, index, port.link_bps.unwrap_or(0)),
        backend,
    })
}

/// Finds the veth pairs of which the session holds both ends.
fn join(ports: &mut [Port]) -> Result<(), SessionError> {
    for one in 0..ports.len() {
        for other in 0..ports.len() {
            let here = ports[one].far.is_none() && ports[other].far.is_none();
            if here && are_joined(&ports[one].info, &ports[other].info)? {
                ports[one].peer = Some(Peer::Port(other));
            }
        }
    }
    Ok(())
}

/// Everything that needs no change to be known.
fn check(spec: &Spec, infos: &[PortInfo]) -> Result<(), SessionError> {
    // 0: not known.
    let line_bps = |port: usize| spec.ports[port].link_bps(infos[port].link_bps.unwrap_or(0));
    for (index, flow) in spec.flows.iter().enumerate() {
        check_amount(spec, index, flow, line_bps(flow.tx))?;
        check_order(spec, index, flow)?;
        for port in std::iter::once(flow.tx).chain(flow.receivers()) {
            check_mtu(spec, index, flow, port, &infos[port])?;
        }
    }
    let reported: Vec<u64> = infos.iter().map(|info| info.link_bps.unwrap_or(0)).collect();
    spec.check_line_rates(&reported)?;
    check_free(spec, infos)
}

/// Whether every port is up and nobody has it.
pub(super) fn check_free(spec: &Spec, infos: &[PortInfo]) -> Result<(), SessionError> {
    for (info, port) in infos.iter().zip(&spec.ports) {
        info.require_up()?;
        // Another daemon sees better than we whose program is on its port.
        if info.name.daemon.is_some() {
            continue;
        }
        if let Some(xdp) = &info.xdp {
            // Another linerate is better named as such.
            Hold::require_free(info)?;
            return Err(SessionError::ForeignXdp {
                port: port.name.clone(),
                interface: info.name.interface.clone(),
                program: xdp.program,
            });
        }
    }
    Ok(())
}

fn check_amount(spec: &Spec, index: usize, flow: &Flow, line_bps: u64) -> Result<(), SpecError> {
    let place = || spec.place(index, flow.rate_key());
    if flow.rates().any(|rate| matches!(rate, Rate::LineShare(_))) && line_bps == 0 {
        let port = &spec.ports[flow.tx].name;
        let problem = format!("a share of the line, but {port} reports no speed");
        let allowed = "a rate in pps or bps, or `line` for the port, e.g. line = \"10G\"";
        return Err(SpecError::invalid(&place(), problem, allowed));
    }
    if plan::requested_frames(flow, line_bps) == Some(0) {
        let problem = "not one frame is due in the time that the flow lasts";
        return Err(SpecError::invalid(&place(), problem, "a higher rate or a longer time"));
    }
    Ok(())
}

fn check_order(spec: &Spec, index: usize, flow: &Flow) -> Result<(), SpecError> {
    if flow.order == Order::Queue {
        return Ok(());
    }
    let streams_max = u64::from(u16::MAX);
    let (problem, allowed) = match tuple_turn(flow) {
        Some(tuples) if tuples <= streams_max => return Ok(()),
        Some(tuples) => (
            format!("{tuples} tuples, and each is a stream"),
            format!("at most {streams_max} tuples, or order = \"queue\""),
        ),
        None => (
            "the address and port tuples do not come in a fixed turn, each once".to_owned(),
            "addresses and ports whose values are all different, `vary` other than \"random\" \
             and not \"product\" with further fields; or order = \"queue\""
                .to_owned(),
        ),
    };
    Err(SpecError::invalid(&spec.place(index, "order"), problem, allowed))
}

fn check_mtu(
    spec: &Spec,
    index: usize,
    flow: &Flow,
    port: usize,
    info: &PortInfo,
) -> Result<(), SpecError> {
    let link_layers = flow.layers.iter().enumerate().take_while(|(at, layer)| is_link(*at, layer));
    let link_bytes: usize = link_layers.map(|(_, layer)| layer.bytes()).sum();
    let frame_bytes = flow.sizes.iter().map(|size| usize::from(size.without_fcs())).max();
    let packet_bytes = frame_bytes.unwrap_or(0).saturating_sub(link_bytes);
    if packet_bytes <= info.mtu as usize {
        return Ok(());
    }
    let name = &spec.ports[port].name;
    let problem =
        format!("packets of {packet_bytes} octets are over the MTU of {name}, {}", info.mtu);
    let interface = &info.name.interface;
    let allowed =
        format!("smaller frames, or a larger MTU: `ip link set {interface} mtu {packet_bytes}`");
    Err(SpecError::invalid(&spec.place(index, "size"), problem, allowed))
}

fn expects(spec: &Spec, streams: &[plan::Stream], stream: StreamId, port: usize) -> bool {
    let flow = &spec.flows[streams[usize::from(stream.0)].flow];
    flow.receivers().any(|rx| rx == port) && flow.is_measured()
}

fn analyser_setup(
    spec: &Spec,
    streams: &[plan::Stream],
    port: usize,
    info: &PortInfo,
    nonce: u32,
    settings: &Settings,
    limits: &[plan::PortLimits],
) -> AnalyserSetup {
    let wires = |stream: &plan::Stream| {
        // Of a round trip all is told: how often it was stored on the way is not known.
        let one_way = stream.port != port;
        stamping::octet_ps(limits[stream.port].wire_bps, limits[port].wire_bps).filter(|_| one_way)
    };
    let streams = streams
        .iter()
        .map(|stream| StreamSetup {
            role: if expects(spec, streams, stream.id, port) {
                Role::Expected
            } else {
                Role::Elsewhere
            },
            full_integrity: spec.flows[stream.flow].integrity == Integrity::Full,
            payload_offset: payload_offset(&spec.flows[stream.flow]),
            octet_ps: wires(stream).unwrap_or(0),
        })
        .collect();
    AnalyserSetup {
        nonce,
        interval_ns: settings.interval.as_nanos() as u64,
        queues: info.rx_queues,
        mtu: info.mtu,
        stamping: Stamping::Every,
        shared_windows: spec.flows.iter().any(|flow| !flow.more_rx.is_empty()),
        streams,
        counted: Vec::new(),
    }
}

/// Whether it is of the frame's own link layer, and not of one that a tunnel carries.
fn is_link(at: usize, layer: &Layer) -> bool {
    at == 0 || matches!(layer, Layer::Vlan { .. })
}

/// From the end of L3, where the analyser knows it, to the payload, if more than one L4
/// header stands between; 0: as the L4 protocol says.
fn payload_offset(flow: &Flow) -> u16 {
    let mut above: Vec<_> =
        flow.layers.iter().enumerate().skip_while(|(at, layer)| is_link(*at, layer)).collect();
    if above.first().is_some_and(|(_, layer)| layer.is_ip()) {
        let l3 = 1 + above[1..].iter().take_while(|(_, layer)| layer.is_extension()).count();
        above.drain(..l3);
        let plain = |layer: &Layer| matches!(layer.name(), "udp" | "tcp" | "icmp" | "icmpv6");
        if above.is_empty() || above.len() == 1 && plain(above[0].1) {
            return 0;
        }
    }
    above.iter().map(|(_, layer)| layer.bytes()).sum::<usize>() as u16
}

/// 18 bits that tell this session's frames from those of any other.
fn session_nonce() -> u32 {
    use std::hash::{BuildHasher, RandomState};
    let random = RandomState::new().hash_one(std::process::id());
    (random as u32) & ((1 << abi::TAG_NONCE_BITS) - 1)
}

/// The addresses that the flows put behind a port: sources of what it sends, destinations
/// of what it receives (DESIGN, rule 11).
pub(super) fn behind(spec: &Spec, port: usize) -> Vec<AddressSet> {
    let sources = spec.flows.iter().filter(|flow| flow.tx == port).filter_map(Program::sources);
    let destinations = spec.flows.iter().filter(|flow| flow.receivers().any(|rx| rx == port));
    let destinations = destinations.filter_map(Program::destinations);
    sources.chain(destinations).collect()
}

pub(super) fn addresses(port: &PortSpec) -> Vec<IpAddr> {
    port.addresses.iter().map(ipnet::IpNet::addr).collect()
}

pub(super) fn next_hops(spec: &Spec, ports: &[Port]) -> Result<Vec<NextHop>, SessionError> {
    /// Where another daemon sends, it asks itself: here frames are only looked at.
    const SOMEWHERE: [u8; 6] = [2, 0, 0, 0, 0, 1];
    let mut known = Known::default();
    let hop = |flow: &Flow| match &ports[flow.tx].far {
        None => known.next_hop(flow, &spec.ports[flow.tx], &ports[flow.tx]),
        Some(_) => Ok(NextHop::One(SOMEWHERE)),
    };
    spec.flows.iter().map(hop).collect()
}

/// How the frames of every flow are made.
pub(super) fn compile(
    spec: &Spec,
    ports: &[Port],
    next_hops: &[NextHop],
) -> Result<Vec<Arc<Program>>, SessionError> {
    let compile = |(flow, next_hop): (&Flow, &NextHop)| {
        Program::compile(flow, ports[flow.tx].info.mac, next_hop)
            .map(Arc::new)
            .map_err(|source| SessionError::Packet { flow: flow.name.clone(), source })
    };
    spec.flows.iter().zip(next_hops).map(compile).collect()
}
