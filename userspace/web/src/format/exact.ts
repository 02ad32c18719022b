//! Numbers of results: rounded down where they are a rate, never to all and never to nothing.

import { count } from './index'

const NONE = '–'

function bounded(share: number, decimals: number): string {
  const value = share * 100
  const grain = 10 ** -decimals
  const text = value.toFixed(decimals)
  if (share <= 0) return '0'
  if (share < 1 && text.startsWith('100')) return `>${(100 - grain).toFixed(decimals)}`
  if (/^[0.]*$/.test(text)) return `<${grain.toFixed(decimals)}`
  return text.replace(/0+$/, '').replace(/\.$/, '')
}

/** A share of 1 as a percentage with up to four decimals, without the sign. */
export function share(value: number | null | undefined): string {
  return value == null ? NONE : bounded(value, 4)
}

/** A loss ratio as a percentage with up to six decimals, without the sign. */
export function loss(value: number | null | undefined): string {
  return value == null ? NONE : bounded(value, 6)
}

/** Frames a second: whole ones, rounded down, for a rate that was never tried is no result. */
export function fps(value: number | null | undefined): string {
  if (value == null) return NONE
  if (value >= 100) return count(Math.floor(value))
  const thousandths = Math.floor(value * 1000) / 1000
  return value > 0 && thousandths === 0 ? '<0.001' : String(thousandths)
}

/** Bits a second as Mbit/s with up to six decimals. */
export function megabits(bps: number | null | undefined): string {
  if (bps == null) return NONE
  const value = bps / 1e6
  return new Intl.NumberFormat('en-US', { maximumFractionDigits: value >= 1000 ? 1 : value >= 1 ? 3 : 6 }).format(value)
}

/** A number with one decimal. */
export function tenths(value: number | null | undefined): string {
  return value == null ? NONE : new Intl.NumberFormat('en-US', { minimumFractionDigits: 1, maximumFractionDigits: 1 }).format(value)
}

/** How much b is more than a, as a signed percentage; none where a is 0 or one is not there. */
export function difference(a: number | null | undefined, b: number | null | undefined): string {
  if (a == null || b == null || a === 0) return NONE
  if (a === b) return '0 %'
  const value = ((b - a) / Math.abs(a)) * 100
  const text = Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3)
  const shown = Math.abs(value) < 0.001 ? (value > 0 ? '<+0.001' : '>-0.001') : `${value > 0 ? '+' : ''}${Number(text)}`
  return `${shown} %`
}
