//! Results of suites, key for key as the daemon writes them (CONTRACT, Results): what is null was not measured.

import type { TrialRow } from '../schema'
import type { Origin, UsedPort } from './head'

export type SuiteVerdict = 'done' | 'pass' | 'fail' | 'invalid'
export type StepVerdict = 'not-applicable' | 'pass' | 'invalid' | 'fail'

/** What the results of all suites have in common. */
export interface SuiteResult<Row> extends Origin {
  started: string
  ended: string
  duration_ns: number
  verdict: SuiteVerdict
  reasons: string[]
  ports: UsedPort[]
  setup: SuiteSetup
  rows: Row[]
  trials: TrialRow[]
}

/** What was asked, and under what conditions. */
export interface SuiteSetup {
  profile: string
  simulated: string | null
  seed: number | null
  device: string | null
  directions: { tx: string; rx: string; link_bps: number }[]
  frames: string
  networks: number
  modifiers: string[]
  media_overhead_bytes: number
  definition: string | null
  timing: {
    learning_frames: number
    learning_refresh_ns: number
    before_ns: number
    residual_ns: number
    after_ns: number
  }
  compliance: { level: string | null; deviations: string[] }
  config: { sha256: string; arguments: string[]; suite_file: string | null; flow_file: string | null; effective: unknown }
}

/** Frames of one size, or a mix. */
export interface FrameResult {
  kind: 'fixed' | 'imix'
  name: string
  size: number | null
  mean_bytes: number
}

/** A row of `linerate.rfc2544/1` and `linerate.mlrsearch/1`. */
export interface BenchRow {
  frame: FrameResult
  theoretical_fps: number
  verdict: SuiteVerdict
  reasons: string[]
  thresholds: { test: string; verdict: SuiteVerdict; text: string }[]
  throughput: ThroughputResult | null
  latency: LatencyAtResult[] | null
  frame_loss: FrameLossResult[] | null
  back_to_back: BackToBackResult | null
  system_recovery: RecoveryResult | null
  reset: ResetResult | null
  goals: GoalResult[] | null
}

/** RFC 2544, 26.1. */
export interface ThroughputResult {
  bound: 'exact' | 'at-least' | 'none'
  limited_by: string | null
  max_loss: number
  resolution_fps: number | null
  fps: number | null
  ratio: number | null
  next_failing_fps: number | null
  next_failing_loss_ratio: number | null
  verified_duration_ns: number | null
  trial: number | null
  trials: number
  load_independent_loss_ratio: number | null
  reason: string | null
  per_direction: { tx: string; rx: string; fps: number; ratio: number }[]
}

/** RFC 2544, 26.2, at one load. */
export interface LatencyAtResult {
  at: string
  rate_fps: number
  derated: boolean
  mean_ns: number | null
  min_ns: number | null
  p50_ns: number | null
  p99_ns: number | null
  p999_ns: number | null
  max_ns: number | null
  uncertainty_ns: number | null
  definition: string
  repeats: number
  lost_frames: number
  valid: boolean
  reason: string | null
}

/** RFC 2544, 26.3, at one load. */
export interface FrameLossResult {
  offered_ratio: number
  offered_fps: number
  actual_fps: number | null
  valid: boolean
  reason: string | null
  trial: number | null
  tx_frames: number | null
  rx_unique_frames: number | null
  lost_frames: number | null
  loss_ratio: number | null
  duplicate_frames: number | null
  reordered_frames: number | null
}

/** RFC 9004. */
export interface BackToBackResult {
  valid: boolean
  reason: string | null
  repeats: number
  frames_mean: number | null
  frames_min: number | null
  frames_max: number | null
  frames_stddev: number | null
  implied_buffer_ns: number | null
  corrected_buffer_ns: number | null
  corrected_buffer_frames: number | null
  max_rate_fps: number
  throughput_fps: number | null
  step_frames: number
}

/** RFC 2544, 26.5. */
export interface RecoveryResult {
  valid: boolean
  reason: string | null
  repeats: number
  overload_fps: number | null
  reduced_fps: number | null
  mean_ns: number | null
  min_ns: number | null
  max_ns: number | null
}

/** RFC 6201. */
export interface ResetResult {
  valid: boolean
  reason: string | null
  repeats: number
  rate_fps: number | null
  by_loss_mean_ns: number | null
  by_time_mean_ns: number | null
}

/** A Goal Result of RFC 9971. */
export interface GoalResult {
  name: string
  final_trial_ns: number
  duration_sum_ns: number
  loss_ratio: number
  exceed_ratio: number
  relevant_lower_bound_fps: number | null
  relevant_upper_bound_fps: number | null
  conditional_throughput_fps: number | null
  regular: boolean
  reason: string | null
  trials: number
}

/** A row of `linerate.y1564/1`: what was promised and what was found. */
export interface ServiceRow {
  name: string
  frame: FrameResult
  cir_bps: number
  eir_bps: number
  max_flr: number
  max_ftd_ns: number | null
  max_fdv_ns: number | null
  min_availability: number | null
  verdict: StepVerdict
  configuration: StepRow[]
  performance: StepRow | null
}

/** One step of one service. */
export interface StepRow {
  step: string
  offered_bps: number
  trial: number | null
  verdict: StepVerdict
  reasons: string[]
  per_direction: ServiceDirection[]
}

/** One direction of one step. */
export interface ServiceDirection {
  tx: string
  rx: string
  tx_frames: number
  rx_unique_frames: number
  lost_frames: number
  ir_mean_bps: number
  ir_min_bps: number | null
  ir_max_bps: number | null
  flr: number | null
  ftd_mean_ns: number | null
  ftd_min_ns: number | null
  ftd_max_ns: number | null
  fdv_ns: number | null
  availability: number | null
  severely_errored_seconds: number | null
  unavailable_seconds: number | null
}

export type BenchResult = SuiteResult<BenchRow>
export type ServiceResult = SuiteResult<ServiceRow>
export type AnyResult = BenchResult | ServiceResult

/** Whether a result is of Y.1564; all others have rows of RFC 2544 and RFC 9971. */
export function isService(result: AnyResult): result is ServiceResult {
  return result.schema.startsWith('linerate.y1564/')
}
