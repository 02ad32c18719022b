import { expect, test } from 'vitest'
import type { CurrentTrial, LiveFlow, TrialRow } from '@/api/schema'
import { answered, joined, MOST_POINTS, NO_COURSE, RateTrail, shareDone, type SuiteRates, told } from './course'

const trial = (id: number) => ({ id }) as TrialRow
const current = { id: 3 } as CurrentTrial

test('an older answer does not take back what was told', () => {
  const known = told({ suite: 1, trials: 2, current, spent_ns: 20, remaining_ns: 5, finished: [] })
  expect(answered(known, { trials: 1, current: null, spent_ns: 10, remaining_ns: 15, trace: [] })).toBe(known)
  expect(answered(known, { trials: 2, current: null, spent_ns: 20, remaining_ns: 5, trace: [] })).toBe(known)
  expect(answered(known, { trials: 3, current: null, spent_ns: 25, remaining_ns: 0, trace: [] }).done).toBe(3)
  expect(answered(NO_COURSE, { trials: 0, current, spent_ns: 0, remaining_ns: 9, trace: [] }).current).toBe(current)
})

test('a trial that comes by answer and by event is one', () => {
  expect(joined([trial(1), trial(2)], [trial(3)]).map((one) => one.id)).toEqual([1, 2, 3])
  expect(joined([trial(2), trial(3)], [trial(1), trial(2)]).map((one) => one.id)).toEqual([1, 2, 3])
  const known = [trial(1)]
  expect(joined(known, [])).toBe(known)
})

test('what is done is a share of the time, and unknown before there is any', () => {
  expect(shareDone(NO_COURSE)).toBeNull()
  expect(shareDone({ done: 1, current: null, spent_ns: 1, remaining_ns: 3 })).toBe(0.25)
})

test('rates are summed over the flows and the oldest leave', () => {
  const flow = (tx_pps: number, rx_pps: number | null) => ({ latest: { tx_pps, rx_pps } }) as LiveFlow
  const rates: SuiteRates = { suite: 1, trial: 1, phase: 'sending', elapsed_ns: 0, flows: [flow(10, 9), flow(5, null)] }
  const trail = new RateTrail()
  expect(trail.add(1, rates)).toEqual([[1], [15], [9]])
  expect(trail.add(1, rates)[0]).toEqual([1])
  for (let at = 2; at < MOST_POINTS + 10; at += 1) trail.add(at, rates)
  expect(trail.add(9999, rates)[0]?.length).toBe(MOST_POINTS)
})
