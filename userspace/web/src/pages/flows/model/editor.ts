//! A flow set while it is edited: what its inputs share.

import { computed, inject, nextTick, onScopeDispose, reactive, shallowReactive, toRaw, watch, type InjectionKey } from 'vue'
import type { Planned } from '@/api/client'
import { flowAt, nearest, type Placed } from './problems'
import * as spec from './spec'
import type { Json, Path, Table } from './spec'

/** What the middle of the page edits. */
export type Chosen = number | 'ports' | 'defaults'

/** An input is found again by its place. */
export function idOf(place: string): string {
  return `at-${place.replaceAll(/\s/g, '_')}`
}

/** Keys of rows that may move: an object keeps its own. */
const keys = new WeakMap<object, number>()
let next = 0
export function keyOf(row: unknown): number {
  const raw = toRaw(row) as object
  const found = keys.get(raw)
  if (found !== undefined) return found
  next += 1
  keys.set(raw, next)
  return next
}

export function makeEditor(given: { name: string; spec: Table; left?: Iterable<string>; saved: boolean }) {
  const state = reactive({
    name: given.name,
    spec: spec.copy(given.spec),
    /** Flows that runs from this page leave out, by name. */
    left: new Set(given.left ?? []),
    chosen: 0 as Chosen,
    /** What the daemon has; `null`: nothing yet. */
    kept: given.saved ? { name: given.name, text: JSON.stringify(given.spec) } : null,
    /** What the daemon says about what is there now. */
    problem: null as Placed | null,
    planned: null as Planned | null,
    checking: false,
    /** The layer that has the focus, by its index: its octets are marked. */
    layer: null as number | null,
  })
  const text = computed(() => JSON.stringify(state.spec))
  const changed = computed(() => state.kept?.name !== state.name || state.kept.text !== text.value)
  const flows = computed(() => spec.flowsOf(state.spec))
  const names = computed(() => flows.value.map(spec.nameOf))
  const places = shallowReactive(new Map<string, number>())
  const spot = computed(() => (state.problem ? nearest(state.problem.place, places.keys()) : null))
  const list = (): Json[] => {
    if (!Array.isArray(state.spec.flow)) state.spec.flow = []
    return state.spec.flow
  }

  const editor = {
    state, text, changed, flows, names, places, spot,

    get: (path: Path) => spec.at(state.spec, path),
    put: (path: Path, value: Json | undefined) => spec.put(state.spec, path, value),
    /** The value that a flow has from the defaults. */
    inherited: (path: Path) =>
      path[0] === 'flow' && path.length === 3 ? spec.at(state.spec, ['defaults', path[2] ?? '']) : undefined,

    /** Adds flows behind the others and opens the first of them. */
    add(flows: Table[]) {
      const first = list().length
      for (const flow of flows) {
        list().push({ ...flow, name: spec.freeName(spec.nameOf(flow) || 'flow', names.value) })
      }
      state.chosen = Math.min(first, list().length - 1)
    },
    duplicate(index: number) {
      const flow = flows.value[index]
      if (!flow) return
      list().splice(index + 1, 0, { ...spec.copy(flow), name: spec.freeName(spec.nameOf(flow), names.value) })
      state.chosen = index + 1
    },
    remove(index: number) {
      state.left.delete(names.value[index] ?? '')
      list().splice(index, 1)
      state.chosen = Math.max(0, Math.min(index, list().length - 1))
    },
    /** Moves a flow and stays with it. */
    move(index: number, by: number) {
      const to = index + by
      if (to < 0 || to >= list().length) return
      const [flow] = list().splice(index, 1)
      if (flow !== undefined) list().splice(to, 0, flow)
      state.chosen = to
    },
    rename(index: number, name: string) {
      const before = names.value[index] ?? ''
      if (state.left.delete(before)) state.left.add(name)
      editor.put(['flow', index, 'name'], name === '' ? undefined : name)
    },
    /** Takes flows into a group, which is a word before the first `/` of their names. */
    regroup(before: string, after: string) {
      names.value.forEach((name, index) => {
        if (spec.groupOf(name) === before && before !== '') editor.rename(index, `${after === '' ? '' : `${after}/`}${name.slice(before.length + 1)}`)
      })
    },
    leave(name: string, out: boolean) {
      if (out) state.left.add(name)
      else state.left.delete(name)
    },
    /** Another name for a port, also where flows use it. */
    renamePort(before: string, after: string) {
      const ports = state.spec.ports
      if (!spec.isTable(ports) || after === '' || Object.hasOwn(ports, after)) return
      state.spec.ports = Object.fromEntries(Object.entries(ports).map(([name, port]) => [name === before ? after : name, port]))
      const uses = [...flows.value, ...(spec.isTable(state.spec.defaults) ? [state.spec.defaults] : [])]
      for (const flow of uses) {
        for (const key of ['tx', 'rx']) {
          const end = flow[key]
          if (end === before) flow[key] = after
          else if (Array.isArray(end)) flow[key] = end.map((one) => (one === before ? after : one))
        }
      }
    },
    /** All of it anew, from text. */
    replace(whole: Table) {
      state.spec = whole
      state.left = new Set([...state.left].filter((name) => names.value.includes(name)))
      if (typeof state.chosen === 'number') state.chosen = Math.max(0, Math.min(state.chosen, flows.value.length - 1))
    },
    /** The daemon has it. */
    keep() {
      state.kept = { name: state.name, text: text.value }
    },
    /** Opens the flow that a place is in and puts the focus there. */
    async show(place: string) {
      const flow = flowAt(place)
      if (flow !== null) state.chosen = flow
      else if (place.startsWith('ports')) state.chosen = 'ports'
      else if (place.startsWith('defaults')) state.chosen = 'defaults'
      await nextTick()
      await nextTick()
      const found = nearest(place, places.keys())
      const element = found === null ? null : document.getElementById(idOf(found))
      element?.scrollIntoView({ block: 'center' })
      element?.focus({ preventScroll: true })
    },
  }
  return editor
}

export type Editor = ReturnType<typeof makeEditor>
export const EDITOR: InjectionKey<Editor> = Symbol('editor')

export function useEditor(): Editor {
  const editor = inject(EDITOR)
  if (!editor) throw new Error('an input of the builder stands outside of it')
  return editor
}

/** Makes a place known while its input is there; what comes back is the message that belongs to it. */
export function usePlace(path: () => Path) {
  const editor = useEditor()
  const place = computed(() => spec.pathText(path()))
  const count = (key: string, by: number) => {
    const now = (editor.places.get(key) ?? 0) + by
    if (now > 0) editor.places.set(key, now)
    else editor.places.delete(key)
  }
  watch(
    place,
    (now, before) => {
      if (before !== undefined) count(before, -1)
      count(now, 1)
    },
    { immediate: true, flush: 'sync' },
  )
  onScopeDispose(() => count(place.value, -1))
  const wrong = computed(() => (editor.spot.value === place.value ? (editor.state.problem?.message ?? '') : ''))
  return { editor, place, wrong }
}
