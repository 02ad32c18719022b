import { expect, test } from 'vitest'
import { count, percent, pps, span, time } from '.'

test('what was not measured is not 0', () => {
  for (const shown of [count, pps, time, percent, span]) {
    expect(shown(null)).toBe('–')
    expect(shown(0)).toMatch(/^0/)
  }
})

test('a ratio is never rounded to nothing or to all', () => {
  expect(percent(1e-9)).toBe('1e-7 %')
  expect(percent(0.9999999)).toBe('99.99 %')
  expect(percent(1)).toBe('100 %')
  expect(percent(0.5)).toBe('50.00 %')
  expect(percent(0.0123)).toBe('1.23 %')
})

test('units grow with the value and never show a thousand', () => {
  expect(pps(999)).toBe('999 pps')
  expect(pps(999_999)).toBe('1.00 Mpps')
  expect(pps(1_488_095)).toBe('1.49 Mpps')
  expect(time(1234)).toBe('1.23 µs')
  expect(time(2_000_000_000)).toBe('2 s')
})

test('spans read like clocks', () => {
  expect(span(500e6)).toBe('500 ms')
  expect(span(65e9)).toBe('1:05 min')
  expect(span(3723e9)).toBe('1:02:03 h')
})
