//! Flows out of a file: a flow file in TOML, or a capture that the daemon makes flows of.

import { ask } from '@/api/client'
import { count } from '@/format'
import type { Draft } from './keep'
import { flowsOf, type Table } from './spec'
import { read } from './toml'

/** How captures begin: pcap of either order, in microseconds and nanoseconds, and pcapng. */
const MAGIC = ['a1b2c3d4', 'd4c3b2a1', 'a1b23c4d', '4d3cb2a1', '0a0d0d0a']
/** What the daemon takes, octets. */
const MOST = 8 << 20
/** Flows that are made of a capture at most. */
const LIMIT = 100

/** Whether the file begins as a capture does. */
export function isCapture(head: Uint8Array): boolean {
  return MAGIC.includes([...head.slice(0, 4)].map((octet) => octet.toString(16).padStart(2, '0')).join(''))
}

/** The set that a file is; throws what is wrong with it, with its line. */
export async function fromFile(file: File): Promise<Draft> {
  const name = file.name.replace(/\.[^.]*$/, '')
  const octets = new Uint8Array(await file.arrayBuffer())
  if (!isCapture(octets)) return { name, spec: read(new TextDecoder().decode(octets)), left: [] }
  if (octets.length > MOST) throw new Error(`a capture of ${octets.length} octets; at most ${MOST} are read`)
  const headers = { 'content-type': 'application/octet-stream' }
  const response = await ask(`/api/v1/flows/from-capture?limit=${LIMIT}`, { method: 'POST', headers, body: octets })
  const made = (await response.json()) as { spec: Table; captured_frames: number; frames: number; notes: string[] }
  const flows = flowsOf(made.spec).length
  const first = `${count(made.frames)} of ${count(made.captured_frames)} frames in ${file.name} became ${flows} ${flows === 1 ? 'flow' : 'flows'}; say under Ports what west and east are.`
  // Every flow is from west to east: whoever says what these are says it once.
  const spec: Table = { ports: { west: { if: 'west' }, east: { if: 'east' } }, ...made.spec }
  return { name, spec, left: [], notes: [first, ...made.notes] }
}
