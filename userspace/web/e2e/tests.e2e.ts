//! The test runner on a real device: written, watched, read, exported, stopped, resumed, compared.

import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import type { BenchResult } from '@/api/results/suite'
import { ports, stage, watched } from './harness'
import { accessible, download, kernel } from './judges'

/** A trial takes at least half a second of waits; machines are busy. */
const PATIENCE_MS = 240_000
const { deviceWest: west, deviceEast: east } = ports
const on = stage()

/** A page at a place, and what must not have happened there. */
async function open(path: string) {
  const { context, page, faults } = await watched(on.browser, on.daemon)
  await page.goto(path)
  const close = async () => {
    expect(faults).toEqual([])
    await context.close()
  }
  return { page, close }
}

/** An answer of the daemon that must be a success. */
function rest<T = unknown>(path: string, body?: unknown): Promise<T> {
  if (body === undefined) return on.daemon.api<T>(`/${path}`)
  return on.daemon.api<T>(`/${path}`, { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } })
}

const badge = (page: Page, word: string) => page.locator('h1').getByText(word, { exact: true })
const commas = (value: number) => Math.floor(value).toLocaleString('en-US')

/** The cells of the row of a table that begins with `first`. */
async function cells(page: Page, table: string, first: string): Promise<string[]> {
  const rows = await page.getByRole('table', { name: table }).getByRole('row').allInnerTexts()
  return rows.map((row) => row.split('\t').map((cell) => cell.trim())).find((row) => row[0] === first) ?? []
}

test('RFC 2544 is written on the page, watched on a real device and read to its report', { timeout: PATIENCE_MS + 60_000 }, async () => {
  const { page, close } = await open('/tests')
  await page.getByRole('link', { name: 'New test' }).first().click()
  await page.getByLabel('Name', { exact: true }).fill('from the page')
  await page.getByLabel('Between ports').check()
  await page.getByLabel('First port (west)').fill(west)
  await page.getByLabel('Second port (east)').fill(east)
  for (const name of ['west', 'east']) {
    await page.getByText(`Line rate, address, gateway of ${name}`).click()
    // A veth tells no true speed; at 10 Mbit/s any machine is quick enough.
    await page.getByLabel('Line rate', { exact: true }).nth(name === 'west' ? 0 : 1).fill('10M')
  }
  await page.getByLabel('Direction').selectOption('forward')
  await page.getByLabel('Frame sizes').fill('51')
  await expect.poll(() => page.getByLabel('Frame sizes').getAttribute('aria-invalid'), { timeout: 20_000 }).toBe('true')
  expect(await page.locator('.field', { hasText: 'Frame sizes' }).getByText(/51 is below 64/).count()).toBe(1)
  expect(await page.getByRole('button', { name: 'Start test' }).isDisabled()).toBe(true)
  await page.getByLabel('Frame sizes').fill('64')
  await page.getByRole('checkbox', { name: /Back-to-back/ }).uncheck()
  await page.getByRole('region', { name: 'Throughput' }).getByLabel('Resolution').fill('2%')
  const latency = page.getByRole('region', { name: 'Latency' })
  await latency.getByLabel('Stream time').fill('1s')
  await latency.getByLabel('Repeats').fill('1')
  await latency.getByLabel('At loads').fill('throughput')
  await page.getByLabel('Throughput, every row').fill('>=1%')
  // What stands in the file is in the form, and what is written in the file is in the form.
  await page.getByText('Suite file (TOML)').click()
  const toml = page.getByLabel('The suite, as the commands take it')
  const text = await toml.inputValue()
  expect(text).toContain('resolution = "2%"')
  await toml.fill(`${text}\n[waits]\nresidual = "500ms"\n`)
  await page.getByText('Learning, waits, limits').click()
  expect(await page.getByLabel('Wait for residual frames').inputValue()).toBe('500ms')
  await page.getByText('Takes about').waitFor()
  await accessible(page)

  const before = { west: kernel(west), east: kernel(east) }
  await page.getByRole('button', { name: 'Start test' }).click()
  await page.waitForURL(/\/tests\/\d+$/)
  const id = Number(page.url().split('/').at(-1))
  await badge(page, 'running').waitFor()
  await page.getByRole('figure').filter({ hasText: 'Search: throughput, 64' }).locator('title', { hasText: /^trial 1: / }).waitFor({ state: 'attached', timeout: 60_000 })
  await page.getByRole('heading', { name: /^Rates of trial/ }).waitFor({ timeout: 60_000 })
  await page.getByText(/trials done/).waitFor()
  await accessible(page)
  await badge(page, 'pass').waitFor({ timeout: PATIENCE_MS })

  const result = await rest<BenchResult>(`suites/${id}/result`)
  const row = result.rows[0]
  const found = await cells(page, 'Throughput (RFC 2544, 26.1)', '64')
  expect(found.slice(1, 3)).toEqual([commas(row?.theoretical_fps ?? 0), `${row?.throughput?.bound === 'at-least' ? '≥ ' : ''}${commas(row?.throughput?.fps ?? 0)}`])
  // The device lets 10,000 frames a second through, and 90 at once; a busy machine may find less.
  expect(row?.throughput?.fps).toBeLessThan(10_200)
  expect(row?.throughput?.fps).toBeGreaterThan(0)
  const losses = await page.getByRole('table', { name: 'Frame loss rate (RFC 2544, 26.3)' }).getByRole('row').count()
  expect(losses).toBe(1 + (row?.frame_loss?.length ?? 0))
  const [lat] = row?.latency ?? []
  expect((await cells(page, 'Latency (RFC 2544, 26.2)', '64'))[1]).toBe(lat?.at)
  // The kernel counted every frame that the trials say were sent, and little else: learning, ARP,
  // and half a second at line rate that shows what the tester itself can send.
  const [sent, seen] = [result.trials.reduce((sum, trial) => sum + trial.tx_frames, 0), result.trials.reduce((sum, trial) => sum + trial.rx_unique_frames, 0)]
  const counted = { tx: kernel(west).tx - before.west.tx, rx: kernel(east).rx - before.east.rx }
  const beside = Math.ceil((row?.theoretical_fps ?? 0) / 2) + 500
  for (const more of [counted.tx - sent, counted.rx - seen]) {
    expect(more).toBeGreaterThanOrEqual(0)
    expect(more).toBeLessThan(beside)
  }
  await accessible(page)

  await page.getByRole('link', { name: 'Trials', exact: true }).click()
  await page.getByRole('heading', { name: `${result.trials.length} trials` }).waitFor()
  await page.getByRole('link', { name: 'Setup and compliance' }).click()
  await page.getByRole('heading', { name: 'Compliance: none' }).waitFor()
  await accessible(page)
  // A link opens the same view again.
  await page.reload()
  await page.getByRole('heading', { name: 'Compliance: none' }).waitFor()
  await exports(page, id, result)
  await close()
})

