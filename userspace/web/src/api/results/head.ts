//! What every result says of where it comes from.

/** The software and the machine. */
export interface Origin {
  schema: string
  tool: { name: string; version: string; git: string | null }
  host: { name: string; kernel: string; machine: string; cpu: string | null; cpus: number }
}

/** A port as it was used. */
export interface UsedPort {
  name: string
  if: string
  driver: string
  tx_mode: string | null
  rx_mode: string | null
  clock: string
  queues: number
  link_bps: number | null
  /** What was taken off the latency of what it received; `null`: nothing. */
  calibration: unknown
  settings_changed: { setting: string; from: string; to: string }[]
}
