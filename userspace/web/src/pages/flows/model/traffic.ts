//! Rates, sizes, ends and schedules of a flow, as inputs show them.

import { isTable, type Json, type Table } from './spec'
import { typed } from './values'

/** Units of a rate, as the flow file writes them. */
export const RATE_UNITS = [
  { group: 'Of the line (L1)', units: ['%', 'max'] },
  { group: 'Frames a second', units: ['pps', 'kpps', 'Mpps'] },
  { group: 'Bits a second, L2 with FCS', units: ['kbps', 'Mbps', 'Gbps'] },
  { group: 'Bits a second, L1', units: ['kbps-l1', 'Mbps-l1', 'Gbps-l1'] },
]

/** A rate: its number as it was written, and its unit. `max` has no number. */
export interface RateText {
  number: string
  unit: string
}

/** Cuts a rate; `null`: it is none, as far as its shape tells. */
export function rateOf(value: Json | undefined): RateText | null {
  if (typeof value !== 'string') return null
  if (value === 'max') return { number: '', unit: 'max' }
  const [, number, unit] = /^([^a-zA-Z%]*)(%|[kKMGT]?(?:pps|fps|bps|bps-l1))$/.exec(value) ?? []
  return number === undefined || unit === undefined ? null : { number: number.trim(), unit }
}

export function rateText(rate: RateText): string {
  return rate.unit === 'max' ? 'max' : `${rate.number.trim()}${rate.unit}`
}

/** A time in seconds; `null`: it is none. */
export function seconds(text: Json | undefined): number | null {
  const units: Record<string, number> = { ns: 1e-9, us: 1e-6, ms: 1e-3, s: 1, m: 60, min: 60, h: 3600 }
  const [, number, unit] = typeof text === 'string' ? (/^\s*(\d+(?:\.\d+)?)\s*([a-z]+)\s*$/.exec(text) ?? []) : []
  const factor = units[unit ?? '']
  return number === undefined || factor === undefined ? null : Number(number) * factor
}

const FACTORS: Record<string, number> = { '': 1, k: 1e3, K: 1e3, M: 1e6, G: 1e9, T: 1e12 }

/** The plain number of a rate, and of what; rates of one kind can be drawn together. */
function scalar(value: Json | undefined): { kind: string; value: number } | null {
  const rate = rateOf(value)
  if (!rate || rate.unit === 'max' || !/^\d+(\.\d+)?$/.test(rate.number)) return null
  if (rate.unit === '%') return { kind: '%', value: Number(rate.number) }
  const [, prefix = '', kind = ''] = /^([kKMGT]?)(.*)$/.exec(rate.unit) ?? []
  return { kind: kind === 'fps' ? 'pps' : kind, value: Number(rate.number) * (FACTORS[prefix] ?? 1) }
}

/** A schedule as corners of a line: seconds and rate. */
export interface Course {
  /** What the rates are: `%`, `pps`, `bps` or `bps-l1`. */
  kind: string
  points: { s: number; rate: number }[]
}

/** The course of a schedule, drawn on for a fifth of its time; `null`: its rates are not of one kind. */
export function courseOf(steps: Json | undefined): Course | null {
  if (!Array.isArray(steps) || steps.length === 0) return null
  const points: Course['points'] = []
  let kind = ''
  let before = 0
  for (const step of steps) {
    const rate = isTable(step) ? scalar(step.rate) : null
    const start = isTable(step) ? seconds(step.at) : null
    if (!isTable(step) || !rate || start === null || (kind && rate.kind !== kind)) return null
    if (points.length > 0 && start < (points.at(-1)?.s ?? 0)) return null
    kind = rate.kind
    const ramp = step.ramp === undefined ? 0 : seconds(step.ramp)
    if (ramp === null) return null
    points.push({ s: start, rate: before }, { s: start + ramp, rate: rate.value })
    before = rate.value
  }
  const last = points.at(-1)?.s ?? 0
  points.push({ s: last > 0 ? last * 1.2 : 1, rate: before })
  return { kind, points }
}

/** The forms of `size`. */
export type SizeForm = 'fixed' | 'list' | 'range' | 'random' | 'weights' | 'imix' | 'imix:trex' | 'hand'

export function sizeForm(value: Json | undefined): SizeForm {
  if (value === 'imix' || value === 'imix:trex') return value
  if (typeof value === 'number' || typeof value === 'string') return 'fixed'
  if (Array.isArray(value)) return value.every((one) => typeof one === 'number' || typeof one === 'string') ? 'list' : 'hand'
  if (!isTable(value)) return 'hand'
  const keys = Object.keys(value).sort().join()
  if (/^range(,step)?$/.test(keys)) return 'range'
  if (/^(count,)?random(,seed)?$/.test(keys)) return 'random'
  return keys === 'weights' && isTable(value.weights) ? 'weights' : 'hand'
}

/** What a size begins with in another form. */
export function freshSize(form: SizeForm): Json {
  switch (form) {
    case 'list': return [64, 512, 1518]
    case 'range': return { range: '64-1518', step: 64 }
    case 'random': return { random: '64-1518' }
    case 'weights': return { weights: { 64: 7, 570: 4, 1518: 1 } }
    case 'imix': case 'imix:trex': return form
    default: return 128
  }
}

/** `64, 512, 1518` as the sizes of a list. */
export function sizeList(text: string): Json[] {
  return text.split(/[\s,]+/).filter(Boolean).map((one) => typed(one, true))
}

/** A row of the weights. */
export interface Weight {
  size: string
  weight: string
}

export function weightsOf(value: Json | undefined): Weight[] {
  const table = isTable(value) && isTable(value.weights) ? value.weights : {}
  return Object.entries(table).map(([size, weight]) => ({ size, weight: String(weight) }))
}

/** `null`: a size stands there twice, which a table can't hold. */
export function weightTable(rows: readonly Weight[]): Json | null {
  const sizes = new Set(rows.map((row) => row.size.trim()))
  if (sizes.size < rows.length) return null
  return { weights: Object.fromEntries(rows.map((row) => [row.size.trim(), typed(row.weight, true)])) }
}

/** How a flow ends; a flow has one end at most. */
export const ENDS = ['duration', 'frames', 'burst'] as const
export type End = (typeof ENDS)[number]

export function endOf(flow: Table | undefined): End | null {
  return ENDS.find((end) => flow?.[end] !== undefined) ?? null
}

export function freshEnd(end: End): Json {
  return { duration: '10s', frames: 1_000_000, burst: { frames: 16, gap: '1ms', repeat: 100 } }[end]
}
