//! Samples keep their order, their gaps, and no more than their depth.

import { expect, test } from 'vitest'
import { SampleRing, sum, sums, type Sampled } from './ring'

function sample(t: number, more: Partial<Sampled> = {}): Sampled {
  return {
    t: t * 1e9, tx_frames: 10, tx_pps: 10, rx_pps: 9, tx_bps_l2: 100, rx_bps_l2: 90,
    loss_ratio: null, p50_ns: 5, p99_ns: 7, p999_ns: 8, max_ns: 9, ...more,
  }
}

test('a sample replaces the one of its time when its loss is known', () => {
  const ring = new SampleRing()
  ring.put(sample(1))
  ring.put(sample(2))
  ring.put(sample(1, { loss_ratio: 0.1 }))
  expect(ring.series('loss_ratio')).toEqual([[1, 2], [0.1, null]])
  expect(ring.newest('loss_ratio')).toBe(0.1)
})

test('history that comes late is put before what is newer', () => {
  const ring = new SampleRing()
  for (const t of [5, 1, 3, 2, 4]) ring.put(sample(t, { tx_pps: t }))
  expect(ring.series('tx_pps')).toEqual([[1, 2, 3, 4, 5], [1, 2, 3, 4, 5]])
})

test('only the newest are kept, and what is older than all is dropped', () => {
  const ring = new SampleRing(3)
  for (const t of [2, 3, 4, 5]) ring.put(sample(t))
  ring.put(sample(1))
  expect(ring.series()[0]).toEqual([3, 4, 5])
  ring.put(sample(4.5))
  expect(ring.series()[0]).toEqual([4, 4.5, 5])
})

test('a sum of losses is weighted by frames, and not known when one is not', () => {
  const all = sum([sample(1, { loss_ratio: 0.5, tx_frames: 10 }), sample(1, { loss_ratio: 0, tx_frames: 90 })])
  expect(all?.loss_ratio).toBeCloseTo(0.05)
  expect(sum([sample(1, { loss_ratio: 0.5 }), sample(1)])?.loss_ratio).toBeNull()
  // A paused flow sent nothing that could be lost.
  expect(sum([sample(1, { loss_ratio: 0.5 }), sample(1, { tx_frames: 0 })])?.loss_ratio).toBe(0.5)
  expect(all?.p50_ns).toBeNull()
  expect(sum([sample(1), sample(1, { p99_ns: 70 })])?.p99_ns).toBe(70)
})

test('times at which a flow is missing have no sum', () => {
  const whole = sums([[sample(2), sample(3)], [sample(1), sample(2), sample(3)]])
  expect(whole.map((row) => [row.t, row.tx_pps])).toEqual([[2e9, 20], [3e9, 20]])
})
