//! The histogram of gaps between frames: bars over buckets that grow by factors.

import { used, type Gaps } from './heat'

/** A bucket that is shown. */
export interface Bar {
  from_ns: number
  to_ns: number
  tx: number | null
  rx: number | null
  /** Share of the frames from 0 to 1. */
  tx_share: number
  rx_share: number
}

/** The buckets in use, with shares of sent and received. */
export function barsOf(gaps: Gaps): Bar[] {
  const given = [gaps.tx_counts, gaps.rx_counts].filter((counts) => counts !== null)
  const range = used(given)
  if (!range) return []
  const total = (counts: number[] | null) => (counts ?? []).reduce((sum, count) => sum + count, 0)
  const [tx, rx] = [total(gaps.tx_counts), total(gaps.rx_counts)]
  const share = (part: number | null, all: number) => (part === null || all === 0 ? 0 : part / all)
  const bars: Bar[] = []
  for (let index = range.first; index < range.end; index += 1) {
    const sent = gaps.tx_counts?.[index] ?? null
    const received = gaps.rx_counts?.[index] ?? null
    bars.push({
      from_ns: gaps.edges_ns[index] ?? 0, to_ns: gaps.edges_ns[index + 1] ?? Number.POSITIVE_INFINITY,
      tx: sent, rx: received, tx_share: share(sent, tx), rx_share: share(received, rx),
    })
  }
  return bars
}
