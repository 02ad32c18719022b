//! Two runs share seconds, not samples.

import { expect, test } from 'vitest'
import type { SampleRow } from '@/api/schema'
import { overlay } from './overlay'

const row = (t: number, rx_pps: number | null) => ({ t: t * 1e9, rx_pps }) as SampleRow

test('samples of about the same second stand at the same time, others alone', () => {
  expect(overlay([row(1.002, 5), row(2.01, 6)], [row(0.99, 7), row(3, null)], 'rx_pps')).toEqual([[1, 2, 3], [5, 6, null], [7, null, null]])
})
