//! Counts of flows add up to counts of ports, and what is not known stays so.

import { expect, test } from 'vitest'
import type { RunSnapshot } from '@/api/schema'
import { byPort } from './usage'

function flow(name: string, rx: number | null) {
  return { name, finished: [], latest: { t: 1, tx_frames: 5, tx_pps: 5, rx_pps: rx, tx_bps_l2: 1 }, totals: { tx_frames: 50, tx_bytes: 1, rx_frames: rx } }
}
const ways = new Map([
  ['a', { tx: 'west', rx: ['east'] }], ['b', { tx: 'west', rx: ['east'] }], ['c', { tx: 'east', rx: [] }], ['d', { tx: 'east', rx: ['west', 'north'] }],
])
const uses = (...flows: ReturnType<typeof flow>[]) => byPort({ id: 7, name: 'x' }, ways, { run: 7, flows } as unknown as RunSnapshot)

test('a port has the sums of what leaves and of what arrives', () => {
  const found = uses(flow('a', 4), flow('b', 3), flow('c', null), flow('gone', 1))
  expect(found.get('west')).toMatchObject({ run: 7, tx_flows: 2, tx_pps: 10, tx_frames: 100, rx_flows: 0, rx_pps: null })
  expect(found.get('east')).toMatchObject({ rx_flows: 2, rx_pps: 7, rx_frames: 7, tx_flows: 1 })
})

test('a flow that is not counted, or of several receivers, leaves the sum unknown', () => {
  expect(uses(flow('a', null), flow('b', 3)).get('east')?.rx_pps).toBeNull()
  expect(uses(flow('d', 3)).get('north')?.rx_frames).toBeNull()
})
