// Runs as people watch them: frames on a real cable, judged by the kernel's counters and by foreign readers of files.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { Daemon, launch, ports, watched } from './harness'
import { accessible, kernel } from './judges'

let daemon: Daemon
let browser: Browser

/** What the kernel has counted: frames out of one end and into the other. */
const counts = () => ({ sent: kernel(ports.west).tx, received: kernel(ports.east).rx })
/** The kernel's own neighbour discovery would be counted with the frames of the run. */
function silence(port: string): void {
  const [device = '', netns] = port.split('@')
  const command = ['sysctl', '-qw', `net.ipv6.conf.${device}.disable_ipv6=1`]
  if (netns) execFileSync('ip', ['netns', 'exec', netns, ...command])
}

const layers = (destination: string, port: number) => [
  { eth: { dst: '02:00:00:00:00:02' } }, { ipv4: { src: '198.18.0.2', dst: destination } }, { udp: { src: 49184, dst: port } },
]
async function flowSet(name: string, flow: object[]): Promise<number> {
  const body = JSON.stringify({ name, spec: { flow } })
  const made = await daemon.api<{ id: number }>('/flows', { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  return made.id
}
const flow = (name: string, rate: string, port = 7, rx = [ports.east]) => ({
  name, tx: ports.west, ...(rx.length ? { rx } : {}), rate, size: 128, layers: layers('198.18.0.3', port),
})
async function begin(set: number, more: object = {}): Promise<number> {
  const body = JSON.stringify({ flow_set: set, ...more })
  const run = await daemon.api<{ id: number }>('/runs', { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  return run.id
}
const over = (run: number) =>
  expect.poll(async () => (await daemon.api<{ state: string }>(`/runs/${run}`)).state, { timeout: 60_000 }).toBe('done')

/** A total as the page shows it, as a number. */
async function total(page: Page, key: string): Promise<number> {
  const text = await page.locator(`[data-total="${key}"]`).textContent()
  return Number((text ?? '').replaceAll(',', ''))
}
/** Frames a second that the page says a flow sends. */
async function sending(page: Page): Promise<number> {
  const text = (await page.locator('[data-sending]').textContent()) ?? ''
  const [, value = 'NaN', unit] = /([\d.]+) (k?)pps/.exec(text) ?? []
  return Number(value) * (unit === 'k' ? 1000 : 1)
}
async function file(page: Page, button: string | RegExp): Promise<{ name: string; path: string; text: string }> {
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: button, exact: true }).click()])
  const path = await download.path()
  return { name: download.suggestedFilename(), path, text: readFileSync(path, 'utf8') }
}
/** Another reader of CSV than ours. */
function rowsOf(path: string): Record<string, string>[] {
  const code = 'import csv,json,sys; print(json.dumps(list(csv.DictReader(open(sys.argv[1], newline="")))))'
  return JSON.parse(execFileSync('python3', ['-c', code, path], { encoding: 'utf8' }))
}

beforeAll(async () => {
  silence(ports.west)
  silence(ports.east)
  daemon = await Daemon.start()
  browser = await launch()
})
// A test that failed leaves no run behind that holds the ports of the next.
afterEach(async () => {
  const runs = await daemon.api<{ id: number; state: string }[]>('/runs')
  for (const run of runs.filter((one) => one.state === 'running')) {
    await daemon.api(`/runs/${run.id}/stop`, { method: 'POST' })
    await over(run.id)
  }
})
afterAll(async () => {
  await browser?.close()
  await daemon?.stop()
})

