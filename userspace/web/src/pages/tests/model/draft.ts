//! The test that is being written, and what the daemon says of it as one types.

import { inject, type InjectionKey, provide, reactive, ref, shallowRef, watch } from 'vue'
import { api, data, Problem } from '@/api/client'
import type { Backend, SuiteBody, SuiteHead, SuiteKind, SuitePlan } from '@/api/schema'
import { at, concerns, isTree, type Path, put, type Tree, type Value } from './document'

/** How long nobody types until the daemon is asked, ms. */
const QUIET_MS = 350
/** Longer drafts are not put into the address. */
const LONGEST_QUERY = 6000

/** What is asked of the daemon. */
export interface Wish {
  name: string
  kind: SuiteKind
  suite: Tree
  flow_set: number | null
  backend: Backend
}

export type Draft = ReturnType<typeof makeDraft>
const KEY: InjectionKey<Draft> = Symbol('draft')

/** A test to begin with: a device that needs no hardware, and all else as the profile has it. */
export function firstWish(kind: SuiteKind): Wish {
  const suite: Tree = { topology: { dut: 'sim:link=10G,capacity=10Mpps,buffer=1024' } }
  if (kind === 'y1564') {
    suite.topology = { dut: 'sim:link=1G,capacity=500Mbps', direction: 'forward' }
    suite.service = [{ name: 'voice', size: 256, cir: '10Mbps', flr: '0', ftd: '10ms', fdv: '2ms' }]
  }
  return { name: '', kind, suite, flow_set: null, backend: 'auto' }
}

/** A wish out of an address; null: it is none. */
export function readWish(text: string): Wish | null {
  try {
    const given: unknown = JSON.parse(text)
    if (!isTree(given) || !isTree(given.suite)) return null
    const kinds: SuiteKind[] = ['rfc2544', 'mlrsearch', 'y1564']
    const backends: Backend[] = ['auto', 'af_xdp', 'live_frames']
    const kind = kinds.find((kind) => kind === given.kind)
    if (!kind) return null
    return {
      name: typeof given.name === 'string' ? given.name : '',
      kind,
      suite: given.suite,
      flow_set: typeof given.flow_set === 'number' ? given.flow_set : null,
      backend: backends.find((backend) => backend === given.backend) ?? 'auto',
    }
  } catch {
    return null
  }
}

/** The same as text for an address; null: it is too long for one. */
export function writeWish(wish: Wish): string | null {
  const text = JSON.stringify(wish)
  return text.length <= LONGEST_QUERY ? text : null
}

/** What is sent; sections of other kinds of suites stay in the draft alone. */
export function bodyOf(wish: Wish): SuiteBody {
  const { name, kind, suite, flow_set, backend } = wish
  return { ...(name.trim() ? { name: name.trim() } : {}), kind, suite: suite as SuiteBody['suite'], flow_set, backend }
}

/** Makes the draft of a page. */
export function makeDraft(first: Wish) {
  const wish = reactive({ ...first }) as Wish
  const plan = shallowRef<SuitePlan>()
  const problem = shallowRef<Problem>()
  const asking = ref(false)
  let timer: ReturnType<typeof setTimeout> | undefined
  let turn = 0

  async function ask(): Promise<void> {
    const mine = ++turn
    asking.value = true
    try {
      const given = await data(api.POST('/api/v1/suites/validate', { body: bodyOf(wish) }))
      if (mine !== turn) return
      plan.value = given
      problem.value = undefined
    } catch (error) {
      if (mine !== turn) return
      plan.value = undefined
      problem.value = Problem.from(error)
    } finally {
      if (mine === turn) asking.value = false
    }
  }

  watch(
    () => JSON.stringify(bodyOf(wish)),
    () => {
      clearTimeout(timer)
      timer = setTimeout(() => void ask(), QUIET_MS)
    },
  )
  void ask()

  return {
    wish,
    plan,
    problem,
    asking,
    ask,
    /** What stands at a place of the suite. */
    get: (path: Path): Value | undefined => at(wish.suite, path),
    /** Puts a value there; undefined takes it away. */
    set(path: Path, value: Value | undefined): void {
      wish.suite = put(wish.suite, path, value)
    },
    /** What is wrong at a place; empty: nothing. */
    wrong(path: Path): string {
      const found = problem.value
      return found && concerns(found.field, path, found.message) ? found.message : ''
    },
    /** Starts it; throws a Problem. */
    start: (): Promise<SuiteHead> => data(api.POST('/api/v1/suites', { body: bodyOf(wish) })),
    stop: (): void => clearTimeout(timer),
  }
}

export function provideDraft(draft: Draft): Draft {
  provide(KEY, draft)
  return draft
}

export function useDraft(): Draft {
  const draft = inject(KEY)
  if (!draft) throw new Error('a part of the form stands outside of it')
  return draft
}
