//! What a result says of a flow, each with its key in the JSON, its name, and how it is shown.

import type { FlowResult } from '@/api/results/run'
import { bps, count, octets, percent, pps, time } from '@/format'

/** A number of a flow. */
export interface Metric {
  /** The way to it in the JSON. */
  key: string
  name: string
  group: 'Counts' | 'Rates' | 'Latency' | 'Gaps and outage'
  of: (flow: FlowResult) => number | null
  show: (value: number | null) => string
  /** Which way is better; `null`: neither. */
  better: 'more' | 'less' | null
}

function metric(group: Metric['group'], key: string, name: string, show: Metric['show'], better: Metric['better'] = null): Metric {
  const path = key.split('.')
  const of = (flow: FlowResult) => {
    let value: unknown = flow
    for (const part of path) value = (value as Record<string, unknown> | null | undefined)?.[part]
    return typeof value === 'number' ? value : null
  }
  return { key, name, group, of, show, better }
}

/** In the order of the way, then by kind. */
export const METRICS: Metric[] = [
  metric('Counts', 'requested_frames', 'requested', count),
  metric('Counts', 'unsent_frames', 'unsent', count, 'less'),
  metric('Counts', 'tx_frames', 'sent', count),
  metric('Counts', 'tx_bytes', 'octets sent', octets),
  metric('Counts', 'rx_frames', 'received', count),
  metric('Counts', 'rx_bytes', 'octets received', octets),
  metric('Counts', 'rx_unique_frames', 'received, unique', count),
  metric('Counts', 'lost_frames', 'lost', count, 'less'),
  metric('Counts', 'duplicate_frames', 'duplicate', count, 'less'),
  metric('Counts', 'reordered_frames', 'reordered', count, 'less'),
  metric('Counts', 'late_frames', 'late', count, 'less'),
  metric('Counts', 'corrupt_frames', 'corrupt', count, 'less'),
  metric('Counts', 'misdirected_frames', 'misdirected', count, 'less'),
  metric('Counts', 'stale_frames', 'stale', count, 'less'),
  metric('Rates', 'loss_ratio', 'loss', percent, 'less'),
  metric('Rates', 'tx_pps', 'sent, frames', pps),
  metric('Rates', 'rx_pps', 'received, frames', pps, 'more'),
  metric('Rates', 'tx_bps_l1', 'sent, L1', bps),
  metric('Rates', 'tx_bps_l2', 'sent, L2', bps),
  metric('Rates', 'rx_bps_l1', 'received, L1', bps, 'more'),
  metric('Rates', 'rx_bps_l2', 'received, L2', bps, 'more'),
  metric('Latency', 'latency_ns.min', 'least', time, 'less'),
  metric('Latency', 'latency_ns.mean', 'mean', time, 'less'),
  metric('Latency', 'latency_ns.stddev', 'standard deviation', time, 'less'),
  metric('Latency', 'latency_ns.p50', 'p50', time, 'less'),
  metric('Latency', 'latency_ns.p90', 'p90', time, 'less'),
  metric('Latency', 'latency_ns.p99', 'p99', time, 'less'),
  metric('Latency', 'latency_ns.p999', 'p99.9', time, 'less'),
  metric('Latency', 'latency_ns.p9999', 'p99.99', time, 'less'),
  metric('Latency', 'latency_ns.max', 'greatest', time, 'less'),
  metric('Latency', 'latency_ns.uncertainty', 'uncertainty', time),
  metric('Latency', 'latency_ns.negative_count', 'negative stamps', count),
  metric('Latency', 'ipdv_ns.median', 'IPDV, median (RFC 3393)', time),
  metric('Latency', 'pdv_ns', 'PDV (RFC 5481)', time, 'less'),
  metric('Latency', 'jitter_rfc3550_ns', 'jitter (RFC 3550)', time, 'less'),
  metric('Gaps and outage', 'tx_gap_ns.mean', 'gap sent, mean', time),
  metric('Gaps and outage', 'tx_gap_ns.max', 'gap sent, greatest', time),
  metric('Gaps and outage', 'rx_gap_ns.mean', 'gap received, mean', time),
  metric('Gaps and outage', 'rx_gap_ns.max', 'gap received, greatest', time, 'less'),
  metric('Gaps and outage', 'outage.by_loss_ns', 'outage by loss (RFC 6201)', time, 'less'),
  metric('Gaps and outage', 'outage.by_gap_ns', 'outage by silence', time, 'less'),
]

/** Headings of the groups, in order. */
export const GROUPS = ['Counts', 'Rates', 'Latency', 'Gaps and outage'] as const

/** How `b` stands to `a`. */
export interface Difference {
  /** (b - a) / a; `null`: a is 0, or one is not known. */
  ratio: number | null
  mark: 'better' | 'worse' | 'same' | 'other' | 'unknown'
}

/** What changes by less than this is the same: two runs never take the same time. */
const SAME = 0.001

/** Compares a number of two runs. */
export function difference(a: number | null, b: number | null, better: Metric['better']): Difference {
  if (a === null || b === null) return { ratio: null, mark: 'unknown' }
  const ratio = a === 0 ? (b === 0 ? 0 : null) : (b - a) / Math.abs(a)
  // Counts from 0 on are never the same: the first lost frame matters.
  if (ratio !== null && Math.abs(ratio) < SAME) return { ratio, mark: 'same' }
  if (better === null) return { ratio, mark: 'other' }
  return { ratio, mark: b > a === (better === 'more') ? 'better' : 'worse' }
}

/** `+1.2 %`, `−50 %`; `–` where there is no share. */
export function signed(ratio: number | null): string {
  if (ratio === null) return '–'
  if (ratio === 0) return '0 %'
  const value = Math.abs(ratio * 100)
  const text = value < 0.01 ? value.toExponential(0) : value >= 1000 ? value.toFixed(0) : value.toPrecision(3)
  return `${ratio > 0 ? '+' : '−'}${text} %`
}
