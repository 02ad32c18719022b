//! Small results for tests: what a test does not name is as of a device that loses nothing.

import type { BenchResult, BenchRow, FrameLossResult, LatencyAtResult, ThroughputResult } from '@/api/results/suite'

export function throughputOf(more: Partial<ThroughputResult>): ThroughputResult {
  return {
    bound: 'exact', limited_by: 'device', max_loss: 0, resolution_fps: 1, fps: 1000, ratio: 0.5, next_failing_fps: null, next_failing_loss_ratio: null,
    verified_duration_ns: 1e9, trial: 1, trials: 1, load_independent_loss_ratio: null, reason: null, per_direction: [], ...more,
  }
}

export function latencyOf(more: Partial<LatencyAtResult>): LatencyAtResult {
  return {
    at: 'throughput', rate_fps: 1000, derated: false, mean_ns: 10, min_ns: 5, p50_ns: 9, p99_ns: 20, p999_ns: 30, max_ns: 40, uncertainty_ns: null,
    definition: 'host', repeats: 1, lost_frames: 0, valid: true, reason: null, ...more,
  }
}

export function lossOf(more: Partial<FrameLossResult>): FrameLossResult {
  return {
    offered_ratio: 1, offered_fps: 2000, actual_fps: 2000, valid: true, reason: null, trial: 1, tx_frames: 2000, rx_unique_frames: 2000, lost_frames: 0, loss_ratio: 0,
    duplicate_frames: 0, reordered_frames: 0, ...more,
  }
}

export function rowOf(name: string, more: Partial<BenchRow>): BenchRow {
  const size = Number(name) || null
  return {
    frame: { kind: size === null ? 'imix' : 'fixed', name, size, mean_bytes: size ?? 353.8 }, theoretical_fps: 2000, verdict: 'done', reasons: [], thresholds: [],
    throughput: null, latency: null, frame_loss: null, back_to_back: null, system_recovery: null, reset: null, goals: null, ...more,
  }
}

export function resultOf(rows: BenchRow[]): BenchResult {
  return {
    schema: 'linerate.rfc2544/1', tool: { name: 'linerate', version: '0', git: null }, host: { name: 'h', kernel: '6', machine: 'x', cpu: null, cpus: 1 },
    started: '', ended: '', duration_ns: 0, verdict: 'done', reasons: [], ports: [],
    setup: {
      profile: 'quick', simulated: null, seed: null, device: null, directions: [], frames: '', networks: 1, modifiers: [], media_overhead_bytes: 20, definition: null,
      timing: { learning_frames: 3, learning_refresh_ns: 0, before_ns: 0, residual_ns: 0, after_ns: 0 }, compliance: { level: null, deviations: [] },
      config: { sha256: '', arguments: [], suite_file: null, flow_file: null, effective: null },
    },
    rows, trials: [],
  }
}
