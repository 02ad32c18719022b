//! Numbers as people read them; never rounded up to 100 % or down to no loss.

const NONE = '–'
const group = new Intl.NumberFormat('en-US')

/** A whole number with commas between its thousands. */
export function count(value: number | null | undefined): string {
  return value == null ? NONE : group.format(value)
}

function scaled(value: number, units: readonly string[], step: number): string {
  let unit = 0
  let rest = value
  // What would be rounded to the next unit's 1 is shown in it.
  while (Math.abs(rest) >= step - step / 2000 && unit < units.length - 1) {
    rest /= step
    unit += 1
  }
  const digits = Math.abs(rest) >= 100 || rest === Math.round(rest) ? 0 : Math.abs(rest) >= 10 ? 1 : 2
  return `${rest.toFixed(unit === 0 && Number.isInteger(value) ? 0 : digits)} ${units[unit]}`
}

/** Frames a second. */
export function pps(value: number | null | undefined): string {
  return value == null ? NONE : scaled(value, ['pps', 'kpps', 'Mpps', 'Gpps'], 1000)
}

/** Bits a second. */
export function bps(value: number | null | undefined): string {
  return value == null ? NONE : scaled(value, ['bit/s', 'kbit/s', 'Mbit/s', 'Gbit/s', 'Tbit/s'], 1000)
}

/** Octets. */
export function octets(value: number | null | undefined): string {
  return value == null ? NONE : scaled(value, ['B', 'kB', 'MB', 'GB', 'TB'], 1000)
}

/** A time in ns, as large as it is. */
export function time(ns: number | null | undefined): string {
  return ns == null ? NONE : scaled(ns, ['ns', 'µs', 'ms', 's'], 1000)
}

/** A duration in ns as a clock: `1:02:03`, `4:05`, `0.5 s`. */
export function span(ns: number | null | undefined): string {
  if (ns == null) return NONE
  if (ns < 1e9) return time(ns)
  const s = Math.round(ns / 1e9)
  const two = (value: number) => String(value).padStart(2, '0')
  if (s < 60) return `${s} s`
  const minutes = Math.floor(s / 60)
  if (minutes < 60) return `${minutes}:${two(s % 60)} min`
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(s % 60)} h`
}

/** A ratio as a percentage: 0 only where it is 0, 100 only where it is all. */
export function percent(ratio: number | null | undefined): string {
  if (ratio == null) return NONE
  if (ratio === 0) return '0 %'
  if (ratio === 1) return '100 %'
  const value = ratio * 100
  if (value < 0.001) return `${value.toExponential(0)} %`
  const text = value.toPrecision(value >= 10 ? 4 : 3)
  return `${Number(text) === 100 && ratio < 1 ? '99.99' : text} %`
}

/** RFC 3339 as date and time here. */
export function moment(text: string | null | undefined): string {
  if (!text) return NONE
  const at = new Date(text)
  const two = (value: number) => String(value).padStart(2, '0')
  const date = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`
  return `${date} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`
}
