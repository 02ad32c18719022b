//! What a port is and can do, in words.

import type { Port } from '@/api/results/ports'
import { bps, count } from '@/format'

/** A line of a list of facts. */
export type Fact = [name: string, value: string]

/** Facts of one kind. */
export interface Facts {
  title: string
  facts: Fact[]
}

const NONE = '–'

/** Why an offload falsifies a measurement (Documentation/networking/segmentation-offloads). */
const HARM: Record<string, string> = {
  'rx-lro': 'received segments are merged: several frames would be counted as one',
  'rx-gro-hw': 'the NIC merges received segments: several frames would be counted as one',
  'rx-gro-list': 'received frames are chained: several would be counted as one',
  'rx-udp-gro-forwarding': 'UDP datagrams are merged: several frames would be counted as one',
  'rx-vlan-hw-parse': 'the NIC takes VLAN tags off: the analyser would not see them',
}

/** The offload and what it does. */
export function harm(offload: string): string {
  return HARM[offload] ?? 'changes what the analyser sees'
}

/** Whether frames can pass, in a word. */
export function linkWord(port: Port): { word: string; tone: 'pass' | 'fail' | 'invalid' } {
  if (!port.up) return { word: 'off', tone: 'invalid' }
  return port.carrier ? { word: 'link up', tone: 'pass' } : { word: 'no carrier', tone: 'fail' }
}

/** How frames can leave and be seen, by what the driver says. */
export function modeWord(port: Port): string {
  const xdp = port.capabilities.xdp?.xdp
  if (!xdp) return 'not told'
  if (xdp.includes('xsk-zerocopy')) return 'AF_XDP zero-copy'
  if (!xdp.includes('basic')) return 'AF_XDP copy, generic XDP'
  return xdp.includes('ndo-xmit') ? 'live frames, or AF_XDP copy' : 'AF_XDP copy, XDP in the driver'
}

function words(list: string[] | undefined): string {
  return list?.length ? list.join(', ') : NONE
}

/** `0-3, 8`: CPUs and queues as the kernel writes them. */
export function ranges(numbers: number[]): string {
  const sorted = [...numbers].sort((a, b) => a - b)
  const parts: string[] = []
  for (let at = 0; at < sorted.length; ) {
    let end = at
    while (sorted[end + 1] === (sorted[end] as number) + 1) end += 1
    parts.push(end > at ? `${sorted[at]}-${sorted[end]}` : String(sorted[at]))
    at = end + 1
  }
  return parts.join(', ') || NONE
}

/** All that is known of a port, by kind. */
export function factsOf(port: Port): Facts[] {
  const can = port.capabilities
  const { channels, rings, pause, pci, timestamping, xdp } = can
  const onOff = (on: boolean) => (on ? 'on' : 'off')
  return [
    {
      title: 'Port',
      facts: [
        ['Driver', port.driver + (port.kind && port.kind !== port.driver ? ` (${port.kind})` : '')], ['Firmware', port.firmware || NONE],
        ['Bus', port.bus || NONE], ['NUMA node', pci?.numa_node == null ? NONE : String(pci.numa_node)],
        ['CPUs near it', pci ? ranges(pci.local_cpus) : NONE],
        ['PCI Express', pci?.link ? `${pci.link.megatransfers / 1000} GT/s, ${pci.link.lanes} lanes` : NONE],
        ['MAC', port.mac], ['Addresses', words(port.addresses)], ['Number', String(port.ifindex)],
      ],
    },
    {
      title: 'Link',
      facts: [
        ['State', linkWord(port).word], ['Speed', port.link_bps === null ? 'virtual link, none' : bps(port.link_bps)], ['Duplex', can.duplex ?? NONE],
        ['MTU', count(port.mtu)], ['Promiscuous', onOff(port.promiscuous)],
        ['Flow control', pause ? `receives ${onOff(pause.rx)}, sends ${onOff(pause.tx)}${pause.autoneg ? ', negotiated' : ''}` : NONE],
      ],
    },
    {
      title: 'Queues',
      facts: [
        ['RX', channels ? `${channels.rx} of ${channels.rx_max}` : String(port.rx_queues)],
        ['TX', channels ? `${channels.tx} of ${channels.tx_max}` : String(port.tx_queues)],
        ['RX ring', rings ? `${count(rings.rx)} of ${count(rings.rx_max)} descriptors` : NONE],
        ['TX ring', rings ? `${count(rings.tx)} of ${count(rings.tx_max)} descriptors` : NONE],
        ['RX interrupt held', can.rx_coalesce_us === null ? NONE : `${can.rx_coalesce_us} µs`],
        ['Interrupts', can.interrupts.length ? `${can.interrupts.length} on CPUs ${ranges([...new Set(can.interrupts.flatMap((irq) => irq.cpus))])}` : NONE],
      ],
    },
    {
      title: 'XDP and AF_XDP',
      facts: [
        ['Mode', modeWord(port)], ['XDP', words(xdp?.xdp)], ['RX metadata', words(xdp?.rx_metadata)], ['AF_XDP', words(xdp?.xsk)],
        ['Zero-copy buffers', xdp?.zero_copy_segments == null ? NONE : String(xdp.zero_copy_segments)],
        ['Program', port.xdp_program ? `no. ${port.xdp_program.id}, ${port.xdp_program.hook}` : 'none'],
        ['Timestamps', words(timestamping?.stamps)], ['Clock', timestamping?.phc == null ? NONE : `/dev/ptp${timestamping.phc}`],
      ],
    },
  ]
}
