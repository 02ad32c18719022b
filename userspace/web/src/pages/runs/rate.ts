//! The rate that was asked of a row, and the one that a slider asks for.

/** A rate as a flow file writes it: `2.5Mpps`, `40%`. */
export interface AskedRate {
  value: number
  unit: string
}

/** Units of rates, as flow files write them. */
export const UNITS = ['pps', 'kpps', 'Mpps', 'kbps', 'Mbps', 'Gbps', 'Mbps-l1', 'Gbps-l1', '%'] as const

/** `null`: it is `max`, or no rate. */
export function parseRate(text: string): AskedRate | null {
  const found = /^\s*(\d+(?:\.\d+)?)\s*(.*?)\s*$/.exec(text)
  if (!found) return null
  const unit = (found[2] ?? '').replace(/fps$/, 'pps')
  const value = Number(found[1])
  return value > 0 && /^(?:[kKMGT]?(?:pps|bps|bps-l1)|%)$/.test(unit) ? { value, unit } : null
}

/** The rate as it is sent: at most 9 significant digits, never an exponent. */
export function writeRate(rate: AskedRate): string {
  const digits = rate.value.toPrecision(9)
  const plain = Number(digits).toFixed(9).replace(/\.?0+$/, '')
  return `${plain}${rate.unit}`
}

interface FlowOfSpec {
  name?: string
  rate?: string
  repeat?: number
  schedule?: { rate?: string }[]
}

/** The rate that a spec asks of a row; `null`: `max`, or no flow has such a row. */
export function askedRate(spec: unknown, row: string): AskedRate | null {
  const given = (spec ?? {}) as { defaults?: { rate?: string }; flow?: FlowOfSpec[] }
  const flow = given.flow?.find((flow) => flow.name !== undefined && rowsOf(flow.name).test(row))
  if (!flow) return null
  const rate = flow.rate ?? flow.schedule?.[0]?.rate ?? given.defaults?.rate
  return rate === undefined ? null : parseRate(rate)
}

/** `{i}` counts repeated flows, and a flow of both directions has two rows. */
function rowsOf(name: string): RegExp {
  const plain = name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll('\\{i\\}', '\\d+')
  return new RegExp(`^${plain}(?:/fwd|/rev)?$`)
}
