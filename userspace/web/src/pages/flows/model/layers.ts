//! The layers that a flow may have, and their fields, as in the README's "Flow file".

import type { Table } from './spec'

/** What a field takes. `bits`: a number; `checksum`: `auto`, `bad` or 16 bits. */
export type Kind = 'bits' | 'mac' | 'ipv4' | 'ipv6' | 'hex' | 'flag' | 'checksum'

/** A field of a header. */
export interface Field {
  key: string
  kind: Kind
  /** Of a number. */
  bits?: number
  title: string
  /** What it is when nothing is given; absent: it must be given. */
  unset?: string
  /** Shown at once; the others stand under "More fields". */
  often?: boolean
  /** Takes one value only, no list, range or random. */
  single?: boolean
  hint?: string
}

/** A header. */
export interface Layer {
  key: string
  title: string
  group: string
  /** What a new one holds: addresses of RFC 2544 and its kind. */
  fresh: Table
  fields: Field[]
}

type Rest = Partial<Field>
const bits = (key: string, title: string, size: number, rest: Rest = {}): Field => ({ key, kind: 'bits', bits: size, title, ...rest })
const computed = (key: string, title: string, size = 16): Field => bits(key, title, size, { unset: 'computed' })
const mac = (key: string, title: string, unset: string): Field => ({ key, kind: 'mac', title, unset, often: true })
const checksum = (unset = 'computed', hint = '"bad" is wrong in every frame'): Field => ({
  key: 'checksum', kind: 'checksum', title: 'Checksum', unset, single: true, hint,
})
const hex = (key: string, title: string, rest: Rest): Field => ({ key, kind: 'hex', title, often: true, single: true, ...rest })
const often: Rest = { often: true }
const port = (key: string, title: string, unset?: string): Field => bits(key, title, 16, { often: true, unset })

const ICMP = (type: string): Field[] => [
  bits('type', 'Type', 8, { unset: type, often: true, hint: 'echo request unless given' }),
  bits('code', 'Code', 8, { unset: '0', often: true }),
  bits('id', 'Identifier', 16, { unset: '0', often: true }),
  bits('seq', 'Sequence number', 16, { unset: '0', often: true }),
  checksum(),
]

const OPTIONS = hex('options', 'Options', { unset: 'padding only', hint: 'padded to 8 octets' })

