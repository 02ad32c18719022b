import { expect, test } from 'vitest'
import { amount, between, BOTTOM, duration, HEIGHT, LEFT, percents, place, RIGHT, ticks, TOP, WIDTH } from './plot'

test('ticks are round and reach the top', () => {
  expect(ticks(5.3)).toEqual([0, 2, 4, 6])
  expect(ticks(100)).toEqual([0, 20, 40, 60, 80, 100])
  for (const most of [0.001, 0.7, 1, 9.99, 1234.5, 5e6, 14880952.38]) {
    const all = ticks(most)
    expect(all.at(-1)).toBeGreaterThanOrEqual(most)
    expect(all.length).toBeLessThanOrEqual(8)
  }
  for (const nothing of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) expect(ticks(nothing).length).toBeGreaterThan(1)
})

test('an axis below zero has zero among its ticks', () => {
  for (const [least, most] of [[-714, 500], [-1, 900], [-5, -1]] as const) {
    const axis = between('', least, most, String)
    expect(axis.from).toBeLessThanOrEqual(least)
    expect(axis.to).toBeGreaterThanOrEqual(most)
    expect(axis.ticks.some((tick) => tick.at === 0)).toBe(true)
  }
})

test('loss is drawn from 0 to 100 percent whatever the values are', () => {
  const [x, y] = [percents('offered'), percents('lost')]
  expect(place(x, y, [0, 0])).toEqual([LEFT, HEIGHT - BOTTOM])
  expect(place(x, y, [1, 1])).toEqual([WIDTH - RIGHT, TOP])
})

test('amounts and times on an axis have their unit', () => {
  expect([0, 2500, 1e7, 3e9].map(amount)).toEqual(['0', '2.5k', '10M', '3G'])
  expect([0, 1500, 2e6, -2e6, 3e9].map(duration)).toEqual(['0 ns', '1.5 µs', '2 ms', '-2 ms', '3 s'])
})
