//! `linerate.run/1`: the result of a run, as far as pages show it. `null`: not measured, or
//! it does not apply.

import type { SampleRow } from '../schema'
import type { Origin, UsedPort } from './head'

/** A whole run. */
export interface RunResult extends Origin {
  /** RFC 3339, UTC. */
  started: string
  duration_ns: number | null
  verdict: string
  /** Each begins with the name of the flow or the port that it is about. */
  reasons: string[]
  ports: UsedPort[]
  flows: FlowResult[]
}

/** A flow in one direction. */
export interface FlowResult {
  name: string
  tx_port: string
  rx_port: string | null
  verdict: string
  requested_frames: number
  unsent_frames: number
  tx_frames: number
  tx_bytes: number
  rx_frames: number | null
  rx_bytes: number | null
  rx_unique_frames: number | null
  lost_frames: number | null
  duplicate_frames: number | null
  reordered_frames: number | null
  late_frames: number | null
  corrupt_frames: number | null
  misdirected_frames: number | null
  stale_frames: number | null
  tx_pps: number | null
  rx_pps: number | null
  tx_bps_l1: number | null
  tx_bps_l2: number | null
  rx_bps_l1: number | null
  rx_bps_l2: number | null
  loss_ratio: number | null
  latency_ns: Latency | null
  ipdv_ns: { min: number; median: number; max: number } | null
  pdv_ns: number | null
  jitter_rfc3550_ns: number | null
  tx_gap_ns: Gap | null
  rx_gap_ns: Gap | null
  outage: { by_loss_ns: number | null; by_gap_ns: number | null; first_lost: number | null; last_lost: number | null }
  ledger: Ledger
  samples: SampleRow[] | null
}

/** Of every unique frame, ns. */
export interface Latency {
  min: number
  mean: number
  stddev: number | null
  p50: number | null
  p90: number | null
  p99: number | null
  p999: number | null
  p9999: number | null
  max: number
  count: number
  negative_count: number
  /** `null`: not calibrated, the latency is as stamped. */
  uncertainty: number | null
  definition: string
  clock: string
}

/** Between frames of a stream, ns. */
export interface Gap {
  min: number
  mean: number
  p50: number
  p99: number
  p999: number
  max: number
}

/** The count at each border of the way. */
export interface Ledger {
  requested: number
  submitted: number
  completed: number | null
  tx_port: number | null
  rx_port: number | null
  rx_dropped: number | null
  seen: number | null
  matched: number | null
  in_order: number | null
  /** The first border at which frames vanish. */
  missing_at: string | null
  limited_by: string | null
}
