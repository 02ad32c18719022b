import { expect, test } from 'vitest'
import { Problem } from '@/api/client'
import { flowAt, nearest, placed, within } from './problems'

test('a message is told at its place, without its place', () => {
  const problem = new Problem(422, 'flow[0].layers[1].vlan.id: 5000 is over 4095; allowed: 0 to 4095', 'spec.flow[0].layers[1].vlan.id')
  expect(placed(problem)).toEqual({ place: 'flow[0].layers[1].vlan.id', message: '5000 is over 4095; allowed: 0 to 4095' })
})

test('what is missing is told where it would stand', () => {
  const vlan = new Problem(422, 'flow[0].layers[1].vlan: `id` is missing; allowed: id = 0 to 4095', 'spec.flow[0].layers[1].vlan')
  expect(placed(vlan).place).toBe('flow[0].layers[1].vlan.id')
  expect(placed(new Problem(422, 'there is no flow', 'spec'))).toEqual({ place: '', message: 'there is no flow' })
  expect(placed(new Problem(0, 'the daemon does not answer'))).toEqual({ place: '', message: 'the daemon does not answer' })
})

test('the innermost input around a place is its own', () => {
  const paths = ['flow[0]', 'flow[0].size', 'flow[0].layers[1]', 'flow[0].layers[1].vlan.id', 'flow[0].layers[10].vlan.id']
  expect(nearest('flow[0].layers[1].vlan.id.range', paths)).toBe('flow[0].layers[1].vlan.id')
  expect(nearest('flow[0].layers[1].vlan.idx', paths)).toBe('flow[0].layers[1]')
  expect(nearest('flow[0].size[2]', paths)).toBe('flow[0].size')
  expect(nearest('flow[1].size', paths)).toBeNull()
  expect(within('flow[0].sizes', 'flow[0].size')).toBe(false)
})

test('a place names its flow', () => {
  expect([flowAt('flow[12].rate'), flowAt('ports.west.if'), flowAt('')]).toEqual([12, null, null])
})
