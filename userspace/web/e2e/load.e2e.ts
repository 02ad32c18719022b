// What the page costs: octets of the first view, and the processor time of 500 flows at one snapshot a second.
// The second is a measurement, not a test: `LINERATE_BENCH=1 npm run e2e -- load` prints it.
import { brotliCompressSync } from 'node:zlib'
import type { Browser } from 'playwright-core'
import { expect, test } from 'vitest'
import { ports, stage, watched } from './harness'

const FLOWS = 500
const SECONDS = 30

const on = stage()

test('the first view is at most 250 kB of compressed octets', async () => {
  const { context, page } = await watched(on.browser, on.daemon)
  const answers: Promise<Buffer>[] = []
  page.on('response', (response) => {
    if (!new URL(response.url()).pathname.startsWith('/api/')) answers.push(response.body())
  })
  await page.goto('/ports')
  await page.getByRole('heading', { name: ports.west }).waitFor()
  const sizes = (await Promise.all(answers)).map((body) => brotliCompressSync(body).length)
  const total = sizes.reduce((sum, size) => sum + size, 0)
  console.log(`first view: ${total} octets compressed in ${sizes.length} files`)
  expect(total).toBeLessThanOrEqual(250_000)
  await context.close()
})

/** Processor time of all processes of one kind, s. */
async function processorTime(of: Browser, kind: string): Promise<number> {
  const session = await of.newBrowserCDPSession()
  const { processInfo } = await session.send('SystemInfo.getProcessInfo')
  await session.detach()
  return processInfo.filter((one) => one.type === kind).reduce((sum, one) => sum + one.cpuTime, 0)
}

test.runIf(process.env.LINERATE_BENCH)('500 flows, measured', { timeout: 300_000 }, async () => {
  const flow = {
    name: 'cust{i}', repeat: FLOWS, tx: ports.west, rx: [ports.east], rate: '10pps', size: 128,
    layers: [{ eth: { dst: '02:00:00:00:00:02' } }, { ipv4: { src: '198.18.0.2', dst: '198.18.0.3' } }, { udp: { src: 49184, dst: 7 } }],
  }
  const body = JSON.stringify({ spec: { flow: [flow] }, name: 'five hundred' })
  const run = await on.daemon.api<{ id: number }>('/runs', { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  const { context, page } = await watched(on.browser, on.daemon)
  await page.goto(`/runs/${run.id}?flow=cust7`)
  await page.getByText('500 flows').first().waitFor()
  await page.getByText(/Reading the samples/).waitFor({ state: 'detached', timeout: 120_000 })
  const session = await context.newCDPSession(page)
  await session.send('Performance.enable')
  const tasks = async () => {
    const { metrics } = await session.send('Performance.getMetrics')
    const of = (name: string) => metrics.find((metric) => metric.name === name)?.value ?? Number.NaN
    return { tasks: of('TaskDuration'), script: of('ScriptDuration'), layout: of('LayoutDuration') + of('RecalcStyleDuration'), heap: of('JSHeapUsedSize') }
  }
  const [before, cpuBefore, begun] = [await tasks(), await processorTime(on.browser, 'renderer'), performance.now()]
  await page.waitForTimeout(SECONDS * 1000)
  const [after, cpuAfter, seconds] = [await tasks(), await processorTime(on.browser, 'renderer'), (performance.now() - begun) / 1000]
  const share = (used: number) => `${((used / seconds) * 100).toFixed(1)} %`
  console.log(
    `${FLOWS} flows, ${seconds.toFixed(1)} s: tasks of the page ${share(after.tasks - before.tasks)} of a core (script ${share(after.script - before.script)}, ` +
      `layout and style ${share(after.layout - before.layout)}), its process ${share(cpuAfter - cpuBefore)}, heap ${(after.heap / 1e6).toFixed(0)} MB`,
  )
  await page.screenshot({ path: process.env.LINERATE_BENCH_SHOT ?? '/dev/null', type: 'png' }).catch(() => {})
  await on.daemon.api(`/runs/${run.id}/stop`, { method: 'POST' })
  await context.close()
})
