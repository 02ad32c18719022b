import { expect, test } from 'vitest'
import type { Table } from './spec'
import { inline, print, read, readValue, TomlProblem } from './toml'

const FILE: Table = {
  ports: { west: { if: 'ens1f0', addr: ['198.18.0.2/24', '2001:2::2/64'], gw: '198.18.0.1' }, 'east 1': { if: 'gen1@lab', line: '1G' } },
  defaults: { rate: '10%', burst: { frames: 16, gap: '1ms', repeat: 100 } },
  flow: [
    {
      name: 'cust{i} "x" \\ \u007f', repeat: 500, tx: 'west', rx: ['east 1'], bidir: false,
      size: { weights: { 64: 7, 570: 4, 1518: 1 } }, duration: '10s',
      layers: [
        { eth: { dst: 'auto' } },
        { vlan: { id: { range: '100-599' }, pcp: 5 } },
        { ipv4: { src: '198.18.0.2', dst: { range: '198.18.1.1-198.18.1.254', step: 3 }, df: true } },
        { udp: { src: 49184, dst: { list: [7, 9, 53] } } },
      ],
      vary: 'zip', expect: { loss: 0.001, p99: '<50us' },
    },
    { name: 'b', schedule: [{ at: '0s', rate: '10%' }, { at: '10s', rate: '50%', ramp: '5s' }], later: { is: [1, [2], {}] } },
  ],
}

test('a flow file comes back whole, with what this page does not know', () => {
  expect(read(print(FILE))).toEqual(FILE)
  const odd: Table = { ports: 7, flow: [], 'new key': [true], defaults: {} }
  expect(read(print(odd))).toEqual(odd)
  expect(read(print({}))).toEqual({})
})

test('it is written as people write it', () => {
  const text = print({ flow: [{ layers: [{ eth: {} }, { udp: { dst: 2, src: 1 } }], tx: 'w', name: 'a' }], ports: { w: { if: 'e0' } } })
  expect(text).toBe(
    '[ports]\nw = { if = "e0" }\n\n[[flow]]\nname = "a"\ntx = "w"\nlayers = [\n  { eth = {} },\n  { udp = { src = 1, dst = 2 } },\n]\n',
  )
})

test('large numbers stay exact as text', () => {
  expect(read('seed = 18446744073709551615')).toEqual({ seed: '18446744073709551615' })
})

test('what is no TOML names its line', () => {
  expect(() => read('a = 1\nb = \n')).toThrow(TomlProblem)
  try {
    read('a = 1\nb = \n')
  } catch (error) {
    expect((error as TomlProblem).line).toBe(2)
    expect((error as TomlProblem).message).toMatch(/^line 2, column \d+: /)
  }
})

test('one value is read and written', () => {
  expect(readValue(' { list = [1, "a"] } ')).toEqual({ list: [1, 'a'] })
  expect(inline({ list: [1, 'a'] })).toBe('{ list = [1, "a"] }')
  expect(() => readValue('1\nb = 2')).toThrow(TomlProblem)
})
