//! Shares of gaps are of their own direction.

import { expect, test } from 'vitest'
import { barsOf } from './gaps'

test('only buckets in use are shown, with the share of each direction', () => {
  const bars = barsOf({ edges_ns: [0, 1, 2, 4, 8, 16], tx_counts: [0, 0, 10, 0, 0], rx_counts: [0, 0, 6, 2, 0] })
  expect(bars.map((bar) => [bar.from_ns, bar.to_ns])).toEqual([[1, 2], [2, 4], [4, 8], [8, 16]])
  expect(bars[1]).toMatchObject({ tx: 10, tx_share: 1, rx: 6, rx_share: 0.75 })
})

test('what was not measured is null and has no share', () => {
  expect(barsOf({ edges_ns: [0, 1], tx_counts: null, rx_counts: null })).toEqual([])
  expect(barsOf({ edges_ns: [0, 1], tx_counts: [3], rx_counts: null })[0]).toMatchObject({ rx: null, rx_share: 0, tx_share: 1 })
})
