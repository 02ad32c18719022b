import { afterEach, expect, test, vi } from 'vitest'
import { fromFile, isCapture } from './import'

afterEach(() => vi.unstubAllGlobals())

test('a capture is known by how it begins, whatever its name is', () => {
  expect(isCapture(new Uint8Array([0xd4, 0xc3, 0xb2, 0xa1, 2, 0]))).toBe(true)
  expect(isCapture(new Uint8Array([0x0a, 0x0d, 0x0d, 0x0a]))).toBe(true)
  expect(isCapture(new TextEncoder().encode('[ports]'))).toBe(false)
  expect(isCapture(new Uint8Array())).toBe(false)
})

test('a flow file is read here; what is no TOML names its line', async () => {
  expect(await fromFile(new File(['[[flow]]\nname = "a"\n'], 'my.flows.toml'))).toEqual({ name: 'my.flows', spec: { flow: [{ name: 'a' }] }, left: [] })
  await expect(fromFile(new File(['a = \n'], 'a.toml'))).rejects.toThrow(/^line 1/)
})

test('a capture is read by the daemon, and what it left out is told', async () => {
  const asked: Request[] = []
  vi.stubGlobal('fetch', (request: Request) => {
    asked.push(request)
    return Promise.resolve(new Response(JSON.stringify({ spec: { flow: [{ name: 'a' }] }, captured_frames: 1234, frames: 1232, notes: ['2 frames of LLC are left out'] })))
  })
  const made = await fromFile(new File([new Uint8Array([0xa1, 0xb2, 0xc3, 0xd4, 0])], 'dns.pcap'))
  expect(asked.map((request) => new URL(request.url).pathname)).toEqual(['/api/v1/flows/from-capture'])
  const ports = { west: { if: 'west' }, east: { if: 'east' } }
  expect(made).toEqual({ name: 'dns', spec: { ports, flow: [{ name: 'a' }] }, left: [], notes: ['1,232 of 1,234 frames in dns.pcap became 1 flow; say under Ports what west and east are.', '2 frames of LLC are left out'] })
})
