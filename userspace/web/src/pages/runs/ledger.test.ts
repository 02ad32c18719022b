//! Every missing frame leaves the way at one place, and at the right one.

import { expect, test } from 'vitest'
import type { FlowResult, Ledger } from '@/api/results/run'
import { addWays, draw, wayOf } from './ledger'

function flow(more: Partial<FlowResult>, ledger: Partial<Ledger> = {}): FlowResult {
  return {
    unsent_frames: 0, lost_frames: 0, corrupt_frames: 0, misdirected_frames: 0, late_frames: 0, ...more,
    ledger: {
      requested: 100, submitted: 100, completed: 100, tx_port: 100, rx_port: 100, rx_dropped: 0, seen: 100, matched: 100,
      in_order: 100, missing_at: null, limited_by: null, ...ledger,
    },
  } as FlowResult
}
const places = (of: FlowResult) => wayOf(of).branches.map((branch) => [branch.after, branch.name, branch.frames])

test('a flow that lost nothing has no branch', () => {
  expect(places(flow({}))).toEqual([])
  // Foreign frames raise the counts of ports and hide nothing.
  expect(places(flow({}, { tx_port: 103, rx_port: 105, seen: 105 }))).toEqual([])
})

test('frames leave where they were counted last', () => {
  const lossy = flow(
    { unsent_frames: 10, lost_frames: 15, corrupt_frames: 2 },
    { submitted: 90, completed: 89, tx_port: 89, rx_port: 77, rx_dropped: 0, seen: 77, matched: 77, in_order: 75, missing_at: 'unsent' },
  )
  expect(places(lossy)).toEqual([[0, 'unsent', 10], [1, 'tx ring', 1], [3, 'wire or device', 12], [6, 'corrupt', 2]])
})

test('drops at the end of a veth are not called the port nor the device', () => {
  const ring = flow({ lost_frames: 5 }, { tx_port: 95, rx_port: 95, seen: 95, matched: 95, in_order: 95, missing_at: 'peer ring' })
  expect(places(ring)).toEqual([[3, 'peer ring', 5]])
})

test('drops are charged up to the loss and no further', () => {
  const shared = flow({ lost_frames: 3 }, { tx_port: null, rx_port: null, seen: null, rx_dropped: 50, matched: 97, missing_at: 'rx before XDP' })
  expect(places(shared)).toEqual([[4, 'rx before XDP', 3]])
  const named = flow({ lost_frames: 3 }, { tx_port: null, rx_port: null, seen: null, rx_dropped: null, matched: 97, missing_at: 'tx port' })
  expect(places(named)).toEqual([[2, 'tx port', 3]])
})

test('flows add up, and what one does not know is not known of all', () => {
  const all = addWays([wayOf(flow({ lost_frames: 1 }, { rx_port: 99, seen: 99 })), wayOf(flow({ lost_frames: 2 }, { rx_port: null }))])
  expect(all.places.map((place) => place.frames)).toEqual([200, 200, 200, 200, null, 199, 200, 200])
  expect(all.branches).toEqual([{ after: 3, name: 'wire or device', frames: 3 }])
})

test('one frame of a million is still to be seen', () => {
  const way = wayOf(flow({ lost_frames: 1 }, { requested: 1e6, submitted: 1e6, completed: 1e6, tx_port: 1e6, rx_port: 999_999, seen: 999_999, matched: 999_999, in_order: 0 }))
  const drawn = draw(way)
  expect(drawn.leaves).toHaveLength(1)
  expect(drawn.bars[7]?.height).toBe(0)
  expect(drawn.bars[4]?.height).toBeLessThan(drawn.bars[0]?.height ?? 0)
  for (const leaf of drawn.leaves) expect(leaf.y).toBeLessThan(drawn.height)
})