/** Every layer, in the order in which they are offered. */
export const LAYERS: Layer[] = [
  {
    key: 'eth', title: 'Ethernet', group: 'Link', fresh: {},
    fields: [
      mac('dst', 'Destination', 'auto'),
      mac('src', 'Source', 'auto'),
      bits('type', 'EtherType', 16, { unset: 'computed', often: true }),
    ],
  },
  {
    key: 'vlan', title: 'VLAN tag', group: 'Link', fresh: { id: 1 },
    fields: [
      bits('id', 'VLAN identifier', 12, often),
      bits('pcp', 'Priority (PCP)', 3, { unset: '0', often: true }),
      bits('dei', 'Drop eligible (DEI)', 1, { unset: '0' }),
      bits('tpid', 'TPID', 16, { unset: '0x8100, outer 0x88a8' }),
      computed('type', 'EtherType after it'),
    ],
  },
  {
    key: 'mpls', title: 'MPLS label', group: 'Link', fresh: { label: 16 },
    fields: [
      bits('label', 'Label', 20, often),
      bits('tc', 'Traffic class', 3, { unset: '0', often: true }),
      bits('ttl', 'TTL', 8, { unset: '64', often: true }),
      computed('bottom', 'Bottom of stack', 1),
    ],
  },
  {
    key: 'arp', title: 'ARP', group: 'Link', fresh: { spa: '198.18.0.2', tpa: '198.18.0.1' },
    fields: [
      bits('op', 'Operation', 16, { unset: '1', often: true, hint: '1 request, 2 reply' }),
      mac('sha', 'Sender hardware address', 'auto'),
      { key: 'spa', kind: 'ipv4', title: 'Sender protocol address', often: true },
      mac('tha', 'Target hardware address', '00:00:00:00:00:00'),
      { key: 'tpa', kind: 'ipv4', title: 'Target protocol address', often: true },
      computed('hardware_type', 'Hardware type'),
      computed('protocol_type', 'Protocol type'),
      computed('hardware_length', 'Hardware length', 8),
      computed('protocol_length', 'Protocol length', 8),
    ],
  },
  {
    key: 'ipv4', title: 'IPv4', group: 'Network', fresh: { src: '198.18.0.2', dst: '198.19.0.2' },
    fields: [
      { key: 'src', kind: 'ipv4', title: 'Source', often: true },
      { key: 'dst', kind: 'ipv4', title: 'Destination', often: true },
      bits('dscp', 'DSCP', 6, { unset: '0', often: true }),
      bits('ttl', 'TTL', 8, { unset: '64', often: true }),
      bits('ecn', 'ECN', 2, { unset: '0' }),
      bits('id', 'Identification', 16, { unset: '0' }),
      { key: 'df', kind: 'flag', title: "Don't fragment (DF)", unset: 'no' },
      computed('mf', 'More fragments (MF)', 1),
      computed('fragment_offset', 'Fragment offset', 13),
      computed('protocol', 'Protocol', 8),
      computed('reserved', 'Reserved flag', 1),
      computed('version', 'Version', 4),
      computed('ihl', 'Header length (IHL)', 4),
      computed('length', 'Total length'),
      checksum(),
    ],
  },
  {
    key: 'ipv6', title: 'IPv6', group: 'Network', fresh: { src: '2001:2::2', dst: '2001:2:0:1::2' },
    fields: [
      { key: 'src', kind: 'ipv6', title: 'Source', often: true },
      { key: 'dst', kind: 'ipv6', title: 'Destination', often: true },
      bits('traffic_class', 'Traffic class', 8, { unset: '0', often: true }),
      bits('hop_limit', 'Hop limit', 8, { unset: '64', often: true }),
      bits('flow_label', 'Flow label', 20, { unset: '0' }),
      computed('next_header', 'Next header', 8),
      computed('version', 'Version', 4),
      computed('length', 'Payload length'),
    ],
  },
  { key: 'hop_by_hop', title: 'Hop-by-hop options', group: 'IPv6 extensions', fresh: {}, fields: [OPTIONS] },
  { key: 'destination_options', title: 'Destination options', group: 'IPv6 extensions', fresh: {}, fields: [OPTIONS] },
  {
    key: 'routing', title: 'Routing header', group: 'IPv6 extensions', fresh: {},
    fields: [
      bits('type', 'Routing type', 8, { unset: '253', often: true, single: true }),
      bits('segments_left', 'Segments left', 8, { unset: '0', often: true, single: true }),
      hex('data', 'Data', { unset: '00000000', hint: '4, 12, 20, .. octets' }),
    ],
  },
  {
    key: 'fragment', title: 'Fragment header', group: 'IPv6 extensions', fresh: {},
    fields: [bits('id', 'Identification', 32, { unset: '0', often: true, hint: 'an atomic fragment, RFC 6946' })],
  },
  {
    key: 'gre', title: 'GRE', group: 'Tunnels', fresh: {},
    fields: [
      bits('protocol', 'Protocol type', 16, { unset: 'computed', often: true }),
      bits('key', 'Key', 32, { unset: 'no key', often: true }),
      bits('sequence', 'Sequence number', 32, { unset: 'none', often: true }),
      checksum('none', 'true: computed; "bad" is wrong in every frame'),
      computed('reserved0', 'Reserved0', 12),
      computed('version', 'Version', 3),
      computed('reserved1', 'Reserved1'),
    ],
  },
  {
    key: 'vxlan', title: 'VXLAN', group: 'Tunnels', fresh: { vni: 1 },
    fields: [
      bits('vni', 'Network identifier (VNI)', 24, often),
      computed('flags', 'Flags', 8),
      computed('reserved0', 'Reserved', 24),
      computed('reserved1', 'Reserved, second', 8),
    ],
  },
  {
    key: 'udp', title: 'UDP', group: 'Transport', fresh: { src: 49184, dst: 7 },
    fields: [
      port('src', 'Source port'),
      port('dst', 'Destination port'),
      checksum('computed', '0: none; "bad" is wrong in every frame'),
      computed('length', 'Length'),
    ],
  },
  {
    key: 'tcp', title: 'TCP', group: 'Transport', fresh: { src: 49184, dst: 80 },
    fields: [
      port('src', 'Source port'),
      port('dst', 'Destination port'),
      bits('flags', 'Flags', 8, { unset: '16', often: true, hint: 'FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32' }),
      bits('seq', 'Sequence number', 32, { unset: '0' }),
      bits('ack', 'Acknowledgment number', 32, { unset: '0' }),
      bits('window', 'Window', 16, { unset: '65535' }),
      computed('ns', 'Nonce sum (NS)', 1),
      computed('data_offset', 'Data offset', 4),
      checksum(),
    ],
  },
  { key: 'icmp', title: 'ICMP', group: 'Transport', fresh: {}, fields: ICMP('8') },
  { key: 'icmpv6', title: 'ICMPv6', group: 'Transport', fresh: {}, fields: ICMP('128') },
  {
    key: 'raw', title: 'Octets', group: 'Other', fresh: { hex: '00 00 00 00' },
    fields: [hex('hex', 'Octets in hexadecimal', { hint: 'as they stand: "dead beef"' })],
  },
]

const BY_KEY = new Map(LAYERS.map((layer) => [layer.key, layer]))

/** The layer of a name; `undefined`: one that this page does not know. */
export function layerOf(key: string): Layer | undefined {
  return BY_KEY.get(key)
}

/** What usually stands under a layer: the first to offer after it. */
const NEXT: Record<string, string> = {
  eth: 'ipv4', vlan: 'ipv4', mpls: 'ipv4', ipv4: 'udp', ipv6: 'udp', udp: 'raw', tcp: 'raw', gre: 'ipv4', vxlan: 'eth',
  hop_by_hop: 'udp', destination_options: 'udp', routing: 'udp', fragment: 'udp', arp: 'raw', icmp: 'raw', icmpv6: 'raw',
}

export function usualNext(key: string | undefined): string {
  return key === undefined ? 'eth' : (NEXT[key] ?? 'raw')
}

/** What one value of a field may be, in words. */
export function allowed(field: Field): string {
  switch (field.kind) {
    case 'bits': return `0 to ${(2 ** (field.bits ?? 0) - 1).toLocaleString('en-US')}`
    case 'mac': return 'such as 02:00:00:00:00:01'
    case 'ipv4': return 'such as 198.18.0.2'
    case 'ipv6': return 'such as 2001:2::2'
    default: return ''
  }
}
