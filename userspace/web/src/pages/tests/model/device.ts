//! The grammar of a simulated device, `sim:link=10G,capacity=10Mpps` (CONTRACT, Suite file).

/** Its keys, in the order in which they are written. */
export const DEVICE_KEYS = ['link', 'capacity', 'buffer', 'latency', 'loss', 'stall', 'duplicate', 'reorder', 'seed'] as const
export type DeviceKey = (typeof DEVICE_KEYS)[number]
export type Device = Partial<Record<DeviceKey, string>>

/** The parts of `sim:...`; null: it has something that a form cannot show. */
export function readDevice(text: string): Device | null {
  if (!text.startsWith('sim:')) return null
  const device: Device = {}
  for (const part of text.slice(4).split(',').filter((part) => part !== '')) {
    const [key, value] = part.split(/=(.*)/s)
    const known = DEVICE_KEYS.find((name) => name === key?.trim())
    if (!known || value === undefined || device[known] !== undefined) return null
    device[known] = value.trim()
  }
  return device
}

/** `sim:...` of its parts; those that are empty are the daemon's defaults. */
export function writeDevice(device: Device): string {
  const parts = DEVICE_KEYS.filter((key) => device[key]).map((key) => `${key}=${device[key]}`)
  return `sim:${parts.join(',')}`
}
