import { expect, test } from 'vitest'
import { fromToml, toToml } from './toml'

test('a suite is the same after TOML and back, what the form does not know included', () => {
  const suite = {
    sizes: [64, 512, 'imix'], profile: 'quick', hooks: { describe: 'uname' }, topology: { pairs: [['west', 'east']], direction: 'both' },
    ports: { west: { if: 'ens1f0@lab', line: '10M', addr: ['198.18.0.2/24'] } }, pass: { throughput: { 64: '>=95%' } },
    mlrsearch: { goals: ['NDR', { name: 'mine', loss_ratio: '0.1%' }] }, service: [{ name: 'voice', size: 64, cir: '10Mbps', policing: false }],
  }
  expect(fromToml(toToml(suite))).toEqual({ suite })
})

test('a fault is told with its line', () => {
  expect(fromToml('sizes = [64]\nprofile = quick')).toEqual({ wrong: expect.stringMatching(/^line 2, column \d+: /) })
})
