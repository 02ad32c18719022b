//! Flows are built from nothing, checked, saved and run; and taken in and out as files.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { parse } from 'smol-toml'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Daemon, launch, ports, watched } from './harness'
import { accessible, kernel, PATIENCE_MS, until } from './judges'

let browser: Browser
let daemon: Daemon
let folder: string
beforeAll(async () => {
  browser = await launch()
  daemon = await Daemon.start()
  folder = mkdtempSync(join(tmpdir(), 'linerate-builder-'))
})
afterAll(async () => {
  await browser?.close()
  await daemon?.stop()
  rmSync(folder, { recursive: true, force: true })
})

/** A window of its own. */
async function open(path: string) {
  const { page, faults } = await watched(browser, daemon, { viewport: { width: 1440, height: 1000 } })
  page.setDefaultTimeout(PATIENCE_MS)
  await page.goto(path)
  return { page, faults }
}
const check = (page: Page, words: string) => page.getByRole('status').filter({ hasText: words }).waitFor()

async function addLayer(page: Page, layer: string) {
  await page.getByLabel('Add', { exact: true }).selectOption(layer)
  await page.getByRole('button', { name: 'Add layer' }).click()
}

test('a flow of three layers is built from nothing, shown, mended, saved and run', async () => {
  const { page, faults } = await open('/flows')
  const name = `built ${Date.now()}`
  await page.getByRole('link', { name: /^(New flow set|Build a flow set)$/ }).first().click()
  await page.getByLabel('Name of the flow set').fill(name)
  await page.getByLabel('Sends from').fill(ports.west)
  await page.getByRole('button', { name: 'Add a receiving port' }).click()
  await page.getByLabel('Receives on').fill(ports.east)
  for (const layer of ['eth', 'ipv4', 'udp']) await addLayer(page, layer)
  await page.getByRole('article', { name: 'Ethernet' }).getByRole('textbox', { name: 'Destination' }).fill('02:00:00:00:00:07')
  await check(page, `Valid: 1 row on ${ports.west}, ${ports.east}`)

  // What is shown is the frame: the headers by name, and their octets (RFC 894, 791, 768).
  const decoded = page.getByRole('list', { name: 'Decoded frame' })
  for (const layer of ['eth', 'ipv4', 'udp']) await decoded.getByText(layer, { exact: true }).waitFor()
  const hex = page.getByRole('region', { name: 'Octets of the frame in hexadecimal' })
  const octets = async () => (await hex.locator('.octets .octet').allInnerTexts()).join('')
  await until(octets, (now) => /^020000000007[0-9a-f]{12}08004500002e.{16}c6120002c6130002c0200007001a/.test(now), 'the hex is that of the headers')
  expect(await hex.locator('.octets .octet.tag').count()).toBe(14)

  // A range of ports marks the port's octets, and they change in the next frame.
  const udp = page.getByRole('article', { name: 'UDP' })
  await udp.getByLabel('Form of Source port').selectOption('range')
  await udp.getByLabel('Source port, last, included').fill('49190')
  await until(() => hex.locator('.octets .octet.varies').nth(0).innerText(), (now) => now === 'c0', 'the port varies')
  await page.getByRole('button', { name: 'Next frame' }).click()
  await until(octets, (now) => now.includes('c6130002c0210007'), 'the second frame has the second port')

  // A wrong value is told at its field, and the summary leads there.
  const port = udp.getByRole('textbox', { name: 'Destination port' })
  await port.fill('70000')
  await check(page, 'Not valid: flow[0].layers[2].udp.dst: 70000 is over 65535')
  expect(await port.getAttribute('aria-invalid')).toBe('true')
  const about = ((await port.getAttribute('aria-describedby')) ?? '').split(' ')
  expect(await page.locator(`[id="${about.at(-1)}"]`).innerText()).toContain('70000 is over 65535; allowed: 0 to 65535')
  await accessible(page, 'the builder with a message')
  await page.getByLabel('Name of the flow set').focus()
  await page.getByRole('button', { name: 'Go there' }).click()
  expect(await port.evaluate((element) => element === document.activeElement)).toBe(true)
  await port.fill('7')

  // Layers move by the keyboard alone, and the focus goes with them.
  await port.press('Alt+ArrowUp')
  await check(page, '`udp` cannot stand on `eth`')
  expect(await port.evaluate((element) => element === document.activeElement)).toBe(true)
  await port.press('Alt+ArrowDown')
  await page.getByLabel('Unit of Rate, of each direction').selectOption('kpps')
  await page.getByRole('textbox', { name: 'Rate, of each direction' }).fill('2')
  await page.getByLabel('Ends', { exact: true }).selectOption('frames')
  await page.getByRole('textbox', { name: 'Frames', exact: true }).fill('2000')
  await check(page, 'Valid: 1 row')
  await accessible(page, 'the builder')

  await page.getByRole('button', { name: 'Save' }).click()
  await page.waitForURL(/\/flows\/\d+/)
  const id = Number(/\/flows\/(\d+)/.exec(page.url())?.[1])
  const before = kernel(ports.east)
  await page.getByRole('button', { name: 'Run …' }).click()
  await accessible(page, 'the question before a run')
  await page.getByRole('button', { name: 'Start', exact: true }).click()
  await page.waitForURL(/\/runs\/\d+/)
  const run = Number(/\/runs\/(\d+)/.exec(page.url())?.[1])
  const over = await until(() => daemon.api<{ state: string; flow_set: number | null }>(`/runs/${run}`), (one) => !['starting', 'running', 'draining'].includes(one.state), 'the run is over')
  expect(over.flow_set).toBe(id)
  const received = kernel(ports.east).rx - before.rx
  // Neighbour discovery of the kernel may be among them.
  expect(received).toBeGreaterThanOrEqual(2000)
  expect(received).toBeLessThan(2050)
  await daemon.api(`/flows/${id}`, { method: 'DELETE' })
  expect(faults).toEqual([])
})

