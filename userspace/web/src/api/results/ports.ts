//! `linerate.ports/1`: what ports are and can do, as far as pages show it. `null`: neither
//! kernel nor driver says.

/** The answer of `/ports` and of `/ports/{port}`. */
export interface PortsReport {
  host: { name: string; kernel: string; machine: string; cpu: string | null; cpus: number }
  ports: Port[]
}

/** One port. */
export interface Port {
  /** The PORT. */
  if: string
  ifindex: number
  kind: string | null
  driver: string
  firmware: string | null
  bus: string | null
  mac: string
  mtu: number
  up: boolean
  carrier: boolean
  /** `null` too for links without a physical speed. */
  link_bps: number | null
  rx_queues: number
  tx_queues: number
  promiscuous: boolean
  addresses: string[]
  xdp_program: { hook: string; id: number } | null
  capabilities: Capabilities
  ceilings: Ceiling[]
}

/** What it can do and how it is set. */
export interface Capabilities {
  duplex: string | null
  channels: { rx: number; tx: number; rx_max: number; tx_max: number } | null
  rings: { rx: number; tx: number; rx_max: number; tx_max: number } | null
  pause: { autoneg: boolean; rx: boolean; tx: boolean } | null
  rx_coalesce_us: number | null
  timestamping: { stamps: string[]; phc: number | null } | null
  xdp: { xdp: string[]; rx_metadata: string[]; xsk: string[]; zero_copy_segments: number | null } | null
  pci: { numa_node: number | null; local_cpus: number[]; link: { megatransfers: number; lanes: number } | null } | null
  interrupts: { irq: number; rx_queues: number[]; tx_queues: number[]; cpus: number[] }[]
  /** Offloads that are on and would falsify a measurement. */
  harmful_offloads: string[]
}

/** What it can send of one frame size. */
export interface Ceiling {
  /** Octets with FCS. */
  size: number
  predicted_fps: number
  reason: string
  measured: { fps: number; dropped_frames: number; tx_mode: string | null } | null
}
