//! A flow file as JSON, edited where it stands: what is not understood stays untouched.

/** Any value of a flow file. */
export type Json = null | boolean | number | string | Json[] | Table
/** A table of a flow file. */
export interface Table {
  [key: string]: Json
}
/** The keys and indices that lead to a value. */
export type Path = readonly (string | number)[]

/** Every key of a flow, in the order in which people write them. */
export const FLOW_KEYS = [
  'name', 'repeat', 'tx', 'rx', 'bidir', 'rate', 'schedule', 'spacing', 'size', 'delay', 'duration', 'frames', 'burst',
  'layers', 'vary', 'track', 'integrity', 'order', 'expect',
]

export function isTable(value: unknown): value is Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A path as the daemon names it: `flow[0].layers[1].vlan.id`. */
export function pathText(path: Path): string {
  return path.map((step, at) => (typeof step === 'number' ? `[${step}]` : at > 0 ? `.${step}` : step)).join('')
}

/** The value at a path; `undefined`: there is none. */
export function at(root: Json | undefined, path: Path): Json | undefined {
  let value: Json | undefined = root
  for (const step of path) {
    if (Array.isArray(value) && typeof step === 'number') value = value[step]
    else if (isTable(value) && typeof step === 'string' && Object.hasOwn(value, step)) value = value[step]
    else return undefined
  }
  return value
}

/** Puts a value at a path, with the tables that lead there; `undefined` takes it away. */
export function put(root: Table, path: Path, value: Json | undefined): void {
  const last = path.at(-1)
  if (last === undefined) return
  let place: Json = root
  for (const step of path.slice(0, -1)) {
    if (Array.isArray(place)) {
      const next: Json | undefined = place[step as number]
      if (next === undefined) return
      place = next
    } else if (isTable(place)) {
      const key = String(step)
      if (value === undefined && !Object.hasOwn(place, key)) return
      // What stands where a table is wanted gives way: its form was turned on the page.
      if (typeof place[key] !== 'object' || place[key] === null) place[key] = {}
      place = place[key]
    } else return
  }
  if (Array.isArray(place)) {
    if (value === undefined) place.splice(last as number, 1)
    else place[last as number] = value
  } else if (isTable(place)) {
    if (value === undefined) delete place[String(last)]
    else place[String(last)] = value
  }
}

/** The flows of a spec; those that are no tables are left to who edits the text. */
export function flowsOf(spec: Table): Table[] {
  return Array.isArray(spec.flow) ? spec.flow.filter(isTable) : []
}

/** The name of a flow. */
export function nameOf(flow: Table): string {
  return typeof flow.name === 'string' ? flow.name : ''
}

/** What is before the first `/` of a name: its group on the page. */
export function groupOf(name: string): string {
  const end = name.indexOf('/')
  return end > 0 ? name.slice(0, end) : ''
}

/** A name that none of `names` is: `a`, `a-2`, `a-3`; before the `{i}` of a repeated flow. */
export function freeName(wanted: string, names: readonly string[]): string {
  if (!names.includes(wanted)) return wanted
  const [, stem = wanted, rest = ''] = /^(.*?)(\{i\}.*)?$/.exec(wanted) ?? []
  const base = stem.replace(/-\d+$/, '')
  for (let n = 2; ; n += 1) {
    const name = `${base}-${n}${rest}`
    if (!names.includes(name)) return name
  }
}

/** A deep copy. */
export function copy<T extends Json>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T
}

/** The same flows without those that are left out. */
export function without(spec: Table, left: ReadonlySet<string>): Table {
  return { ...spec, flow: flowsOf(spec).filter((flow) => !left.has(nameOf(flow))) }
}

/** One flow with the ports and defaults that it may need, and only the first of its repeats; its frames can be shown before it has a name and a port. */
export function alone(spec: Table, index: number): Table {
  const flow: Table = { ...flowsOf(spec)[index] }
  const defaults = isTable(spec.defaults) ? spec.defaults : {}
  if (flow.repeat !== undefined || defaults.repeat !== undefined) flow.repeat = 1
  for (const key of ['name', 'tx']) {
    if ((flow[key] ?? defaults[key] ?? '') === '') flow[key] = 'preview'
  }
  return { ...spec, flow: [flow] }
}

/** Keys of which a flow has one at most, so that its own takes the place of a default one. */
const ENDS = ['duration', 'frames', 'burst']

/** The flows of another file with its defaults written out, as the file means them. */
export function spelled(spec: Table): Table[] {
  const defaults = isTable(spec.defaults) ? spec.defaults : {}
  return flowsOf(spec).map((flow) => {
    const ended = ENDS.some((key) => flow[key] !== undefined)
    const wanted = Object.entries(defaults).filter(
      ([key]) => !(ended && ENDS.includes(key)) && !(key === 'rate' && flow.schedule !== undefined),
    )
    return copy({ ...Object.fromEntries(wanted), ...flow })
  })
}
