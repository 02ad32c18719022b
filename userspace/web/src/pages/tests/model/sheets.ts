//! The tables of a result, as its HTML report has them.

import { type AnyResult, type BenchRow, isService, type ServiceDirection, type ServiceRow, type StepRow, type ThroughputResult } from '@/api/results/suite'
import { count, time } from '@/format'
import { fps, loss, megabits, share, tenths } from '@/format/exact'

/** A table: columns that are words are left-aligned, all others are numbers. */
export interface Sheet {
  /** As links and exports name it. */
  key: string
  title: string
  columns: { title: string; words?: boolean }[]
  rows: string[][]
}

/** Octets of preamble, start and gap that a frame takes on the line beside itself. */
const L1_OVERHEAD_BYTES = 20
const WORDS = ['frame', 'note', 'limit', 'goal', 'direction', 'service', 'step', 'verdict', 'at']

function sheet(key: string, title: string, columns: string[], rows: string[][]): Sheet {
  // A column of nothing says nothing.
  const shown = columns.flatMap((name, at) => (name === 'note' && rows.every((row) => !row[at]) ? [] : [at]))
  return {
    key,
    title,
    columns: shown.map((at) => ({ title: columns[at] ?? '', words: WORDS.includes(columns[at] ?? '') })),
    rows: rows.map((row) => shown.map((at) => row[at] ?? '')),
  }
}

/** The tables of what was measured. */
export function sheets(result: AnyResult): Sheet[] {
  const all = isService(result) ? serviceSheets(result.rows) : benchSheets(result.rows)
  return all.filter((one) => one.rows.length > 0)
}

function benchSheets(rows: BenchRow[]): Sheet[] {
  return [throughput(rows), directions(rows), latency(rows), frameLoss(rows), bursts(rows), recovery(rows), reset(rows), goals(rows)]
}

function throughput(rows: BenchRow[]): Sheet {
  const columns = ['frame', 'line fps', 'fps', '%', 'L1 Mbit/s', 'L2 Mbit/s', 'limit', 'next fails at', 'lost there %', 'trials', 'note']
  const bits = (row: BenchRow, found: ThroughputResult, overhead: number) =>
    megabits(found.fps === null ? null : found.fps * (row.frame.mean_bytes + overhead) * 8)
  const lines = rows.flatMap((row) => {
    const found = row.throughput
    if (!found) return []
    const rate = found.fps === null ? 'none' : `${found.bound === 'at-least' ? '≥ ' : ''}${fps(found.fps)}`
    return [[
      row.frame.name, fps(row.theoretical_fps), rate, share(found.ratio), bits(row, found, L1_OVERHEAD_BYTES), bits(row, found, 0),
      found.limited_by ?? '–', fps(found.next_failing_fps), loss(found.next_failing_loss_ratio), count(found.trials), found.reason ?? '',
    ]]
  })
  return sheet('throughput', 'Throughput (RFC 2544, 26.1)', columns, lines)
}

/** Each direction of the throughput, where there are several. */
function directions(rows: BenchRow[]): Sheet {
  const lines = rows.flatMap((row) => {
    const ways = row.throughput?.per_direction ?? []
    return ways.length < 2 ? [] : ways.map((way) => [row.frame.name, `${way.tx} to ${way.rx}`, fps(way.fps), share(way.ratio)])
  })
  return sheet('directions', 'Throughput of each direction', ['frame', 'direction', 'fps', '%'], lines)
}

function latency(rows: BenchRow[]): Sheet {
  const columns = ['frame', 'at', 'fps', 'mean', 'min', 'p50', 'p99', 'p99.9', 'max', 'lost', 'repeats', 'note']
  const lines = rows.flatMap((row) =>
    (row.latency ?? []).map((load) => {
      const mean = time(load.mean_ns === null ? null : Math.round(load.mean_ns))
      return [
        row.frame.name, load.at, fps(load.rate_fps), load.uncertainty_ns ? `${mean} ±${time(load.uncertainty_ns)}` : mean, time(load.min_ns), time(load.p50_ns),
        time(load.p99_ns), time(load.p999_ns), time(load.max_ns), count(load.lost_frames), count(load.repeats), load.reason ?? (load.derated ? 'less than asked for: longer streams lost frames at that' : ''),
      ]
    }),
  )
  return sheet('latency', 'Latency (RFC 2544, 26.2)', columns, lines)
}

function frameLoss(rows: BenchRow[]): Sheet {
  const columns = ['frame', 'offered %', 'fps', 'actual fps', 'sent', 'received', 'lost', 'lost %', 'note']
  const lines = rows.flatMap((row) =>
    (row.frame_loss ?? []).map((point) => [
      row.frame.name, share(point.offered_ratio), fps(point.offered_fps), fps(point.actual_fps), count(point.tx_frames), count(point.rx_unique_frames),
      count(point.lost_frames), loss(point.loss_ratio), point.reason ?? '',
    ]),
  )
  return sheet('frame-loss', 'Frame loss rate (RFC 2544, 26.3)', columns, lines)
}

