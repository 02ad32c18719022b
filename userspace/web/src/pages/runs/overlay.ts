//! Samples of two runs on one axis of time.

import type { SampleRow } from '@/api/schema'

type Column = 'rx_pps' | 'tx_pps' | 'loss_ratio' | 'p99_ns'

/** Times in seconds, then a line for each run. Samples end at about whole seconds: those that are nearest share a time. */
export function overlay(a: SampleRow[], b: SampleRow[], column: Column): (number | null)[][] {
  const rows = new Map<number, [number | null, number | null]>()
  const add = (samples: SampleRow[], line: 0 | 1) => {
    for (const sample of samples) {
      const second = Math.round(sample.t / 1e9)
      const row = rows.get(second) ?? [null, null]
      row[line] = sample[column] ?? null
      rows.set(second, row)
    }
  }
  add(a, 0)
  add(b, 1)
  const times = [...rows.keys()].sort((x, y) => x - y)
  return [times, times.map((at) => rows.get(at)?.[0] ?? null), times.map((at) => rows.get(at)?.[1] ?? null)]
}
