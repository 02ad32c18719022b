//! What is asked for again and again while a run goes on, for one flow.

import { onScopeDispose, ref, shallowRef, watch } from 'vue'
import { ask, Problem } from '@/api/client'
import { live } from '@/api/live'

/** Asks now, after every so many snapshots of the run, and once more when it is over. */
export function poll<T>(run: number, every: number, running: () => boolean, address: (first: boolean) => string, take: (given: T) => void) {
  const problem = shallowRef<Problem>()
  const asked = ref(false)
  let busy = false
  let seen = 0

  async function again(): Promise<void> {
    if (busy) return
    busy = true
    try {
      take((await (await ask(address(!asked.value))).json()) as T)
      problem.value = undefined
      asked.value = true
    } catch (error) {
      problem.value = Problem.from(error)
    } finally {
      busy = false
    }
  }
  void again()
  const off = live.on('snapshot', (snapshot) => {
    if (snapshot.run !== run || !running()) return
    seen += 1
    // What the daemon does not have it will not have a second later either.
    if (seen % every === 0 && problem.value?.status !== 404) void again()
  })
  watch(running, () => void again())
  onScopeDispose(off)
  return { problem, asked }
}
