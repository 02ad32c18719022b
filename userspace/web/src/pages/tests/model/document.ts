//! A suite as the tree of its file: the form reads and writes single places, what it does not know stays.

export type Value = string | number | boolean | Value[] | Tree
export interface Tree {
  [key: string]: Value
}

/** A place in it: keys, and numbers for the members of lists. */
export type Path = (string | number)[]

export function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** What stands at a place; undefined: nothing. */
export function at(root: Tree, path: Path): Value | undefined {
  let here: Value | undefined = root
  for (const key of path) {
    if (Array.isArray(here)) here = typeof key === 'number' ? here[key] : undefined
    else if (isTree(here)) here = here[key]
    else return undefined
  }
  return here
}

/**
 * The same with another value at a place. Undefined takes it away, and with it the tables
 * around it that would be empty: an empty table means something in a suite file.
 */
export function put(root: Tree, path: Path, value: Value | undefined): Tree {
  return (place(root, path, value) ?? {}) as Tree
}

function place(here: Value | undefined, path: Path, value: Value | undefined): Value | undefined {
  const [key, ...rest] = path
  if (key === undefined) return value
  if (typeof key === 'number') {
    const list = Array.isArray(here) ? [...here] : []
    const next = place(list[key], rest, value)
    if (next !== undefined) list[key] = next
    // A member that lost its last key stays: its place counts.
    else if (rest.length > 0) list[key] = {}
    else list.splice(key, 1)
    return list.length > 0 ? list : undefined
  }
  const tree: Tree = isTree(here) ? { ...here } : {}
  const next = place(tree[key], rest, value)
  if (next === undefined) delete tree[key]
  else tree[key] = next
  return Object.keys(tree).length > 0 ? tree : undefined
}

/** A place as the daemon names it: `service[0].cir`. */
export function placeName(path: Path): string {
  return path.reduce<string>((text, key) => (typeof key === 'number' ? `${text}[${key}]` : text ? `${text}.${key}` : key), '')
}

/** Whether a problem's field (`suite.sizes[1]`) is this place or within it, or misses it where it should be. */
export function concerns(field: string | null, path: Path, message = ''): boolean {
  if (field === null) return false
  const around = path.slice(0, -1)
  if (field === (around.length ? `suite.${placeName(around)}` : 'suite') && message.includes(`\`${path.at(-1)}\` is missing`)) return true
  const name = `suite.${placeName(path)}`
  return field === name || field.startsWith(`${name}.`) || field.startsWith(`${name}[`)
}

/** Text of a field of the form: a value that is none of a text field's is shown as it is written in TOML lists. */
export function asText(value: Value | undefined): string {
  if (value === undefined) return ''
  if (Array.isArray(value)) return value.map((one) => (isTree(one) ? JSON.stringify(one) : String(one))).join(', ')
  return isTree(value) ? JSON.stringify(value) : String(value)
}

/** What someone wrote: whole numbers are numbers, nothing is nothing, all else is text. */
export function fromText(text: string): Value | undefined {
  const trimmed = text.trim()
  if (trimmed === '') return undefined
  return /^-?\d{1,15}$/.test(trimmed) ? Number(trimmed) : trimmed
}

/** A list with commas between its members. */
export function listFromText(text: string): Value[] | undefined {
  const all = text.split(',').flatMap((one) => fromText(one) ?? [])
  return all.length > 0 ? all : undefined
}
