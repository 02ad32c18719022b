/// Why a flow's headers cannot be laid out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PacketError {
    /// The first header is another one.
    #[error("the first layer is `{0}`; begin `layers` with `eth`")]
    NotEthernet(&'static str),
    /// A header cannot stand there.
    #[error(
        "`{layer}` cannot follow `{after}`; the order is eth, vlan.., mpls.., ipv4 or ipv6, udp or tcp or icmp, raw; gre and vxlan carry headers again"
    )]
    Order {
        /// The header.
        layer: &'static str,
        /// The one before it.
        after: &'static str,
    },
    /// Two fields claim the same two octets.
    #[error(
        "`eth.type` and the `tpid` of the vlan after it are the same two octets; give one of them"
    )]
    TypeTwice,
    /// A list, range or random set without a value.
    #[error("`{0}` has no value; give at least one")]
    NoValue(&'static str),
    /// A value does not fit its field.
    #[error("`{field}` has values that do not fit; it holds 0 to {max}")]
    TooBig {
        /// The field.
        field: &'static str,
        /// Its greatest value.
        max: u128,
    },
    /// Fields that should advance in step have different periods.
    #[error(
        "vary = \"zip\" wants equal periods, but `{a}` has {a_period} values and `{b}` has {b_period}"
    )]
    ZipPeriods {
        /// One field.
        a: &'static str,
        /// Its period.
        a_period: u32,
        /// The other field.
        b: &'static str,
        /// Its period.
        b_period: u32,
    },
    /// More than `EDITS_MAX` words vary.
    #[error("{0} words of the frame vary; at most {max} may, fix some fields", max = xdp_ebpf::abi::EDITS_MAX)]
    TooManyEdits(usize),
    /// Frames differ in where their IP packet begins or ends.
    #[error(
        "Ethernet type, IP version or IP length vary, so that no frame is told without a tag; give each one value"
    )]
    Formless,
    /// The headers are longer than `HEADER_BYTES_MAX`.
    #[error("the headers take {0} octets; at most {max} are possible, drop some layers", max = xdp_ebpf::abi::HEADER_BYTES_MAX)]
    HeadersTooLong(usize),
    /// More packets in each other than an edit program can hold.
    #[error("the headers have {count} {what}; at most {max} are possible, drop some layers", max = super::program::PARTS_MAX)]
    TooDeep {
        /// Checksums or lengths.
        what: &'static str,
        /// How many there are.
        count: usize,
    },
    /// Too many listed values.
    #[error("the lists of this flow hold more than {max} values; use ranges", max = super::program::TABLE_MAX)]
    TableTooLong,
    /// `eth.dst = "auto"`, but nobody was asked.
    #[error("`eth.dst` is \"auto\" and no next hop was resolved; give the MAC address")]
    NoNextHop,
    /// One next hop per destination, but not as many as destinations.
    #[error("{got} next hops for {wanted} destination addresses; resolve every one")]
    NextHops {
        /// Next hops given.
        got: usize,
        /// Destination addresses of the flow.
        wanted: u32,
    },
    /// No size at all.
    #[error("the flow has no frame size; give `size`")]
    NoSize,
    /// The frame cannot hold its headers and tag.
    #[error("a frame of {size} cannot hold its headers{tag}; the least size is {least}", tag = if *.tagged { " and tag" } else { "" })]
    TooShort {
        /// Size with FCS.
        size: u16,
        /// Least size with FCS.
        least: usize,
        /// Whether a tag is counted in.
        tagged: bool,
    },
}
