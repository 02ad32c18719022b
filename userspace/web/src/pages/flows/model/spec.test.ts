import { expect, test } from 'vitest'
import { alone, at, copy, freeName, groupOf, pathText, put, spelled, without, type Table } from './spec'

const SPEC: Table = {
  ports: { west: { if: 'ens1f0' } },
  flow: [{ name: 'a', tx: 'west', layers: [{ eth: {} }, { vlan: { id: { range: '1-9', step: 2 } } }], later: [1, { x: true }] }],
}

test('a path is named as the daemon names it', () => {
  expect(pathText(['flow', 0, 'layers', 1, 'vlan', 'id'])).toBe('flow[0].layers[1].vlan.id')
})

test('a value is found, put and taken away, and all else stays as it was', () => {
  const spec = copy(SPEC)
  expect(at(spec, ['flow', 0, 'layers', 1, 'vlan', 'id', 'step'])).toBe(2)
  expect(at(spec, ['flow', 3, 'name'])).toBeUndefined()
  expect(at(spec, ['flow', 0, 'constructor'])).toBeUndefined()
  put(spec, ['flow', 0, 'expect', 'loss'], '0')
  put(spec, ['flow', 0, 'layers', 1, 'vlan', 'id'], 7)
  expect(at(spec, ['flow', 0, 'expect'])).toEqual({ loss: '0' })
  put(spec, ['flow', 0, 'layers', 1, 'vlan', 'id'], { range: '1-9', step: 2 })
  put(spec, ['flow', 0, 'expect'], undefined)
  put(spec, ['defaults', 'rate'], undefined)
  expect(spec).toEqual(SPEC)
})

test('a copy has a name of its own, before the index of a repeated flow', () => {
  expect(freeName('a', ['b'])).toBe('a')
  expect(freeName('a', ['a', 'a-2'])).toBe('a-3')
  expect(freeName('a-2', ['a', 'a-2'])).toBe('a-3')
  expect(freeName('cust{i}', ['cust{i}'])).toBe('cust-2{i}')
})

test('the group is what stands before the first slash', () => {
  expect(['voice/a/b', 'voice', '/x'].map(groupOf)).toEqual(['voice', '', ''])
})

test('flows that are left out are not in what is run, and stay in the set', () => {
  const spec: Table = { defaults: { rate: '1%' }, flow: [{ name: 'a' }, { name: 'b' }] }
  expect(without(spec, new Set(['a']))).toEqual({ defaults: { rate: '1%' }, flow: [{ name: 'b' }] })
  expect(spec.flow).toHaveLength(2)
})

test('one flow alone is shown once, however often it is repeated, and before it has a port', () => {
  const spec: Table = { defaults: { repeat: 500, tx: 'w' }, flow: [{ name: 'a' }, { name: 'b', repeat: 9, tx: 'e' }] }
  expect(alone(spec, 1)).toEqual({ defaults: { repeat: 500, tx: 'w' }, flow: [{ name: 'b', repeat: 1, tx: 'e' }] })
  expect(alone(spec, 0).flow).toEqual([{ name: 'a', repeat: 1 }])
  expect(alone({ flow: [{ name: '', size: 9 }] }, 0).flow).toEqual([{ name: 'preview', size: 9, tx: 'preview' }])
})

test('flows of another file mean the same without its defaults', () => {
  const defaults = { rate: '10%', duration: '9s', size: 128 }
  const flow: Table[] = [{ name: 'a', frames: 5 }, { name: 'b', schedule: [], size: 64 }]
  expect(spelled({ defaults, flow })).toEqual([
    { name: 'a', frames: 5, rate: '10%', size: 128 },
    { name: 'b', schedule: [], size: 64, duration: '9s' },
  ])
})
