//! What a page asks for when it opens: loading, there, or refused.

import { getCurrentScope, onScopeDispose, ref, shallowRef } from 'vue'
import { live } from '@/api/live'
import { Problem } from '@/api/client'

/** Asks now, again when the daemon is back, and whenever `again` is called. */
export function load<T>(ask: () => Promise<T>) {
  const value = shallowRef<T>()
  const problem = shallowRef<Problem>()
  const loading = ref(false)
  let turn = 0

  async function again(): Promise<void> {
    const mine = ++turn
    loading.value = true
    try {
      const given = await ask()
      // An older answer never replaces a newer one.
      if (mine !== turn) return
      value.value = given
      problem.value = undefined
    } catch (error) {
      if (mine === turn) problem.value = Problem.from(error)
    } finally {
      if (mine === turn) loading.value = false
    }
  }

  void again()
  const off = live.on('opened', () => void again())
  if (getCurrentScope()) onScopeDispose(off)
  return { value, problem, loading, again }
}
