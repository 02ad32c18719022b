// The page itself: it loads from the daemon alone, under its policy, and shows what there is.
import { expect, test } from 'vitest'
import { ports, stage, watched } from './harness'

const on = stage()

test('the page loads, asks no other host, breaks no rule and lists the ports', async () => {
  const { context, page, faults } = await watched(on.browser, on.daemon)
  const answer = await page.goto('/')
  expect(answer?.headers()['content-security-policy']).toContain("default-src 'none'")
  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Ports' }).click()
  for (const port of [ports.west, ports.east]) {
    await page.getByText(port, { exact: false }).first().waitFor()
  }
  expect(await page.title()).toContain('linerate')
  expect(faults).toEqual([])
  await context.close()
})

test('a view can be loaded by its address, a file that is none is not found', async () => {
  const { context, page, faults } = await watched(on.browser, on.daemon)
  const answer = await page.goto('/runs')
  expect(answer?.status()).toBe(200)
  await page.getByRole('navigation', { name: 'Main' }).waitFor()
  expect(faults).toEqual([])
  await context.close()
  expect((await fetch(`${on.daemon.url}/assets/no-such.js`)).status).toBe(404)
})

test('the second visit takes all but the page itself from its cache', async () => {
  const head = async (path: string, tag?: string) => {
    const headers = { 'accept-encoding': 'br', ...(tag && { 'if-none-match': tag }) }
    return fetch(on.daemon.url + path, { headers })
  }
  const index = await head('/')
  expect(index.headers.get('cache-control')).toBe('no-cache')
  expect(index.headers.get('content-encoding')).toBe('br')
  expect((await head('/', index.headers.get('etag') ?? '')).status).toBe(304)
  const script = /\/assets\/[^"]+\.js/.exec(await index.text())?.[0] ?? ''
  const loaded = await head(script)
  expect(loaded.headers.get('cache-control')).toContain('immutable')
  expect(loaded.headers.get('content-encoding')).toBe('br')
})