test('a run is started, steered and stopped by the page, with the counters of the kernel, and its result taken home', async () => {
  const { context, page, faults } = await watched(browser, daemon)
  await flowSet('watched', [flow('fast', '2000pps'), flow('slow', '500pps', 9)])
  const before = counts()
  await page.goto('/runs')
  await page.getByLabel('Flow set').selectOption({ label: 'watched' })
  await page.getByRole('button', { name: 'Start', exact: true }).click()
  await page.waitForURL(/\/runs\/\d+$/)
  const run = Number(page.url().split('/').at(-1))
  await expect.poll(() => total(page, 'tx_frames'), { timeout: 60_000 }).toBeGreaterThan(1000)

  // The rate follows what is asked, by number and by slider.
  await page.getByRole('button', { name: 'fast', exact: true }).click()
  await expect.poll(() => page.url()).toContain('flow=fast')
  await expect.poll(() => page.getByLabel('Rate', { exact: true }).inputValue()).toBe('2000')
  await page.getByLabel('Rate', { exact: true }).fill('4000')
  await page.getByRole('button', { name: 'Set rate' }).click()
  await page.getByText('4000pps is asked for.').waitFor()
  await expect.poll(async () => Math.abs((await sending(page)) - 4000), { timeout: 60_000 }).toBeLessThan(400)
  await page.getByRole('slider').fill('50')
  await page.getByText('1000pps is asked for.').waitFor()
  await expect.poll(async () => Math.abs((await sending(page)) - 1000), { timeout: 60_000 }).toBeLessThan(100)
  // What can't be is refused in the daemon's words, and the run goes on.
  await page.getByLabel('Rate', { exact: true }).fill('999999')
  await page.getByLabel('Unit').selectOption('Gbps')
  await page.getByRole('button', { name: 'Set rate' }).click()
  await page.getByText('The rate was not changed').waitFor()

  // Nothing is on the way while all are paused: page and kernel say the same to the frame.
  await page.getByRole('button', { name: 'Pause all' }).click()
  await page.getByRole('cell', { name: 'paused' }).nth(1).waitFor()
  const counted = async () => {
    const now = counts()
    return [(await total(page, 'tx_frames')) - (now.sent - before.sent), (await total(page, 'rx_unique_frames')) - (now.received - before.received)]
  }
  await expect.poll(counted, { timeout: 60_000 }).toEqual([0, 0])
  // One of them goes on alone.
  const paused = await total(page, 'tx_frames')
  await page.getByLabel('Mark slow').check()
  await page.getByRole('button', { name: 'Resume 1 marked' }).click()
  await expect.poll(() => total(page, 'tx_frames'), { timeout: 60_000 }).toBeGreaterThan(paused)
  expect((await daemon.api<{ paused: string[] }>(`/runs/${run}`)).paused).toEqual(['fast'])

  await page.getByRole('button', { name: 'Stop' }).click()
  await page.getByRole('heading', { name: 'Result' }).waitFor({ timeout: 60_000 })
  const result = await daemon.api<{ verdict: string; flows: { name: string; tx_frames: number; verdict: string }[] }>(`/runs/${run}/result`)
  expect(result.flows.reduce((sum, one) => sum + one.tx_frames, 0)).toBe(counts().sent - before.sent)
  await page.getByText('The way of the frames, fast').first().waitFor()

  const json = await file(page, 'JSON')
  expect(JSON.parse(json.text)).toEqual(result)
  const flows = rowsOf((await file(page, 'CSV, flows')).path)
  expect(flows.map((row) => [row.name, Number(row.tx_frames), row.verdict])).toEqual(result.flows.map((one) => [one.name, one.tx_frames, one.verdict]))
  const samples = rowsOf((await file(page, 'CSV, samples')).path)
  for (const one of result.flows) {
    const sent = samples.filter((row) => row.flow === one.name).reduce((sum, row) => sum + Number(row.tx_frames), 0)
    expect(sent, one.name).toBe(one.tx_frames)
  }
  const junit = await file(page, 'JUnit')
  const parse = 'import sys,xml.etree.ElementTree as t; print(*[c.get("name") for c in t.parse(sys.argv[1]).iter("testcase")])'
  expect(execFileSync('python3', ['-c', parse, junit.path], { encoding: 'utf8' }).trim()).toBe('fast slow')
  const html = await file(page, 'HTML')
  const home = await context.newPage()
  await home.setContent(html.text)
  expect(await home.getByRole('row', { name: /^fast/ }).count()).toBe(4)

  // The link opens the same view again.
  await page.goto(`/runs/${run}?flow=slow`)
  await page.getByText('The way of the frames, slow').first().waitFor()
  expect(await page.locator('select#charts-flow').inputValue()).toBe('slow')
  expect(faults).toEqual([])
  await context.close()
})

