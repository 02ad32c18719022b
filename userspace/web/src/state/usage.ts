//! Which run uses which port, and what it counts there.

import { onScopeDispose, shallowRef } from 'vue'
import { api, data, type PlannedFlow, type RunHead, type RunSnapshot } from '@/api/client'
import { live } from '@/api/live'

/** What a run does on a port: sums over its flows. */
export interface PortUse {
  run: number
  name: string
  tx_flows: number
  rx_flows: number
  tx_pps: number
  /** `null`: nothing is received here, or some flow is not counted. */
  rx_pps: number | null
  tx_frames: number
  rx_frames: number | null
}

type Way = Pick<PlannedFlow, 'tx' | 'rx'>

/** Adds a snapshot up by ports. */
export function byPort(run: Pick<RunHead, 'id' | 'name'>, ways: Map<string, Way>, snapshot: RunSnapshot): Map<string, PortUse> {
  const uses = new Map<string, PortUse>()
  const use = (port: string) => {
    const known = uses.get(port)
    if (known) return known
    const made = { run: run.id, name: run.name, tx_flows: 0, rx_flows: 0, tx_pps: 0, rx_pps: null, tx_frames: 0, rx_frames: null }
    uses.set(port, made)
    return made
  }
  for (const flow of snapshot.flows) {
    const way = ways.get(flow.name)
    if (!way) continue
    const from = use(way.tx)
    from.tx_flows += 1
    from.tx_pps += flow.latest.tx_pps
    from.tx_frames += flow.totals.tx_frames
    // A flow of several receivers is counted as a whole: no port has a count of its own.
    for (const port of way.rx) {
      const to = use(port)
      const first = to.rx_flows === 0
      to.rx_flows += 1
      to.rx_pps = way.rx.length === 1 ? plus(to.rx_pps, flow.latest.rx_pps, first) : null
      to.rx_frames = way.rx.length === 1 ? plus(to.rx_frames, flow.totals.rx_frames, first) : null
    }
  }
  return uses
}

function plus(sum: number | null, value: number | null | undefined, first: boolean): number | null {
  if (value == null) return null
  return first ? value : sum === null ? null : sum + value
}

/** Follows all runs until the scope ends; the ports that runs use, by PORT. */
export function followPorts() {
  const uses = shallowRef(new Map<string, PortUse>())
  const known = new Map<number, { run: RunHead; ways: Map<string, Way> }>()
  const asked = new Set<number>()

  async function learn(run: RunHead): Promise<void> {
    if (asked.has(run.id)) return
    asked.add(run.id)
    try {
      const spec = await data(api.GET('/api/v1/runs/{id}/spec', { params: { path: { id: run.id } } }))
      const planned = await data(api.POST('/api/v1/flows/validate', { body: { spec } }))
      known.set(run.id, { run, ways: new Map(planned.flows.map((flow) => [flow.name, flow])) })
    } catch {
      // Nothing is shown of a run whose ports are not known; its own page shows all.
    }
  }

  function forget(id: number): void {
    known.delete(id)
    asked.delete(id)
    uses.value = new Map([...uses.value].filter(([, use]) => use.run !== id))
  }

  async function begin(): Promise<void> {
    try {
      const runs = await data(api.GET('/api/v1/runs', { params: { query: { limit: 100 } } }))
      for (const id of known.keys()) if (!runs.some((run) => run.id === id && run.state === 'running')) forget(id)
      for (const run of runs) if (run.state === 'running') void learn(run)
    } catch {
      // The page itself says that the daemon does not answer.
    }
  }

  void begin()
  const offs = [
    live.on('opened', () => void begin()),
    live.on('run', (run) => {
      if (run.state === 'running') void learn(run)
      else forget(run.id)
    }),
    live.on('snapshot', (snapshot) => {
      const found = known.get(snapshot.run)
      if (found) uses.value = new Map([...uses.value, ...byPort(found.run, found.ways, snapshot)])
    }),
  ]
  onScopeDispose(() => {
    for (const off of offs) off()
  })
  return uses
}
