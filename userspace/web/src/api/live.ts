//! The live stream: one connection for the whole page, opened again when it is lost.

import { reactive } from 'vue'
import { ask, Problem } from './client'
import { EventParser } from './sse'
import type { RunSnapshot, RunView, SuiteView } from './schema'

/** What is heard, by the names of the events. The data is as the daemon describes it. */
export interface Heard {
  run: RunView
  snapshot: RunSnapshot
  suite: SuiteView
  progress: unknown
  rates: unknown
  /** So many events were lost to us: what is shown must be asked for anew. */
  missed: { events: number }
  /** The stream is there (again); `resumed`: nothing was lost meanwhile. */
  opened: { resumed: boolean }
}

type Listener<K extends keyof Heard> = (data: Heard[K]) => void

/** Time until the next try, ms. */
const PATIENCE = [500, 1000, 2000, 5000]

class Live {
  /** `connecting`: for the first time; `lost`: it was there; `refused`: a token is needed. */
  readonly state = reactive({ is: 'connecting' as 'connecting' | 'open' | 'lost' | 'refused', tries: 0 })
  private readonly listeners = new Map<keyof Heard, Set<Listener<never>>>()
  private last = ''
  private stop = new AbortController()
  private started = false

  /** Calls `listener` for every such event until what is returned is called. */
  on<K extends keyof Heard>(kind: K, listener: Listener<K>): () => void {
    const set = this.listeners.get(kind) ?? new Set()
    this.listeners.set(kind, set.add(listener as Listener<never>))
    return () => set.delete(listener as Listener<never>)
  }

  /** Opens the stream, once. */
  start(): void {
    if (this.started) return
    this.started = true
    void this.keep()
  }

  /** Tries at once, with the token that there is now. */
  retry(): void {
    this.stop.abort()
  }

  private tell<K extends keyof Heard>(kind: K, data: Heard[K]): void {
    for (const listener of this.listeners.get(kind) ?? []) (listener as Listener<K>)(data)
  }

  private async keep(): Promise<never> {
    for (;;) {
      this.stop = new AbortController()
      try {
        await this.read(this.stop.signal)
      } catch (error) {
        if (Problem.from(error).status === 401) this.state.is = 'refused'
      }
      if (this.state.is === 'open') this.state.is = 'lost'
      const patience = PATIENCE[Math.min(this.state.tries, PATIENCE.length - 1)]
      this.state.tries += 1
      await this.pause(patience ?? 0)
    }
  }

  private async read(signal: AbortSignal): Promise<void> {
    const headers: Record<string, string> = { accept: 'text/event-stream' }
    if (this.last) headers['last-event-id'] = this.last
    const response = await ask('/api/v1/live', { headers, signal, cache: 'no-store' })
    if (!response.body) return
    this.state.is = 'open'
    this.state.tries = 0
    this.tell('opened', { resumed: this.last !== '' })
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
    const parser = new EventParser()
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      for (const event of parser.feed(value)) {
        if (event.id) this.last = event.id
        this.tell(event.kind as keyof Heard, JSON.parse(event.data) as never)
      }
    }
  }

  /** Until so much time is over, or someone wants it now. */
  private pause(ms: number): Promise<void> {
    const { signal } = this.stop
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      const now = () => (clearTimeout(timer), resolve())
      if (signal.aborted) now()
      else signal.addEventListener('abort', now, { once: true })
    })
  }
}

/** The one of this page. */
export const live = new Live()