function bursts(rows: BenchRow[]): Sheet {
  const columns = ['frame', 'frames', 'min', 'max', 'stddev', 'step frames', 'implied', 'corrected', 'in frames', 'with fps', 'repeats', 'note']
  const whole = (ns: number | null) => time(ns === null ? null : Math.round(ns))
  const lines = rows.flatMap((row) => {
    const found = row.back_to_back
    if (!found) return []
    return [[
      row.frame.name, tenths(found.frames_mean), count(found.frames_min), count(found.frames_max), tenths(found.frames_stddev), count(found.step_frames),
      whole(found.implied_buffer_ns), whole(found.corrected_buffer_ns), tenths(found.corrected_buffer_frames), fps(found.throughput_fps), count(found.repeats), found.reason ?? '',
    ]]
  })
  return sheet('back-to-back', 'Back-to-back frames (RFC 9004)', columns, lines)
}

function recovery(rows: BenchRow[]): Sheet {
  const lines = rows.flatMap((row) => {
    const found = row.system_recovery
    if (!found) return []
    return [[
      row.frame.name, fps(found.overload_fps), fps(found.reduced_fps), time(found.mean_ns), time(found.min_ns), time(found.max_ns), count(found.repeats), found.reason ?? '',
    ]]
  })
  return sheet('system-recovery', 'System recovery (RFC 2544, 26.5)', ['frame', 'overload fps', 'reduced fps', 'mean', 'min', 'max', 'repeats', 'note'], lines)
}

function reset(rows: BenchRow[]): Sheet {
  const lines = rows.flatMap((row) => {
    const found = row.reset
    if (!found) return []
    return [[row.frame.name, fps(found.rate_fps), time(found.by_loss_mean_ns), time(found.by_time_mean_ns), count(found.repeats), found.reason ?? '']]
  })
  return sheet('reset', 'Reset (RFC 6201)', ['frame', 'fps', 'by frame loss', 'by time stamps', 'repeats', 'note'], lines)
}

function goals(rows: BenchRow[]): Sheet {
  const columns = ['frame', 'goal', 'loss ratio %', 'exceed %', 'lower bound fps', 'upper bound fps', 'conditional fps', '%', 'trials', 'note']
  const lines = rows.flatMap((row) =>
    (row.goals ?? []).map((goal) => [
      row.frame.name, goal.name, loss(goal.loss_ratio), share(goal.exceed_ratio), fps(goal.relevant_lower_bound_fps), fps(goal.relevant_upper_bound_fps),
      fps(goal.conditional_throughput_fps),
      share(goal.conditional_throughput_fps === null ? null : goal.conditional_throughput_fps / row.theoretical_fps), count(goal.trials), goal.reason ?? '',
    ]),
  )
  return sheet('goals', 'Multiple Loss Ratio search (RFC 9971)', columns, lines)
}

/** Every step of a service in every direction; one that was not run has none. */
export function steps(row: ServiceRow): { step: StepRow; way: ServiceDirection | null }[] {
  const all = [...row.configuration, ...(row.performance ? [row.performance] : [])]
  const none: (ServiceDirection | null)[] = [null]
  return all.flatMap((step) => (step.per_direction.length ? step.per_direction : none).map((way) => ({ step, way })))
}

function serviceSheets(rows: ServiceRow[]): Sheet[] {
  const promised = rows.map((row) => [
    row.name, row.frame.name, megabits(row.cir_bps), megabits(row.eir_bps), loss(row.max_flr), time(row.max_ftd_ns), time(row.max_fdv_ns), share(row.min_availability), row.verdict,
  ])
  const measured = rows.flatMap((row) =>
    steps(row).map(({ step, way }) => [
      row.name, step.step, way ? `${way.tx} to ${way.rx}` : '–', megabits(step.offered_bps), megabits(way?.ir_mean_bps), megabits(way?.ir_min_bps), megabits(way?.ir_max_bps),
      count(way?.tx_frames), count(way?.lost_frames), loss(way?.flr), time(way?.ftd_mean_ns == null ? null : Math.round(way.ftd_mean_ns)), time(way?.ftd_max_ns), time(way?.fdv_ns),
      share(way?.availability), step.verdict, step.reasons.join('; '),
    ]),
  )
  return [
    sheet('services', 'Services (ITU-T Y.1564)', ['service', 'size', 'CIR Mbit/s', 'EIR Mbit/s', 'FLR ≤ %', 'FTD ≤', 'FDV ≤', 'AVAIL ≥ %', 'verdict'], promised),
    sheet('steps', 'Configuration and performance', ['service', 'step', 'direction', 'offered Mbit/s', 'IR Mbit/s', 'IR min', 'IR max', 'sent', 'lost', 'FLR %', 'FTD mean', 'FTD max', 'FDV', 'AVAIL %', 'verdict', 'note'], measured),
  ]
}

/** The tables that the CSV export has for a result, by the names of the report. */
export function csvNames(result: AnyResult): string[] {
  if (isService(result)) return ['services', 'trials']
  const there = (value: unknown) => (Array.isArray(value) ? value.length > 0 : value != null)
  const has = (pick: (row: BenchRow) => unknown) => result.rows.some((row) => there(pick(row)))
  const tests: [string, (row: BenchRow) => unknown][] = [
    ['throughput', (row) => row.throughput], ['latency', (row) => row.latency], ['frame-loss', (row) => row.frame_loss], ['back-to-back', (row) => row.back_to_back],
    ['system-recovery', (row) => row.system_recovery], ['reset', (row) => row.reset], ['goals', (row) => row.goals],
  ]
  return [...tests.filter(([, pick]) => has(pick)).map(([name]) => name), 'trials']
}
