//! What the kernel did not say is a dash, never a guess.

import { expect, test } from 'vitest'
import type { Port } from '@/api/results/ports'
import { factsOf, linkWord, modeWord, ranges } from './facts'

const bare: Port = {
  if: 'e0', ifindex: 3, kind: null, driver: 'x', firmware: null, bus: null, mac: '02:00:00:00:00:01', mtu: 1500, up: true, carrier: false, link_bps: null,
  rx_queues: 1, tx_queues: 2, promiscuous: false, addresses: [], xdp_program: null, ceilings: [],
  capabilities: {
    duplex: null, channels: null, rings: null, pause: null, rx_coalesce_us: null, timestamping: null, xdp: null, pci: null, interrupts: [], harmful_offloads: [],
  },
}
const fact = (port: Port, name: string) => factsOf(port).flatMap((group) => group.facts).find(([key]) => key === name)?.[1]

test('a port of which nothing is known has no invented facts', () => {
  for (const name of ['Firmware', 'NUMA node', 'Flow control', 'RX ring', 'XDP', 'Timestamps']) expect(fact(bare, name), name).toBe('–')
  expect(fact(bare, 'TX')).toBe('2')
  expect(modeWord(bare)).toBe('not told')
})

test('a link is up only with a carrier', () => {
  expect(linkWord(bare).word).toBe('no carrier')
  expect(linkWord({ ...bare, carrier: true }).word).toBe('link up')
  expect(linkWord({ ...bare, up: false, carrier: true }).word).toBe('off')
})

test('the mode follows what the driver says', () => {
  const xdp = (xdp: string[]) => modeWord({ ...bare, capabilities: { ...bare.capabilities, xdp: { xdp, rx_metadata: [], xsk: [], zero_copy_segments: null } } })
  expect(xdp(['basic', 'xsk-zerocopy'])).toBe('AF_XDP zero-copy')
  expect(xdp(['basic'])).toBe('AF_XDP copy, XDP in the driver')
  expect(xdp(['basic', 'ndo-xmit'])).toBe('live frames, or AF_XDP copy')
  expect(xdp([])).toBe('AF_XDP copy, generic XDP')
})

test('CPUs are written as the kernel writes them', () => {
  expect(ranges([3, 0, 1, 2, 8])).toBe('0-3, 8')
  expect(ranges([])).toBe('–')
})
