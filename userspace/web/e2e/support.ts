//! What the end-to-end tests share: a browser, pages that tell of their errors, axe in both schemes, REST and the kernel.

import { AxeBuilder } from '@axe-core/playwright'
import { execFileSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { type Browser, chromium, type Page } from 'playwright-core'
import { expect } from 'vitest'

function need(name: string): string {
  const value = process.env[name]
  if (!value) throw new Error(`${name} is not set; these tests are run by the system test of the web pages`)
  return value
}

/** The daemon. */
export const base = need('LINERATE_URL').replace(/\/$/, '')
/** A token, where it asks for one. */
export const token = process.env.LINERATE_TOKEN ?? ''
/** Two PORTs with a device between them: `west@lab`. */
export const ports = () => ({ west: need('LINERATE_WEST'), east: need('LINERATE_EAST') })

export function openBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: process.env.LINERATE_CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] })
}

/** What went wrong on a page without anybody asking. */
const faults = new WeakMap<Page, string[]>()

/** A page of its own, logged in where that is needed. */
export async function openPage(browser: Browser, path: string, size = { width: 1280, height: 900 }): Promise<Page> {
  const context = await browser.newContext({ viewport: size, acceptDownloads: true })
  if (token) await context.addInitScript((value) => sessionStorage.setItem('linerate-token', value), token)
  const page = await context.newPage()
  const found: string[] = []
  faults.set(page, found)
  page.on('pageerror', (error) => found.push(`uncaught: ${error.message}`))
  page.on('console', (message) => {
    // An answer that is no success is for the page to show; the browser tells of it all the same.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) found.push(message.text())
  })
  page.on('request', (request) => {
    const { protocol, origin } = new URL(request.url())
    if (/^https?:$/.test(protocol) && origin !== new URL(base).origin) found.push(`a request to another host: ${request.url()}`)
  })
  await page.goto(base + path)
  return page
}

/** Nothing uncaught, nothing that the policy of the page refused, nothing from another host. */
export function expectNoFaults(page: Page): void {
  expect(faults.get(page)).toEqual([])
}

/** No violation of WCAG 2.2 level A or AA, in light and in dark. */
export async function expectAccessible(page: Page): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme })
    const { violations } = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']).analyze()
    const told = violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target.join(' ')).join(', ')}`)
    expect(told, `${page.url()} in ${colorScheme}`).toEqual([])
  }
  await page.emulateMedia({ colorScheme: null })
}

/** An answer of the daemon that must be a success. */
export async function rest<T>(path: string, body?: unknown, method = body === undefined ? 'GET' : 'POST'): Promise<T> {
  const headers: Record<string, string> = { 'content-type': 'application/json' }
  if (token) headers.authorization = `Bearer ${token}`
  const response = await fetch(`${base}/api/v1/${path}`, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) })
  const text = await response.text()
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`)
  return (text === '' ? undefined : JSON.parse(text)) as T
}

/** What the kernel counted at a PORT. */
export function kernelFrames(port: string): { tx: number; rx: number } {
  const [name, namespace] = port.split('@')
  const args = [...(namespace ? ['-n', namespace] : []), '-s', '-j', 'link', 'show', 'dev', name ?? '']
  const [link] = JSON.parse(execFileSync('ip', args, { encoding: 'utf8' }))
  return { tx: link.stats64.tx.packets, rx: link.stats64.rx.packets }
}

/** The file that a click gives. */
export async function download(page: Page, click: () => Promise<void>): Promise<{ name: string; text: string }> {
  const [file] = await Promise.all([page.waitForEvent('download'), click()])
  return { name: file.suggestedFilename(), text: await readFile(await file.path(), 'utf8') }
}
