//! Flow files as text: written as the README writes them, read by smol-toml.

import { parse, TomlError } from 'smol-toml'
import { LAYERS } from './layers'
import { FLOW_KEYS, isTable, type Json, type Table } from './spec'

/** Keys of tables on one line, as people write them; the store keeps no order. */
const ORDER = [
  ...['if', 'addr', 'gw', 'line', 'at', 'rate', 'ramp', 'list', 'range', 'random', 'step', 'seed', 'count', 'frames', 'gap', 'repeat'],
  ...['loss', 'p50', 'p99', 'p999', 'max', 'outage', 'src', 'dst'],
  ...LAYERS.flatMap((layer) => layer.fields.map((field) => field.key)),
]
const TABLE_KEYS = ['ports', 'defaults', 'flow']

function key(name: string): string {
  return /^[A-Za-z0-9_-]+$/.test(name) ? name : quoted(name)
}

function quoted(text: string): string {
  // JSON's escapes are TOML's, but DEL must be escaped too.
  return JSON.stringify(text).replaceAll('\u007f', '\\u007f')
}

/** A value on one line. */
export function inline(value: Json): string {
  if (typeof value === 'string') return quoted(value)
  if (Array.isArray(value)) return `[${value.map(inline).join(', ')}]`
  if (!isTable(value)) return String(value)
  const entries = sorted(value, ORDER)
  return entries.length === 0 ? '{}' : `{ ${entries.map(([name, one]) => `${key(name)} = ${inline(one)}`).join(', ')} }`
}

/** A list of tables has a line for each. */
function value(given: Json): string {
  const lines = Array.isArray(given) && given.length > 0 && given.every(isTable)
  return lines ? `[\n${given.map((one) => `  ${inline(one)},\n`).join('')}]` : inline(given)
}

/** Known keys first, in their order; TOML has no null. */
function sorted(table: Table, order: readonly string[]): [string, Json][] {
  const rank = (name: string) => (order.includes(name) ? order.indexOf(name) : order.length)
  return Object.entries(table).filter(([, one]) => one !== null).sort(([a], [b]) => rank(a) - rank(b))
}

function section(table: Table, order: readonly string[] = []): string {
  return sorted(table, order).map(([name, one]) => `${key(name)} = ${value(one)}\n`).join('')
}

/** A spec as a flow file. */
export function print(spec: Table): string {
  const parts: string[] = []
  const flows = spec.flow
  const tables = Array.isArray(flows) && flows.length > 0 && flows.every(isTable) ? flows : null
  const own = (name: string) => (name === 'flow' ? tables !== null : TABLE_KEYS.includes(name) && isTable(spec[name]))
  // What stands before the first table belongs to none.
  const top = section(Object.fromEntries(Object.entries(spec).filter(([name]) => !own(name))))
  if (top) parts.push(top)
  if (isTable(spec.ports)) parts.push(`[ports]\n${section(spec.ports)}`)
  if (isTable(spec.defaults)) parts.push(`[defaults]\n${section(spec.defaults, FLOW_KEYS)}`)
  for (const flow of tables ?? []) parts.push(`[[flow]]\n${section(flow, FLOW_KEYS)}`)
  return parts.join('\n')
}

/** Why a text is no TOML, and where. */
export class TomlProblem extends Error {
  constructor(
    message: string,
    readonly line: number | null,
  ) {
    super(message)
  }
}

/** Whole numbers over 2^53 and dates as their text, which the daemon reads as well. */
function plain(given: unknown): Json {
  if (typeof given === 'bigint') return String(given)
  if (given instanceof Date) return given.toISOString()
  if (Array.isArray(given)) return given.map(plain)
  if (typeof given === 'object' && given !== null) {
    return Object.fromEntries(Object.entries(given).map(([name, one]) => [name, plain(one)]))
  }
  return given as Json
}

function parsed(text: string): Table {
  try {
    return plain(parse(text, { integersAsBigInt: 'asNeeded' })) as Table
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    const [first = 'no TOML'] = error.message.split('\n')
    throw new TomlProblem(`line ${error.line}, column ${error.column}: ${first.replace(/^Invalid TOML document: /, '')}`, error.line)
  }
}

/** The spec that a text is. */
export function read(text: string): Table {
  return parsed(text)
}

/** One value, as it would stand after `key =`. */
export function readValue(text: string): Json {
  const table = parsed(`value = ${text.trim()}`)
  if (Object.keys(table).length !== 1 || table.value === undefined) throw new TomlProblem('one value, without a key', 1)
  return table.value
}
