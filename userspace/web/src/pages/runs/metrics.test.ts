//! Differences say which way is better, and nothing where nothing is known.

import { expect, test } from 'vitest'
import type { FlowResult } from '@/api/results/run'
import { METRICS, difference, signed } from './metrics'

test('every metric has its own key, and null where the result has none', () => {
  expect(new Set(METRICS.map((metric) => metric.key)).size).toBe(METRICS.length)
  const none = { latency_ns: null, outage: {} } as unknown as FlowResult
  for (const metric of METRICS) expect(metric.show(metric.of(none)), metric.key).toBe('–')
})

test('better and worse depend on what is counted', () => {
  expect(difference(100, 110, 'more')).toEqual({ ratio: 0.1, mark: 'better' })
  expect(difference(100, 110, 'less')).toEqual({ ratio: 0.1, mark: 'worse' })
  expect(difference(100, 110, null).mark).toBe('other')
  expect(difference(1e6, 1e6 + 1, 'less').mark).toBe('same')
  expect(difference(0, 0, 'less').mark).toBe('same')
  expect(difference(0, 1, 'less')).toEqual({ ratio: null, mark: 'worse' })
  expect(difference(null, 1, 'less').mark).toBe('unknown')
})

test('a difference keeps its sign and is never rounded to none', () => {
  expect(signed(0.0123)).toBe('+1.23 %')
  expect(signed(-0.5)).toBe('−50.0 %')
  expect(signed(0.00001)).toBe('+1e-3 %')
  expect(signed(null)).toBe('–')
})