async function exports(page: Page, id: number, result: BenchResult): Promise<void> {
  const json = await download(page, () => page.getByRole('button', { name: 'JSON' }).click())
  expect(json.name).toBe(`rfc2544-${id}.json`)
  expect(JSON.parse(json.text)).toEqual(result)
  const html = await download(page, () => page.getByRole('button', { name: 'HTML' }).click())
  expect(html.text).toMatch(/<title>RFC 2544, [^<]+<\/title>/)
  const junit = await download(page, () => page.getByRole('button', { name: 'JUnit' }).click())
  const cases = await page.evaluate((text) => {
    const document = new DOMParser().parseFromString(text, 'application/xml')
    return document.querySelector('parsererror') ? -1 : document.querySelectorAll('testcase').length
  }, junit.text)
  expect(cases).toBeGreaterThan(0)
  const tables = page.getByLabel('Table of the CSV')
  const names = await tables.locator('option').allInnerTexts()
  expect(names).toEqual(['throughput', 'latency', 'frame-loss', 'trials'])
  const rows = { throughput: 1, latency: 1, 'frame-loss': result.rows[0]?.frame_loss?.length ?? 0, trials: result.trials.length }
  for (const name of names) {
    await tables.selectOption({ label: name })
    const csv = await download(page, () => page.getByRole('button', { name: 'CSV' }).click())
    expect(csv.name).toBe(`rfc2544-${id}-${name}.csv`)
    const lines = csv.text.trimEnd().split(/\r?\n/)
    expect(lines.length, name).toBe(1 + rows[name as keyof typeof rows])
  }
}

