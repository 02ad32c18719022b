import { expect, test } from 'vitest'
import type { Json } from './spec'
import { heldOf, turned, typed, valueOf } from './values'

test('every shape of a field comes back as it was', () => {
  const shapes: Json[] = [
    5, '198.18.0.2', '0x11', { list: [7, 9, 53] }, { list: ['198.18.0.2', '198.18.0.9'] }, { range: '100-599' },
    { range: '9-1', step: -2 }, { range: '2001:2::1-2001:2::9', step: 3 }, { random: '0-65535' },
    { random: '1-9', seed: 7, count: 100 },
  ]
  for (const shape of shapes) {
    const held = heldOf(shape)
    expect(held.form, JSON.stringify(shape)).not.toBe('hand')
    const numeric = typeof shape === 'number' || JSON.stringify(shape).includes('[7')
    if (held.form !== 'hand') expect(valueOf(held, numeric)).toEqual(shape)
  }
  expect(valueOf({ form: 'fixed', text: ' ' }, true)).toBeUndefined()
})

test('what has no inputs is left to the hand', () => {
  const others: Json[] = [true, [1, 2], { list: [{ range: '1-2' }] }, { range: '1-2', more: 1 }, { range: '1-2', step: [1] }, {}]
  for (const shape of others) {
    expect(heldOf(shape), JSON.stringify(shape)).toEqual({ form: 'hand' })
  }
})

test('only what is written as a whole number becomes one', () => {
  expect(['7', ' 7 ', '0x7', '7.5', '', 'seven'].map((text) => typed(text, true))).toEqual([7, 7, '0x7', '7.5', '', 'seven'])
  expect(typed('18446744073709551615', true)).toBe('18446744073709551615')
  expect(typed('7', false)).toBe('7')
})

test('another form keeps the values that it can', () => {
  expect(turned(heldOf({ range: '1-9', step: 2 }), 'random', '')).toEqual({ form: 'random', first: '1', last: '9', seed: '', count: '' })
  expect(turned(heldOf(5), 'list', '')).toEqual({ form: 'list', text: '5' })
  expect(turned(heldOf({ list: [7, 9] }), 'range', '')).toEqual({ form: 'range', first: '7', last: '9', step: '' })
  expect(turned(heldOf({ random: '3-4' }), 'fixed', '')).toEqual({ form: 'fixed', text: '3' })
  expect(turned(heldOf(undefined), 'range', '64')).toEqual({ form: 'range', first: '64', last: '64', step: '' })
})
