//! The graphs that RFC 2544 asks for, and those of latency and bursts; of one result, or of several on the same axes.

import type { BenchRow, FrameLossResult, LatencyAtResult } from '@/api/results/suite'
import { fps, loss, share, tenths } from '@/format/exact'
import { time } from '@/format'
import { amount, between, type Chart, duration, linear, names, percents, Plot, SERIES } from './plot'

/** The rows of a result; the name tells it from another. */
export interface Rows {
  name: string
  rows: BenchRow[]
}

/** Frame size against frame rate, with the theoretical line (RFC 2544, 26.1). */
export function throughput(sets: Rows[]): Chart | null {
  const sizes = frames(sets)
  const found = sets.map(({ name, rows }) => ({
    name,
    points: rows.flatMap((row) => {
      const rate = row.throughput?.fps
      return row.throughput && rate != null ? [{ at: sizes.indexOf(row.frame.name), rate, bound: row.throughput.bound, frame: row.frame.name }] : []
    }),
  }))
  if (found.every((set) => set.points.length === 0)) return null
  const theory = sizes.map((frame, at): [number, number] => [at, line(sets, frame)])
  const top = theory.reduce((most, [, rate]) => Math.max(most, rate), 0)
  const plot = new Plot(names('frame size, octets with FCS', sizes), linear('frames per second', top, amount))
  // One size has a line too.
  const only = theory.length === 1 ? theory[0] : undefined
  plot.line('theory', only ? [[only[0] - 0.5, only[1]], [only[0] + 0.5, only[1]]] : theory)
  found.forEach(({ name, points }, series) => {
    plot.line(`c${series}`, points.map(({ at, rate }) => [at, rate]))
    for (const { at, rate, bound, frame } of points) {
      const words = `${name && `${name}, `}${frame}: ${bound === 'at-least' ? 'at least ' : ''}${fps(rate)} fps`
      plot.marker(series, [at, rate], words, bound !== 'exact')
    }
  })
  const measured = found.map(({ name }, at): [string, string] => [`c${at}`, name || 'measured (hollow: at least, the device was not the limit)'])
  return plot.chart('Throughput', [...measured, ['theory', 'theoretical maximum']])
}

/** The names of all rows, in their order. */
export function frames(sets: Rows[]): string[] {
  return [...new Set(sets.flatMap((set) => set.rows.map((row) => row.frame.name)))]
}

function line(sets: Rows[], frame: string): number {
  const rates = sets.flatMap((set) => set.rows.filter((row) => row.frame.name === frame).map((row) => row.theoretical_fps))
  return Math.max(0, ...rates)
}

/** Share of the theoretical rate against loss, both axes 0 to 100 % (RFC 2544, 26.3). */
export function lossCurves(series: { name: string; points: FrameLossResult[] | null | undefined }[], title = 'Frame loss rate'): Chart | null {
  const all = series.filter((one) => one.points?.length)
  if (all.length === 0) return null
  const plot = new Plot(percents('offered load, % of the theoretical rate'), percents('frame loss, %'))
  all.forEach(({ name, points }, at) => {
    const measured = (points ?? []).flatMap((point) => (point.loss_ratio == null ? [] : [{ ...point, loss_ratio: point.loss_ratio }]))
    plot.line(`c${at % SERIES}`, measured.filter((point) => point.valid).map((point) => [point.offered_ratio, point.loss_ratio]))
    for (const point of measured) {
      const words = `${name}: ${loss(point.loss_ratio)} % lost at ${share(point.offered_ratio)} %${point.valid ? '' : ', not valid'}`
      plot.marker(at, [point.offered_ratio, point.loss_ratio], words, !point.valid)
    }
  })
  return plot.chart(title, all.map(({ name }, at) => [`c${at % SERIES}`, name]))
}

/** -log10(1 - p): a nine more is a step further; the ends stand where there is room. */
const NINES = [-0.2, 0.301, 1, 2, 3, 4.2] as const

