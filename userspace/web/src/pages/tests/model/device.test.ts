import { expect, test } from 'vitest'
import { readDevice, writeDevice } from './device'

test('a simulated device is read and written back the same', () => {
  const text = 'sim:link=10G,capacity=10Mpps,buffer=1024,latency=10us,loss=1e-6,stall=1ms/10s,duplicate=1/1000,reorder=1/500,seed=7'
  expect(writeDevice(readDevice(text) ?? {})).toBe(text)
  expect(writeDevice({ capacity: '', seed: '2', link: '1G' })).toBe('sim:link=1G,seed=2')
})

test('what a form cannot show is not taken for nothing', () => {
  for (const text of ['link=10G', 'sim:linkz=10G', 'sim:link', 'sim:link=1G,link=2G']) expect(readDevice(text), text).toBeNull()
  expect(readDevice('sim:')).toEqual({})
})
