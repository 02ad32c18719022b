// A daemon of the test's own and a browser in front of it. `cargo xtask test --only pages` makes
// the lab and says in the environment where everything is.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, type BrowserContext, type Page, chromium } from 'playwright-core'
import { afterAll, beforeAll } from 'vitest'

function told(name: string): string {
  const value = process.env[name]
  if (!value) throw new Error(`${name} is not set; run: cargo xtask test --only pages`)
  return value
}

/** Two ends of a cable, and two around a device that lets 10,000 frames a second through. */
export const ports = {
  west: told('LINERATE_WEST'),
  east: told('LINERATE_EAST'),
  deviceWest: told('LINERATE_DEVICE_WEST'),
  deviceEast: told('LINERATE_DEVICE_EAST'),
}

async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => (typeof address === 'object' && address ? resolve(address.port) : reject(new Error('no port'))))
    })
  })
}

/** `linerate serve`, which can be killed and started again at the same address with the same store. */
export class Daemon {
  private process?: ChildProcess
  private readonly folder = mkdtempSync(join(tmpdir(), 'linerate-e2e-'))

  private constructor(
    private readonly port: number,
    readonly token: string | undefined,
  ) {}

  static async start(options: { token?: string } = {}): Promise<Daemon> {
    const daemon = new Daemon(await freePort(), options.token)
    await daemon.startAgain()
    return daemon
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  async startAgain(): Promise<void> {
    const names = ['west', 'east', 'device-west', 'device-east']
    const aliases = Object.values(ports).flatMap((port, at) => ['--alias', `${names[at]}=${port}`])
    const own = ['--listen', `127.0.0.1:${this.port}`, '--otg', '127.0.0.1:0', '--store', join(this.folder, 'serve.db')]
    const { LINERATE_TOKEN: _, ...env } = process.env
    // It dies with this process, however that ends.
    const words = ['--pdeathsig', 'KILL', told('LINERATE_BIN'), 'serve', ...own, ...aliases]
    this.process = spawn('setpriv', words, {
      env: { ...env, ...(this.token && { LINERATE_TOKEN: this.token }) },
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    for (let tries = 0; tries < 200; tries++) {
      const ready = await fetch(`${this.url}/api/v1/ready`).catch(() => undefined)
      if (ready?.ok) return
      if (this.process.exitCode !== null) throw new Error(`the daemon ended with ${this.process.exitCode}`)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    throw new Error('the daemon is not ready after 10 s')
  }

  private async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const running = this.process
    if (!running || running.exitCode !== null || running.signalCode !== null) return
    const ended = new Promise((resolve) => running.once('exit', resolve))
    running.kill(signal)
    await ended
  }

  /** As a power cut would. */
  kill(): Promise<void> {
    return this.end('SIGKILL')
  }

  /** In order, with all that it kept. */
  async stop(): Promise<void> {
    await this.end('SIGTERM')
    rmSync(this.folder, { recursive: true, force: true })
  }

  /** A request past the page. */
  async api<T = unknown>(path: string, init: RequestInit = {}): Promise<T> {
    const headers = { ...(this.token && { authorization: `Bearer ${this.token}` }), ...init.headers }
    const answer = await fetch(`${this.url}/api/v1${path}`, { ...init, headers })
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
    return (answer.status === 204 ? undefined : await answer.json()) as T
  }
}

export async function launch(): Promise<Browser> {
  const root = process.getuid?.() === 0
  return chromium.launch({
    executablePath: told('LINERATE_CHROMIUM'),
    args: ['--disable-dev-shm-usage', ...(root ? ['--no-sandbox'] : [])],
  })
}

/** A daemon and a browser for all tests of a file, from its first to its last. */
export function stage(): { daemon: Daemon; browser: Browser } {
  const on = {} as { daemon: Daemon; browser: Browser }
  beforeAll(async () => {
    on.daemon = await Daemon.start()
    on.browser = await launch()
  })
  afterAll(async () => {
    await on.browser?.close()
    await on.daemon?.stop()
  })
  return on
}

/** A page that writes down what must not happen: errors, refused content, requests to other hosts. */
export interface Watched {
  context: BrowserContext
  page: Page
  faults: string[]
}

export async function watched(
  browser: Browser,
  daemon: Daemon,
  options: Parameters<Browser['newContext']>[0] = {},
): Promise<Watched> {
  const context = await browser.newContext({ baseURL: daemon.url, acceptDownloads: true, ...options })
  const faults: string[] = []
  await context.exposeFunction('linerateRefused', (what: string) => faults.push(`policy: ${what}`))
  await context.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      const tell = (window as unknown as { linerateRefused(what: string): void }).linerateRefused
      tell(`${event.violatedDirective} ${event.blockedURI}`)
    })
  })
  const page = await context.newPage()
  page.on('pageerror', (error) => faults.push(`error: ${error.message}`))
  page.on('request', (request) => {
    const { protocol, origin } = new URL(request.url())
    if (!['data:', 'blob:'].includes(protocol) && origin !== daemon.url) faults.push(`request: ${request.url()}`)
  })
  return { context, page, faults }
}