/** Percentiles on an axis of nines, a line for each load. */
export function latencyCurves(series: { name: string; load: LatencyAtResult }[], title: string): Chart | null {
  const curves = series
    .map(({ name, load }) => {
      const points: [number, number | null][] = [[NINES[0], load.min_ns], [NINES[1], load.p50_ns], [NINES[3], load.p99_ns], [NINES[4], load.p999_ns], [NINES[5], load.max_ns]]
      return { name, valid: load.valid, points: points.flatMap(([x, ns]): [number, number][] => (ns === null ? [] : [[x, ns]])) }
    })
    .filter((curve) => curve.points.length > 0)
  if (curves.length === 0) return null
  const values = curves.flatMap((curve) => curve.points.map(([, ns]) => ns))
  const nines = ['min', '50', '90', '99', '99.9', 'max'].map((name, at) => ({ name, at: NINES[at] ?? 0 }))
  const plot = new Plot({ title: 'percentile', from: -0.3, to: 4.3, ticks: nines }, between('latency', Math.min(...values), Math.max(...values), duration))
  curves.forEach(({ name, valid, points }, at) => {
    plot.line(`c${at % SERIES}`, points)
    for (const point of points) plot.marker(at, point, `${name}: ${time(point[1])}`, !valid)
  })
  return plot.chart(title, curves.map(({ name }, at) => [`c${at % SERIES}`, name]))
}

/** As titles name a load: `at throughput`, `at 50% of throughput`. */
export function loadName(at: string): string {
  return at === 'throughput' ? 'at throughput' : `at ${at} of throughput`
}

/** Mean length of the longest lossless bursts, with least and greatest (RFC 9004). */
export function bursts(sets: Rows[]): Chart | null {
  const sizes = frames(sets)
  const bars = sets.flatMap(({ name, rows }, series) =>
    rows.flatMap((row) => {
      const found = row.back_to_back
      const mean = found?.frames_mean
      return found && mean != null ? [{ series, name, frame: row.frame.name, at: sizes.indexOf(row.frame.name), found, mean }] : []
    }),
  )
  if (bars.length === 0) return null
  const top = bars.reduce((most, { found, mean }) => Math.max(most, found.frames_max ?? mean), 0)
  const plot = new Plot(names('frame size, octets with FCS', sizes), linear('frames', top, amount))
  const width = Math.min((plot.step() * 0.6) / sets.length, 48)
  for (const { series, name, frame, at, found, mean } of bars) {
    const aside = at + ((series - (sets.length - 1) / 2) * width) / plot.step()
    const words = `${name && `${name}, `}${frame}: ${tenths(mean)} frames on average${found.valid ? '' : ', not valid'}`
    plot.bar(found.valid ? series : SERIES - 1, [aside, mean], width * 0.9, words)
    if (found.frames_min != null && found.frames_max != null) plot.whisker(aside, found.frames_min, found.frames_max)
  }
  const legend = sets.map(({ name }, at): [string, string] => [`c${at}`, name || 'mean, with least and greatest'])
  return plot.chart('Back-to-back frames', bars.some((bar) => !bar.found.valid) ? [...legend, ['c7', 'not valid']] : legend)
}

/** Conditional throughput of each goal (RFC 9971), with the relevant bounds. */
export function goals(rows: BenchRow[]): Chart | null {
  const all = rows.flatMap((row, at) => (row.goals ?? []).map((goal) => ({ at, row, goal })))
  const kinds = [...new Set(all.map(({ goal }) => goal.name))]
  if (!all.some(({ goal }) => goal.conditional_throughput_fps != null)) return null
  const sizes = rows.map((row) => row.frame.name)
  const top = rows.reduce((most, row) => Math.max(most, row.theoretical_fps), 0)
  const plot = new Plot(names('frame size, octets with FCS', sizes), linear('frames per second', top, amount))
  const width = Math.min((plot.step() * 0.7) / kinds.length, 40)
  rows.forEach((row, at) => plot.line('theory', [[at - 0.45, row.theoretical_fps], [at + 0.45, row.theoretical_fps]]))
  for (const { at, row, goal } of all) {
    if (goal.conditional_throughput_fps == null) continue
    const series = kinds.indexOf(goal.name)
    const aside = at + ((series - (kinds.length - 1) / 2) * width) / plot.step()
    const words = `${goal.name}, ${row.frame.name}: ${fps(goal.conditional_throughput_fps)} fps${goal.regular ? '' : ', irregular'}`
    plot.bar(series, [aside, goal.conditional_throughput_fps], width * 0.9, words)
    if (goal.relevant_lower_bound_fps != null && goal.relevant_upper_bound_fps != null)
      plot.whisker(aside, goal.relevant_lower_bound_fps, goal.relevant_upper_bound_fps)
  }
  return plot.chart('Conditional throughput of each goal, with the relevant bounds', [...kinds.map((name, at): [string, string] => [`c${at}`, name]), ['theory', 'theoretical maximum']])
}
