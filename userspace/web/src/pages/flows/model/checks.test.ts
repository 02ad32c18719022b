import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { settled } from './checks'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

test('only what was wanted last is asked, and its answer wins', async () => {
  const asked: number[] = []
  const answers: number[] = []
  const slow = settled<number>(250, async (wanted, signal) => {
    asked.push(wanted)
    // The first answer comes after the second.
    await new Promise((resolve) => setTimeout(resolve, wanted === 2 ? 1000 : 10))
    if (!signal.aborted) answers.push(wanted)
  })
  slow.want(1)
  await vi.advanceTimersByTimeAsync(200)
  slow.want(2)
  await vi.advanceTimersByTimeAsync(300)
  slow.want(3)
  await vi.advanceTimersByTimeAsync(5000)
  expect([asked, answers]).toEqual([[2, 3], [3]])
  slow.want(4)
  slow.stop()
  await vi.advanceTimersByTimeAsync(5000)
  expect(asked).toEqual([2, 3])
})
