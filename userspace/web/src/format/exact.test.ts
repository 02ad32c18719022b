import { describe, expect, test } from 'vitest'
import { difference, fps, loss, megabits, share } from './exact'

describe('numbers of results', () => {
  test('what is not all is never 100 and what is not nothing never 0', () => {
    const cases: [number, string][] = [
      [0, '0'], [1, '100'], [0.9999999, '>99.9999'], [0.999996, '99.9996'], [1e-7, '<0.0001'], [0.5, '50'], [0.672001, '67.2001'], [1.5, '150'], [0.1, '10'],
    ]
    for (const [value, shown] of cases) expect(share(value), String(value)).toBe(shown)
    expect(loss(0.32799885)).toBe('32.799885')
    expect(loss(1e-9)).toBe('<0.000001')
    expect(loss(0.9999999999)).toBe('>99.999999')
    expect(share(null)).toBe('–')
  })

  test('rates are rounded down', () => {
    const cases: [number, string][] = [[14880952.380952, '14,880,952'], [10000016.99, '10,000,016'], [99.9999, '99.999'], [0.5, '0.5'], [0.00001, '<0.001'], [0, '0']]
    for (const [value, shown] of cases) expect(fps(value)).toBe(shown)
  })

  test('a difference has a sign, and there is none from nothing', () => {
    expect(difference(100, 110)).toBe('+10 %')
    expect(difference(110, 100)).toBe('-9.09 %')
    expect(difference(100, 100)).toBe('0 %')
    expect(difference(1e9, 1e9 + 1)).toBe('<+0.001 %')
    expect(difference(0, 5)).toBe('–')
    expect(difference(null, 5)).toBe('–')
  })

  test('bits are shown as megabits', () => {
    expect(megabits(600e6)).toBe('600')
    expect(megabits(501447415)).toBe('501.447')
    expect(megabits(null)).toBe('–')
  })
})
