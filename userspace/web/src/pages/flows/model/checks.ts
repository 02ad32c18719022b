//! What the daemon says about the flows as they are edited: the latest answer wins.

import { onScopeDispose, shallowReactive, watch } from 'vue'
import { live } from '@/api/live'
import { api, data, Problem, type PreviewedFrame } from '@/api/client'
import type { Editor } from './editor'
import { placed } from './problems'
import { alone, type Table } from './spec'

/** Time without typing before the daemon is asked, ms. */
const PAUSE = 250
/** Frames of each row that are shown. */
export const FRAMES = 8

/** Asks once nothing was wanted for a while; an older answer never replaces a newer one. */
export function settled<Q>(pause: number, ask: (wanted: Q, signal: AbortSignal) => Promise<void>) {
  let timer: ReturnType<typeof setTimeout> | undefined
  let running = new AbortController()
  const stop = () => {
    clearTimeout(timer)
    running.abort()
  }
  return {
    stop,
    want(wanted: Q) {
      stop()
      running = new AbortController()
      const { signal } = running
      timer = setTimeout(() => void ask(wanted, signal).catch((error: unknown) => {
        if (!signal.aborted) throw error
      }), pause)
    },
  }
}

/** Frames of the flow that is chosen; those shown last stay while it has none. */
export interface Shown {
  flow: string
  frames: PreviewedFrame[]
  /** The frames are of an earlier state: what is there now has none. */
  old: boolean
}

/** Validates all flows and previews the chosen one, whenever they change. */
export function useChecks(editor: Editor) {
  const shown = shallowReactive<Shown>({ flow: '', frames: [], old: false })
  const { state } = editor
  let last = -1

  const validate = settled<string>(PAUSE, async (text, signal) => {
    const spec = JSON.parse(text) as Record<string, never>
    try {
      const planned = await data(api.POST('/api/v1/flows/validate', { body: { spec }, signal }))
      if (signal.aborted) return
      state.planned = planned ?? null
      state.problem = null
    } catch (error) {
      if (signal.aborted) return
      state.planned = null
      state.problem = placed(Problem.from(error))
    }
    state.checking = false
  })
  const preview = settled<Table>(PAUSE, async (only, signal) => {
    try {
      const query = { count: FRAMES }
      const answer = await data(api.POST('/api/v1/flows/preview', { params: { query }, body: { spec: only as Record<string, never> }, signal }))
      if (!signal.aborted) Object.assign(shown, { frames: answer?.frames ?? [], old: false })
    } catch {
      // What is wrong is said by the validation.
      if (!signal.aborted) shown.old = true
    }
  })

  watch(editor.text, (text) => {
    state.checking = true
    validate.want(text)
  }, { immediate: true })
  watch(
    () => (typeof state.chosen === 'number' ? JSON.stringify(alone(state.spec, state.chosen)) : null),
    (only) => {
      const index = typeof state.chosen === 'number' ? state.chosen : -1
      const flow = String(editor.flows.value[index]?.name ?? '')
      // Frames of another flow are none of this one.
      if (flow !== shown.flow && index !== last) Object.assign(shown, { frames: [], old: false })
      shown.flow = flow
      last = index
      if (only === null || index >= editor.flows.value.length) preview.stop()
      else preview.want(JSON.parse(only) as Table)
    },
    { immediate: true },
  )
  const off = live.on('opened', () => validate.want(editor.text.value))
  onScopeDispose(() => (off(), validate.stop(), preview.stop()))
  return shown
}
