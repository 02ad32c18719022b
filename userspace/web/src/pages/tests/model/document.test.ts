import { expect, test } from 'vitest'
import type { Tree } from './document'
import { asText, at, concerns, fromText, listFromText, placeName, put } from './document'

test('a place is read and written, and what was not named stays', () => {
  const root = { hooks_of_later: { x: 1 }, throughput: { trial: '1s' } }
  const next = put(root, ['throughput', 'max_loss'], '0')
  expect(next).toEqual({ hooks_of_later: { x: 1 }, throughput: { trial: '1s', max_loss: '0' } })
  expect(root.throughput).toEqual({ trial: '1s' })
  expect(at(next, ['throughput', 'max_loss'])).toBe('0')
  expect(at(next, ['latency', 'repeats'])).toBeUndefined()
})

test('what was taken away leaves no empty table', () => {
  expect(put({ throughput: { trial: '1s' } }, ['throughput', 'trial'], undefined)).toEqual({})
  expect(put({ pass: { throughput: { 64: '1%' } }, sizes: [64] }, ['pass', 'throughput', '64'], undefined)).toEqual({ sizes: [64] })
})

test('a member of a list keeps its place until it is taken away itself', () => {
  const root: Tree = { service: [{ name: 'a' }, { name: 'b', size: 64 }] }
  expect(put(root, ['service', 0, 'name'], undefined)).toEqual({ service: [{}, { name: 'b', size: 64 }] })
  expect(put(root, ['service', 0], undefined)).toEqual({ service: [{ name: 'b', size: 64 }] })
  expect(put(root, ['service', 2, 'name'], 'c')).toEqual({ service: [{ name: 'a' }, { name: 'b', size: 64 }, { name: 'c' }] })
  expect(put({ service: [{ name: 'a' }] }, ['service', 0], undefined)).toEqual({})
})

test('a problem is of a place when it names it or something within', () => {
  expect(placeName(['service', 1, 'cir'])).toBe('service[1].cir')
  expect(concerns('suite.sizes[1]', ['sizes'])).toBe(true)
  expect(concerns('suite.service[1].cir', ['service', 1, 'cir'])).toBe(true)
  expect(concerns('suite.service[1].cir', ['service', 1])).toBe(true)
  expect(concerns('suite.service[10].cir', ['service', 1])).toBe(false)
  expect(concerns('suite.sizes', ['size'])).toBe(false)
  expect(concerns('flow_set', ['flow_set'])).toBe(false)
  expect(concerns(null, ['sizes'])).toBe(false)
  const missing = 'ports.west: `if` is missing; allowed: if = a PORT'
  expect(concerns('suite.ports.west', ['ports', 'west', 'if'], missing)).toBe(true)
  expect(concerns('suite.ports.west', ['ports', 'west', 'line'], missing)).toBe(false)
  expect(concerns('suite.ports.east', ['ports', 'west', 'if'], missing)).toBe(false)
})

test('text of the form is a number only where it is whole', () => {
  expect([fromText('20'), fromText(' 1s '), fromText(''), fromText('0.1%'), fromText('0.5')]).toEqual([20, '1s', undefined, '0.1%', '0.5'])
  expect(listFromText('64, 512,imix,')).toEqual([64, 512, 'imix'])
  expect(listFromText(' , ')).toBeUndefined()
  expect(asText([64, 'imix'])).toBe('64, imix')
  expect(asText(undefined)).toBe('')
})