test('frames are captured by the page, and tshark reads them', async () => {
  const { context, page, faults } = await watched(browser, daemon)
  // Nobody receives: a port that a run holds can't be captured.
  await begin(await flowSet('captured', [flow('seen', '500pps', 7, []), flow('other', '500pps', 9, [])]))
  await page.goto(`/captures?port=${encodeURIComponent(ports.west)}`)
  await page.getByRole('button', { name: 'Start capture' }).click()
  await page.getByText(/held by run \d+/).first().waitFor()
  await page.goto(`/captures?port=${encodeURIComponent(ports.east)}`)
  expect(await page.getByLabel('Port').inputValue()).toBe(ports.east)
  await page.getByLabel('Filter').fill('udp port')
  await page.getByRole('button', { name: 'Start capture' }).click()
  await expect.poll(() => page.getByLabel('Filter').getAttribute('aria-invalid'), { timeout: 30_000 }).toBe('true')
  await page.getByLabel('Filter').fill('udp and port 7')
  await page.getByLabel('Frames at most').fill('50')
  await page.getByRole('button', { name: 'Start capture' }).click()
  await page.getByRole('cell', { name: 'over' }).waitFor({ timeout: 60_000 })
  const { path, name } = await file(page, /^Take capture \d+ home as pcapng$/)
  expect(name).toMatch(/\.pcapng$/)
  const seen = execFileSync('tshark', ['-r', path, '-T', 'fields', '-e', 'udp.dstport', '-e', 'frame.len'], { encoding: 'utf8' })
  // Captured frames have no FCS.
  expect(seen.trim().split('\n')).toEqual(Array(50).fill('7\t124'))
  await page.getByRole('button', { name: /^Remove capture/ }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click()
  await page.getByText('No capture yet').waitFor()

  // The port's page shows what the run does there.
  await page.goto(`/ports/${encodeURIComponent(ports.west)}`)
  await page.getByRole('heading', { name: 'In use by' }).waitFor({ timeout: 60_000 })
  await page.getByText('2 sent, 0 received').waitFor({ timeout: 60_000 })
  expect(faults).toEqual([])
  await context.close()
})

test('two runs are marked in the list and compared', async () => {
  const { context, page, faults } = await watched(browser, daemon)
  const set = await flowSet('twice', [flow('same', '500pps')])
  const runs = []
  for (const scale of ['100%', '50%']) {
    const run = await begin(set, { scale, for: '3s', samples: true })
    await over(run)
    runs.push(run)
  }
  await page.goto('/runs')
  for (const run of runs) await page.getByLabel(`Compare run ${run}`, { exact: true }).check()
  await page.getByRole('button', { name: 'Compare two' }).click()
  await page.waitForURL(`**/runs/compare?a=${runs[0]}&b=${runs[1]}`)
  const requested = page.getByRole('row', { name: /^requested/ })
  await requested.waitFor()
  expect(await requested.getByRole('cell').allTextContents()).toEqual(['1,500', '750', '−50.0 %', 'differs'])
  expect(faults).toEqual([])
  await context.close()
})

test('the page says that the daemon is lost, and goes on when it is back', async () => {
  const own = await Daemon.start()
  const { context, page } = await watched(browser, own)
  await page.goto('/ports')
  await page.getByText('live', { exact: true }).waitFor()
  await own.kill()
  await page.getByText('reconnecting', { exact: true }).waitFor({ timeout: 30_000 })
  await page.getByText('The daemon does not answer.').first().waitFor()
  await accessible(page, 'without the daemon')
  await own.startAgain()
  await page.getByText('live', { exact: true }).waitFor({ timeout: 30_000 })
  await page.getByRole('heading', { name: ports.west }).waitFor({ timeout: 30_000 })
  expect(await page.getByText('The daemon does not answer.').count()).toBe(0)
  await context.close()
  await own.stop()
})

test('a wrong token is told, and the right one opens the page', async () => {
  const own = await Daemon.start({ token: 'a-token-of-thirty-two-characters' })
  const { context, page } = await watched(browser, own)
  await page.goto('/ports')
  await page.getByLabel('Token').fill('another')
  await page.getByRole('button', { name: 'Log in' }).click()
  await page.getByText('The daemon does not take this token.').waitFor()
  await accessible(page, 'the login with a message')
  await page.getByLabel('Token').fill('a-token-of-thirty-two-characters')
  await page.getByRole('button', { name: 'Log in' }).click()
  await page.getByRole('heading', { name: ports.west }).waitFor({ timeout: 30_000 })
  await page.getByText('live', { exact: true }).waitFor()
  await context.close()
  await own.stop()
})

test('ports, runs and captures have no violation of WCAG A or AA, light, dark and narrow', async () => {
  const run = await begin(await flowSet('seen by axe', [flow('one', '100pps')]))
  for (const viewport of [{ width: 1280, height: 900 }, { width: 360, height: 740 }]) {
    const { context, page, faults } = await watched(browser, daemon, { viewport })
    const places = ['/ports', `/ports/${encodeURIComponent(ports.west)}`, '/runs', `/runs/${run}?flow=one`, '/runs/1', '/runs/compare', '/runs/compare?a=1&b=2', '/captures', '/nowhere']
    for (const place of places) {
      await page.goto(place)
      await page.getByRole('heading', { level: 1 }).or(page.getByRole('heading', { name: /Two runs are needed|No such page/ })).first().waitFor()
      if (place.includes('flow=one')) await expect.poll(() => total(page, 'tx_frames'), { timeout: 60_000 }).toBeGreaterThan(0)
      await accessible(page, place)
      const wider = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
      expect(wider, place).toBeLessThanOrEqual(0)
    }
    expect(faults).toEqual([])
    await context.close()
  }
})
