//! The end of a run or a suite is told while an older answer is still on its way.

import { effectScope } from 'vue'
import { afterEach, expect, test, vi } from 'vitest'
import { live } from '@/api/live'
import { watchSuite } from '@/pages/tests/model/watch'
import { followRun } from './runs'

/** Answers what is under `path` when it is told to, and nothing else at all. */
function held(path: string, body: object): () => void {
  let let_go = () => {}
  const answered = new Promise<void>((resolve) => (let_go = resolve))
  vi.stubGlobal('fetch', async (request: Request) => {
    if (new URL(request.url).pathname !== path) return Response.json({ detail: 'not here' }, { status: 404 })
    await answered
    return Response.json(body)
  })
  return let_go
}

afterEach(() => vi.unstubAllGlobals())

const row = { id: 7, name: 'x', created: '2026-01-01T00:00:00Z', ports: [], notes: [] }
const settled = () => new Promise((resolve) => setTimeout(resolve, 20))

test('a run that was told to be over is not begun again by an answer from before', async () => {
  const let_go = held('/api/v1/runs/7', { ...row, state: 'running', paused: [], latest: null })
  const scope = effectScope()
  const run = scope.run(() => followRun(7))
  await settled()
  live['tell']('run', { ...row, state: 'done', paused: [] } as never)
  let_go()
  await settled()
  expect(run?.view.value?.state).toBe('done')
  scope.stop()
})

test('a suite that was told to be over is not begun again by an answer from before', async () => {
  const let_go = held('/api/v1/suites/7', { ...row, kind: 'mlrsearch', state: 'running', backend: 'auto', directions: [], progress: null })
  const scope = effectScope()
  const suite = scope.run(() => watchSuite(7))
  await settled()
  live['tell']('suite', { ...row, kind: 'mlrsearch', state: 'done', backend: 'auto', directions: [] } as never)
  let_go()
  await settled()
  expect(suite?.head.value?.state).toBe('done')
  scope.stop()
})
