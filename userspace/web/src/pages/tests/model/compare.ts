//! Two results side by side: what both or either measured, and by how much B differs from A.

import { type AnyResult, type BenchRow, isService, type ServiceRow } from '@/api/results/suite'
import { time } from '@/format'
import { difference, fps, loss, megabits, share, tenths } from '@/format/exact'
import type { Sheet } from './sheets'
import { steps } from './sheets'

type Pair<T> = [key: string[], a: T | undefined, b: T | undefined]

/** Members of both with the same key, in the order of A and then of B. */
export function paired<T>(a: [string[], T][], b: [string[], T][]): Pair<T>[] {
  const name = (key: string[]) => key.join('\0')
  const left = new Map(a.map(([key, value]) => [name(key), value]))
  const right = new Map(b.map(([key, value]) => [name(key), value]))
  const keys = new Map([...a, ...b].map(([key]) => [name(key), key]))
  return [...keys].map(([at, key]) => [key, left.get(at), right.get(at)])
}

function sheet(key: string, title: string, words: string[], numbers: string[], rows: string[][]): Sheet {
  return { key, title, columns: [...words.map((title) => ({ title, words: true })), ...numbers.map((title) => ({ title }))], rows }
}

/** The tables of a comparison; none where the results have nothing in common. */
export function compared(a: AnyResult, b: AnyResult): Sheet[] {
  const all =
    isService(a) && isService(b) ? [services(a.rows, b.rows)] : !isService(a) && !isService(b) ? benches(a.rows, b.rows) : []
  return all.filter((one) => one.rows.length > 0)
}

function benches(a: BenchRow[], b: BenchRow[]): Sheet[] {
  const of = <T>(rows: BenchRow[], pick: (row: BenchRow) => [string[], T][]): [string[], T][] => rows.flatMap(pick)
  const pairs = <T>(pick: (row: BenchRow) => [string[], T][]) => paired(of(a, pick), of(b, pick))
  const whole = (ns: number | null | undefined) => time(ns == null ? null : Math.round(ns))
  const one = <T>(row: BenchRow, value: T | null): [string[], T][] => (value === null ? [] : [[[row.frame.name], value]])
  return [
    sheet('throughput', 'Throughput', ['frame'], ['A fps', 'B fps', 'difference', 'A %', 'B %'],
      pairs((row) => one(row, row.throughput)).map(([key, x, y]) => [...key, bounded(x), bounded(y), difference(x?.fps, y?.fps), share(x?.ratio), share(y?.ratio)])),
    sheet('latency', 'Latency', ['frame', 'at'], ['A mean', 'B mean', 'difference', 'A p99', 'B p99', 'difference of p99', 'A max', 'B max'],
      pairs((row) => (row.latency ?? []).map((load) => [[row.frame.name, load.at], load])).map(([key, x, y]) => [
        ...key, whole(x?.mean_ns), whole(y?.mean_ns), difference(x?.mean_ns, y?.mean_ns), time(x?.p99_ns), time(y?.p99_ns), difference(x?.p99_ns, y?.p99_ns), time(x?.max_ns), time(y?.max_ns),
      ])),
    sheet('frame-loss', 'Frame loss rate', ['frame'], ['offered %', 'A lost %', 'B lost %', 'A lost', 'B lost'],
      pairs((row) => (row.frame_loss ?? []).map((point) => [[row.frame.name, share(point.offered_ratio)], point])).map(([key, x, y]) => [
        ...key, valid(x), valid(y), tell(x?.lost_frames), tell(y?.lost_frames),
      ])),
    sheet('back-to-back', 'Back-to-back frames', ['frame'], ['A frames', 'B frames', 'difference', 'A corrected buffer', 'B corrected buffer'],
      pairs((row) => one(row, row.back_to_back)).map(([key, x, y]) => [
        ...key, tenths(x?.frames_mean), tenths(y?.frames_mean), difference(x?.frames_mean, y?.frames_mean), whole(x?.corrected_buffer_ns), whole(y?.corrected_buffer_ns),
      ])),
    sheet('system-recovery', 'System recovery', ['frame'], ['A mean', 'B mean', 'difference'],
      pairs((row) => one(row, row.system_recovery)).map(([key, x, y]) => [...key, whole(x?.mean_ns), whole(y?.mean_ns), difference(x?.mean_ns, y?.mean_ns)])),
    sheet('goals', 'Conditional throughput of each goal', ['frame', 'goal'], ['A fps', 'B fps', 'difference'],
      pairs((row) => (row.goals ?? []).map((goal) => [[row.frame.name, goal.name], goal.conditional_throughput_fps])).map(([key, x, y]) => [...key, fps(x), fps(y), difference(x, y)])),
  ]
}

function bounded(found: { bound: string; fps: number | null } | undefined): string {
  if (!found) return '–'
  return found.fps === null ? 'none' : `${found.bound === 'at-least' ? '≥ ' : ''}${fps(found.fps)}`
}
function valid(point: { valid: boolean; loss_ratio: number | null } | undefined): string {
  return point ? `${loss(point.loss_ratio)}${point.valid ? '' : ' (not valid)'}` : '–'
}
function tell(frames: number | null | undefined): string {
  return fps(frames ?? null)
}

function services(a: ServiceRow[], b: ServiceRow[]): Sheet {
  const ways = (rows: ServiceRow[]) =>
    rows.flatMap((row) => steps(row).map(({ step, way }): [string[], { step: typeof step; way: typeof way }] => [[row.name, step.step, way ? `${way.tx} to ${way.rx}` : '–'], { step, way }]))
  const rows = paired(ways(a), ways(b)).map(([key, x, y]) => [
    ...key, x?.step.verdict ?? '–', y?.step.verdict ?? '–', megabits(x?.way?.ir_mean_bps), megabits(y?.way?.ir_mean_bps), difference(x?.way?.ir_mean_bps, y?.way?.ir_mean_bps),
    loss(x?.way?.flr), loss(y?.way?.flr), time(x?.way?.ftd_max_ns), time(y?.way?.ftd_max_ns), time(x?.way?.fdv_ns), time(y?.way?.fdv_ns),
  ])
  return sheet('steps', 'Services', ['service', 'step', 'direction', 'A verdict', 'B verdict'], ['A IR Mbit/s', 'B IR Mbit/s', 'difference', 'A FLR %', 'B FLR %', 'A FTD max', 'B FTD max', 'A FDV', 'B FDV'], rows)
}
