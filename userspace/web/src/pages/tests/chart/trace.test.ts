import { expect, test } from 'vitest'
import type { TrialRow } from '@/api/schema'
import { searches, trace } from './trace'

function trial(id: number, more: Partial<TrialRow> = {}): TrialRow {
  return {
    id, test: 'throughput', frame: '64', goal: null, intended_fps: 1000 * id, actual_fps: null, duration_ns: 1e9, tx_frames: 1000, rx_unique_frames: 1000,
    lost_frames: 0, loss_ratio: 0, unsent_frames: 0, duplicate_frames: 0, reordered_frames: 0, corrupt_frames: 0, stale_frames: 0, tester_drops: 0,
    latency_mean_ns: null, latency_p99_ns: null, lower_fps: null, upper_fps: null, valid: true, reason: null, ...more,
  }
}

test('trials are put to the search they belong to', () => {
  const all = searches([trial(1), trial(2, { frame: '512' }), trial(3), trial(4, { test: 'latency' })])
  expect(all.map((search) => [search.key, search.trials.map((one) => one.id)])).toEqual([['throughput/64', [1, 3]], ['throughput/512', [2]], ['latency/64', [4]]])
})

test('loss is a cross, what is not valid is hollow, and what goes on stands at the end', () => {
  const trials = [trial(1), trial(2, { lost_frames: 5, loss_ratio: 0.005 }), trial(3, { valid: false, reason: 'tester-limited' })]
  const current = { id: 4, test: 'throughput', frame: '64', goal: null, intended_fps: 1500, duration_ns: 1e9, lower_fps: 1000, upper_fps: 2000 }
  const chart = trace('Search', trials, 2, current)
  const marks = chart?.marks.filter((mark) => mark.is === 'path').map((mark) => [mark.class, mark.words])
  expect(marks).toEqual([
    ['mark c0', 'trial 1: 1,000 fps, 0 % lost'],
    ['cross', 'trial 2: 2,000 fps, 0.5 % lost'],
    ['mark c7 hollow', 'trial 3: 3,000 fps, 0 % lost; tester-limited'],
    ['mark c2 hollow', 'trial 4 goes on'],
  ])
  // Bounds are per direction, loads are of both: the upper bound of 2,000 stands at 4,000, off the top of 3,000.
  expect(chart?.legend.map((one) => one.class)).toEqual(['c0', 'bad', 'c7', 'lower', 'upper', 'c2'])
})

test('a bound that is not there leaves a gap', () => {
  const trials = [trial(1, { lower_fps: 1 }), trial(2), trial(3, { lower_fps: 2 })]
  expect(trace('', trials, 1)?.marks.filter((mark) => mark.class === 'line lower').length).toBe(2)
})

test('of bursts the length is drawn, not the rate', () => {
  const chart = trace('', [trial(1, { test: 'back-to-back', tx_frames: 40 })], 1)
  expect(chart?.y.title).toBe('frames in the burst')
  expect(chart?.y.to).toBe(40)
})

test('of a long search the end is drawn, and the title says so', () => {
  const chart = trace('Search', Array.from({ length: 1500 }, (_, at) => trial(at + 1)), 1)
  expect(chart?.marks.filter((mark) => mark.is === 'path').length).toBe(400)
  expect(chart?.title).toBe('Search (the last 400 of 1,500 trials)')
})

test('nothing is no picture', () => expect(trace('', [], 1)).toBeNull())
