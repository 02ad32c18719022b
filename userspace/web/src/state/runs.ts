//! A run in view: its newest numbers and 300 s of samples of each flow, one update a snapshot.

import { onScopeDispose, ref, shallowRef } from 'vue'
import { api, data, Problem, type FlowTotals, type RunSnapshot, type RunView, type SampleRow } from '@/api/client'
import { live } from '@/api/live'
import type { RunResult } from '@/api/results/run'
import { DEPTH, SampleRing, sum, sums } from './ring'

/** A flow of the run in view. */
export interface FlowState {
  readonly name: string
  readonly ring: SampleRing
  latest: SampleRow | null
  totals: FlowTotals | null
}

/** Requests for histories at once: the browser has six connections and the stream needs one. */
const AT_ONCE = 3

function isOver(head: { state: RunView['state'] } | undefined): boolean {
  return head?.state === 'done' || head?.state === 'failed'
}

/** Follows a run until the scope ends. */
export function followRun(id: number) {
  const view = shallowRef<RunView>()
  const result = shallowRef<RunResult>()
  const problem = shallowRef<Problem>()
  const flows = shallowRef<FlowState[]>([])
  const total = new SampleRing()
  const elapsed_ns = ref<number | null>(null)
  /** Histories that are asked for and not there yet. */
  const awaited = ref(0)
  const byName = new Map<string, FlowState>()
  let gone = false

  function flow(name: string): FlowState {
    const known = byName.get(name)
    if (known) return known
    const made = { name, ring: new SampleRing(), latest: null, totals: null }
    byName.set(name, made)
    flows.value.push(made)
    return made
  }

  /** One update for all that is shown: the flows stay, their list is new. */
  function renew(): void {
    flows.value = [...flows.value]
  }

  /** What the daemon says of the run. An answer may have been on its way while the end was told. */
  function learn(head: Omit<RunView, 'latest'> & Partial<RunView>): void {
    if (isOver(view.value) && !isOver(head)) return
    view.value = { ...head, latest: head.latest ?? view.value?.latest ?? null }
  }

  function take(snapshot: RunSnapshot): void {
    if (snapshot.run !== id) return
    elapsed_ns.value = snapshot.elapsed_ns
    for (const given of snapshot.flows) {
      const state = flow(given.name)
      state.latest = given.latest
      state.totals = given.totals
      state.ring.put(given.latest)
      for (const row of given.finished) state.ring.put(row)
    }
    const all = sum(snapshot.flows.map((given) => given.latest))
    if (all) total.put(all)
    for (const row of sums(snapshot.flows.map((given) => given.finished))) total.put(row)
    renew()
  }

  async function history(name: string): Promise<SampleRow[]> {
    const params = { path: { flow: name }, query: { run: id, count: DEPTH } }
    try {
      return (await data(api.GET('/api/v1/collector/flows/{flow}/history', { params }))).samples
    } catch {
      // Neither memory nor store has any: charts say so.
      return []
    }
  }

  async function recall(): Promise<void> {
    const names = [...byName.keys()]
    const found: SampleRow[][] = []
    awaited.value = names.length
    const work = async () => {
      for (let name = names.shift(); name !== undefined && !gone; name = names.shift()) {
        const samples = await history(name)
        for (const row of samples) flow(name).ring.put(row)
        found.push(samples)
        awaited.value -= 1
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, work))
    for (const row of sums(found)) total.put(row)
    if (!gone) renew()
  }

  async function conclude(): Promise<void> {
    if (view.value?.state !== 'done') return
    const given = await data(api.GET('/api/v1/runs/{id}/result', { params: { path: { id } } }))
    result.value = given as unknown as RunResult
    for (const row of result.value.flows) {
      const state = flow(row.name)
      for (const sample of row.samples ?? []) state.ring.put(sample)
    }
    renew()
  }

  /** Asks for everything anew; the histories only where that is wanted. */
  async function again(histories = true): Promise<void> {
    try {
      const given = await data(api.GET('/api/v1/runs/{id}', { params: { path: { id } } }))
      if (gone) return
      learn(given)
      if (given.latest) take(given.latest)
      await conclude()
      problem.value = undefined
      if (histories) await recall()
    } catch (error) {
      problem.value = Problem.from(error)
    }
  }

  void again()
  // The first opening of the stream is no return.
  let opened = live.state.is === 'open'
  const offs = [
    live.on('snapshot', take),
    live.on('run', (heard) => {
      if (heard.id !== id) return
      learn(heard)
      conclude().catch((error: unknown) => (problem.value = Problem.from(error)))
    }),
    // Who is too slow for the stream must not be given 300 s of each flow to read: charts keep the gap.
    live.on('missed', () => void again(false)),
    live.on('opened', () => {
      if (opened || problem.value) void again()
      opened = true
    }),
  ]
  onScopeDispose(() => {
    gone = true
    for (const off of offs) off()
  })
  return { view, result, problem, flows, total, elapsed_ns, awaited, again, learn }
}

/** What [`followRun`] gives. */
export type FollowedRun = ReturnType<typeof followRun>