const FILE = `
[ports]
west = { if = "w0", addr = ["198.18.0.2/24"], gw = "198.18.0.1" }
east = { if = "e0", line = "1G" }

[defaults]
rate = "10%"

[[flow]]
name = "cust/{i}"
repeat = 5
tx = "west"
rx = ["east"]
size = { weights = { 64 = 7, 570 = 4, 1518 = 1 } }
duration = "10s"
vary = "independent"
layers = [
  { eth = { dst = "auto" } },
  { vlan = { id = { range = "100-599" }, pcp = 5 } },
  { ipv4 = { src = "198.18.0.2", dst = { range = "198.18.1.1-198.18.1.254", step = 3 } } },
  { udp = { src = { random = "1024-65535", seed = 7, count = 100 }, dst = { list = [7, 9, 53] } } },
]
expect = { loss = "0", p99 = "<50us" }

[[flow]]
name = "voice"
tx = "west"
rx = "east"
bidir = true
size = 128
schedule = [{ at = "0s", rate = "10kpps" }, { at = "10s", rate = "50kpps", ramp = "5s" }]
layers = [{ eth = { src = "02:00:00:00:00:01", dst = "02:00:00:00:00:07" } }, { ipv6 = { src = "2001:2::2", dst = "2001:2::3" } }, { udp = { src = 5004, dst = 5005 } }]
`

