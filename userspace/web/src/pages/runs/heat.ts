//! The latency heat map: rows of counts by time, coloured by share of their interval.

/** What the daemon gives of a flow: the frames of each interval, by bucket of latency. */
export interface Latencies {
  /** Borders of the buckets, one more than counts. */
  edges_ns: number[]
  rows: { t: number; counts: number[] }[]
}

/** A flow's gaps between frames so far. */
export interface Gaps {
  edges_ns: number[]
  rx_counts: number[] | null
  tx_counts: number[] | null
}

/** Newer rows in the place of older ones of the same time; the newest `depth` are kept. */
export function merge(old: Latencies | undefined, given: Latencies, depth: number): Latencies {
  if (!old || old.edges_ns.length !== given.edges_ns.length) return { ...given, rows: given.rows.slice(-depth) }
  const rows = new Map(old.rows.map((row) => [row.t, row]))
  for (const row of given.rows) rows.set(row.t, row)
  return { edges_ns: given.edges_ns, rows: [...rows.values()].sort((a, b) => a.t - b.t).slice(-depth) }
}

/** First and last bucket that holds a frame, with one more on each side; `null`: none does. */
export function used(counts: number[][]): { first: number; end: number } | null {
  let first = Number.POSITIVE_INFINITY
  let last = -1
  let most = 0
  for (const row of counts) {
    most = Math.max(most, row.length)
    row.forEach((count, index) => {
      if (count === 0) return
      first = Math.min(first, index)
      last = Math.max(last, index)
    })
  }
  return last < 0 ? null : { first: Math.max(0, first - 1), end: Math.min(most, last + 2) }
}

/** Weight of a cell from 0 to 1: by logarithm, so that one frame of a million is seen. */
export function weight(count: number, total: number): number {
  if (count <= 0 || total <= 0) return 0
  const least = 0.12
  return least + (1 - least) * (Math.log1p(count) / Math.log1p(total))
}

/** A cell of the map, in pixels. */
export interface Cell {
  x: number
  y: number
  width: number
  height: number
  weight: number
}

/** Lays the cells out; time goes to the right and latency up. */
export function cells(map: Latencies, width: number, height: number): Cell[] {
  const range = used(map.rows.map((row) => row.counts))
  const [begin, end] = [map.rows[0]?.t, map.rows.at(-1)?.t]
  if (!range || begin === undefined || end === undefined) return []
  // Whole pixels: cells that overlap would draw stripes that are not there.
  const across = (column: number) => Math.round((column * width) / map.rows.length)
  const up = (index: number) => height - Math.round((index * height) / (range.end - range.first))
  return map.rows.flatMap((row, column) => {
    const total = row.counts.reduce((sum, count) => sum + count, 0)
    const shown = row.counts.slice(range.first, range.end)
    return shown.flatMap((count, index) =>
      count === 0
        ? []
        : [
            {
              x: across(column), y: up(index + 1), width: Math.max(1, across(column + 1) - across(column)),
              height: up(index) - up(index + 1), weight: weight(count, total),
            },
          ],
    )
  })
}

/** At most so many borders of the buckets that are in use, with where they stand from 0 (below) to 1. */
export function marks(edges_ns: number[], range: { first: number; end: number }, most: number): { at: number; ns: number }[] {
  const span = range.end - range.first
  const step = Math.max(1, Math.ceil(span / Math.max(1, most - 1)))
  const found = []
  for (let edge = range.first; edge <= range.end; edge += step) {
    const ns = edges_ns[edge]
    if (ns !== undefined) found.push({ at: (edge - range.first) / span, ns })
  }
  return found
}
