//! The ledger as a flow diagram: the count at each border, and where frames leave the way.

import type { FlowResult } from '@/api/results/run'

/** A border and what was counted there; `null`: not known. */
export interface Place {
  key: string
  name: string
  frames: number | null
}

/** Frames that leave the way between two places. */
export interface Branch {
  /** After the place of this index. */
  after: number
  name: string
  frames: number
}

/** A way with its branches, and counts that are no loss. */
export interface Way {
  places: Place[]
  branches: Branch[]
}

const NAMES: [string, string][] = [
  ['requested', 'requested'], ['submitted', 'submitted'], ['completed', 'completed'], ['tx_port', 'tx port'],
  ['rx_port', 'rx port'], ['seen', 'seen'], ['matched', 'matched'], ['in_order', 'in order'],
]
/** Where frames vanish, in the daemon's words, and the place after which it is. */
const RINGS: Record<string, number> = { 'tx port': 2, 'device ring': 3, 'peer ring': 3, 'fill ring': 4, 'rx before XDP': 4 }

/** Follows a flow as the daemon does: its own counters first, then what ports dropped; the rest is the device's. */
export function wayOf(flow: FlowResult): Way {
  const ledger = flow.ledger
  const places = NAMES.map(([key, name]) => ({ key, name, frames: ledger[key as keyof typeof ledger] as number | null }))
  const branches: Branch[] = []
  const add = (after: number, name: string, frames: number) => {
    if (frames > 0) branches.push({ after, name, frames })
  }
  add(0, 'unsent', flow.unsent_frames)
  let rest = flow.lost_frames ?? 0
  const charge = (after: number, name: string, frames: number | null) => {
    const here = Math.min(Math.max(frames ?? 0, 0), rest)
    rest -= here
    add(after, name, here)
  }
  charge(1, 'tx ring', less(ledger.submitted, ledger.completed))
  charge(6, 'corrupt', flow.corrupt_frames)
  charge(6, 'misdirected', flow.misdirected_frames)
  charge(6, 'late', flow.late_frames)
  const first = ledger.missing_at ?? ''
  // A veth drops at the ring of its other end what it has taken: the daemon tells the two apart.
  const ring = RINGS[first] === 3 ? first : 'tx port'
  charge(ring === 'tx port' ? 2 : 3, ring, less(ledger.completed ?? ledger.submitted, ledger.tx_port))
  charge(4, first === 'fill ring' ? first : 'rx before XDP', ledger.rx_dropped)
  charge(4, 'rx queue without analyser', less(ledger.rx_port, ledger.seen))
  // What no counter explains: of shared ports the daemon may know more, and names it.
  const known = RINGS[first]
  if (known !== undefined && !branches.some((branch) => branch.name === first)) charge(known, first, rest)
  charge(3, 'wire or device', rest)
  return { places, branches: branches.sort((a, b) => a.after - b.after) }
}

function less(more: number | null, fewer: number | null): number | null {
  return more === null || fewer === null ? null : more - fewer
}

/** The ways of several flows as one; a place that one does not know is not known of all. */
export function addWays(ways: Way[]): Way {
  const places = NAMES.map(([key, name], index) => ({
    key,
    name,
    frames: ways.reduce<number | null>((all, way) => {
      const here = way.places[index]?.frames ?? null
      return all === null || here === null ? null : all + here
    }, 0),
  }))
  const branches = new Map<string, Branch>()
  for (const branch of ways.flatMap((way) => way.branches)) {
    const same = branches.get(branch.name)
    if (same) same.frames += branch.frames
    else branches.set(branch.name, { ...branch })
  }
  return { places, branches: [...branches.values()].sort((a, b) => a.after - b.after) }
}

/** Where the diagram puts things, in its own units. */
export interface Drawn {
  width: number
  height: number
  bars: { x: number; y: number; height: number; place: Place }[]
  bands: { path: string; known: boolean }[]
  leaves: { path: string; x: number; y: number; branch: Branch }[]
}

const STEP = 126
const MARGIN = 54
const BAR = 12
const FULL = 96
const TOP = 44
/** A single frame of millions must still be seen. */
const LEAST = 3

/** Lays a way out: bars as high as their counts, bands between them, branches that fall off. */
export function draw(way: Way): Drawn {
  const most = Math.max(1, ...way.places.map((place) => place.frames ?? 0))
  const high = (frames: number) => (frames <= 0 ? 0 : Math.max(LEAST, (frames / most) * FULL))
  let last = way.places[0]?.frames ?? 0
  const bars = way.places.map((place, index) => {
    const height = high(place.frames ?? last)
    last = place.frames ?? last
    return { x: MARGIN + index * STEP, y: TOP, height, place }
  })
  const bands = bars.slice(1).map((bar, index) => {
    const from = bars[index] as (typeof bars)[number]
    const [a, b] = [from.x + BAR, bar.x]
    const mid = (a + b) / 2
    const [low, end] = [from.y + Math.min(from.height, bar.height), bar.y + bar.height]
    const path = `M${a} ${from.y}H${b}V${end}C${mid} ${end} ${mid} ${low} ${a} ${low}Z`
    return { path, known: from.place.frames !== null && bar.place.frames !== null }
  })
  const taken = new Map<number, number>()
  const here = (after: number) => way.branches.filter((branch) => branch.after === after).length
  const leaves = way.branches.map((branch) => {
    const from = bars[branch.after] as (typeof bars)[number]
    const already = taken.get(branch.after) ?? 0
    taken.set(branch.after, already + 1)
    const [a, thick] = [from.x + BAR, Math.min(high(branch.frames), 26)]
    const start = from.y + from.height - thick
    // Those that fall deeper are farther left, so that none crosses the name of another.
    const [x, y] = [a + 14 + (here(branch.after) - 1 - already) * 12, TOP + FULL + 26 + already * 40]
    const path = `M${a} ${start}C${x} ${start} ${x + thick} ${start} ${x + thick} ${y}H${x}C${x} ${start + thick} ${a + 8} ${start + thick} ${a} ${start + thick}Z`
    return { path, x: x + thick + 6, y, branch }
  })
  const lowest = Math.max(TOP + FULL + 10, ...leaves.map((leaf) => leaf.y + 30))
  return { width: 2 * MARGIN + (way.places.length - 1) * STEP + BAR, height: lowest, bars, bands, leaves }
}
