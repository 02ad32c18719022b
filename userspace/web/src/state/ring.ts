//! The newest samples of a flow, in columns: one allocation, and what charts want.

import type { SampleRow } from '@/api/schema'

/** Seconds that charts show. */
export const DEPTH = 300

const COLUMNS = ['tx_pps', 'rx_pps', 'tx_bps_l2', 'rx_bps_l2', 'tx_frames', 'loss_ratio', 'p50_ns', 'p99_ns', 'p999_ns', 'max_ns'] as const
/** What is kept of a sample. */
export type SampleColumn = (typeof COLUMNS)[number]
/** A sample, or a sum of samples. */
export type Sampled = Pick<SampleRow, 't' | SampleColumn>

/** Samples in the order of their time; NaN stands for what was not measured. */
export class SampleRing {
  length = 0
  private readonly t: Float64Array
  private readonly columns: Float64Array[]

  constructor(private readonly depth = DEPTH) {
    this.t = new Float64Array(depth)
    this.columns = COLUMNS.map(() => new Float64Array(depth))
  }

  /** Adds a sample, or replaces the one of that time: its loss is known later. */
  put(row: Sampled): void {
    let at = this.length
    while (at > 0 && (this.t[at - 1] as number) > row.t) at -= 1
    if (at > 0 && this.t[at - 1] === row.t) {
      this.write(at - 1, row)
      return
    }
    if (this.length === this.depth) {
      // Older than all that is kept.
      if (at === 0) return
      this.move(0, 1, at)
      at -= 1
    } else {
      this.move(at + 1, at, this.length)
      this.length += 1
    }
    this.write(at, row)
  }

  /** Times in seconds and then one array for each column; gaps are null. */
  series(...names: SampleColumn[]): (number | null)[][] {
    const times = Array.from(this.t.subarray(0, this.length), (t) => t / 1e9)
    return [times, ...names.map((name) => this.column(name))]
  }

  /** One column; gaps are null. */
  column(name: SampleColumn): (number | null)[] {
    const column = this.columns[COLUMNS.indexOf(name)] as Float64Array
    return Array.from(column.subarray(0, this.length), (value) => (Number.isNaN(value) ? null : value))
  }

  /** The newest that is known of a column. */
  newest(name: SampleColumn): number | null {
    const column = this.columns[COLUMNS.indexOf(name)] as Float64Array
    for (let at = this.length - 1; at >= 0; at -= 1) {
      const value = column[at] as number
      if (!Number.isNaN(value)) return value
    }
    return null
  }

  private move(to: number, from: number, end: number): void {
    for (const column of [this.t, ...this.columns]) column.copyWithin(to, from, end)
  }

  private write(at: number, row: Sampled): void {
    this.t[at] = row.t
    COLUMNS.forEach((name, index) => {
      const column = this.columns[index] as Float64Array
      column[at] = row[name] ?? Number.NaN
    })
  }
}

/** Several flows as one: rates add up, of latencies the worst is kept, and a loss that is not known of one is not known of all. */
export function sum(rows: Sampled[]): Sampled | null {
  const [first] = rows
  if (!first) return null
  const added = (name: SampleColumn) => {
    let total = 0
    for (const row of rows) {
      const value = row[name]
      if (value == null) return null
      total += value
    }
    return total
  }
  const worst = (name: SampleColumn) => {
    let most: number | null = null
    for (const row of rows) {
      const value = row[name]
      if (value != null && (most === null || value > most)) most = value
    }
    return most
  }
  const frames = added('tx_frames') ?? 0
  let lost: number | null = 0
  for (const row of rows) {
    if (row.tx_frames === 0) continue
    if (row.loss_ratio == null) lost = null
    if (lost !== null) lost += (row.loss_ratio ?? 0) * row.tx_frames
  }
  return {
    t: first.t, tx_frames: frames, tx_pps: added('tx_pps') ?? 0, rx_pps: added('rx_pps'),
    tx_bps_l2: added('tx_bps_l2') ?? 0, rx_bps_l2: added('rx_bps_l2'),
    loss_ratio: lost === null || frames === 0 ? null : lost / frames,
    // Percentiles of several flows can't be made of theirs.
    p50_ns: null, p99_ns: worst('p99_ns'), p999_ns: worst('p999_ns'), max_ns: worst('max_ns'),
  }
}

/** The sums of flows whose samples end at the same times. */
export function sums(flows: Sampled[][]): Sampled[] {
  const byTime = new Map<number, Sampled[]>()
  for (const samples of flows) {
    for (const row of samples) {
      const rows = byTime.get(row.t)
      if (rows) rows.push(row)
      else byTime.set(row.t, [row])
    }
  }
  // Where one flow is missing a sum would look like a dip that never was.
  const whole = [...byTime.values()].filter((rows) => rows.length === flows.length)
  return whole.map((rows) => sum(rows) as Sampled).sort((a, b) => a.t - b.t)
}
