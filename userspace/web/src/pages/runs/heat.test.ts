//! A heat map that appends: fixed edges, rows by time, rare latencies still seen.

import { expect, test } from 'vitest'
import { cells, marks, merge, used, weight } from './heat'

const edges_ns = [0, 10, 20, 30, 40]

test('a row that comes again replaces the older one, and the oldest go', () => {
  const old = { edges_ns, rows: [{ t: 1, counts: [1] }, { t: 2, counts: [1] }] }
  const now = merge(old, { edges_ns, rows: [{ t: 2, counts: [5] }, { t: 3, counts: [1] }] }, 2)
  expect(now.rows).toEqual([{ t: 2, counts: [5] }, { t: 3, counts: [1] }])
  expect(merge(old, { edges_ns: [0], rows: [] }, 2).rows).toEqual([])
})

test('only the buckets in use are drawn, with one more on each side', () => {
  expect(used([[0, 0, 3, 0], [0, 0, 0, 0]])).toEqual({ first: 1, end: 4 })
  expect(used([[0, 0]])).toBeNull()
  expect(used([])).toBeNull()
})

test('one frame of a million is to be seen, and all of them weigh 1', () => {
  expect(weight(1, 1e6)).toBeGreaterThan(0.1)
  expect(weight(1e6, 1e6)).toBe(1)
  expect(weight(0, 10)).toBe(0)
})

test('time goes to the right and latency up', () => {
  const found = cells({ edges_ns, rows: [{ t: 1, counts: [4, 0, 0, 0] }, { t: 2, counts: [0, 0, 0, 4] }] }, 100, 80)
  expect(found).toHaveLength(2)
  const [low, high] = found as [(typeof found)[number], (typeof found)[number]]
  expect(low.x).toBeLessThan(high.x)
  expect(low.y).toBeGreaterThan(high.y)
})

test('cells touch and never overlap', () => {
  const found = cells({ edges_ns, rows: [1, 2, 3].map((t) => ({ t, counts: [1, 0, 0, 0] })) }, 100, 80)
  expect(found.map((cell) => [cell.x, cell.width])).toEqual([[0, 33], [33, 34], [67, 33]])
})

test('marks of the axis are borders of buckets', () => {
  expect(marks(edges_ns, { first: 0, end: 4 }, 3)).toEqual([{ at: 0, ns: 0 }, { at: 0.5, ns: 20 }, { at: 1, ns: 40 }])
})