test('a test is stopped and resumed, and no finished trial is sent again', { timeout: PATIENCE_MS + 60_000 }, async () => {
  const suite = {
    ports: { west: { if: west, line: '10M' }, east: { if: east, line: '10M' } },
    topology: { pairs: [['west', 'east']], direction: 'forward' },
    sizes: [64, 256], tests: ['throughput', 'loss'], throughput: { resolution: '10%' }, waits: { residual: '500ms' },
  }
  const { id } = await rest<{ id: number }>('suites', { name: 'stopped', kind: 'rfc2544', suite })
  const { page, close } = await open(`/tests/${id}`)
  await expect.poll(() => rest<unknown[]>(`suites/${id}/trials`).then((rows) => rows.length), { timeout: 60_000 }).toBeGreaterThan(0)
  await page.getByRole('button', { name: 'Stop', exact: true }).click()
  await page.getByRole('button', { name: 'Stop test' }).click()
  await badge(page, 'stopped').waitFor({ timeout: 60_000 })
  const kept = (await rest<BenchResult>(`suites/${id}/result`)).trials
  expect(kept.length).toBeGreaterThan(0)
  await page.getByRole('button', { name: 'Resume' }).click()
  await badge(page, 'running').waitFor({ timeout: 60_000 })
  await badge(page, 'done').waitFor({ timeout: PATIENCE_MS })
  const whole = (await rest<BenchResult>(`suites/${id}/result`)).trials
  expect(whole.length).toBeGreaterThan(kept.length)
  expect(whole.slice(0, kept.length)).toEqual(kept)
  await page.getByRole('button', { name: 'Delete' }).click()
  await accessible(page)
  await page.getByRole('button', { name: 'Delete test' }).click()
  await page.waitForURL(`${on.daemon.url}/tests`)
  await expect(rest(`suites/${id}`)).rejects.toThrow('404')
  await close()
})

test('two tests are picked from the list and compared', { timeout: 120_000 }, async () => {
  const ids: number[] = []
  for (const capacity of ['1Mpps', '1.2Mpps']) {
    const suite = { topology: { dut: `sim:link=1G,capacity=${capacity},latency=20us`, direction: 'forward' }, sizes: [64] }
    ids.push((await rest<{ id: number }>('suites', { name: `device of ${capacity}`, kind: 'rfc2544', suite })).id)
  }
  for (const id of ids) await expect.poll(() => rest<{ state: string }>(`suites/${id}`).then((suite) => suite.state), { timeout: 60_000 }).toBe('done')
  const { page, close } = await open('/tests')
  for (const id of ids) await page.getByLabel(new RegExp(`^Compare test ${id},`)).check()
  await accessible(page)
  await page.getByRole('link', { name: `Compare ${ids[0]} and ${ids[1]}` }).click()
  await page.getByRole('heading', { name: 'Throughput' }).waitFor()
  const results = await Promise.all(ids.map((id) => rest<BenchResult>(`suites/${id}/result`)))
  const rates = results.map((result) => result.rows[0]?.throughput?.fps ?? 0)
  const found = await cells(page, 'Throughput', '64')
  expect(found.slice(1, 3)).toEqual(rates.map(commas))
  expect(Number.parseFloat(found[3] ?? '')).toBeCloseTo(((rates[1] ?? 0) / (rates[0] ?? 1) - 1) * 100, 0)
  await accessible(page)
  await page.getByRole('button', { name: 'Swap A and B' }).click()
  await expect.poll(async () => (await cells(page, 'Throughput', '64'))[1]).toBe(commas(rates[1] ?? 0))
  await close()
})

test('MLRsearch and Y.1564 are started with the keyboard alone, on a simulated device', { timeout: 120_000 }, async () => {
  for (const [kind, name, title] of [['mlrsearch', 'MLRsearch', 'Multiple Loss Ratio search (RFC 9971)'], ['y1564', 'Y.1564', 'Services (ITU-T Y.1564)']] as const) {
    const { page, close } = await open(`/tests/new?kind=${kind}`)
    await page.getByText('Takes about').waitFor()
    expect(await page.getByRole('radio', { name: new RegExp(name) }).isChecked()).toBe(true)
    await accessible(page)
    await page.getByLabel('Name', { exact: true }).first().focus()
    await page.keyboard.type(`${name} by keyboard`)
    await page.keyboard.press('Enter')
    await page.waitForURL(/\/tests\/\d+$/, { timeout: 30_000 })
    await page.getByRole('table', { name: title }).waitFor({ timeout: 60_000 })
    await accessible(page)
    await close()
  }
})