test('a flow file goes in and comes out as the same flows, which the command takes', async () => {
  const { page, faults } = await open('/flows')
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
  const path = join(folder, 'customers.toml')
  writeFileSync(path, FILE)
  const chooser = page.waitForEvent('filechooser')
  await page.getByRole('button', { name: 'Import a file' }).first().click()
  await (await chooser).setFiles(path)
  await page.waitForURL(/\/flows\/new/)
  expect(await page.getByLabel('Name of the flow set').inputValue()).toBe('customers')
  await check(page, 'Valid: 7 rows on w0, e0')

  await page.getByRole('button', { name: 'Copy as TOML' }).click()
  await check(page, 'Copied as TOML.')
  const copied = await page.evaluate(() => navigator.clipboard.readText())
  expect(parse(copied)).toEqual(parse(FILE))
  const coming = page.waitForEvent('download')
  await page.getByRole('button', { name: 'Download' }).click()
  const file = await coming
  expect(file.suggestedFilename()).toBe('customers.toml')
  const saved = join(folder, 'saved.toml')
  await file.saveAs(saved)
  expect(readFileSync(saved, 'utf8')).toBe(copied)
  const shown = (path: string) => execFileSync(process.env.LINERATE_BIN ?? 'linerate', ['show', path, '--count', '2'], { encoding: 'utf8' })
  expect(shown(saved)).toBe(shown(path))

  // What is typed as text is what the form shows.
  await page.getByRole('button', { name: 'TOML', exact: true }).click()
  await accessible(page, 'the builder as text')
  const text = page.getByLabel('Flow file (TOML)')
  await text.fill(copied.replace('name = "voice"', 'name = "speech"'))
  await page.getByRole('button', { name: 'Form', exact: true }).click()
  await page.getByRole('button', { name: 'speech' }).click()
  expect(await page.getByLabel('Name', { exact: true }).inputValue()).toBe('speech')

  // A flow that is left out stays in the set; the page asks before it drops what is not saved.
  await page.getByRole('checkbox', { name: 'Runs start the group cust' }).uncheck()
  await page.getByText('a run starts 1 of 2').waitFor()
  await page.getByRole('link', { name: 'Ports', exact: true }).click()
  await page.getByRole('dialog').getByText('Leave without saving?').waitFor()
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click()
  await page.getByRole('button', { name: 'Save' }).click()
  await page.waitForURL(/\/flows\/\d+/)
  const id = Number(/\/flows\/(\d+)/.exec(page.url())?.[1])
  const kept = await daemon.api<{ spec: { flow: unknown[] } }>(`/flows/${id}`)
  expect(kept.spec.flow).toHaveLength(2)
  expect(await page.getByRole('checkbox', { name: 'Runs start the group cust' }).isChecked()).toBe(false)

  // The list doubles and deletes it.
  await page.getByRole('link', { name: 'Flows', exact: true }).first().click()
  await page.getByRole('button', { name: 'Duplicate customers', exact: true }).click()
  await page.getByRole('link', { name: 'customers-2', exact: true }).waitFor()
  await accessible(page, 'the list of flow sets')
  for (const name of ['customers-2', 'customers']) {
    await page.getByRole('button', { name: `Delete ${name}`, exact: true }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
    await page.getByRole('link', { name, exact: true }).waitFor({ state: 'detached' })
  }
  expect(faults).toEqual([])
})

/** A capture of one frame, octet by octet (draft-ietf-opsawg-pcap): VLAN 7, 192.0.2.1 to 192.0.2.9, DNS. */
function capture(): Buffer {
  const headers =
    '020000000009' + '020000000001' + '8100a007' + '0800' +
    '4500002e' + '00000000' + '3911' + 'bdb5' + 'c0000201' + 'c0000209' + 'd4310035' + '001a0000' + '00'.repeat(18)
  const frame = Buffer.from(headers, 'hex')
  const head = Buffer.alloc(24)
  head.writeUInt32LE(0xa1b2c3d4, 0)
  head.writeUInt16LE(2, 4)
  head.writeUInt16LE(4, 6)
  head.writeUInt32LE(65535, 16)
  head.writeUInt32LE(1, 20)
  const record = Buffer.alloc(16)
  record.writeUInt32LE(frame.length, 8)
  record.writeUInt32LE(frame.length, 12)
  return Buffer.concat([head, record, frame])
}

test('a capture becomes flows whose frames have its headers', async () => {
  const { page, faults } = await open('/flows')
  const path = join(folder, 'dns.pcap')
  writeFileSync(path, capture())
  const chooser = page.waitForEvent('filechooser')
  await page.getByRole('button', { name: 'Import a file' }).first().click()
  await (await chooser).setFiles(path)
  await page.getByText('1 of 1 frames in dns.pcap became 1 flow').waitFor()
  await check(page, 'Valid: 1 row')
  const hex = page.getByRole('region', { name: 'Octets of the frame in hexadecimal' })
  const octets = await until(async () => (await hex.locator('.octets .octet').allInnerTexts()).join(''), (now) => now !== '', 'the frame is shown')
  expect(octets.slice(0, 36)).toBe('0200000000090200000000018100a0070800')
  expect(octets.slice(60, 84)).toBe('c0000201c0000209d4310035')
  // What is no file of flows is said to be none.
  const wrong = join(folder, 'wrong.toml')
  writeFileSync(wrong, '[[flow]\n')
  const second = page.waitForEvent('filechooser')
  await page.getByRole('button', { name: 'Add from a file' }).click()
  await (await second).setFiles(wrong)
  await page.getByText(/^wrong\.toml: line 1, column \d+/).waitFor()
  expect(faults).toEqual([])
})
