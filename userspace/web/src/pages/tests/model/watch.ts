//! One suite as it is, kept up by what the daemon tells.

import { computed, onScopeDispose, ref, shallowRef } from 'vue'
import { api, data, Problem } from '@/api/client'
import { live } from '@/api/live'
import type { AnyResult } from '@/api/results/suite'
import type { SuiteHead, SuiteState, SuiteView, TrialRow } from '@/api/schema'
import { load } from '@/state/load'
import { answered, type Course, joined, NO_COURSE, RateTrail, told as courseOf, type SuiteProgress, type SuiteRates } from './course'

export function goesOn(state: SuiteState | undefined): boolean {
  return state === 'starting' || state === 'running'
}

export function watchSuite(id: number) {
  const head = shallowRef<SuiteHead>()
  const course = shallowRef<Course>(NO_COURSE)
  const trials = shallowRef<TrialRow[]>([])
  const rates = shallowRef<SuiteRates>()
  const trail = shallowRef<(number | null)[][]>([[], [], []])
  const result = shallowRef<AnyResult>()
  /** Why there is no result of a suite that is over. */
  const without = shallowRef<Problem>()
  const resulting = ref(false)
  const params = { path: { id } }
  const began = performance.now()
  let rateTrail = new RateTrail()
  /** Times that something newer than an answer may be was told. */
  let told = 0

  async function readResult(): Promise<void> {
    if (resulting.value) return
    resulting.value = true
    try {
      result.value = (await data(api.GET('/api/v1/suites/{id}/result', { params }))) as unknown as AnyResult
      trials.value = result.value.trials
      without.value = undefined
    } catch (error) {
      without.value = Problem.from(error)
      // A suite that broke off has its trials all the same.
      const rows = await data(api.GET('/api/v1/suites/{id}/trials', { params })).catch(() => [])
      trials.value = joined(rows, trials.value)
    } finally {
      resulting.value = false
    }
  }

  async function read(): Promise<void> {
    const before = told
    const view: SuiteView = await data(api.GET('/api/v1/suites/{id}', { params }))
    // The answer may have been on its way while something newer was told.
    if (told === before) head.value = view
    if (!goesOn(head.value?.state)) return readResult()
    const rows = await data(api.GET('/api/v1/suites/{id}/trials', { params }))
    trials.value = joined(rows, trials.value)
    if (view.progress) course.value = answered(course.value, view.progress)
    // It may be over by now; then its event came before its trials did.
    if (!goesOn(head.value?.state)) await readResult()
  }
  const page = load(read)

  /** Also of what was stopped and goes on again: it begins anew for us. */
  function changed(next: SuiteHead): void {
    const before = head.value
    told += 1
    head.value = next
    if (!goesOn(next.state)) void readResult()
    else if (before && !goesOn(before.state)) {
      result.value = undefined
      course.value = NO_COURSE
      trials.value = []
      rateTrail = new RateTrail()
      void page.again()
    }
  }

  const off = [
    live.on('suite', (next) => next.id === id && changed(next)),
    live.on('progress', (event) => {
      const progress = event as SuiteProgress
      if (progress.suite !== id) return
      trials.value = joined(trials.value, progress.finished)
      course.value = courseOf(progress)
    }),
    live.on('rates', (event) => {
      const now = event as SuiteRates
      if (now.suite !== id) return
      rates.value = now
      trail.value = rateTrail.add((performance.now() - began) / 1000, now)
    }),
    live.on('missed', () => void page.again()),
  ]
  onScopeDispose(() => off.forEach((one) => one()))

  return { head, course, trials, rates, trail, result, without, page, running: computed(() => goesOn(head.value?.state)), changed }
}

export type Watched = ReturnType<typeof watchSuite>
